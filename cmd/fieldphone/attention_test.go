package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/peer"
)

type attentionAnswer struct{ Call, To string }

type attentionState struct {
	On        bool
	Listening int
}

// listens takes every attention call by itself, as pages do.
func listens(ctx context.Context, p *peer.Peer, heard func(*peer.Call)) {
	for {
		select {
		case <-ctx.Done():
			return
		case in, ok := <-p.Incoming():
			if !ok {
				return
			}
			if c, err := in.Accept(ctx, rtc.Audio); err == nil {
				heard(c)
			}
		}
	}
}

// Ensure an administrator's voice arrives at fifty listeners, also at one who comes late, that
// it ends for all, and who listened is in the history.
func TestAttentionReachesFifty(t *testing.T) {
	const listeners = 50
	r := startServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	boss := r.admin("boss")
	speaker := r.dial("boss", peer.ICE{Loopback: true})
	var mu sync.Mutex
	var calls []*peer.Call
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	join := func(i int) {
		p := r.dial(fmt.Sprintf("p%02d", i), peer.ICE{Loopback: true})
		wg.Go(func() {
			listens(ctx, p, func(c *peer.Call) {
				mu.Lock()
				defer mu.Unlock()
				calls = append(calls, c)
			})
		})
	}
	for i := range listeners - 1 {
		join(i)
	}
	ticket := want[attentionAnswer](t, 201, boss.do("POST", "/attention", object{}))
	call, err := speaker.CallNamed(ctx, ticket.Call, ticket.To, rtc.Audio)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := call.WaitConnected(ctx); err != nil {
		t.Fatal(err)
	}
	listening := func(n int) bool {
		for ctx.Err() == nil { // fifty handshakes take a busy machine a while
			if r.eventually(func() bool {
				return want[attentionState](t, 200, boss.do("GET", "/attention", nil)).Listening == n
			}) {
				return true
			}
		}
		return false
	}
	if !listening(listeners - 1) {
		t.Fatal("not everybody listens")
	}
	t.Logf("%d listen after %v", listeners-1, time.Since(began).Round(time.Millisecond))
	join(listeners - 1)
	if !listening(listeners) {
		t.Fatal("who came late does not listen")
	}
	mu.Lock()
	all := calls
	mu.Unlock()
	var bad atomic.Int32
	var hear sync.WaitGroup
	for _, c := range all {
		hear.Go(func() {
			first := c.Report().Audio.Received.Packets
			report, err := c.WaitReport(ctx, func(r peer.Report) bool { return r.Audio.Received.Packets >= first+250 })
			if err != nil || report.Audio.Lost > 5 || report.Audio.Received.Bytes == 0 {
				bad.Add(1)
				t.Logf("%s heard %+v, %v", c.ID(), report.Audio, err)
			}
		})
	}
	hear.Wait()
	if bad.Load() > 0 {
		t.Errorf("%d do not hear", bad.Load())
	}
	if a := boss.do("POST", "/attention", object{}); a.status != 409 {
		t.Errorf("a second one at a time: %d %s", a.status, a.body)
	}
	for _, person := range speaker.People() {
		if person.ID == rtc.AttentionID || person.ID == "p00" && person.Status != rtc.Free {
			t.Errorf("the roster shows %+v", person)
		}
	}
	if err := call.Hangup(ctx); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		select {
		case end := <-c.Ended():
			if end.Reason != rtc.EndHangup {
				t.Errorf("a listener's call ended by %s", end.Reason)
			}
		case <-ctx.Done():
			t.Fatal("a listener still listens")
		}
	}
	if !r.eventually(func() bool { return !want[attentionState](t, 200, boss.do("GET", "/attention", nil)).On }) {
		t.Error("it is still on")
	}
	said := want[struct {
		Announcements []struct {
			Attention    bool
			Ended        int64
			Seen, Of     int
			Acknowledged bool
		}
	}](t, 200, boss.do("GET", "/announcements", nil)).Announcements
	if len(said) != 1 || !said[0].Attention || said[0].Ended == 0 || said[0].Seen != listeners || said[0].Of != listeners {
		t.Errorf("the history has %+v", said)
	}
}

// Ensure nobody but an administrator who was permitted a moment ago reaches the endpoint, and
// that a listener is in no call of their own.
func TestAttentionIsForAdministrators(t *testing.T) {
	r := startServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	boss, stranger := r.admin("boss"), r.dial("stranger", peer.ICE{Loopback: true})
	mallory := r.person("stranger")
	for _, method := range []string{"GET", "POST"} {
		if a := mallory.do(method, "/attention", object{}); a.status != 403 {
			t.Errorf("%s by a user: %d %s", method, a.status, a.body)
		}
	}
	declined := func(who *peer.Peer, name string) {
		t.Helper()
		call, err := who.CallNamed(ctx, name, rtc.AttentionID, rtc.Audio)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case end := <-call.Ended():
			if end.Reason != rtc.EndDeclined {
				t.Errorf("%s: got %s, want declined", name, end.Reason)
			}
		case <-ctx.Done():
			t.Fatal("it rings")
		}
	}
	declined(stranger, "any-call-01")
	ticket := want[attentionAnswer](t, 201, boss.do("POST", "/attention", object{}))
	declined(stranger, ticket.Call+"x")
	speaker := r.dial("boss", peer.ICE{Loopback: true})
	declined(speaker, "another-call")
	if a := boss.do("POST", "/attention", object{"tag": "pilots"}); a.status != 409 {
		t.Errorf("to nobody: %d %s", a.status, a.body)
	}
	ticket = want[attentionAnswer](t, 201, boss.do("POST", "/attention", object{}))
	second := r.admin("second")
	a := second.do("POST", "/attention", object{})
	var refused struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal(a.body, &refused); err != nil || a.status != 409 || refused.Error.Code != "attention_busy" {
		t.Errorf("another administrator: %d %s", a.status, a.body)
	}
	declined(stranger, ticket.Call) // and its name is spent
}
