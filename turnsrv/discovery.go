package turnsrv

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/pion/stun/v3"
)

// Places in corner.ports.
const (
	primaryPort   = 0
	alternatePort = 1
)

// corner is one address in NAT behaviour discovery (RFC 5780 section 6): it
// answers at two ports, and can have the next address answer for it.
type corner struct {
	told  netip.Addr
	ports [2]uint16
	conns [2]*udpSocket
	next  *corner
}

// spot is one socket of a corner.
type spot struct {
	*corner
	port int
}

// discovery keeps the alternate ports open. They are opened only while two or
// more addresses of one family are served by UDP at the same port, for then
// only can a client learn how its NAT behaves.
type discovery struct {
	// spots are found by the socket's address.
	spots atomic.Pointer[map[netip.AddrPort]spot]

	mu         sync.Mutex
	alternates map[netip.AddrPort]*udpSocket
}

// at returns the place of a UDP socket, or none.
func (d *discovery) at(socket netip.AddrPort) spot {
	spots := d.spots.Load()
	if spots == nil {
		return spot{}
	}
	return (*spots)[socket]
}

// OtherAddress is where a client that asks this listener's address finds the
// server a second time, for NAT behaviour discovery (OTHER-ADDRESS, RFC 5780
// section 7.4). It is false while there are no two addresses to discover by.
func (s *Server) OtherAddress(listener netip.AddrPort) (netip.AddrPort, bool) {
	at := s.discovery.at(netip.AddrPortFrom(listener.Addr().Unmap(), listener.Port()))
	if at.corner == nil {
		return netip.AddrPort{}, false
	}
	return at.other(), true
}

func (s spot) other() netip.AddrPort { return netip.AddrPortFrom(s.next.told, s.next.ports[1-s.port]) }

// arrange follows the listeners: it opens the alternate ports that are missing
// and closes those that are of no use any more.
func (s *Server) arrange() {
	d := &s.discovery
	d.mu.Lock()
	defer d.mu.Unlock()
	spots := make(map[netip.AddrPort]spot)
	for _, listeners := range s.rings() {
		var corners []*corner
		for _, l := range listeners {
			c, err := s.place(l)
			if err != nil {
				s.log.Warn("turn: NAT behaviour discovery leaves an address out; free the alternate port or choose another",
					"listener", l.String(), "alternate_port", s.alternatePort(l), "err", err)
				continue
			}
			corners = append(corners, c)
		}
		for i, c := range corners {
			if c.next = corners[(i+1)%len(corners)]; c.next != c {
				spots[addrPort(c.conns[primaryPort].local())] = spot{c, primaryPort}
				spots[addrPort(c.conns[alternatePort].local())] = spot{c, alternatePort}
			}
		}
	}
	d.spots.Store(&spots)
	for address, conn := range d.alternates {
		if _, used := spots[address]; !used {
			conn.close()
			delete(d.alternates, address)
		}
	}
}

// rings are the UDP listeners that can answer for each other, in order of
// their addresses.
func (s *Server) rings() map[ring][]*listener {
	rings := make(map[ring][]*listener)
	s.mu.Lock()
	for _, l := range s.listeners {
		if l.UDP != nil {
			r := ring{addrPort(l.UDP.LocalAddr()).Port(), l.Address.Is4(), l.Address.IsLoopback()}
			rings[r] = append(rings[r], l)
		}
	}
	s.mu.Unlock()
	for r, listeners := range rings {
		if len(listeners) < 2 {
			delete(rings, r)
		}
		slices.SortFunc(listeners, func(a, b *listener) int { return a.Address.Compare(b.Address) })
	}
	return rings
}

type ring struct {
	port           uint16
	ipv4, loopback bool
}

var (
	errAlternateInRange = errors.New("it lies within the relay ports")
	errNoPortAfter      = errors.New("there is no port after 65535")
)

func (s *Server) alternatePort(l *listener) uint16 {
	return cmp.Or(s.config.AlternatePort, addrPort(l.UDP.LocalAddr()).Port()+1)
}

// place opens the alternate port of a listener, unless it is open.
// s.discovery.mu is held.
func (s *Server) place(l *listener) (*corner, error) {
	address := netip.AddrPortFrom(l.Address, s.alternatePort(l))
	conn := s.discovery.alternates[address]
	if conn == nil {
		if address.Port() == 0 {
			return nil, errNoPortAfter
		}
		if s.settings.Load().Relay.contains(address.Port()) {
			return nil, errAlternateInRange
		}
		opened, err := new(net.ListenConfig).ListenPacket(context.Background(), "udp", address.String())
		if err != nil {
			return nil, err
		}
		conn = newUDPSocket(opened.(*net.UDPConn), &s.counters)
		if s.discovery.alternates == nil {
			s.discovery.alternates = make(map[netip.AddrPort]*udpSocket)
		}
		s.discovery.alternates[address] = conn
		s.running.Add(1)
		go s.answerAlternate(address, conn)
	}
	return &corner{
		told:  s.peers.now.Load().advertised(l.Address),
		ports: [2]uint16{addrPort(l.UDP.LocalAddr()).Port(), address.Port()},
		conns: [2]*udpSocket{l.socket, conn},
	}, nil
}

// answerAlternate answers Binding requests, and nothing else, until the socket
// is closed.
func (s *Server) answerAlternate(address netip.AddrPort, socket *udpSocket) {
	defer s.running.Done()
	p := make([]byte, frameBuffer)
	var r request
	var response stun.Message
	for {
		n, client, err := socket.read(p)
		if err != nil {
			return
		}
		s.counters.udp.in(n)
		if !r.read(p[:n], client) || r.message.Type != stun.BindingRequest {
			s.counters.malformed.Add(1)
			continue
		}
		from, answer := s.binding(&r, &response, s.discovery.at(address))
		if !answer {
			continue
		}
		if from == nil {
			from = socket
		}
		err = from.write(response.Raw, r.client)
		s.counters.udp.out(len(response.Raw), err)
	}
}
