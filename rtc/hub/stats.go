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
	Refused        map[rtc.Code]uint64
	Ended          map[rtc.EndReason]uint64
}

type counters struct {
	connections, devices, people, calls atomic.Int64
	received, sent, texts, slow, silent atomic.Int64

	mu      sync.Mutex
	refused map[rtc.Code]uint64
	ended   map[rtc.EndReason]uint64
}

func (c *counters) refuse(code rtc.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = make(map[rtc.Code]uint64)
	}
	c.refused[code]++
}

func (c *counters) end(reason rtc.EndReason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == nil {
		c.ended = make(map[rtc.EndReason]uint64)
	}
	c.ended[reason]++
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
		Refused:        maps.Clone(c.refused),
		Ended:          maps.Clone(c.ended),
	}
}
