package turnsrv

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxBindings bounds the permissions, and the channels, of one allocation:
	// each costs memory, and each channel a step of every lookup.
	maxBindings = 128
	// maxHosts bounds what is remembered of addresses, permitted or only asked
	// about; maxPaths bounds peers by address and port.
	maxHosts = 3 * maxBindings
	maxPaths = 128
	// lowestPeer keeps peers that are not ours off the ports of services, in the
	// modes by identity.
	lowestPeer = 1024
	// knownFor is how long an answer of Config.Known is good.
	knownFor = 2 * time.Second
)

// gate knows whom one allocation may exchange packets with. It is asked for
// every packet: that costs one lookup.
//
// In the modes by identity it lets nothing but STUN Binding messages pass to a
// peer until that very address and port has sent one to the relay port, so
// that a client which names a printer as its peer can send it nothing that the
// printer would take for a job. It does not stop somebody who sends packets in
// the printer's name from inside of the printer's network.
type gate struct {
	rules *peerRules
	// lost is called, without g.mu, after something has ended that packets may
	// have passed by.
	lost  func()
	known func(mode Mode, peer netip.Addr) bool
	pace  stunPace

	mu          sync.RWMutex
	permissions int
	channels    map[uint16]netip.AddrPort
	numbers     map[netip.AddrPort]uint16 // of channels
	hosts       map[netip.Addr]*host
	paths       map[netip.AddrPort]*path
}

// path is a peer's address and port. But for what was received its fields do
// not change: to judge it again is to replace it.
type path struct {
	rules *rules
	// to is where packets go.
	to netip.AddrPort
	// own is set, and relay are the ports there, if the address is ours.
	own     bool
	relay   *portPool
	refused bool
	// gated lets only STUN pass until the peer has answered.
	gated bool
	// short is set while the kernel is asked to forward, or does.
	short atomic.Bool
	// heard is set once anything came from the peer, answered once STUN did.
	heard, answered atomic.Bool
}

func newGate(rules *peerRules, known func(Mode, netip.Addr) bool, lost func()) *gate {
	return &gate{
		rules: rules, known: known, lost: lost,
		channels: make(map[uint16]netip.AddrPort), numbers: make(map[netip.AddrPort]uint16), hosts: make(map[netip.Addr]*host), paths: make(map[netip.AddrPort]*path),
	}
}

// passage is what happens to a packet.
type passage int

const (
	passes passage = iota
	// forbidden by the policy, early because the peer has not answered yet.
	forbidden
	early
)

// outbound says where a client's packet for a peer goes.
func (g *gate) outbound(packet []byte, peer netip.AddrPort) (netip.AddrPort, passage) {
	p, passage := g.way(packet, peer)
	if passage != passes {
		return peer, passage
	}
	return p.to, passes
}

// way is the path of a client's packet for a peer, and whether it may be taken.
func (g *gate) way(packet []byte, peer netip.AddrPort) (*path, passage) {
	p := g.find(peer, g.rules.now.Load())
	switch {
	case p == nil || p.refused || p.own && !p.relay.holds(p.to.Port()):
		return p, forbidden
	case p.gated && !p.answered.Load() && (bindingType(packet) == notBinding || !g.pace.allow(time.Now())):
		return p, early
	}
	return p, passes
}

// open tells whether everything from a peer may pass, whatever is in it.
func (g *gate) open(peer netip.AddrPort, current *rules) bool {
	p := g.find(peer, current)
	return p != nil && !p.refused && p.heard.Load() && p.answered.Load()
}

// inbound says whether a packet from a peer, known to the client by that
// address, may pass. A STUN message in it opens the way to the peer.
func (g *gate) inbound(packet []byte, peer netip.AddrPort, current *rules) bool {
	p := g.find(peer, current)
	if p == nil || p.refused {
		return false
	}
	if !p.heard.Load() {
		p.heard.Store(true)
	}
	if !p.answered.Load() {
		if t := bindingType(packet); t == bindingRequest || t == bindingSuccess {
			g.answer(peer)
		}
	}
	return true
}

func (g *gate) answer(peer netip.AddrPort) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p := g.paths[peer]; p != nil {
		p.answered.Store(true)
	}
}

// stands tells whether a path is the one that packets for a peer take now.
func (g *gate) stands(peer netip.AddrPort, p *path) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.paths[peer] == p && !p.refused && p.rules == g.rules.now.Load()
}

// admits tells whether packets from a peer pass, by what is known without asking.
func (g *gate) admits(peer netip.AddrPort) bool {
	g.mu.RLock()
	p := g.paths[peer]
	g.mu.RUnlock()
	return p != nil && !p.refused && p.rules == g.rules.now.Load()
}

// find returns a peer's path, judged under the given rules, or nil if pion/turn
// holds no permission or channel for it.
func (g *gate) find(peer netip.AddrPort, current *rules) *path {
	g.mu.RLock()
	p := g.paths[peer]
	g.mu.RUnlock()
	if p != nil && p.rules == current {
		return p
	}
	if !g.expects(peer.Addr()) {
		return nil
	}
	return g.judge(peer, current)
}

func (g *gate) expects(address netip.Addr) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	h := g.hosts[address]
	return h != nil && h.bound()
}

func (g *gate) judge(peer netip.AddrPort, current *rules) *path {
	p := &path{rules: current}
	p.to, p.relay, p.own = current.local(peer)
	identity := current.policy.Mode.byIdentity()
	p.gated = identity && !p.own
	p.refused = !g.allows(peer.Addr(), current, false) || p.gated && peer.Port() < lowestPeer
	g.mu.Lock()
	defer g.mu.Unlock()
	if h := g.hosts[peer.Addr()]; h == nil || !h.bound() {
		return nil
	}
	if old := g.paths[peer]; old != nil {
		p.heard.Store(old.heard.Load())
		p.answered.Store(old.answered.Load())
	} else {
		g.makeRoom()
	}
	g.paths[peer] = p
	return p
}

// makeRoom forgets a path, if there are too many: any that no channel leads to.
// It may be one in use; then the peer's next check opens it again. A peer gets
// there only by sending from a hundred ports.
func (g *gate) makeRoom() {
	if len(g.paths) < maxPaths {
		return
	}
	var victim netip.AddrPort
	for victim = range g.paths {
		if !g.hasChannel(victim) {
			break
		}
	}
	delete(g.paths, victim)
}

func (g *gate) hasChannel(peer netip.AddrPort) bool {
	for _, bound := range g.channels {
		if bound == peer {
			return true
		}
	}
	return false
}

// permits decides on a peer that the client asks a permission for, or a
// channel; a permission is for every port (RFC 8656 section 9).
func (g *gate) permits(peer netip.AddrPort, channel bool, current *rules) bool {
	if !g.allows(peer.Addr(), current, true) {
		return false
	}
	_, _, own := current.local(peer)
	return own || !channel || peer.Port() >= lowestPeer || !current.policy.Mode.byIdentity()
}

// allows reports whether the allocation may have this address as a peer. A
// request of the client's is not refused by an answer that may have changed.
func (g *gate) allows(address netip.Addr, current *rules, request bool) bool {
	address = address.Unmap()
	switch current.judge(address) {
	case refused:
		return false
	case permitted:
		return true
	}
	now := time.Now()
	g.mu.RLock()
	h := g.hosts[address]
	recent := h != nil && h.rules == current && now.Sub(h.asked) < knownFor && (h.known || !request)
	known := recent && h.known
	g.mu.RUnlock()
	if !recent {
		known = g.known(current.policy.Mode, address)
		g.note(address, host{known: known, asked: now, rules: current})
	}
	return known
}

// peers lists whom packets were exchanged with, or may be by a channel.
func (g *gate) peers() []netip.AddrPort {
	g.mu.RLock()
	defer g.mu.RUnlock()
	peers := slices.Concat(slices.Collect(maps.Keys(g.paths)), slices.Collect(maps.Values(g.channels)))
	slices.SortFunc(peers, netip.AddrPort.Compare)
	return slices.Compact(peers)
}

// wouldRefuse reports whether other rules cut off a peer that has been heard.
func (g *gate) wouldRefuse(other *rules) bool {
	g.mu.RLock()
	answered := make(map[netip.AddrPort]bool)
	for peer, p := range g.paths {
		if p.heard.Load() {
			answered[peer] = p.answered.Load()
		}
	}
	g.mu.RUnlock()
	for peer, answered := range answered {
		verdict := other.judge(peer.Addr())
		if verdict == refused || verdict == perhaps && !g.known(other.policy.Mode, peer.Addr()) {
			return true
		}
		_, _, own := other.local(peer)
		if other.policy.Mode.byIdentity() && !own && (!answered || peer.Port() < lowestPeer) {
			return true
		}
	}
	return false
}
