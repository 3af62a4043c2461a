package localname

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/ipv4"
)

const (
	port       = 5353
	maxMessage = 9000 // RFC 6762 section 17
	readPause  = 100 * time.Millisecond
)

func group() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{224, 0, 0, 251}), port)
}

// server is one socket and the goroutine that has it, for one set of links.
type server struct {
	name  dnsmessage.Name
	links []*link
	log   *onceLog
	conn  *net.UDPConn
	out   *ipv4.PacketConn

	closing chan struct{}
	goodbye bool // set before closing
	done    chan struct{}
}

// startServer joins the group on every link's interface. A link that cannot join is kept:
// unicast questions reach it.
func startServer(name dnsmessage.Name, links []*link, log *onceLog) (*server, error) {
	// With a group's address, net shares the port with other mDNS software of the host.
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(group()))
	if err != nil {
		return nil, err
	}
	s := &server{name: name, links: links, log: log, conn: conn, out: ipv4.NewPacketConn(conn), closing: make(chan struct{}), done: make(chan struct{})}
	// Programs on this host ask as well; and 255 is the TTL of mDNS (RFC 6762 section 11).
	if err := errors.Join(s.out.SetMulticastLoopback(true), s.out.SetMulticastTTL(255)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	joined := map[int]bool{}
	for _, l := range links {
		if joined[l.iface.Index] {
			continue
		}
		joined[l.iface.Index] = true
		if err := s.out.JoinGroup(&l.iface, net.UDPAddrFromAddrPort(group())); err != nil {
			s.warn(l, "mDNS finds no multicast on an interface; people there reach the server by its address", err)
		}
	}
	for _, l := range links {
		if l.due.IsZero() {
			l.startProbing(time.Now(), 0)
		}
	}
	go s.run()
	return s, nil
}

func (s *server) warn(l *link, message string, err error) {
	s.log.warn(l.iface.Name+message, message, "interface", l.iface.Name, "address", l.prefix.Addr(), "error", err)
}

// stop ends the goroutine and keeps the links as they were. With goodbye, the other
// devices are told to forget the name.
func (s *server) stop(goodbye bool) {
	s.goodbye = goodbye
	close(s.closing)
	_ = s.conn.SetReadDeadline(time.Unix(1, 0)) // fails only if the loop has ended
	<-s.done
}

func (s *server) run() {
	defer close(s.done)
	defer s.leave()
	buf := make([]byte, maxMessage)
	for {
		now := time.Now()
		due := now.Add(forever)
		for _, l := range s.links {
			if m, ok := l.step(s.name, now); ok {
				s.multicast(l, m)
			}
			if l.due.Before(due) {
				due = l.due
			}
		}
		if err := s.conn.SetReadDeadline(due); err != nil {
			return
		}
		select {
		case <-s.closing:
			return
		default:
		}
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		switch {
		case err == nil:
			s.handle(buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), time.Now())
		case !errors.Is(err, os.ErrDeadlineExceeded):
			// Such as Windows' report that an earlier answer reached nobody.
			s.log.warn("read", "mDNS could not read a question", "error", err)
			select {
			case <-s.closing:
				return
			case <-time.After(readPause):
			}
		}
	}
}

func (s *server) leave() {
	for _, l := range s.links {
		if s.goodbye && l.state == answering {
			s.multicast(l, l.announce(s.name, 0))
		}
	}
	s.conn.Close()
}

// handle takes one message. Questions from outside our segments are dropped (RFC 6762
// section 11): nothing is sent to anybody farther than the link.
func (s *server) handle(packet []byte, from netip.AddrPort, now time.Time) {
	at := slices.IndexFunc(s.links, func(l *link) bool { return l.prefix.Contains(from.Addr()) })
	if at < 0 {
		return
	}
	l := s.links[at]
	var m dnsmessage.Message
	if err := m.Unpack(packet); err != nil || m.OpCode != 0 || m.RCode != dnsmessage.RCodeSuccess {
		return
	}
	if m.Response {
		s.heard(l, m, from, now)
	} else {
		s.asked(l, m, from, now)
	}
}

// ours reports whether addr is one of this host that we answer with.
func (s *server) ours(addr netip.Addr) bool {
	return slices.ContainsFunc(s.links, func(l *link) bool { return slices.Contains(l.addrs(), addr) })
}

func (s *server) heard(l *link, m dnsmessage.Message, from netip.AddrPort, now time.Time) {
	if from.Port() != port || s.ours(from.Addr()) {
		return
	}
	for _, r := range slices.Concat(m.Answers, m.Additionals) {
		addr, ok := addrOf(s.name, r)
		if !ok || r.Header.TTL == 0 || s.ours(addr) {
			continue
		}
		if l.lose(now) {
			s.warn(l, "another device has this mDNS name; set mdns.name to another one, or leave it: people reach the server by its address",
				fmt.Errorf("%s is %s", s.name, addr))
		}
		return
	}
}

func (s *server) asked(l *link, m dnsmessage.Message, from netip.AddrPort, now time.Time) {
	w, ok := wantedOf(s.name, m.Questions)
	if !ok {
		return
	}
	for _, r := range m.Authorities {
		if addr, ok := addrOf(s.name, r); ok && !s.ours(addr) {
			l.rival(addr, now)
		}
	}
	if l.state != answering {
		return
	}
	legacy := from.Port() != port
	answer, ok := l.answer(s.name, m, w, legacy)
	switch {
	case !ok:
	case legacy || w.unicast:
		s.send(l, answer, from)
	case l.mayMulticast(now, len(m.Authorities) > 0):
		s.multicast(l, answer)
	}
}

func (s *server) multicast(l *link, m dnsmessage.Message) { s.send(l, m, group()) }

func (s *server) send(l *link, m dnsmessage.Message, to netip.AddrPort) {
	packet, err := m.Pack()
	if err == nil {
		err = s.out.SetMulticastInterface(&l.iface)
	}
	if err == nil {
		_, err = s.conn.WriteToUDPAddrPort(packet, to)
	}
	if err != nil {
		s.warn(l, "mDNS cannot send on an interface; people there reach the server by its address", err)
	}
}
