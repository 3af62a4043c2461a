package turnsrv

import (
	"errors"
	"net/netip"
	"sync"
	"time"

	"fieldphone/turnsrv/relay"
)

const (
	// maxWanted bounds the channels that wait to be told to the kernel; those that
	// find no place go on by the user path and are tried again.
	maxWanted = 1024
	// countEvery is how often the kernel's counters are read.
	countEvery = time.Second
)

// shortcuts are the channels whose packets the kernel forwards. Only what has
// passed every check of the user path gets there, and whatever could change the
// answer takes it away first: the end of a channel, permission, path or
// allocation, other rules, limits of bandwidth, other routes.
type shortcuts struct {
	server *Server
	kernel *relay.Kernel
	wanted chan wish
	done   chan struct{}
	ended  chan struct{}
	once   sync.Once
	failed error // of closing

	mu sync.Mutex
	of map[*relayConn]map[relay.Flow]*shortcut
}

// wish is a channel that the user path has just forwarded a packet of.
type wish struct {
	relay  *relayConn
	number uint16
	peer   netip.AddrPort
	path   *path
}

// shortcut is one flow. from or to is nil if the peer is none of our allocations.
type shortcut struct {
	flow     relay.Flow
	from, to *relayConn
	path     *path
	counted  relay.Counted
}

func newShortcuts(s *Server) (*shortcuts, error) {
	c := &shortcuts{
		server: s, wanted: make(chan wish, maxWanted), done: make(chan struct{}), ended: make(chan struct{}),
		of: make(map[*relayConn]map[relay.Flow]*shortcut),
	}
	kernel, err := relay.LoadKernel(c.flush)
	if err != nil {
		return nil, err
	}
	c.kernel = kernel
	go c.run()
	return c, nil
}

func (c *shortcuts) run() {
	defer close(c.ended)
	count := time.NewTicker(countEvery)
	defer count.Stop()
	for {
		select {
		case w := <-c.wanted:
			c.open(w)
		case <-count.C:
			c.collect()
		case <-c.done:
			return
		}
	}
}

// close takes everything out of the kernel; it may be called more than once. A
// nil shortcuts has nothing there.
func (c *shortcuts) close() error {
	if c == nil {
		return nil
	}
	c.once.Do(func() {
		close(c.done)
		<-c.ended
		c.flush()
		c.failed = c.kernel.Close()
	})
	return c.failed
}

// want asks for a shortcut, once for each path, and never waits.
func (c *shortcuts) want(w wish) {
	if c == nil || w.path.short.Load() || !w.path.short.CompareAndSwap(false, true) {
		return
	}
	select {
	case c.wanted <- w:
	default:
		w.path.short.Store(false)
	}
}

// open looks at everything again, since it may have changed, and tells the
// kernel. What changes from now on waits for c.mu and takes it back.
func (c *shortcuts) open(w wish) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, p := w.relay, w.path
	if !r.shortcutable() || !r.gate.stands(w.peer, p) || p.gated && !p.answered.Load() || c.server.limited() {
		p.short.Store(false)
		return
	}
	if bound, ok := r.gate.peerOf(w.number); !ok || bound != w.peer {
		p.short.Store(false)
		return
	}
	server := addrPort(r.endpoint.socket.local())
	up := relay.Flow{From: r.client, To: server, Channel: w.number}
	if p.own {
		c.openToOwn(w, up)
		return
	}
	own := r.local
	c.put(&shortcut{flow: up, from: r, path: p}, relay.Forward{From: own, To: p.to, Change: relay.StripHeader})
	if p.heard.Load() {
		c.put(&shortcut{flow: relay.Flow{From: p.to, To: own}, to: r, path: p},
			relay.Forward{From: server, To: r.client, Channel: w.number, Change: relay.AddHeader})
	} else {
		p.short.Store(false) // for the other direction, later
	}
}

// openToOwn leads from client to client.
func (c *shortcuts) openToOwn(w wish, up relay.Flow) {
	r := w.relay
	other := w.path.relay.holder(w.path.to.Port())
	if other == nil || !other.shortcutable() {
		w.path.short.Store(false)
		return
	}
	number, bound := other.gate.channelOf(r.told)
	if !bound || !other.gate.admits(r.told) {
		w.path.short.Store(false)
		return
	}
	c.put(&shortcut{flow: up, from: r, to: other, path: w.path},
		relay.Forward{From: addrPort(other.endpoint.socket.local()), To: other.client, Channel: number, Change: relay.ReplaceHeader})
}

// shortcutable tells whether the client speaks UDP, and the allocation is there.
func (r *relayConn) shortcutable() bool { return r.endpoint.direct != nil && !r.closed.Load() }

// put is called with c.mu held.
func (c *shortcuts) put(s *shortcut, forward relay.Forward) {
	for _, r := range []*relayConn{s.from, s.to} {
		if r != nil && c.of[r] != nil && c.of[r][s.flow] != nil {
			return
		}
	}
	if err := c.kernel.Put(s.flow, forward); err != nil {
		if !errors.Is(err, relay.ErrNoWay) {
			c.server.log.Debug("turn: a channel stays on the user path", "err", err)
		}
		return
	}
	for _, r := range []*relayConn{s.from, s.to} {
		if r == nil {
			continue
		}
		if c.of[r] == nil {
			c.of[r] = make(map[relay.Flow]*shortcut)
		}
		c.of[r][s.flow] = s
	}
}

// drop takes an allocation's flows out of the kernel. Those that still may be
// forwarded come back with their next packet. A nil shortcuts has none.
func (c *shortcuts) drop(r *relayConn) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropAll(r)
}

func (c *shortcuts) dropAll(r *relayConn) {
	for _, s := range c.of[r] {
		c.account(s, c.kernel.Delete(s.flow))
		for _, owner := range []*relayConn{s.from, s.to} {
			if owner != nil && owner != r {
				delete(c.of[owner], s.flow)
			}
		}
		s.path.short.Store(false)
	}
	delete(c.of, r)
}

// flush takes everything out.
func (c *shortcuts) flush() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for r := range c.of {
		c.dropAll(r)
	}
}

// collect adds what the kernel has forwarded to the counters of everybody.
func (c *shortcuts) collect() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for r, flows := range c.of {
		for _, s := range flows {
			if s.from == r || s.from == nil { // once, where both ends are ours
				c.account(s, c.kernel.Count(s.flow))
			}
		}
	}
}

func (c *shortcuts) account(s *shortcut, now relay.Counted) {
	if now.Packets <= s.counted.Packets {
		return
	}
	packets, bytes := int(now.Packets-s.counted.Packets), int(now.Bytes-s.counted.Bytes)
	s.counted = now
	c.server.counters.kernel.Add(int64(packets))
	counters, framed := &c.server.counters, bytes+packets*headerSize
	if s.from != nil {
		s.from.endpoint.socket.traffic().inMany(packets, framed)
		s.from.fromClient.addMany(packets, bytes)
		counters.relay.outMany(packets, bytes)
	}
	if s.to != nil {
		counters.relay.inMany(packets, bytes)
		s.to.toClient.addMany(packets, bytes)
		s.to.endpoint.socket.traffic().outMany(packets, framed)
	}
}
