package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"fieldphone/httpapi"
	"fieldphone/rtc"
	"fieldphone/rtc/announce"
	"fieldphone/rtc/call"
	"fieldphone/rtc/peer"
)

const (
	attentionSession  = "attention" // of no account
	attentionQueue    = 1 << 14     // frames waiting for the endpoint of a whole audience
	attentionWait     = 30 * time.Second
	attentionLook     = time.Second      // how often late comers are looked for
	attentionNewcome  = 10 * time.Second // how often people who join are
	attentionPatience = 4 * time.Second  // for a device to listen, before the next is rung
	attentionAtOnce   = 32               // devices that connect at a time
	attentionTries    = 8                // for one device
)

// attention lets one administrator at a time speak to an audience: it answers the
// administrator's call and passes the voice on to every device that can be reached.
type attention struct {
	s *server

	mu     sync.Mutex
	ticket *attentionTicket // who may speak, or does
}

type attentionTicket struct {
	announce.Announcement // Name is that of the speaker's call
	until                 time.Time
	running               bool
	listening             map[call.Device]bool
}

var _ httpapi.Attention = (*attention)(nil)

// Open implements httpapi.Attention.
func (a *attention) Open(ctx context.Context, admin rtc.User, tag string) (name string, err error) {
	fresh := &attentionTicket{
		Announcement: announce.Announcement{Name: "at-" + rand.Text(), From: admin, Tag: tag},
		until:        time.Now().Add(attentionWait), listening: map[call.Device]bool{},
	}
	if _, err := a.s.announce.Audience(ctx, fresh.Announcement); err != nil {
		return "", err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.ticket; t != nil && (t.running || t.From.ID != admin.ID && time.Now().Before(t.until)) {
		return "", &httpapi.AttentionBusy{By: t.From}
	}
	a.ticket = fresh
	return fresh.Name, nil
}

// Now implements httpapi.Attention.
func (a *attention) Now() (httpapi.AttentionView, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ticket == nil || !a.ticket.running {
		return httpapi.AttentionView{}, false
	}
	return httpapi.AttentionView{Announcement: a.ticket.Announcement, Listening: len(a.ticket.listening)}, true
}

// admits tells whether a call to the endpoint is the one that was asked for.
func (a *attention) admits(call, caller string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.ticket
	return t != nil && !t.running && t.Name == call && t.From.ID == caller && time.Now().Before(t.until)
}

// take makes a ticket the running one, for one call.
func (a *attention) take(call string) (*attentionTicket, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.ticket
	if t == nil || t.running || t.Name != call {
		return nil, false
	}
	t.running, t.At = true, time.Now()
	return t, true
}

func (a *attention) over(t *attentionTicket) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ticket == t {
		a.ticket = nil
	}
}

func (a *attention) listens(t *attentionTicket, d call.Device, on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if on {
		t.listening[d] = true
	} else {
		delete(t.listening, d)
	}
}

// serve answers administrators until ctx ends.
func (a *attention) serve(ctx context.Context) error {
	s := a.s
	endpoint := attachment{user: rtc.User{ID: rtc.AttentionID, Name: s.cfg.Name}, session: attentionSession, queue: attentionQueue}
	p, err := peer.Dial(ctx, peer.Config{
		User: rtc.AttentionID, Device: "attention-0001", Logger: quiet(s.log),
		Connect: func() (peer.Wire, error) { return endpoint.attach(s.hub) },
		ICE:     peer.ICE{Sockets: s.turn.Borrow, Loopback: s.cfg.TURN.AllowLoopbackPeers},
	})
	if err != nil {
		return fmt.Errorf("open the attention endpoint: %w", err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		<-ctx.Done()
		_ = p.Close() // what it could still say nobody hears
	})
	wg.Go(func() {
		for range p.Texts() { // nobody writes to it
		}
	})
	for incoming := range p.Incoming() {
		t, ok := a.take(incoming.ID())
		if !ok {
			_ = incoming.Decline(ctx)
			continue
		}
		wg.Go(func() {
			defer a.over(t)
			if err := a.speak(ctx, p, incoming, t); err != nil && ctx.Err() == nil {
				s.log.Warn("an attention call failed", "call", t.Name, "user", t.From.ID, "error", err)
			}
		})
	}
	return nil
}

// speak is one attention call from its answer to its end.
func (a *attention) speak(ctx context.Context, p *peer.Peer, incoming *peer.Incoming, t *attentionTicket) error {
	s := a.s
	audience, err := a.begin(ctx, t)
	if err != nil {
		_ = incoming.Decline(ctx)
		return err
	}
	defer func() { // also while the server stops
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), echoPatience)
		defer cancel()
		if err := s.announce.End(last, t.Name); err != nil {
			s.log.Warn("the end of an attention call was not kept", "call", t.Name, "error", err)
		}
	}()
	b, err := peer.NewBroadcast(s.turn.Borrow, quiet(s.log))
	if err != nil {
		_ = incoming.Decline(ctx)
		return err
	}
	defer func() { _ = b.Close() }() // only sockets
	s.hub.Rename(rtc.User{ID: rtc.AttentionID, Name: t.From.Name})
	c, err := incoming.AcceptFor(ctx, b)
	if err != nil {
		return err
	}
	run, stop := context.WithTimeout(ctx, s.cfg.Announcements.LongestAttention)
	defer stop()
	ringing := &audienceRing{a: a, p: p, b: b, t: t, log: s.log, audience: audience, tries: map[call.Device]int{}, free: make(chan struct{}, attentionAtOnce)}
	var wg sync.WaitGroup
	wg.Go(func() { ringing.run(run) })
	select {
	case <-c.Ended():
	case <-run.Done():
	}
	stop()
	wg.Wait() // every listener has hung up
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), echoPatience)
	defer cancel()
	s.log.Info("an attention call is over", "call", t.Name, "user", t.From.ID, "packets", b.Passed())
	return c.Hangup(end)
}

// begin notes the call in the history of announcements and tells for whom it is.
func (a *attention) begin(ctx context.Context, t *attentionTicket) ([]string, error) {
	limited, cancel := context.WithTimeout(ctx, echoPatience)
	defer cancel()
	_, audience, err := a.s.announce.Begin(limited, t.Announcement)
	return audience, err
}
