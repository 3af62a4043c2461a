package turnsrv

import (
	"net/netip"
	"time"
)

// host is a peer's address.
type host struct {
	// permission and channels are what pion/turn holds.
	permission bool
	channels   int
	// known is what Config.Known said, when, and under which rules.
	known bool
	asked time.Time
	rules *rules
}

func (h *host) bound() bool { return h.permission || h.channels > 0 }

// note keeps an answer of Config.Known. What was judged by another answer is
// forgotten, also that a peer has answered with STUN.
func (g *gate) note(address netip.Addr, answer host) {
	g.mu.Lock()
	h := g.host(address)
	other := h.known != answer.known && !h.asked.IsZero()
	if other {
		g.forgetPaths(address)
	}
	h.known, h.asked, h.rules = answer.known, answer.asked, answer.rules
	g.mu.Unlock()
	if other {
		g.lost()
	}
}

// host returns what is known of an address, or makes room for it; g.mu is held.
func (g *gate) host(address netip.Addr) *host {
	h := g.hosts[address]
	if h != nil {
		return h
	}
	if len(g.hosts) >= maxHosts {
		for other, h := range g.hosts {
			if !h.bound() {
				delete(g.hosts, other)
			}
		}
	}
	h = &host{}
	g.hosts[address] = h
	return h
}

func (g *gate) forgetPaths(address netip.Addr) {
	for peer := range g.paths {
		if peer.Addr() == address {
			delete(g.paths, peer)
		}
	}
}

// hasRoom reports whether another permission and channel may be added; a
// channel or peer that exists may always be refreshed.
func (g *gate) hasRoom(peers []netip.AddrPort, channel uint16) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	permissions, channels := g.permissions, len(g.channels)
	for _, peer := range peers {
		if h := g.hosts[peer.Addr()]; h == nil || !h.permission {
			permissions++
		}
	}
	if _, known := g.channels[channel]; channel != 0 && !known {
		channels++
	}
	return permissions <= maxBindings && channels <= maxBindings
}

func (g *gate) setPermission(peer netip.Addr, exists bool) {
	if !exists {
		defer g.lost()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.host(peer)
	if h.permission != exists {
		h.permission = exists
		if exists {
			g.permissions++
		} else {
			g.permissions--
		}
	}
	g.forgetIfUnbound(peer, h)
}

func (g *gate) setChannel(number uint16, peer netip.AddrPort, exists bool) {
	if !exists {
		defer g.lost()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.host(peer.Addr())
	if _, before := g.channels[number]; before != exists {
		if exists {
			g.channels[number], g.numbers[peer] = peer, number
			h.channels++
		} else {
			delete(g.numbers, g.channels[number])
			delete(g.channels, number)
			h.channels--
		}
	}
	g.forgetIfUnbound(peer.Addr(), h)
}

// permitted tells whether pion/turn holds a permission for an address.
func (g *gate) permitted(address netip.Addr) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	h := g.hosts[address]
	return h != nil && h.permission
}

// peerOf is the peer that a channel is bound to.
func (g *gate) peerOf(number uint16) (peer netip.AddrPort, bound bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	peer, bound = g.channels[number]
	return peer, bound
}

// channelOf is the channel that is bound to a peer.
func (g *gate) channelOf(peer netip.AddrPort) (number uint16, bound bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	number, bound = g.numbers[peer]
	return number, bound
}

func (g *gate) forgetIfUnbound(address netip.Addr, h *host) {
	if !h.bound() {
		delete(g.hosts, address)
		g.forgetPaths(address)
	}
}
