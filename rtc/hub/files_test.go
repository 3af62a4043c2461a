package hub

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"fieldphone/rtc"
)

func ask(link string) *rtc.FileAsk {
	return &rtc.FileAsk{Link: link, File: "file-00000001", From: "bob"}
}

func words(text string) json.RawMessage { return json.RawMessage(`{"x":"` + text + `"}`) }

// Ensure the first device that has the file gets the link, signals cross only
// between its two ends, and the relay hears of their addresses.
func TestFileGoesFromDeviceToDevice(t *testing.T) {
	var heard []string
	cfg := testConfig()
	cfg.OnPaired = func(id string, ends [2]Party) { heard = append(heard, fmt.Sprint("paired ", id, ends)) }
	cfg.OnParted = func(id string) { heard = append(heard, "parted "+id) }
	cfg.OnCandidate = func(id string, from, _ Party, addr netip.AddrPort) {
		heard = append(heard, fmt.Sprint(id, " ", from.User, " ", addr))
	}
	inBubbleOf(t, cfg, func(t *testing.T, h *Hub) {
		alice, away, bob, other, eve := connect(t, h, "alice", "a"), connect(t, h, "alice", "z"), connect(t, h, "bob", "b"), connect(t, h, "bob", "c"), connect(t, h, "eve", "e")
		alice.say(ask("link-0001"))
		one[*rtc.Ack](alice)
		for _, c := range []*client{bob, other} {
			if m := one[*rtc.FileAsked](c); m.Link != "link-0001" || m.File != "file-00000001" || m.By != (rtc.User{ID: "alice", Name: "ALICE"}) {
				t.Errorf("asked %+v", m)
			}
		}
		none[*rtc.FileAsked](away)
		none[*rtc.FileAsked](eve)
		alice.say(ask("link-0001")) // sent again
		one[*rtc.Ack](alice)
		none[*rtc.FileAsked](bob)
		alice.say(&rtc.FileSignal{Link: "link-0001", Payload: words("early")})
		alice.refused(rtc.CodeWrongState)
		for _, c := range []*client{eve, away, alice} {
			c.say(&rtc.FileTake{Link: "link-0001"})
			c.refused(rtc.CodeWrongState)
		}
		bob.say(&rtc.FileTake{Link: "link-0001"})
		one[*rtc.Ack](bob)
		one[*rtc.FileTaken](alice)
		other.say(&rtc.FileTake{Link: "link-0001"})
		other.refused(rtc.CodeWrongState)
		bob.say(&rtc.FileTake{Link: "link-0001"}) // sent again
		one[*rtc.Ack](bob)
		none[*rtc.FileTaken](alice)

		alice.say(&rtc.FileSignal{Link: "link-0001", Payload: json.RawMessage(`{"candidate":{"candidate":"candidate:1 1 udp 1 10.77.2.9 4000 typ host"}}`)})
		bob.say(&rtc.FileSignal{Link: "link-0001", Payload: words("answer")})
		if m := one[*rtc.FileSignal](alice); string(m.Payload) != string(words("answer")) {
			t.Errorf("alice heard %s", m.Payload)
		}
		one[*rtc.FileSignal](bob)
		one[*rtc.Ack](bob)
		for _, c := range []*client{eve, other, away} {
			c.say(&rtc.FileSignal{Link: "link-0001", Payload: words("mine")})
			c.refused(rtc.CodeWrongState)
			c.say(&rtc.FileDrop{Link: "link-0001"})
			c.refused(rtc.CodeWrongState)
		}
		none[*rtc.FileSignal](alice)
		if !h.engagedNow("bob") {
			t.Error("the relay may end the allocations of a file that goes")
		}
		alice.say(&rtc.FileDrop{Link: "link-0001"})
		if m := one[*rtc.FileDrop](bob); m.Link != "link-0001" || m.Code != "" {
			t.Errorf("bob heard %+v", m)
		}
		none[*rtc.FileDrop](other)
		bob.say(&rtc.FileDrop{Link: "link-0001"}) // crossed with the other
		one[*rtc.Ack](bob)
		if h.engagedNow("bob") {
			t.Error("still engaged")
		}
	})
	want := []string{
		"paired link-0001[{alice session-of-alice} {bob session-of-bob}]", "link-0001 alice 10.77.2.9:4000", "parted link-0001",
	}
	if !slices.Equal(heard, want) {
		t.Errorf("told %q\nwant %q", heard, want)
	}
}

func (h *Hub) engagedNow(user string) (engaged bool) {
	h.ask(func() { engaged = h.engaged(Party{User: user, Session: "session-of-" + user}, nil) })
	return engaged
}

func TestFileThatNobodyHas(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice := connect(t, h, "alice", "a")
		alice.say(ask("link-0001"))
		alice.refused(rtc.CodeOffline)
		bob := connect(t, h, "bob", "b")
		alice.say(ask("link-0001"))
		one[*rtc.Ack](alice)
		time.Sleep(takeLimit + time.Second)
		if m := one[*rtc.FileDrop](alice); m.Code != rtc.CodeOffline {
			t.Errorf("alice heard %+v", m)
		}
		bob.say(&rtc.FileTake{Link: "link-0001"})
		bob.refused(rtc.CodeWrongState)
		alice.say(ask("link-0002"))
		bob.say(&rtc.Bye{}) // the only one asked
		if m := one[*rtc.FileDrop](alice); m.Link != "link-0002" || m.Code != rtc.CodeOffline {
			t.Errorf("alice heard %+v", m)
		}
	})
}

// Ensure a link lives through a lost connection, not through a reload or
// silence.
func TestFileLinkAndItsDevices(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
		open := func(link string) {
			alice.say(ask(link))
			bob.say(&rtc.FileTake{Link: link})
			one[*rtc.FileTaken](alice)
		}
		open("link-0001")
		alice.lose()
		bob.say(&rtc.FileSignal{Link: "link-0001", Payload: words("kept")})
		alice.back()
		one[*rtc.FileSignal](alice)
		for range 5 {
			time.Sleep(linkIdle / 2)
			bob.say(&rtc.FileSignal{Link: "link-0001", Payload: json.RawMessage(`{"alive":true}`)})
		}
		none[*rtc.FileDrop](alice)
		alice.lose()
		alice.set(func() { alice.stream, alice.seq = "", 0 }) // a reload
		alice.back()
		if m := one[*rtc.FileDrop](bob); m.Code != rtc.CodeOffline {
			t.Errorf("bob heard %+v", m)
		}
		open("link-0002")
		time.Sleep(linkIdle + time.Second)
		for _, c := range []*client{alice, bob} {
			if m := one[*rtc.FileDrop](c); m.Link != "link-0002" || m.Code != rtc.CodeOffline {
				t.Errorf("%s heard %+v", c.user, m)
			}
		}
	})
}

func TestFileLinksAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
		for i := range maxAsked {
			alice.say(ask(fmt.Sprintf("link-%04d", i)))
		}
		if n := len(take[*rtc.Ack](alice)); n != maxAsked {
			t.Fatalf("%d were taken", n)
		}
		alice.say(ask("link-more"))
		alice.refused(rtc.CodeRateLimited)
		bob.say(ask("link-0000")) // a name that another uses
		bob.refused(rtc.CodeWrongState)
		for i := range maxAsked {
			alice.say(&rtc.FileDrop{Link: fmt.Sprintf("link-%04d", i)})
		}
		refused := 0
		for i := range 2 * askBurst {
			link := fmt.Sprintf("more-%04d", i)
			alice.say(ask(link))
			alice.say(&rtc.FileDrop{Link: link})
			refused += len(take[*rtc.Error](alice))
		}
		if refused < askBurst {
			t.Errorf("%d were refused of %d in no time", refused, 2*askBurst)
		}
		if n := len(take[*rtc.FileAsked](bob)); n > maxAsked+askBurst {
			t.Errorf("bob was asked %d times", n)
		}
	})
}
