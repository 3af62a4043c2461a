package sqlstore_test

import (
	"fmt"
	"strings"
	"testing"

	"fieldphone/rtc"
	"fieldphone/rtc/chat"
)

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
