package turnsrv

import (
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pion/stun/v3"
)

const (
	maxSweepPorts = 32
	maxSweepLife  = time.Minute
	// sweepShare of the free ports of an address, 1/sweepShare, may be lent to
	// sweeps.
	sweepShare = 4
	// sweepPace bounds the answers of one port; ICE repeats a check every few
	// dozen milliseconds (RFC 8445 section 14).
	sweepPace = 20 * time.Millisecond
)

var (
	// ErrNoSweep is returned when too few relay ports are free to lend any.
	ErrNoSweep = errors.New("turn: no relay port is free enough for a sweep; try again when fewer calls are relayed")
	// ErrSweepAddress is returned for an address that is not served.
	ErrSweepAddress = errors.New("turn: no listener serves this address; ask for a sweep of one of Addresses")
)

// Sweep is a sample of the relay ports of one address, which answer STUN for a
// while, so that a client finds the ones that a firewall eats.
type Sweep struct {
	// Address is what clients are told, the advertised one if there is one.
	Address netip.Addr
	// Ports are spread over the range; fewer than asked for if few are free.
	Ports []uint16
	// Ufrag and Password are those of an ICE lite agent at each port (RFC 8445
	// section 2.5): a check for it is answered like one, and a Binding request
	// without credentials is answered too.
	Ufrag, Password string
	// Expires is when the ports fall silent, by the system's clock.
	Expires time.Time
}

// Sweep lends up to n (at most 32) free relay ports of a local address to a
// sample that answers STUN Binding requests for at most a minute. No more than
// a quarter of the free ports of an address is lent; an allocation that finds
// no other gets a lent one at once.
func (s *Server) Sweep(address netip.Addr, n int, life time.Duration) (Sweep, error) {
	address = address.Unmap().WithZone("")
	if n < 1 || life <= 0 {
		return Sweep{}, fmt.Errorf("turn: a sweep of %d ports for %v: ask for at least one port and some time", n, life)
	}
	n, life = min(n, maxSweepPorts), min(life, maxSweepLife)
	advertised, served := s.advertisedFor(address)
	if !served {
		return Sweep{}, fmt.Errorf("%w: %s", ErrSweepAddress, address)
	}
	sweep := Sweep{
		Address: advertised, Ufrag: rand.Text()[:8], Password: rand.Text(),
		Expires: time.Now().Add(life),
	}
	lent := s.pool(address).lend(n)
	if len(lent) == 0 {
		return Sweep{}, ErrNoSweep
	}
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.running.Add(len(lent))
	}
	s.mu.Unlock()
	for port, conn := range lent {
		if closed {
			s.pool(address).giveBack(port, conn)
			continue
		}
		sweep.Ports = append(sweep.Ports, port)
		go s.answerSweep(sweep, s.pool(address), port, conn)
	}
	if closed {
		return Sweep{}, ErrClosed
	}
	slices.Sort(sweep.Ports)
	return sweep, nil
}

func (s *Server) advertisedFor(address netip.Addr) (advertised netip.Addr, served bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		if l.Address == address && l.UDP != nil {
			return s.peers.now.Load().advertised(address), true
		}
	}
	return netip.Addr{}, false
}

// answerSweep serves one port until its time is over or it is taken away.
func (s *Server) answerSweep(sweep Sweep, pool *portPool, port uint16, conn *net.UDPConn) {
	defer s.running.Done()
	defer pool.giveBack(port, conn)
	if conn.SetReadDeadline(sweep.Expires) != nil {
		return
	}
	var due time.Time
	buffer := make([]byte, 1500)
	for failures := 0; failures < maxReadFailures; {
		n, from, err := conn.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		now := time.Now()
		if err != nil {
			failures++
			continue
		}
		if failures = 0; bindingType(buffer[:n]) != bindingRequest || now.Before(due) {
			continue
		}
		due = now.Add(sweepPace)
		if answer := sweep.answer(buffer[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port())); answer != nil {
			_, _ = conn.WriteToUDPAddrPort(answer, from)
		}
	}
}

// answer is the success response to a Binding request; nil if it claims to be
// an ICE check and is not signed as one for us.
func (s Sweep) answer(request []byte, from netip.AddrPort) []byte {
	m := &stun.Message{Raw: slices.Clone(request)}
	if m.Decode() != nil {
		return nil
	}
	setters := []stun.Setter{
		stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess,
		&stun.XORMappedAddress{IP: from.Addr().AsSlice(), Port: int(from.Port())},
	}
	if m.Contains(stun.AttrUsername) {
		username, _ := m.Get(stun.AttrUsername)
		integrity := stun.NewShortTermIntegrity(s.Password)
		if !strings.HasPrefix(string(username), s.Ufrag+":") || integrity.Check(m) != nil {
			return nil
		}
		setters = append(setters, integrity)
	}
	response, err := stun.Build(append(setters, stun.Fingerprint)...)
	if err != nil {
		return nil
	}
	return response.Raw
}

// lend opens up to n free ports, spread over the range, without keeping more
// than a share of the free ones from allocations.
func (p *portPool) lend(n int) map[uint16]*net.UDPConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := len(p.free) + len(p.lent)
	n = min(n, all/sweepShare-len(p.lent))
	opened := make(map[uint16]*net.UDPConn)
	ports := slices.Sorted(slices.Values(p.free))
	for i := range max(n, 0) {
		low, high := i*len(ports)/n, (i+1)*len(ports)/n
		port := ports[low+mathrand.IntN(high-low)]
		conn, err := p.bind(netip.AddrPortFrom(p.address, port))
		if err != nil && !portTaken(err) {
			break
		}
		p.remove(slices.Index(p.free, port))
		if err != nil {
			p.taken = append(p.taken, port)
			continue
		}
		p.lent[port], opened[port] = conn, conn
	}
	return opened
}

// endLoans takes back what sweeps hold.
func (p *portPool) endLoans() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takeBack()
}

// takeBack is endLoans with p.mu held.
func (p *portPool) takeBack() {
	for port, conn := range p.lent {
		_ = conn.Close()
		delete(p.lent, port)
		p.free = append(p.free, port)
	}
}

// giveBack ends a loan, unless the port was taken away before.
func (p *portPool) giveBack(port uint16, conn *net.UDPConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lent[port] != conn {
		return
	}
	_ = conn.Close()
	delete(p.lent, port)
	p.free = append(p.free, port)
}
