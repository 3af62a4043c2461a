package turnsrv

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"
)

const (
	// sourceSlots bounds what is remembered of sources: 128 kB a rate. Sources
	// that fall on one slot share its rate; which ones do nobody outside knows.
	sourceSlots = 1 << 14
	// sourceBurst is how much of the rate may come at once after a pause: all
	// phones behind one NAT sign in when the power is back.
	sourceBurst = 10 * time.Second
)

// pacer is a token bucket without a lock or a timer: the time at which it will
// be full again. It is the generic cell rate algorithm of ITU-T I.371.
type pacer struct{ full atomic.Int64 }

// allow takes the cost of one event, which is a time, if that leaves the
// bucket full no later than burst from now. Times are since the same start.
func (p *pacer) allow(now, cost, burst time.Duration) bool {
	for {
		old := p.full.Load()
		next := max(old, int64(now)) + int64(cost)
		if next-int64(now) > int64(burst) {
			return false
		}
		if p.full.CompareAndSwap(old, next) {
			return true
		}
	}
}

// sourceRates holds one pacer for each source address, or a few.
type sourceRates struct {
	seed  maphash.Seed
	began time.Time
	slots [sourceSlots]pacer
}

func newSourceRates() *sourceRates {
	return &sourceRates{seed: maphash.MakeSeed(), began: time.Now()}
}

// allow reports whether the source may send one more, at so many per second.
func (s *sourceRates) allow(source netip.Addr, perSecond float64) bool {
	return s.allowAt(source, perSecond, time.Since(s.began))
}

func (s *sourceRates) allowAt(source netip.Addr, perSecond float64, now time.Duration) bool {
	cost := time.Duration(float64(time.Second) / perSecond)
	return s.slot(source).allow(now, cost, max(sourceBurst, cost))
}

// slot takes an IPv6 network of 64 bits as one source: whoever has one address
// of it has them all.
func (s *sourceRates) slot(source netip.Addr) *pacer {
	key := source.Unmap().As16()
	if !source.Unmap().Is4() {
		clear(key[8:])
	}
	return &s.slots[maphash.Bytes(s.seed, key[:])%sourceSlots]
}

// rates are what one source may ask for.
type rates struct {
	// allocates counts authenticated requests, challenges what is answered
	// without authentication: else whoever writes false source addresses could
	// use up the allocations of others.
	allocates, challenges, bindings *sourceRates
}

func newRates() rates {
	return rates{allocates: newSourceRates(), challenges: newSourceRates(), bindings: newSourceRates()}
}
