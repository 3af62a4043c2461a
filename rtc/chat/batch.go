package chat

import (
	"errors"
	"slices"

	"fieldphone/rtc"
)

// batch is a transaction as the changes in it see it: what one has read the
// next need not read again.
type batch struct {
	Tx
	s       *Service
	now     int64
	people  map[string]Person
	members map[int64][]Member
}

func newBatch(tx Tx, s *Service) *batch {
	return &batch{
		Tx: tx, s: s, now: s.cfg.Now().UnixMilli(),
		people: make(map[string]Person), members: make(map[int64][]Member),
	}
}

func (b *batch) Person(id string) (Person, error) {
	if p, known := b.people[id]; known {
		return p, nil
	}
	p, err := b.Tx.Person(id)
	if err == nil {
		b.people[id] = p
	}
	return p, err
}

func (b *batch) Members(chat int64) ([]Member, error) {
	if m, known := b.members[chat]; known {
		return m, nil
	}
	m, err := b.Tx.Members(chat)
	if err == nil {
		b.members[chat] = m
	}
	return m, err
}

func (b *batch) SaveMember(chat int64, m Member) error {
	if known, ok := b.members[chat]; ok {
		if i := slices.IndexFunc(known, func(k Member) bool { return k.ID == m.ID }); i >= 0 {
			known[i] = m
		} else {
			b.members[chat] = append(known, m)
		}
	}
	return b.Tx.SaveMember(chat, m)
}

func (b *batch) DropChat(id int64) error {
	delete(b.members, id)
	return b.Tx.DropChat(id)
}

// room is a chat as one who is in it finds it.
type room struct {
	Chat
	me      Member
	members []Member // those who are in it
}

// others are the user ids of the members but one.
func (r room) others(but string) []string {
	var ids []string
	for _, m := range r.members {
		if m.ID != but {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

func (r room) all() []string { return r.others("") }

func (r room) group() bool { return rtc.IsGroup(r.Key) }

// peer is the other of two.
func (r room) peer() string { return Seen(r.Key, r.me.ID) }

func noSuchChat() error {
	return rtc.NewError(rtc.CodeNoSuchChat, "nobody has this id, or you are not in this group")
}

// enter finds a chat that somebody is in. One who left a group finds it with
// me.Left set.
func (b *batch) enter(by, chat string) (room, error) {
	key, ok := Key(by, chat)
	if !ok {
		return room{}, noSuchChat()
	}
	me, err := b.Person(by)
	if err != nil {
		return room{}, missing(err)
	}
	c, err := b.Chat(key)
	if err != nil {
		return room{}, missing(err)
	}
	members, err := b.Members(c.ID)
	if err != nil {
		return room{}, err
	}
	r := room{Chat: c}
	in := false
	for _, m := range members {
		if m.ID == by && m.Born == me.Born {
			r.me, in = m, true
		}
		if m.Left == nil {
			r.members = append(r.members, m)
		}
	}
	if !in {
		return room{}, noSuchChat()
	}
	return r, nil
}

// present is enter for those who have not left.
func (b *batch) present(by, chat string) (room, error) {
	r, err := b.enter(by, chat)
	if err == nil && r.me.Left != nil {
		return room{}, noSuchChat()
	}
	return r, err
}

// between finds the chat of two, or makes it. A chat with an account that was
// deleted, whose id another account has now, goes.
func (b *batch) between(by, other string) (room, error) {
	key, ok := Key(by, other)
	if !ok {
		return room{}, noSuchChat()
	}
	two := make([]Person, 2)
	for i, id := range []string{by, other} {
		var err error
		if two[i], err = b.Person(id); err != nil {
			return room{}, missing(err)
		}
		if two[i].gone() {
			return room{}, noSuchChat()
		}
	}
	c, err := b.Chat(key)
	if err == nil {
		members, err := b.Members(c.ID)
		if err != nil {
			return room{}, err
		}
		born := func(m Member) int64 { return two[boolIndex(m.ID == other)].Born }
		if !slices.ContainsFunc(members, func(m Member) bool { return m.Born != born(m) }) {
			return b.enter(by, other)
		}
		if err := b.DropChat(c.ID); err != nil {
			return room{}, err
		}
	} else if !errors.Is(err, ErrNotFound) {
		return room{}, err
	}
	if c, err = b.AddChat(Chat{Key: key, CreatedAt: b.now, At: b.now}); err != nil {
		return room{}, err
	}
	for _, p := range two {
		if err := b.SaveMember(c.ID, Member{Person: p, Joined: b.now}); err != nil {
			return room{}, err
		}
	}
	return b.enter(by, other)
}

func boolIndex(second bool) int {
	if second {
		return 1
	}
	return 0
}

// missing makes a refusal of ErrNotFound.
func missing(err error) error {
	if errors.Is(err, ErrNotFound) {
		return noSuchChat()
	}
	return err
}

// add writes a new message at the end of a chat.
func (b *batch) add(r *room, m Message) (rtc.TextMessage, error) {
	r.Pos, r.Rev, r.At = r.Pos+1, r.Rev+1, b.now
	m.Key, m.Pos, m.Rev, m.ServerTime = r.Key, r.Pos, r.Rev, b.now
	if err := b.SaveChat(r.Chat); err != nil {
		return rtc.TextMessage{}, err
	}
	return m.TextMessage, b.AddMessage(r.ID, m)
}

// change writes another version of a message.
func (b *batch) change(r *room, m Message) (rtc.TextMessage, error) {
	r.Rev++
	m.Rev = r.Rev
	if err := b.SaveChat(r.Chat); err != nil {
		return rtc.TextMessage{}, err
	}
	return m.TextMessage, b.SaveMessage(r.ID, m)
}
