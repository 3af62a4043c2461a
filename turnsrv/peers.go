package turnsrv

import (
	"cmp"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

// rules is a snapshot of all that decides about peers, but for who asks.
//
// That a packet is from one of our own addresses is believed: the kernel drops
// what comes from outside with a source of its own (martian packets).
type rules struct {
	policy Policy
	// own are the host's addresses and the advertised ones, with the relay
	// ports there, or nil. Own addresses are peers only on relay ports that an
	// allocation holds, in or out of the range.
	own map[netip.Addr]*portPool
	// toLocal and toAdvertised translate between the address that clients are
	// told and the one that sockets have, so that two relayed clients of this
	// server reach each other without a router that hairpins. toAdvertised is
	// for new allocations; toLocal has what running ones were told as well.
	toLocal, toAdvertised map[netip.Addr]netip.Addr
}

// advertised is what clients are told for a local address.
func (r *rules) advertised(local netip.Addr) netip.Addr {
	return cmp.Or(r.toAdvertised[local], local)
}

// judge decides on a peer's address in any form.
func (r *rules) judge(address netip.Addr) verdict {
	address = address.Unmap().WithZone("")
	if r.policy.reserved(address) {
		return refused
	}
	if inner, ok := embedded(address); ok && r.judge(inner) == refused {
		return refused
	}
	if _, own := r.own[address]; own {
		return permitted
	}
	return r.policy.judge(address)
}

// local is where packets for a peer go, and the relay ports there if the
// address is ours.
func (r *rules) local(peer netip.AddrPort) (to netip.AddrPort, pool *portPool, own bool) {
	pool, own = r.own[peer.Addr()]
	if local, ok := r.toLocal[peer.Addr()]; ok {
		peer = netip.AddrPortFrom(local, peer.Port())
	}
	return peer, pool, own
}

// told is the address that clients know the sender of a packet by, and the
// relay ports there if the address is ours, with the pool's count of changes.
func (r *rules) told(from netip.AddrPort) (peer netip.AddrPort, pool *portPool, own bool, changes uint64) {
	pool, own = r.own[from.Addr()]
	if pool != nil {
		changes = pool.changes()
		from = netip.AddrPortFrom(pool.told(from.Port()), from.Port())
	}
	return from, pool, own, changes
}

func (r *rules) equal(other *rules) bool {
	return maps.Equal(r.own, other.own) && maps.Equal(r.toLocal, other.toLocal) && maps.Equal(r.toAdvertised, other.toAdvertised)
}

// peerRules keeps the rules of now.
type peerRules struct {
	log *slog.Logger
	now atomic.Pointer[rules]

	changed atomic.Pointer[func()] // told after now has changed

	mu        sync.Mutex
	refreshed time.Time
	listeners []Listener
	pools     map[netip.Addr]*portPool
	advertise map[netip.Addr]netip.Addr // local to told, beside those of listeners
	earlier   map[netip.Addr]netip.Addr // told to local, of allocations that may still run
}

// maxEarlier bounds the memory of earlier advertised addresses.
const maxEarlier = 256

// rulesLifetime is how long the host's addresses are taken as unchanged.
const rulesLifetime = time.Second

func newPeerRules(policy Policy, log *slog.Logger) *peerRules {
	r := &peerRules{log: log}
	r.now.Store(&rules{policy: policy})
	return r
}

// fresh returns the rules after a look at the host's addresses. It is for what
// happens seldom: a client names a peer.
func (r *peerRules) fresh() *rules {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.refreshed) > rulesLifetime {
		r.rebuild()
	}
	return r.now.Load()
}

func (r *peerRules) setPolicy(policy Policy) {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := *r.now.Load()
	if reflect.DeepEqual(changed.policy, policy) {
		return
	}
	changed.policy = policy
	r.store(&changed)
}

// onChange names who is told, with r.mu held, that the rules are others now.
func (r *peerRules) onChange(changed func()) { r.changed.Store(&changed) }

func (r *peerRules) store(now *rules) {
	r.now.Store(now)
	if changed := r.changed.Load(); changed != nil {
		(*changed)()
	}
}

// setAdvertised replaces what is told for local addresses.
func (r *peerRules) setAdvertised(advertise map[netip.Addr]netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.earlier == nil || len(r.earlier) > maxEarlier {
		r.earlier = make(map[netip.Addr]netip.Addr)
	}
	maps.Copy(r.earlier, r.now.Load().toLocal)
	r.advertise = advertise
	r.rebuild()
}

// set tells what the server listens on and which relay ports there are.
func (r *peerRules) set(listeners []Listener, pools map[netip.Addr]*portPool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listeners, r.pools = listeners, pools
	r.rebuild()
}

// rebuild replaces the rules only if they differ, since every allocation then
// judges its peers again.
func (r *peerRules) rebuild() {
	before := r.now.Load()
	after := &rules{
		policy:       before.policy,
		own:          make(map[netip.Addr]*portPool),
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
			after.own[prefix.Addr().Unmap()] = nil
		}
	}
	maps.Copy(after.own, r.pools)
	told := func(advertised, local netip.Addr) {
		if advertised.IsValid() && advertised != local {
			after.own[advertised] = r.pools[local]
			after.toLocal[advertised] = local
		}
	}
	for advertised, local := range r.earlier {
		told(advertised, local)
	}
	for _, l := range r.listeners {
		if !l.Address.IsValid() {
			continue
		}
		after.own[l.Address] = r.pools[l.Address]
		if advertised := cmp.Or(r.advertise[l.Address], l.Advertised); advertised.IsValid() && advertised != l.Address {
			told(advertised, l.Address)
			after.toAdvertised[l.Address] = advertised
		}
	}
	if !after.equal(before) {
		r.store(after)
	}
	r.refreshed = time.Now()
}
