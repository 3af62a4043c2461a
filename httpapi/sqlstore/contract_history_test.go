package sqlstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/rtc"
)

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
