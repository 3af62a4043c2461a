package turnsrv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

var errPortsFull = errors.New("turn: every relay port is in use; widen turn.relay_ports")

// maxRetests bounds how many ports that others held are tried again at once.
const maxRetests = 64

// portPool hands out the relay ports of one local address, exactly: a request
// fails only when no port of the range can be had. Each port of the range is
// in one of three places: free (lent ones included), used, or taken by another
// process. Used ports may also lie outside of the range, after it has moved.
// Free ports are in random order, and a returned one goes to the end of the
// queue, so that late packets for its former owner find nobody.
type portPool struct {
	address netip.Addr
	bind    func(netip.AddrPort) (*net.UDPConn, error)

	// held marks the ports of allocations, for packets to look at.
	held [1 << 16 / 64]atomic.Uint64
	// holders are the allocations of held ports, by page and port; borrowed ports
	// have none.
	holders [1 << 8]atomic.Pointer[holderPage]
	// advertised are those of held ports that are told by another address than
	// the pool's, and changed counts how often that changed.
	advertised sync.Map // of uint16 to netip.Addr
	changed    atomic.Uint64

	mu      sync.Mutex
	span    PortRange
	free    []uint16
	used    map[uint16]struct{}
	taken   []uint16
	lent    map[uint16]*net.UDPConn // to sweeps
	peak    int
	refused int64
}

type holderPage [1 << 8]atomic.Pointer[relayConn]

// keep makes an allocation known as the holder of its port.
func (p *portPool) keep(r *relayConn) {
	page := &p.holders[r.port>>8]
	if page.Load() == nil {
		page.CompareAndSwap(nil, new(holderPage))
	}
	page.Load()[r.port&0xff].Store(r)
}

func (p *portPool) forget(r *relayConn) {
	if page := p.holders[r.port>>8].Load(); page != nil {
		page[r.port&0xff].CompareAndSwap(r, nil)
	}
}

// holder is the allocation at a port, or nil.
func (p *portPool) holder(port uint16) *relayConn {
	if page := p.holders[port>>8].Load(); page != nil {
		return page[port&0xff].Load()
	}
	return nil
}

func newPortPool(address netip.Addr, span PortRange, bind func(netip.AddrPort) (*net.UDPConn, error)) *portPool {
	return &portPool{
		address: address, span: span, bind: bind, free: shuffled(span),
		used: make(map[uint16]struct{}), lent: make(map[uint16]*net.UDPConn),
	}
}

func shuffled(span PortRange) []uint16 {
	ports := make([]uint16, span.size())
	for i, offset := range rand.Perm(span.size()) {
		ports[i] = span.Min + uint16(offset)
	}
	return ports
}

// open takes a free port that fits and that can be bound. Ports lent to sweeps, and ports that
// another process held when last tried, are asked for last. The error is
// errPortsFull, or whatever keeps the system from opening sockets at all.
func (p *portPool) open(fits func(uint16) bool, bind func(netip.AddrPort) error) (uint16, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	port, err := p.openFree(fits, bind)
	if errors.Is(err, errPortsFull) && p.reclaim() {
		port, err = p.openFree(fits, bind)
	}
	if err != nil {
		p.refused++
		return 0, err
	}
	p.used[port] = struct{}{}
	p.peak = max(p.peak, len(p.used))
	return port, nil
}

// openFree takes the first free port that fits and that the system gives. The
// lock is held while binding, so that nobody else finds the port taken by us.
func (p *portPool) openFree(fits func(uint16) bool, bind func(netip.AddrPort) error) (uint16, error) {
	for i := 0; i < len(p.free); {
		port := p.free[i]
		if !fits(port) {
			i++
			continue
		}
		err := bind(netip.AddrPortFrom(p.address, port))
		switch {
		case err == nil:
			p.remove(i)
			return port, nil
		case !portTaken(err):
			return 0, fmt.Errorf("turn: open relay port: %w", err)
		}
		p.remove(i)
		p.taken = append(p.taken, port)
	}
	return 0, errPortsFull
}

func (p *portPool) remove(i int) {
	if i == 0 {
		p.free = p.free[1:]
		return
	}
	p.free = slices.Delete(p.free, i, i+1)
}

// reclaim frees what sweeps hold and what others hold no more, and reports
// whether there is any.
func (p *portPool) reclaim() bool {
	before := len(p.free)
	p.takeBack()
	p.retest()
	return len(p.free) > before
}

func (p *portPool) retest() {
	for range min(len(p.taken), maxRetests) {
		port := p.taken[0]
		p.taken = p.taken[1:]
		if p.isTaken(port) {
			p.taken = append(p.taken, port)
		} else {
			p.free = append(p.free, port)
		}
	}
}

// isTaken binds a port to see whether another process holds it.
func (p *portPool) isTaken(port uint16) bool {
	conn, err := p.bind(netip.AddrPortFrom(p.address, port))
	if err == nil {
		conn.Close()
	}
	return err != nil && portTaken(err)
}

// learn looks for free ports that others hold, until the given time.
func (p *portPool) learn(until time.Time) {
	next := func(i int) (int, bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if i >= len(p.free) {
			return i, false
		}
		port := p.free[i]
		if !p.isTaken(port) {
			return i + 1, true
		}
		p.remove(i)
		p.taken = append(p.taken, port)
		return i, true
	}
	for i, more := 0, true; more && time.Now().Before(until); {
		i, more = next(i)
	}
}

// put takes a port back. One outside of the range is forgotten.
func (p *portPool) put(port uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.used, port)
	if p.span.contains(port) {
		p.free = append(p.free, port)
	}
}

// move changes the range. What is used stays used, wherever it lies.
func (p *portPool) move(span PortRange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if span == p.span {
		return
	}
	p.takeBack()
	leaves := func(port uint16) bool { return !span.contains(port) }
	p.free = slices.DeleteFunc(p.free, leaves)
	p.taken = slices.DeleteFunc(p.taken, leaves)
	known := make(map[uint16]bool)
	for _, port := range slices.Concat(p.free, p.taken) {
		known[port] = true
	}
	var added []uint16
	for _, port := range shuffled(span) {
		if _, used := p.used[port]; !used && !known[port] {
			added = append(added, port)
		}
	}
	// New ones first: nobody still sends to those.
	p.free = append(added, p.free...)
	p.span = span
}

// hold marks the port of an allocation, which clients are told by an address.
func (p *portPool) hold(port uint16, told netip.Addr) {
	if told != p.address {
		p.advertised.Store(port, told)
		p.changed.Add(1)
	}
	p.held[port/64].Or(1 << (port % 64))
}

func (p *portPool) release(port uint16) {
	p.held[port/64].And(^(uint64(1) << (port % 64)))
	if _, advertised := p.advertised.LoadAndDelete(port); advertised {
		p.changed.Add(1)
	}
}

// told is the address that clients know a held port by.
func (p *portPool) told(port uint16) netip.Addr {
	if told, ok := p.advertised.Load(port); ok {
		return told.(netip.Addr)
	}
	return p.address
}

// changes is 0 for a nil pool.
func (p *portPool) changes() uint64 {
	if p == nil {
		return 0
	}
	return p.changed.Load()
}

// holds reports whether an allocation has this port. A nil pool holds none.
func (p *portPool) holds(port uint16) bool {
	return p != nil && p.held[port/64].Load()&(1<<(port%64)) != 0
}

func (p *portPool) isUsed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.used) > 0
}

// PortUse is how the relay ports of one local address are used.
type PortUse struct {
	Address netip.Addr
	Range   PortRange
	// Used, Free and Taken (by other processes, as far as known) together are
	// the ports of the range.
	Used, Free, Taken int
	// Outside are used ports outside of the range: allocations made before it
	// moved, which keep their ports until they end.
	Outside int
	// Peak is the most that were used at once, Refused are requests that got
	// none, both since start.
	Peak    int
	Refused int64
}

// use first looks whether others have let go of ports.
func (p *portPool) use() PortUse {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retest()
	u := PortUse{
		Address: p.address, Range: p.span, Free: len(p.free) + len(p.lent),
		Taken: len(p.taken), Peak: p.peak, Refused: p.refused,
	}
	for port := range p.used {
		if p.span.contains(port) {
			u.Used++
		} else {
			u.Outside++
		}
	}
	return u
}

// outlook is what another range would mean for one address.
type outlook struct {
	used, inside, free int
	taken              []uint16
	sampled            bool
}

// tryRange binds each port of another range that we do not hold, in random
// order, until the given time or until enough are free.
func (p *portPool) tryRange(span PortRange, until time.Time, enough int) outlook {
	var o outlook
	try := func(port uint16) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if _, used := p.used[port]; used {
			return
		}
		if _, lent := p.lent[port]; !lent && p.isTaken(port) {
			o.taken = append(o.taken, port)
			return
		}
		o.free++
	}
	for _, port := range shuffled(span) {
		if o.sampled = !time.Now().Before(until); o.sampled || o.free >= enough {
			break
		}
		try(port)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	o.used = len(p.used)
	for port := range p.used {
		if span.contains(port) {
			o.inside++
		}
	}
	if o.sampled {
		o.free = span.size() - o.inside - len(o.taken)
	}
	return o
}

func anyPort(uint16) bool       { return true }
func evenPort(port uint16) bool { return port%2 == 0 }
