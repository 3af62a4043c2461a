package httpapi

import (
	"runtime"
	"sync"
	"time"
)

// stallCheck is how often the crew looks whether a worker is held up. What waits
// behind clients that do not read waits for a few of these.
const stallCheck = 10 * time.Millisecond

// crew does the work of many connections by few goroutines: one for each
// connection would cost a stack, and waking it for each message more than the
// message. Work that is held up, by a client that does not read, is done by one
// worker more. The zero crew is ready.
type crew struct {
	mu      sync.Mutex
	waiting []func() // oldest first
	idle    []*worker
	working map[*worker]struct{}
	stalled int  // of those
	looking bool // look is due
	stopped bool // nobody stays idle any more
}

// worker is one goroutine of a crew.
type worker struct {
	next    chan func()
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
	if !c.hire(job) {
		c.waiting = append(c.waiting, job)
		c.watch()
	}
}

// hire gives a job to a worker; false means that there is no hand free.
func (c *crew) hire(job func()) bool {
	if len(c.working)-c.stalled >= hands() {
		return false
	}
	if c.working == nil {
		c.working = make(map[*worker]struct{})
	}
	w := &worker{}
	if n := len(c.idle); n > 0 {
		w, c.idle = c.idle[n-1], c.idle[:n-1]
		w.next <- job // has room: it is idle
	} else {
		w.next = make(chan func(), 1)
		go c.work(w, job)
	}
	w.job++
	c.working[w] = struct{}{}
	return true
}

func (c *crew) work(w *worker, job func()) {
	for job != nil {
		job()
		if job = c.more(w); job == nil {
			job = <-w.next
		}
	}
}

// more takes what waits for longest. Without any, the worker is idle.
func (c *crew) more(w *worker) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.stalled {
		w.stalled = false
		c.stalled--
	}
	if len(c.waiting) == 0 || len(c.working)-c.stalled > hands() {
		delete(c.working, w)
		if c.stopped || len(c.idle) >= hands() {
			close(w.next)
		} else {
			c.idle = append(c.idle, w)
		}
		return nil
	}
	w.job++
	return c.oldest()
}

func (c *crew) oldest() func() {
	job := c.waiting[0]
	c.waiting[0] = nil
	if c.waiting = c.waiting[1:]; len(c.waiting) == 0 {
		c.waiting = nil
	}
	return job
}

// watch makes sure that look comes.
func (c *crew) watch() {
	if !c.looking {
		c.looking = true
		time.AfterFunc(stallCheck, c.look)
	}
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
	for w := range c.working {
		if !w.stalled && w.job == w.seen {
			w.stalled = true
			c.stalled++
		}
		w.seen = w.job
	}
	for len(c.waiting) > 0 && len(c.working)-c.stalled < hands() {
		c.hire(c.oldest())
	}
	c.watch()
}

// stop lets workers go that have nothing to do, now or later.
func (c *crew) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	for _, w := range c.idle {
		close(w.next)
	}
	c.idle = nil
}
