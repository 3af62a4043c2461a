package httpapi

import (
	"net/netip"
	"sync"
	"time"
)

// Relay is the STUN/TURN server as administrators see it.
type Relay interface {
	Allocations() []Allocation
	Ports() []PortUse
	// End ends an allocation and says whose it was; false if there is none.
	End(id uint64) (whose string, ok bool)
}

// Allocation is one relay port in use.
type Allocation struct {
	ID                      uint64
	User, Session           string
	Client, Server, Relayed netip.AddrPort
	Transport               string // between client and server: udp, tcp or tls
	Peers                   []netip.AddrPort
	Created, Expires        time.Time
	Outside                 bool // its port is outside the present range
	BytesUp, BytesDown      int64
	Dropped                 int64 // packets, by the limits
}

// PortUse is the relay ports of one of the server's addresses.
type PortUse struct {
	Address netip.Addr `json:"address"`
	Min     uint16     `json:"min"`
	Max     uint16     `json:"max"`
	Used    int        `json:"used"`    // of the range
	Outside int        `json:"outside"` // used beside it, until they end
	Free    int        `json:"free"`
	Peak    int        `json:"peak"`    // most in use at once
	Refused int64      `json:"refused"` // allocations, for want of a port
	Taken   int        `json:"taken"`   // held by others, as far as is known
}

// Watch is what a look at the server every few seconds has found.
type Watch interface {
	Forecast() Forecast
	Warnings() []Warning
}

// Forecast says how many calls the relay ports still bear.
type Forecast struct {
	Peak      int     `json:"peak"`     // most ports in use at once, at the address that had most
	PerCall   float64 `json:"per_call"` // ports of one call, as observed
	CallsLeft int     `json:"calls_left"`
	State     string  `json:"state"` // ok, tight or full
	FullInS   int64   `json:"full_in_s,omitempty"`
}

// Warning is something that an administrator should look at.
type Warning struct {
	Code   string         `json:"code"`
	Params map[string]any `json:"params"`
}

// sampleAfter is the least time between two samples of the same counters.
const sampleAfter = time.Second

// rates makes kbit/s of counters, from one look to the next.
type rates struct {
	mu   sync.Mutex
	at   time.Time
	seen map[uint64]counted
}

type counted struct {
	up, down         int64
	upKbps, downKbps float64
}

// of gives the rates of the allocations by their IDs. Of one that is seen for the first time
// it is the average since it was made.
func (r *rates) of(allocations []Allocation, now time.Time) map[uint64]counted {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.at) < sampleAfter && r.seen != nil {
		return r.seen
	}
	seen := make(map[uint64]counted, len(allocations))
	for _, a := range allocations {
		last, known := r.seen[a.ID]
		since := r.at
		if !known {
			last, since = counted{}, a.Created
		}
		seconds := max(now.Sub(since), sampleAfter).Seconds()
		seen[a.ID] = counted{
			up: a.BytesUp, down: a.BytesDown,
			upKbps: kbps(a.BytesUp, last.up, seconds), downKbps: kbps(a.BytesDown, last.down, seconds),
		}
	}
	r.at, r.seen = now, seen
	return seen
}

func kbps(now, before int64, seconds float64) float64 {
	if now < before {
		return 0
	}
	const bitsPerByte, bitsPerKbit = 8, 1000
	return float64(now-before) * bitsPerByte / bitsPerKbit / seconds
}
