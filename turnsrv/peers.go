package turnsrv

import (
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// permits judges an address by its canonical form.
func (p Policy) permits(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	if !address.IsValid() || never(address) || address.IsLoopback() && !p.AllowLoopback {
		return false
	}
	if inner, ok := embedded(address); ok && !p.permits(inner) {
		return false
	}
	for _, prefix := range p.Deny {
		if prefix.Contains(address) {
			return false
		}
	}
	if p.Mode != ModeCIDR {
		return true
	}
	return slices.ContainsFunc(p.Allow, func(prefix netip.Prefix) bool { return prefix.Contains(address) })
}

// never tells the addresses that are no single host: unspecified (all of
// 0.0.0.0/8), link-local, multicast, broadcast and 240.0.0.0/4 (RFC 6890).
func never(address netip.Addr) bool {
	if address.Is4() {
		first := address.As4()[0]
		if first == 0 || first >= 240 {
			return true
		}
	}
	return address.IsUnspecified() || address.IsLinkLocalUnicast() || address.IsMulticast()
}

// embedded returns the IPv4 address that an IPv6 one leads to: IPv4-compatible
// (RFC 4291 section 2.5.5.1), NAT64 (RFC 6052) or 6to4 (RFC 3056). The mapped
// form needs no case: Unmap has resolved it.
func embedded(address netip.Addr) (netip.Addr, bool) {
	if !address.Is6() || address.IsLoopback() {
		return netip.Addr{}, false
	}
	b := address.As16()
	switch {
	case [12]byte(b[:12]) == [12]byte{}, [12]byte(b[:12]) == [12]byte{0x00, 0x64, 0xff, 0x9b}:
		return netip.AddrFrom4([4]byte(b[12:])), true
	case b[0] == 0x20 && b[1] == 0x02:
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}

// addressBook is a snapshot of what is ours.
type addressBook struct {
	own map[netip.Addr]struct{}
	// toLocal and toAdvertised translate between the address that clients are
	// told and the one that sockets have, so that two relayed clients of this
	// server reach each other without a router that hairpins.
	toLocal, toAdvertised map[netip.Addr]netip.Addr
}

// peerRules decides, per peer and per packet, what may pass a relay port.
type peerRules struct {
	policy Policy
	relay  PortRange
	log    *slog.Logger

	book atomic.Pointer[addressBook]

	mu        sync.Mutex
	refreshed time.Time
	listeners []Listener
}

// bookLifetime is how long the host's addresses are taken as unchanged.
const bookLifetime = time.Second

func newPeerRules(policy Policy, relay PortRange, log *slog.Logger) *peerRules {
	r := &peerRules{policy: policy, relay: relay, log: log}
	r.book.Store(&addressBook{})
	return r
}

// permits decides on a permission (RFC 8656 section 9). It is asked seldom, so
// it also keeps the host's addresses fresh for the packets that follow.
func (r *peerRules) permits(address netip.Addr) bool {
	r.mu.Lock()
	if time.Since(r.refreshed) > bookLifetime {
		r.rebuild()
	}
	r.mu.Unlock()
	return r.policy.permits(address)
}

func (r *peerRules) setListeners(listeners []Listener) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listeners = listeners
	r.rebuild()
}

func (r *peerRules) rebuild() {
	book := &addressBook{
		own:          make(map[netip.Addr]struct{}),
		toLocal:      make(map[netip.Addr]netip.Addr),
		toAdvertised: make(map[netip.Addr]netip.Addr),
	}
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		// Some systems forbid the question; the listeners' addresses remain.
		r.log.Debug("turn: cannot list the host's addresses", "err", err)
	}
	for _, a := range interfaces {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			book.own[prefix.Addr().Unmap()] = struct{}{}
		}
	}
	for _, l := range r.listeners {
		if l.Address.IsValid() {
			book.own[l.Address] = struct{}{}
		}
		if l.Advertised.IsValid() && l.Advertised != l.Address {
			book.own[l.Advertised] = struct{}{}
			book.toLocal[l.Advertised] = l.Address
			book.toAdvertised[l.Address] = l.Advertised
		}
	}
	r.book.Store(book)
	r.refreshed = time.Now()
}

// outbound says where a packet for the peer goes, or that it must not: our own
// addresses are peers only on relay ports.
func (r *peerRules) outbound(peer netip.AddrPort) (netip.AddrPort, bool) {
	book := r.book.Load()
	if _, own := book.own[peer.Addr()]; !own {
		return peer, true
	}
	if local, ok := book.toLocal[peer.Addr()]; ok {
		peer = netip.AddrPortFrom(local, peer.Port())
	}
	return peer, r.relay.contains(peer.Port())
}

// inbound says which peer a packet is from, or that it must not pass.
func (r *peerRules) inbound(from netip.AddrPort) (netip.AddrPort, bool) {
	book := r.book.Load()
	if _, own := book.own[from.Addr()]; !own {
		return from, true
	}
	if !r.relay.contains(from.Port()) {
		return from, false
	}
	if advertised, ok := book.toAdvertised[from.Addr()]; ok {
		from = netip.AddrPortFrom(advertised, from.Port())
	}
	return from, true
}
