package hub

import (
	"maps"
	"sync"
	"sync/atomic"

	"fieldphone/rtc"
)

// Stats is a snapshot of the hub's counters. Those without "now" only grow.
type Stats struct {
	ConnectionsNow int64
	DevicesNow     int64
	PeopleNow      int64
	CallsNow       int64
	Received       int64 // frames from clients
	Sent           int64 // frames to clients
	Texts          int64 // texts delivered
	Slow           int64 // connections closed for not reading
	Silent         int64 // connections closed for not answering pings
	InboxNow       int64 // work that waits for the hub's goroutine
	InboxPeak      int64 // most that ever waited
	OutboxPeak     int64 // most frames that were ever kept for one device to see
	Refused        map[rtc.Code]uint64
	Ended          map[rtc.EndReason]uint64
	PathRuns       map[RunState]uint64 // runs of path tests that are over
	Legs           map[LegOutcome]uint64
}

// LegOutcome is how a leg of a path test fared.
type LegOutcome struct {
	Leg   rtc.LegName
	State rtc.LegState
}

// peak remembers the largest number.
type peak struct{ atomic.Int64 }

func (p *peak) note(n int64) {
	for old := p.Load(); n > old && !p.CompareAndSwap(old, n); old = p.Load() {
	}
}

type counters struct {
	connections, devices, people, calls atomic.Int64
	received, sent, texts, slow, silent atomic.Int64

	inbox, outbox peak

	mu      sync.Mutex
	refused map[rtc.Code]uint64
	ended   map[rtc.EndReason]uint64
	runs    map[RunState]uint64
	legs    map[LegOutcome]uint64
}

func (c *counters) refuse(code rtc.Code) { count(c, &c.refused, code) }

func (c *counters) end(reason rtc.EndReason) { count(c, &c.ended, reason) }

func (c *counters) ranPath(state RunState) { count(c, &c.runs, state) }

func (c *counters) ranLegs(legs []rtc.Leg) {
	for _, leg := range legs {
		count(c, &c.legs, LegOutcome{leg.Leg, leg.State})
	}
}

// count adds one to a counter that may not have been made yet.
func count[K comparable](c *counters, m *map[K]uint64, key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if *m == nil {
		*m = make(map[K]uint64)
	}
	(*m)[key]++
}

// Stats reads the counters.
func (h *Hub) Stats() Stats {
	c := &h.stats
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{
		ConnectionsNow: c.connections.Load(),
		DevicesNow:     c.devices.Load(),
		PeopleNow:      c.people.Load(),
		CallsNow:       c.calls.Load(),
		Received:       c.received.Load(),
		Sent:           c.sent.Load(),
		Texts:          c.texts.Load(),
		Slow:           c.slow.Load(),
		Silent:         c.silent.Load(),
		InboxNow:       int64(len(h.inbox)),
		InboxPeak:      c.inbox.Load(),
		OutboxPeak:     c.outbox.Load(),
		Refused:        maps.Clone(c.refused),
		Ended:          maps.Clone(c.ended),
		PathRuns:       maps.Clone(c.runs),
		Legs:           maps.Clone(c.legs),
	}
}
