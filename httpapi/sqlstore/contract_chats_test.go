package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldphone/httpapi/account"
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

func (c *chats) change(by, group string, change chat.GroupChange) chat.Group {
	c.t.Helper()
	g, err := c.ChangeGroup(c.t.Context(), by, group, change)
	must(c.t, err)
	return g
}

func members(g chat.Group) string {
	var all []string
	for _, m := range g.Members {
		id := m.ID
		if m.Admin {
			id += "*"
		}
		all = append(all, id)
	}
	return strings.Join(all, " ")
}

func testGroups(t *testing.T, b backend) {
	c := startChats(t, b.open(t), "anna", "bert", "cleo", "dora")
	const group, name = "group-0001", "#group-0001"
	g, created, err := c.CreateGroup(t.Context(), "anna", group, " Medics ", []string{"bert", "bert", "anna"})
	must(t, err)
	if !created || g.Name != "Medics" || members(g) != "anna* bert" {
		t.Errorf("made %v %+v", created, g)
	}
	if again, created, err := c.CreateGroup(t.Context(), "anna", group, "Other", nil); err != nil || created || again.Name != "Medics" {
		t.Errorf("again: %v %+v %v", created, again, err)
	}
	_, _, err = c.CreateGroup(t.Context(), "dora", group, "Mine", nil)
	c.refused(err, rtc.CodeNotAllowed)
	_, _, err = c.CreateGroup(t.Context(), "dora", "group-0002", "Mine", []string{"nobody"})
	c.refused(err, rtc.CodeNoSuchChat)
	_, err = c.say("dora", &rtc.TextSend{Message: "message-d", Chat: name, Body: "let me in"})
	c.refused(err, rtc.CodeNoSuchChat)
	_, err = c.ChangeGroup(t.Context(), "bert", group, chat.GroupChange{Remove: []string{"anna"}})
	c.refused(err, rtc.CodeNotAllowed)

	text := c.send("bert", name, "hello")
	if g := c.change("bert", group, chat.GroupChange{Add: []string{"cleo"}}); members(g) != "anna* bert cleo" {
		t.Errorf("got %s", members(g))
	}
	if e := c.entry("cleo", name); e.Unread != 0 || e.Title != "Medics" || e.Members != 3 {
		t.Errorf("what was before cleo came is not new: %+v", e)
	}
	c.send("bert", name, "welcome")
	if e := c.entry("cleo", name); e.Unread != 1 {
		t.Errorf("got %+v", e)
	}
	// An admin deletes anybody's text; others do not.
	_, err = c.say("cleo", &rtc.TextDelete{Message: text.Message, Chat: name})
	c.refused(err, rtc.CodeNotAllowed)
	c.do("anna", &rtc.TextDelete{Message: text.Message, Chat: name})

	rename := "Doctors"
	c.change("anna", group, chat.GroupChange{Name: &rename, Remove: []string{"bert"}})
	late := c.send("anna", name, "secret")
	c.see("bert", name, "created - added welcome named removed")
	c.see("cleo", name, "created - added welcome named removed secret")
	_, err = c.say("bert", &rtc.TextSend{Message: "message-b", Chat: name, Body: "still here"})
	c.refused(err, rtc.CodeNoSuchChat)
	_, err = c.say("bert", &rtc.TextEdit{Message: text.Message, Chat: name, Body: "changed"})
	c.refused(err, rtc.CodeNoSuchChat)
	if e := c.entry("bert", name); e.Me.Left == nil || e.Me.Left.Title != "Doctors" || e.Last.Kind != rtc.KindNote || e.Unread != 0 {
		t.Errorf("bert's list shows %+v, last %+v", e, e.Last)
	}
	if changed, rev, _, err := c.Changes(t.Context(), "bert", name, 0, 50); err != nil || rev >= late.Rev || len(changed) != 6 {
		t.Errorf("bert hears of %+v, rev %d, %v", changed, rev, err)
	}
	if got, _, _ := c.Search(t.Context(), "bert", "secret", "", 0, 0); len(got) != 0 {
		t.Errorf("bert finds %+v", got)
	}
	if _, err := c.Group(t.Context(), "bert", group); err == nil {
		t.Error("bert still sees who is in the group")
	}
	// What is changed after somebody has gone is gone for them as well.
	c.change("anna", group, chat.GroupChange{Add: []string{"dora"}})
	// The last admin hands over to whoever has been there for longest.
	if g := c.change("anna", group, chat.GroupChange{Remove: []string{"anna"}}); members(g) != "cleo* dora" {
		t.Errorf("got %s", members(g))
	}
	_, err = c.ChangeGroup(t.Context(), "cleo", group, chat.GroupChange{Demote: []string{"cleo"}})
	c.refused(err, rtc.CodeNotAllowed)
	c.change("cleo", group, chat.GroupChange{Promote: []string{"dora"}, Demote: []string{"cleo"}})
	c.change("cleo", group, chat.GroupChange{Remove: []string{"cleo"}})
	if g := c.change("dora", group, chat.GroupChange{Remove: []string{"dora"}}); len(g.Members) != 0 {
		t.Errorf("left are %s", members(g))
	}
}

func testGroupNames(t *testing.T, b backend) {
	c := startChats(t, b.open(t), "anna")
	for _, name := range []string{"", "  ", strings.Repeat("x", 10_000), "a\u202eb", "a\u2066b", "a\nb", strings.Repeat("長", 65), "\xff"} {
		_, _, err := c.CreateGroup(t.Context(), "anna", "group-0001", name, nil)
		c.refused(err, rtc.CodeBadData)
	}
	for _, name := range []string{`Robert'); DROP TABLE chats;--`, strings.Repeat("長", 64), "<b>x</b>"} {
		if _, _, err := c.CreateGroup(t.Context(), "anna", fmt.Sprintf("group-%d", len(name)+1000), name, nil); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	var many []string
	for i := range 500 {
		many = append(many, fmt.Sprintf("u%d", i))
	}
	if _, _, err := c.CreateGroup(t.Context(), "anna", "group-many", "Many", many); err == nil {
		t.Error("501 members, none of whom exists")
	}
}

func testSearch(t *testing.T, b backend) {
	c := startChats(t, b.open(t), "anna", "bert", "cleo")
	c.send("anna", "bert", "100% sure_thing")
	c.send("anna", "bert", "Ärzte ohne Grenzen")
	c.send("bert", "anna", "我们在三号营地")
	c.send("anna", "cleo", "for Cleo's eyes")
	find := func(user, text, name string) string {
		got, _, err := c.Search(t.Context(), user, text, name, 0, 0)
		must(t, err)
		var all []string
		for _, m := range got {
			all = append(all, m.Chat+":"+m.Body)
		}
		return strings.Join(all, "|")
	}
	for _, test := range []struct{ user, text, chat, want string }{
		{"anna", "0%", "", "bert:100% sure_thing"},
		{"anna", "%%", "", ""},
		{"anna", "e_t", "", "bert:100% sure_thing"},
		{"anna", "r_t", "", ""},
		{"bert", "ärzte", "", "anna:Ärzte ohne Grenzen"},
		{"bert", "GRENZEN", "", "anna:Ärzte ohne Grenzen"},
		{"anna", "三号", "", "bert:我们在三号营地"},
		{"bert", "eyes", "", ""},
		{"anna", "'s eyes", "", "cleo:for Cleo's eyes"},
		{"anna", "eyes", "bert", ""},
		{"anna", "ure_", "bert", "bert:100% sure_thing"},
		{"anna", "!!", "", ""},
	} {
		if got := find(test.user, test.text, test.chat); got != test.want {
			t.Errorf("%s finds %q in %q: %q, want %q", test.user, test.text, test.chat, got, test.want)
		}
	}
	for _, bad := range []string{"", "x", strings.Repeat("x", 101), "a\xff"} {
		if _, _, err := c.Search(t.Context(), "anna", bad, "", 0, 0); err == nil {
			t.Errorf("searched for %q", bad)
		}
	}
	_, _, err := c.Search(t.Context(), "cleo", "sure", "bert", 0, 0)
	c.refused(err, rtc.CodeNoSuchChat)
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
}

func testPaging(t *testing.T, b backend) {
	c := startChats(t, b.open(t), "anna", "bert")
	const texts = 45
	for i := range texts {
		c.send("anna", "bert", fmt.Sprint(i))
	}
	var pages []string
	before := int64(0)
	for more := true; more; {
		var got []rtc.TextMessage
		var err error
		got, more, err = c.Messages(t.Context(), "bert", "anna", before, 20)
		must(t, err)
		before = got[0].Pos
		pages = append(pages, fmt.Sprintf("%s-%s", got[0].Body, got[len(got)-1].Body))
	}
	if got := strings.Join(pages, " "); got != "25-44 5-24 0-4" {
		t.Errorf("pages %s", got)
	}
	rev, heard := int64(0), 0
	for more := true; more; {
		got, next, rest, err := c.Changes(t.Context(), "bert", "anna", rev, 20)
		must(t, err)
		rev, more, heard = next, rest, heard+len(got)
	}
	if rev != texts || heard != texts {
		t.Errorf("heard of %d up to rev %d", heard, rev)
	}
	exported := 0
	for after := int64(0); ; {
		page, next, err := c.ExportMessages(t.Context(), "bert", after, 20)
		must(t, err)
		exported += len(page)
		if after = next; next == 0 {
			break
		}
	}
	if exported != texts {
		t.Errorf("exported %d", exported)
	}
}

// testChatList: a list whose chats were all active in the same moments misses
// none, whatever the page.
func testChatList(t *testing.T, b backend) {
	db := b.open(t)
	people := []string{"anna"}
	for i := range 25 {
		people = append(people, fmt.Sprintf("p%02d", i))
	}
	c := startChats(t, db, people...)
	for _, id := range people[1:] {
		c.send("anna", id, "x")
	}
	for _, limit := range []int{1, 7, 500} {
		seen := map[string]int{}
		for before, more := int64(0), true; more; {
			entries, rest, err := c.Chats(t.Context(), "anna", before, limit)
			must(t, err)
			for _, e := range entries {
				seen[e.Key]++
				before = e.At
			}
			more = rest
		}
		for _, id := range people[1:] {
			if seen["anna/"+id] != 1 {
				t.Errorf("in pages of %d, %s is there %d times", limit, id, seen["anna/"+id])
			}
		}
	}
}

// testGone: what was written with an account that is deleted stays with the
// other, without its name, and nobody can have its id again.
func testGone(t *testing.T, b backend) {
	db := b.open(t)
	c := startChats(t, db, "anna")
	guest := user("guest-x")
	guest.Name, guest.CreatedAt, guest.GuestUntil = "First", day, day.Add(time.Hour)
	must(t, db.Accounts().CreateUser(t.Context(), guest, ""))
	c.send("anna", "guest-x", "to the first")
	c.send("guest-x", "anna", "from the first")
	if n, err := db.Accounts().DeleteGuests(t.Context(), day.Add(48*time.Hour)); err != nil || n != 1 {
		t.Fatalf("deleted %d guests, %v", n, err)
	}
	if e := c.entry("anna", "guest-x"); e.Peer.ID != "guest-x" || e.Peer.Name != "" || e.Last.From.Name != "" {
		t.Errorf("got %+v, last %+v", e.Peer, e.Last)
	}
	_, err := c.say("anna", &rtc.TextSend{Message: "message-x", Chat: "guest-x", Body: "are you there"})
	c.refused(err, rtc.CodeNoSuchChat)
	if err := db.Accounts().CreateUser(t.Context(), guest, ""); !errors.Is(err, account.ErrTaken) {
		t.Errorf("the id is given again: %v", err)
	}
	c.see("anna", "guest-x", "to the first from the first")
}

func testRetention(t *testing.T, b backend) {
	db := b.open(t)
	c := startChats(t, db, "anna", "bert")
	for range 5 {
		c.send("anna", "bert", "x")
	}
	before := time.Now().Add(time.Second).UnixMilli()
	for _, want := range []int{2, 2, 1, 0} {
		if n, err := db.Chats().Sweep(t.Context(), before, 2); err != nil || n != want {
			t.Errorf("deleted %d, %v, want %d", n, err, want)
		}
	}
	if e := c.entry("bert", "anna"); e.Last != nil || e.Unread != 0 {
		t.Errorf("got %+v", e)
	}
	if next := c.send("anna", "bert", "next"); next.Pos != 6 {
		t.Errorf("after the sweep pos is %d", next.Pos)
	}
	if e := c.entry("bert", "anna"); e.Last == nil || e.Unread != 1 {
		t.Errorf("got %+v", e)
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
