package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldphone/httpapi/sqlstore"
	"fieldphone/rtc"
	"fieldphone/rtc/chat"
)

// chats is a chat.Service on a database, with the people who use it.
type chats struct {
	*chat.Service
	t  *testing.T
	mu sync.Mutex
	of []chat.Change
	n  int
}

func startChats(t *testing.T, db *sqlstore.DB, people ...string) *chats {
	t.Helper()
	for _, id := range people {
		withUser(t, db.Accounts(), id)
	}
	c := &chats{t: t, Service: chat.New(chat.Config{Now: time.Now}, db.Chats())}
	c.OnChange(func(changes []chat.Change) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.of = append(c.of, changes...)
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return c
}

// say carries out what a device of somebody asks for.
func (c *chats) say(by string, msg rtc.Message) (rtc.Message, error) {
	type result struct {
		answer rtc.Message
		err    error
	}
	results := make(chan result, 1)
	c.Text(chat.Device{User: by, Device: by + "-device"}, msg, func(answer rtc.Message, err error) { results <- result{answer, err} })
	r := <-results
	return r.answer, r.err
}

func (c *chats) send(by, to, body string) *rtc.TextSent {
	c.t.Helper()
	c.n++
	answer, err := c.say(by, &rtc.TextSend{Message: fmt.Sprintf("message-%06d", c.n), Chat: to, Body: body})
	must(c.t, err)
	return answer.(*rtc.TextSent)
}

func (c *chats) do(by string, msg rtc.Message) {
	c.t.Helper()
	if _, err := c.say(by, msg); err != nil {
		c.t.Fatalf("%s: %s: %v", by, msg.Type(), err)
	}
}

func (c *chats) refused(err error, code rtc.Code) {
	c.t.Helper()
	var refusal *rtc.Error
	if !errors.As(err, &refusal) || refusal.Code != code {
		c.t.Errorf("got %v, want %s", err, code)
	}
}

// bodies are what somebody sees of a chat.
func (c *chats) bodies(user, name string) string {
	c.t.Helper()
	got, _, err := c.Messages(c.t.Context(), user, name, 0, 200)
	must(c.t, err)
	var all []string
	for _, m := range got {
		switch {
		case m.Deleted != 0:
			all = append(all, "-")
		case m.Kind == rtc.KindText:
			all = append(all, m.Body)
		case m.Note != nil:
			all = append(all, string(m.Note.What))
		case m.Call != nil:
			all = append(all, "call:"+string(m.Call.Reason))
		}
	}
	return strings.Join(all, " ")
}

func (c *chats) see(user, name, want string) {
	c.t.Helper()
	if got := c.bodies(user, name); got != want {
		c.t.Errorf("%s sees %q in %s, want %q", user, got, name, want)
	}
}

func (c *chats) entry(user, name string) chat.Entry {
	c.t.Helper()
	entries, _, err := c.Chats(c.t.Context(), user, 0, 0)
	must(c.t, err)
	for _, e := range entries {
		if chat.Seen(e.Key, user) == name {
			return e
		}
	}
	c.t.Fatalf("%s has no chat %s", user, name)
	return chat.Entry{}
}

func testTexts(t *testing.T, b backend) {
	c := startChats(t, b.open(t), "anna", "bert", "cleo")
	first := c.send("anna", "bert", "one")
	if first.Pos != 1 || first.Rev != 1 || first.ServerTime == 0 {
		t.Errorf("got %+v", first)
	}
	again, err := c.say("anna", &rtc.TextSend{Message: first.Message, Chat: "bert", Body: "one"})
	must(t, err)
	if *again.(*rtc.TextSent) != *first {
		t.Errorf("a repeat is answered %+v, want %+v", again, first)
	}
	c.send("bert", "anna", "two")
	hostile := "<script>alert(1)</script>'; DROP TABLE messages;-- \u202e \x00 %_! 👩🏽‍🚒"
	c.send("anna", "bert", hostile)
	c.see("bert", "anna", "one two "+hostile)
	c.do("anna", &rtc.TextEdit{Message: first.Message, Chat: "bert", Body: "ONE"})
	c.do("anna", &rtc.TextEdit{Message: first.Message, Chat: "bert", Body: "ONE"}) // changes nothing
	_, err = c.say("bert", &rtc.TextEdit{Message: first.Message, Chat: "anna", Body: "forged"})
	c.refused(err, rtc.CodeNotAllowed)
	_, err = c.say("bert", &rtc.TextDelete{Message: first.Message, Chat: "anna"})
	c.refused(err, rtc.CodeNotAllowed)
	_, err = c.say("cleo", &rtc.TextDelete{Message: first.Message, Chat: "anna"})
	c.refused(err, rtc.CodeNoSuchChat)
	for _, nobody := range []string{"nobody", "anna", "_echo", "a/b", "#no-such-group"} {
		_, err = c.say("anna", &rtc.TextSend{Message: "message-x", Chat: nobody, Body: "x"})
		c.refused(err, rtc.CodeNoSuchChat)
	}
	changed, rev, more, err := c.Changes(t.Context(), "bert", "anna", 3, 50)
	must(t, err)
	if len(changed) != 1 || changed[0].Body != "ONE" || changed[0].Rev != 4 || rev != 4 || more || changed[0].Edited == 0 {
		t.Errorf("got %+v, rev %d", changed, rev)
	}
	if m := changed[0]; m.Chat != "anna" || m.From != (rtc.User{ID: "anna", Name: "Name of anna"}) {
		t.Errorf("bert sees it as %+v", m)
	}
	c.do("anna", &rtc.TextDelete{Message: first.Message, Chat: "bert"})
	c.do("anna", &rtc.TextDelete{Message: first.Message, Chat: "bert"})
	_, err = c.say("anna", &rtc.TextEdit{Message: first.Message, Chat: "bert", Body: "back"})
	c.refused(err, rtc.CodeNoSuchText)
	c.see("anna", "bert", "- two "+hostile)
	if _, _, err := c.Messages(t.Context(), "cleo", "anna", 0, 0); err == nil {
		t.Error("cleo reads a chat that was never begun")
	}
}

func testMarks(t *testing.T, b backend) {
	c := startChats(t, b.open(t), "anna", "bert")
	for range 3 {
		c.send("anna", "bert", "x")
	}
	c.send("bert", "anna", "y")
	if e := c.entry("bert", "anna"); e.Unread != 3 || e.Pos != 4 || e.Last.Body != "y" || e.Peer.Name != "Name of anna" {
		t.Errorf("got %+v", e)
	}
	c.do("bert", &rtc.TextMark{Chat: "anna", Delivered: 3, Read: 2})
	c.do("bert", &rtc.TextMark{Chat: "anna", Delivered: 1, Read: 1}) // lower: nothing
	if e := c.entry("bert", "anna"); e.Unread != 1 || e.Me.Read != 2 || e.Me.Delivered != 3 {
		t.Errorf("got %+v", e)
	}
	if e := c.entry("anna", "bert"); e.Unread != 1 || e.Peer.Read != 2 || e.Peer.Delivered != 3 {
		t.Errorf("got %+v", e)
	}
	c.do("bert", &rtc.TextMark{Chat: "anna", Read: 1 << 50}) // no further than there is
	if e := c.entry("bert", "anna"); e.Me.Read != 4 || e.Me.Delivered != 4 || e.Unread != 0 {
		t.Errorf("got %+v", e)
	}
}

func testTextFiles(t *testing.T, b backend) {
	c := startChats(t, b.open(t), "anna", "bert", "cleo")
	file := &rtc.File{File: "file-0001", Kind: rtc.FilePicture, Name: "x'\".jpg", Type: "image/jpeg", Size: 1 << 40, Width: 3}
	c.do("anna", &rtc.TextSend{Message: "message-f", Chat: "bert", File: file})
	got, _, err := c.Messages(t.Context(), "bert", "anna", 0, 0)
	must(t, err)
	if len(got) != 1 || got[0].File == nil || *got[0].File != *file {
		t.Errorf("got %+v", got)
	}
	may := func(user string) bool {
		may, err := c.MayRead(t.Context(), user, file.File)
		must(t, err)
		return may
	}
	if !may("anna") || !may("bert") || may("cleo") {
		t.Error("who may read it is wrong")
	}
	c.do("anna", &rtc.TextDelete{Message: "message-f", Chat: "bert"})
	if may("anna") || may("bert") {
		t.Error("a deleted message still gives its file")
	}
}

func testCalls(t *testing.T, b backend) {
	c := startChats(t, b.open(t), "anna", "bert")
	end := func(id, from, to string, past rtc.PastCall) {
		c.EndCall(chat.Call{Call: id, Caller: from, Callee: to, PastCall: past})
	}
	end("call-0001", "anna", "bert", rtc.PastCall{Media: rtc.Video, Reason: rtc.EndTimeout})
	end("call-0001", "anna", "bert", rtc.PastCall{Media: rtc.Video, Reason: rtc.EndTimeout}) // again
	end("call-0002", "anna", "bert", rtc.PastCall{Media: rtc.Audio, Reason: rtc.EndDeclined, By: "bert"})
	end("call-0003", "bert", "anna", rtc.PastCall{Media: rtc.Audio, Reason: rtc.EndHangup, By: "anna", Seconds: 61, Path: "relay"})
	end("call-0004", "anna", rtc.EchoID, rtc.PastCall{Media: rtc.Audio, Reason: rtc.EndHangup})
	end("call-0005", "anna", "nobody", rtc.PastCall{Media: rtc.Audio, Reason: rtc.EndUnreachable})
	c.send("anna", "bert", "then") // once it is answered the calls are stored
	c.see("anna", "bert", "call:timeout call:declined call:hangup then")
	if e := c.entry("bert", "anna"); e.Unread != 2 { // one missed, one text
		t.Errorf("bert has %d unread", e.Unread)
	}
	if e := c.entry("anna", "bert"); e.Unread != 0 {
		t.Errorf("anna has %d unread", e.Unread)
	}
	calls, more, err := c.Calls(t.Context(), "anna", 0, 0)
	must(t, err)
	if len(calls) != 3 || more {
		t.Fatalf("got %+v", calls)
	}
	last := calls[0]
	if last.From.Name != "Name of bert" || last.To != (rtc.User{ID: "anna", Name: "Name of anna"}) || *last.Call != (rtc.PastCall{
		Media: rtc.Audio, Reason: rtc.EndHangup, By: "anna", Seconds: 61, Path: "relay",
	}) {
		t.Errorf("got %+v %+v", last, last.Call)
	}
	now := last.ServerTime
	for _, step := range []struct {
		at, seen int64
		news     bool
	}{{now - 5, now - 5, true}, {now - 9, now - 5, false}, {now - 5, now - 5, false}, {now, now, true}} {
		_, news, err := c.SeeCalls(t.Context(), "anna", step.at)
		must(t, err)
		seen, err := c.CallsSeen(t.Context(), "anna")
		must(t, err)
		if seen != step.seen || news != step.news {
			t.Errorf("after %d: seen %d, news %v; want %+v", step.at, seen, news, step)
		}
	}
	if seen, err := c.CallsSeen(t.Context(), "bert"); seen != 0 || err != nil {
		t.Errorf("bert has seen up to %d, %v", seen, err)
	}
}

// testWriters: handles as of several servers write into one chat at once.
func testWriters(t *testing.T, b backend) {
	first := startChats(t, b.open(t), "anna", "bert")
	second := startChats(t, b.open(t))
	const each = 40
	var wg sync.WaitGroup
	for i, c := range []*chats{first, second, first, second} {
		wg.Go(func() {
			by, to := "anna", "bert"
			if i%2 == 1 {
				by, to = to, by
			}
			for n := range each {
				if _, err := c.say(by, &rtc.TextSend{Message: fmt.Sprintf("message-%d-%d", i, n), Chat: to, Body: "x"}); err != nil {
					t.Errorf("%s: %v", by, err)
				}
			}
		})
	}
	wg.Wait()
	got, rev, _, err := first.Changes(t.Context(), "anna", "bert", 0, 200)
	must(t, err)
	if len(got) != 4*each || rev != 4*each {
		t.Errorf("%d messages, rev %d", len(got), rev)
	}
	for i, m := range got {
		if m.Pos != int64(i+1) || m.Rev != m.Pos {
			t.Fatalf("message %d has pos %d and rev %d", i, m.Pos, m.Rev)
		}
	}
}
