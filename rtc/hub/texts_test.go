package hub

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/chat"
)

// group makes a group through the service behind a hub.
func group(t *testing.T, h *Hub, by, name string, members ...string) {
	t.Helper()
	if _, _, err := h.cfg.Chat.(keptChat).CreateGroup(context.Background(), by, name, "Medics", members); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func TestGroupHears(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob, carol := connect(t, h, "alice", "a"), connect(t, h, "bob", "b"), connect(t, h, "carol", "c")
		second := connect(t, h, "alice", "second")
		const name = "#group-0001"
		group(t, h, "alice", "group-0001", "bob")
		for _, c := range []*client{alice, second, bob} {
			if note := one[*rtc.TextMessage](c); note.Kind != rtc.KindNote || note.Note.What != rtc.NoteCreated || note.Chat != name {
				t.Errorf("%s hears %+v", c.user, note)
			}
		}
		alice.say(&rtc.TextSend{Message: "text-0001", Chat: name, Body: "hi"})
		one[*rtc.TextSent](alice)
		none[*rtc.TextMessage](alice)
		for _, c := range []*client{second, bob} {
			if m := one[*rtc.TextMessage](c); m.Chat != name || m.Pos != 2 || m.From.ID != "alice" {
				t.Errorf("%s hears %+v", c.user, m)
			}
		}
		bob.say(&rtc.TextMark{Chat: name, Read: 2})
		if m := one[*rtc.TextMarks](alice); m.User != "bob" || m.Read != 2 || m.Delivered != 2 || m.Chat != name {
			t.Errorf("got %+v", m)
		}
		none[*rtc.TextMarks](bob)
		bob.say(&rtc.TextTyping{Chat: name})
		bob.say(&rtc.TextTyping{Chat: name}) // too soon after the first
		if m := one[*rtc.TextTyping](second); m.User != "bob" || m.Chat != name {
			t.Errorf("got %+v", m)
		}
		none[*rtc.TextTyping](bob)
		none[*rtc.TextMessage](carol)
		none[*rtc.TextTyping](carol)
		carol.say(&rtc.TextSend{Message: "text-0002", Chat: name, Body: "let me in"})
		carol.refused(rtc.CodeNoSuchChat)
	})
}

func TestEditsConverge(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
		second := connect(t, h, "alice", "second")
		alice.say(&rtc.TextSend{Message: "text-0001", Chat: "bob", Body: "zero"})
		alice.request(&rtc.TextEdit{Message: "text-0001", Chat: "bob", Body: "one"})
		second.request(&rtc.TextEdit{Message: "text-0001", Chat: "bob", Body: "two"})
		latest := func(c *client) (last *rtc.TextMessage) {
			for _, m := range take[*rtc.TextMessage](c) {
				if last == nil || m.Rev > last.Rev {
					last = m
				}
			}
			return last
		}
		at := []*rtc.TextMessage{latest(alice), latest(second), latest(bob)}
		for _, m := range at {
			if m == nil || m.Rev != 3 || m.Body != at[0].Body || m.Edited == 0 || m.Pos != 1 {
				t.Fatalf("the devices differ: %+v", at)
			}
		}
	})
}

// Ensure a text comes once to somebody who was away, and that a store that
// fails leaves calls alone, and loses and repeats nothing.
func TestStoreFails(t *testing.T) {
	cfg := testConfig()
	inBubbleOf(t, cfg, func(t *testing.T, h *Hub) {
		alice, bob := inCall(t, h)
		fail := storeOf(h).Fail
		fail(chat.ErrUnavailable, false)
		send := &rtc.TextSend{Message: "text-0001", Chat: "bob", Body: "hi"}
		alice.say(send)
		alice.refused(rtc.CodeNotStored)
		none[*rtc.TextMessage](bob)
		alice.say(&rtc.CallMedia{Call: callID, Audio: true})
		one[*rtc.CallMedia](bob)
		take[*rtc.Ack](alice)
		// It is stored and only the word of that is lost: the repeat is delivered.
		fail(errors.New("the answer is lost"), true)
		alice.say(send)
		alice.refused(rtc.CodeNotStored)
		none[*rtc.TextMessage](bob)
		fail(nil, false)
		alice.say(send)
		first := one[*rtc.TextSent](alice)
		one[*rtc.TextMessage](bob)
		alice.say(send)
		if again := one[*rtc.TextSent](alice); *again != *first {
			t.Errorf("answered %+v, then %+v", first, again)
		}
		none[*rtc.TextMessage](bob)
	})
}

// Ensure a text to a group of 500 costs little, and that what waits together
// is stored together.
func TestGroupOf500(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		var everybody []*client
		var ids []string
		for i := range rtc.MaxGroupPeople - 1 {
			ids = append(ids, fmt.Sprintf("u%03d", i))
			everybody = append(everybody, connect(t, h, ids[i], "d"))
		}
		alice := connect(t, h, "alice", "a")
		group(t, h, "alice", "group-0500", ids...)
		service := h.cfg.Chat.(keptChat)
		if _, err := service.ChangeGroup(context.Background(), "alice", "group-0500", chat.GroupChange{Add: []string{"one-more"}}); err == nil {
			t.Error("a group of 501")
		}
		before, began := storeOf(h).Transactions(), time.Now()
		const texts = 20
		for i := range texts {
			alice.request(&rtc.TextSend{Message: fmt.Sprintf("text-%04d", i), Chat: "#group-0500", Body: "hi"})
		}
		synctest.Wait()
		if got := len(take[*rtc.TextSent](alice)); got != texts {
			t.Errorf("%d were answered", got)
		}
		for _, c := range everybody {
			if got := len(take[*rtc.TextMessage](c)); got != texts+1 {
				t.Fatalf("%s heard %d, want %d", c.user, got, texts+1)
			}
		}
		if n := storeOf(h).Transactions() - before; n > texts {
			t.Errorf("%d transactions", n)
		}
		if took := time.Since(began); took > time.Second { // by the bubble's clock: nothing waited
			t.Errorf("took %v", took)
		}
		everybody[0].say(&rtc.TextTyping{Chat: "#group-0500"})
		none[*rtc.TextTyping](alice)
		everybody[0].say(&rtc.TextMark{Chat: "#group-0500", Read: 3})
		none[*rtc.TextMarks](alice)
	})
}
