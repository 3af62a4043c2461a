// Package crew serves many connections by few goroutines: one for each would
// cost a stack, and waking it for each message more than the message.
package crew

import (
	"runtime"
	"sync"
	"time"
)

const (
	// stallCheck is how often the crew looks whether a worker is held up. What
	// waits behind it waits for a few of these.
	stallCheck = 10 * time.Millisecond
	// fairShare is how many jobs may wait for each busy worker before another is
	// woken, which costs more than a job.
	fairShare = 4
	// pollTurns is how many jobs are done before the crew polls its connections,
	// though others wait.
	pollTurns = 64
)

// Crew does jobs, oldest first, and handles what arrives on connections. A
// worker without a job polls those, and handles what has arrived itself: a
// message takes one goroutine, awake once. A worker that is held up, by a disk
// or by a client that does not read, is made up for by one more. The zero
// Crew is ready.
type Crew struct {
	mu      sync.Mutex
	asked   queue // by Do
	heard   queue // of connections, by turns with the others
	idle    []*worker
	busy    map[*worker]struct{}
	stalled int // of those
	turns   int // jobs since the last poll
	poller  *poller
	polling bool // a worker waits there
	conns   int  // that are served
	check   *time.Timer
	checks  bool // check runs
	stopped bool // nobody stays idle any more
}

// queue is jobs, oldest first.
type queue []func()

func (q *queue) take() func() {
	job := (*q)[0]
	(*q)[0] = nil
	if *q = (*q)[1:]; len(*q) == 0 {
		*q = nil
	}
	return job
}

func (c *Crew) waiting() int { return len(c.asked) + len(c.heard) }

// worker is one goroutine of a crew.
type worker struct {
	wake    chan bool // false lets it go
	job     uint64    // number of what it does
	seen    uint64    // job as of the last stallCheck
	stalled bool
}

// hands is how many workers are busy at once, beside those that are held up.
func hands() int { return max(2, runtime.GOMAXPROCS(0)) }

// Do lets a worker call job. It returns at once.
func (c *Crew) Do(job func()) { c.add(&c.asked, job) }

func (c *Crew) add(to *queue, job func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*to = append(*to, job)
	c.staff()
}

// staff wakes as many workers as what waits is worth.
func (c *Crew) staff() {
	for {
		free := len(c.busy) - c.stalled
		if free >= hands() || c.waiting() <= free*fairShare {
			break
		}
		c.hire()
	}
	c.watch()
}

func (c *Crew) hire() {
	if c.busy == nil {
		c.busy = make(map[*worker]struct{})
	}
	if n := len(c.idle); n > 0 {
		w := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.busy[w] = struct{}{}
		w.wake <- true // has room: it is idle
		return
	}
	w := &worker{wake: make(chan bool, 1)}
	c.busy[w] = struct{}{}
	go c.work(w)
}

func (c *Crew) work(w *worker) {
	for {
		job, stays := c.next(w)
		switch {
		case job != nil:
			job()
		case !stays || !<-w.wake:
			return
		}
	}
}

// next is what to do: a job, or to stay idle, or to go.
func (c *Crew) next(w *worker) (job func(), stays bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.goesOn(w)
	for len(c.busy)-c.stalled <= hands() {
		if c.waiting() > 0 && (c.turns < pollTurns || !c.mayPoll()) {
			w.job++
			return c.take(), true
		}
		if !c.mayPoll() {
			break
		}
		c.poll(w)
	}
	c.leave(w)
	c.ended()
	if c.stopped || len(c.idle) >= hands() {
		return nil, false
	}
	c.idle = append(c.idle, w)
	return nil, true
}

func (c *Crew) goesOn(w *worker) {
	if w.stalled {
		w.stalled = false
		c.stalled--
	}
}

// leave says that a worker has nothing to do.
func (c *Crew) leave(w *worker) {
	c.goesOn(w)
	delete(c.busy, w)
	if len(c.busy) == 0 && c.checks {
		c.check.Stop()
		c.checks = false
	}
}

func (c *Crew) take() func() {
	c.turns++
	if len(c.asked) == 0 || len(c.heard) > 0 && c.turns%2 == 0 {
		return c.heard.take()
	}
	return c.asked.take()
}

func (c *Crew) mayPoll() bool {
	return c.poller != nil && !c.polling && (c.conns > 0 || !c.stopped)
}

// poll queues what has arrived; while there is nothing else to do it waits for
// that.
func (c *Crew) poll(w *worker) {
	c.polling, c.turns = true, 0
	c.mu.Unlock()
	n := c.poller.look()
	if n == 0 {
		// Who was told of what arrived may have an answer ready to send.
		runtime.Gosched()
		n = c.poller.look()
	}
	c.mu.Lock()
	if n == 0 && c.waiting() == 0 {
		c.leave(w)
		c.mu.Unlock()
		n = c.poller.wait()
		c.mu.Lock()
		c.busy[w] = struct{}{}
	}
	c.polling = false
	c.arrived(n)
	c.staff()
}

// watch makes sure that relieve comes.
func (c *Crew) watch() {
	switch {
	case c.checks || len(c.busy) == 0:
		return
	case c.check == nil:
		c.check = time.AfterFunc(stallCheck, c.relieve)
	default:
		c.check.Reset(stallCheck)
	}
	c.checks = true
}

// relieve replaces workers that do what they did the last time.
func (c *Crew) relieve() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checks = false
	for w := range c.busy {
		if !w.stalled && w.job == w.seen {
			w.stalled = true
			c.stalled++
		}
		w.seen = w.job
	}
	if len(c.busy) == c.stalled && (c.waiting() > 0 || c.mayPoll()) {
		c.hire()
	}
	c.staff()
}

// Stop lets workers go that have nothing to do, now or later. Connections are
// served until they are closed.
func (c *Crew) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	for _, w := range c.idle {
		w.wake <- false
	}
	c.idle = nil
	c.ended()
}

// ended ends the wait for what arrives, once no connection is left.
func (c *Crew) ended() {
	switch {
	case !c.stopped || c.conns > 0 || c.poller == nil:
	case c.polling:
		c.poller.nudge()
	case len(c.busy) == 0:
		c.poller.close()
		c.poller = nil
	}
}
