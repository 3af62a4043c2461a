package turnsrv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
)

var errPortsFull = errors.New("turn: every relay port is in use; widen turn.relay_ports")

// portPool hands out the relay ports of one local address, exactly: a request
// fails only when no port of the range can be had. Ports come in random order
// and a returned one goes to the end of the queue, so that late packets for
// its former owner find nobody.
type portPool struct {
	address netip.Addr
	span    PortRange
	bind    func(netip.AddrPort) (*net.UDPConn, error)

	mu   sync.Mutex
	free []uint16
	used int
	peak int
}

func newPortPool(address netip.Addr, span PortRange, bind func(netip.AddrPort) (*net.UDPConn, error)) *portPool {
	p := &portPool{address: address, span: span, bind: bind, free: make([]uint16, span.size())}
	for i, offset := range rand.Perm(span.size()) {
		p.free[i] = span.Min + uint16(offset)
	}
	return p
}

// open binds a free port that fits. A port that another process holds is
// passed over, each at most once. The error is errPortsFull, or whatever
// keeps the system from opening sockets at all.
func (p *portPool) open(fits func(uint16) bool) (*net.UDPConn, uint16, error) {
	var tried map[uint16]bool
	for {
		port, ok := p.pop(func(port uint16) bool { return fits(port) && !tried[port] })
		if !ok {
			return nil, 0, errPortsFull
		}
		conn, err := p.bind(netip.AddrPortFrom(p.address, port))
		if err == nil {
			return conn, port, nil
		}
		p.put(port)
		if tried == nil {
			tried = make(map[uint16]bool)
		}
		tried[port] = true
		if !portTaken(err) {
			return nil, 0, fmt.Errorf("turn: open relay port: %w", err)
		}
	}
}

func (p *portPool) pop(fits func(uint16) bool) (uint16, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, port := range p.free {
		if !fits(port) {
			continue
		}
		if i == 0 {
			p.free = p.free[1:]
		} else {
			p.free = append(p.free[:i], p.free[i+1:]...)
		}
		p.used++
		p.peak = max(p.peak, p.used)
		return port, true
	}
	return 0, false
}

func (p *portPool) put(port uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, port)
	p.used--
}

func (p *portPool) counts() (used, free, peak int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.used, len(p.free), p.peak
}

func anyPort(uint16) bool       { return true }
func evenPort(port uint16) bool { return port%2 == 0 }
