package httpapi

import (
	"runtime"
	"sync"
	"time"
)

// stallCheck is how often the crew looks whether a worker is held up. What waits
// behind a client that does not read waits for two of these at most.
const stallCheck = 10 * time.Millisecond

// crew does the work of many connections by few goroutines, which exist while
// there is work: a goroutine for each connection costs a stack, and waking it
// for each message costs more than the message. Work that is held up, by a
// client that does not read, is done by one more.
type crew struct {
	mu      sync.Mutex
	waiting []func() // oldest first
	workers map[*worker]struct{}
	stalled int
	looking bool // a check is due
}

// worker is one goroutine of a crew.
type worker struct {
	job     uint64 // number of what it does
	seen    uint64 // job as of the last look
	stalled bool
}

// hands is how many workers are busy at once, beside those that are held up.
func hands() int { return max(4, 2*runtime.GOMAXPROCS(0)) }

// do lets a worker call job. It returns at once.
func (c *crew) do(job func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(c.waiting, job)
	c.hire(1)
}

// hire starts workers, if there are hands.
func (c *crew) hire(n int) {
	if c.workers == nil {
		c.workers = make(map[*worker]struct{})
	}
	for ; n > 0 && len(c.workers)-c.stalled < hands(); n-- {
		w := &worker{}
		c.workers[w] = struct{}{}
		go c.work(w)
	}
	if n > 0 && !c.looking {
		c.looking = true
		time.AfterFunc(stallCheck, c.look)
	}
}

func (c *crew) work(w *worker) {
	for {
		job := c.next(w)
		if job == nil {
			return
		}
		job()
	}
}

// next takes what waits for longest; nil ends the worker.
func (c *crew) next(w *worker) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.stalled {
		w.stalled = false
		c.stalled--
	}
	if len(c.waiting) == 0 || len(c.workers)-c.stalled > hands() {
		delete(c.workers, w)
		return nil
	}
	w.job++
	job := c.waiting[0]
	c.waiting[0] = nil
	if c.waiting = c.waiting[1:]; len(c.waiting) == 0 {
		c.waiting = nil
	}
	return job
}

// look replaces workers that do what they did at the last look, and goes on
// while somebody waits.
func (c *crew) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looking = false
	if len(c.waiting) == 0 {
		return
	}
	for w := range c.workers {
		if !w.stalled && w.job == w.seen {
			w.stalled = true
			c.stalled++
		}
		w.seen = w.job
	}
	c.hire(max(1, min(len(c.waiting), hands())))
	if !c.looking {
		c.looking = true
		time.AfterFunc(stallCheck, c.look)
	}
}
