package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
	"fieldphone/rtc/peer"
)

// audienceRing rings the devices of an audience for one attention call, also those that come
// late, and has them listen to its end.
type audienceRing struct {
	a        *attention
	p        *peer.Peer
	b        *peer.Broadcast
	t        *attentionTicket
	log      *slog.Logger
	audience []string
	free     chan struct{} // holds those that are connecting

	mu     sync.Mutex
	busy   int // devices that ring or listen
	tries  map[call.Device]int
	wg     sync.WaitGroup
	looked time.Time
}

// neverAgain is how often a device was tried that does not want to listen, or does already.
const neverAgain = 1 << 20

// run rings until ctx ends; then nobody listens any more.
func (r *audienceRing) run(ctx context.Context) {
	defer r.wg.Wait()
	tick := time.NewTicker(attentionLook)
	defer tick.Stop()
	r.looked = time.Now()
	for {
		for _, d := range r.a.s.hub.Reachable(r.audience) {
			if r.reserve(d) {
				r.wg.Go(func() { r.listen(ctx, d) })
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if time.Since(r.looked) >= attentionNewcome {
			r.looked = time.Now()
			if more, err := r.a.s.announce.Audience(ctx, r.t.Announcement); err == nil {
				r.audience = more
			}
		}
	}
}

// reserve takes a place for a device, if it is to be rung now and there is one.
func (r *audienceRing) reserve(d call.Device) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tries[d] >= attentionTries || r.busy >= r.a.s.cfg.Announcements.MaxListeners {
		return false
	}
	r.busy++
	r.tries[d] += neverAgain
	return true
}

// release gives the place back; again means that the device may be rung once more.
func (r *audienceRing) release(d call.Device, again bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy--
	if again {
		r.tries[d] += 1 - neverAgain
	}
}

// listen has one device listen, from its ring to its end.
func (r *audienceRing) listen(ctx context.Context, d call.Device) {
	again := false
	defer func() { r.release(d, again) }()
	select {
	case r.free <- struct{}{}:
	case <-ctx.Done():
		return
	}
	c, err := r.p.Ring(ctx, d.User, d.ID, r.b)
	if err != nil {
		<-r.free
		again = true
		return
	}
	connecting, cancel := context.WithTimeout(ctx, attentionPatience)
	err = c.WaitConnected(connecting)
	cancel()
	<-r.free // a browser that waits for a tap must not keep others from being rung
	if err == nil {
		r.heard(ctx, d)
	}
	again = r.stay(ctx, c, d, err == nil)
}

func (r *audienceRing) heard(ctx context.Context, d call.Device) {
	r.a.listens(r.t, d, true)
	if err := r.a.s.announce.Heard(ctx, r.t.Name, d.User); err != nil && ctx.Err() == nil {
		r.log.Warn("it was not kept who listened", "call", r.t.Name, "user", d.User, "error", err)
	}
}

// stay waits for the end of a listener's call, and tells whether the device may be rung again.
func (r *audienceRing) stay(ctx context.Context, c *peer.Call, d call.Device, heard bool) bool {
	defer r.a.listens(r.t, d, false)
	if !heard {
		late := make(chan error, 1)
		r.wg.Go(func() { late <- c.WaitConnected(ctx) })
		select {
		case err := <-late:
			if err == nil {
				r.heard(ctx, d)
			}
		case <-ctx.Done():
		}
	}
	select {
	case end := <-c.Ended():
		// Who declined or hung up does not want to listen.
		return end.Reason != rtc.EndDeclined && end.Reason != rtc.EndHangup
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), echoPatience)
	defer cancel()
	if err := c.Hangup(end); err != nil {
		r.log.Debug("a listener's call did not end", "call", c.ID(), "error", err)
	}
	return false
}
