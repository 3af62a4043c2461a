// Package chattest has a chat.Store in memory, for tests of those who build on
// rtc/chat. It keeps to what chat.Store says, one transaction at a time.
package chattest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"fieldphone/rtc"
	"fieldphone/rtc/chat"
)

// Store is a chat.Store in memory. Everybody whose id does not begin with "no"
// has an account, with the id in capitals as the name.
type Store struct {
	mu    sync.Mutex
	seen  map[string]int64
	state state
	fails error
	lost  bool // the failing transaction is kept all the same
	txs   int
}

var _ chat.Store = (*Store)(nil)

type state struct {
	ids      int64
	chats    map[string]chat.Chat
	members  map[int64]map[string]chat.Member
	messages map[int64][]chat.Message // ascending
}

// New makes an empty store.
func New() *Store {
	return &Store{seen: map[string]int64{}, state: state{
		chats: map[string]chat.Chat{}, members: map[int64]map[string]chat.Member{}, messages: map[int64][]chat.Message{},
	}}
}

// Fail makes every transaction fail with err, nil for none; if lost, what it
// wrote is kept all the same, as when the answer to COMMIT is lost.
func (s *Store) Fail(err error, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails, s.lost = err, lost
}

// Transactions is how many have been.
func (s *Store) Transactions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.txs
}

func (s *state) clone() state {
	c := state{ids: s.ids, chats: maps.Clone(s.chats), members: maps.Clone(s.members), messages: maps.Clone(s.messages)}
	for id, m := range c.members {
		c.members[id] = maps.Clone(m)
	}
	for id, m := range c.messages {
		c.messages[id] = slices.Clone(m)
	}
	return c
}

// Update implements chat.Store.
func (s *Store) Update(_ context.Context, do func(chat.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.txs++
	next := s.state.clone()
	err := do((*tx)(&next))
	if err == nil && (s.fails == nil || s.lost) {
		s.state = next
	}
	return cmp.Or(err, s.fails)
}

func person(id string) (chat.Person, error) {
	if strings.HasPrefix(id, "no") {
		return chat.Person{}, chat.ErrNotFound
	}
	return chat.Person{User: rtc.User{ID: id, Name: strings.ToUpper(id)}, Born: 1}, nil
}

type tx state

func (t *tx) Person(id string) (chat.Person, error) { return person(id) }

func (t *tx) Chat(key string) (chat.Chat, error) {
	c, ok := t.chats[key]
	if !ok {
		return c, chat.ErrNotFound
	}
	return c, nil
}

func (t *tx) AddChat(c chat.Chat) (chat.Chat, error) {
	t.ids++
	c.ID = t.ids
	t.chats[c.Key], t.members[c.ID] = c, map[string]chat.Member{}
	return c, nil
}

func (t *tx) SaveChat(c chat.Chat) error {
	t.chats[c.Key] = c
	return nil
}

func (t *tx) DropChat(id int64) error {
	maps.DeleteFunc(t.chats, func(_ string, c chat.Chat) bool { return c.ID == id })
	delete(t.members, id)
	delete(t.messages, id)
	return nil
}

func (t *tx) Members(id int64) ([]chat.Member, error) {
	return slices.SortedFunc(maps.Values(t.members[id]), func(a, b chat.Member) int {
		return cmp.Or(cmp.Compare(a.Joined, b.Joined), strings.Compare(a.ID, b.ID))
	}), nil
}

func (t *tx) SaveMember(id int64, m chat.Member) error {
	t.members[id][m.ID] = m
	return nil
}

func (t *tx) Message(id int64, name string) (chat.Message, error) {
	for _, m := range t.messages[id] {
		if m.Message == name {
			return m, nil
		}
	}
	return chat.Message{}, chat.ErrNotFound
}

func (t *tx) AddMessage(id int64, m chat.Message) error {
	t.ids++
	m.ID = t.ids
	t.messages[id] = append(t.messages[id], m)
	return nil
}

func (t *tx) SaveMessage(id int64, m chat.Message) error {
	for i, old := range t.messages[id] {
		if old.Message == m.Message {
			t.messages[id][i] = m
		}
	}
	return nil
}

func (t *tx) Groups(by string) (n int, err error) {
	for _, c := range t.chats {
		if c.CreatedBy == by {
			n++
		}
	}
	return n, nil
}
