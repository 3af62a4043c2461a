package httpapi

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Stats is a snapshot of the app's counters, since start.
type Stats struct {
	// Refused are requests that were not carried out, by the code of the answer.
	// The codes are those of openapi.yaml; what a client sends adds none.
	Refused map[string]int64
	// SendQueuePeak is the most sends that ever waited for one connection.
	SendQueuePeak int64
}

type counters struct {
	queuePeak atomic.Int64

	mu      sync.Mutex
	refused map[string]int64
}

func (c *counters) refuse(code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = make(map[string]int64)
	}
	c.refused[code]++
}

func (c *counters) queued(n int) {
	for old := c.queuePeak.Load(); int64(n) > old && !c.queuePeak.CompareAndSwap(old, int64(n)); old = c.queuePeak.Load() {
	}
}

// Stats reads the counters.
func (a *App) Stats() Stats {
	a.counted.mu.Lock()
	defer a.counted.mu.Unlock()
	return Stats{Refused: maps.Clone(a.counted.refused), SendQueuePeak: a.counted.queuePeak.Load()}
}
