package chattest

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"fieldphone/rtc"
	"fieldphone/rtc/chat"
)

// Access implements chat.Store.
func (s *Store) Access(_ context.Context, key, user string) (chat.Chat, chat.Member, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.state.chats[key]
	m, in := s.state.members[c.ID][user]
	if !ok || !in {
		return c, m, chat.ErrNotFound
	}
	return c, m, nil
}

// Members implements chat.Store.
func (s *Store) Members(_ context.Context, id int64) ([]chat.Member, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := (*tx)(&s.state).Members(id)
	return slices.DeleteFunc(all, func(m chat.Member) bool { return m.Left != nil }), err
}

func visible(me chat.Member, m chat.Message) bool {
	return me.Left == nil || m.Pos <= me.Left.Pos && m.Rev <= me.Left.Rev
}

// Messages implements chat.Store.
func (s *Store) Messages(_ context.Context, r chat.Range) ([]chat.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := slices.DeleteFunc(slices.Clone(s.state.messages[r.Chat.ID]), func(m chat.Message) bool {
		return !visible(r.Me, m) || r.ByRev && m.Rev <= r.Since || !r.ByRev && r.Before > 0 && m.Pos >= r.Before
	})
	if r.ByRev {
		slices.SortFunc(got, func(a, b chat.Message) int { return cmp.Compare(a.Rev, b.Rev) })
		return got[:min(len(got), r.Limit)], nil
	}
	return got[max(0, len(got)-r.Limit):], nil
}

// Chats implements chat.Store.
func (s *Store) Chats(_ context.Context, user string, before int64, limit int) (entries []chat.Entry, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.state.chats {
		me, in := s.state.members[c.ID][user]
		if !in {
			continue
		}
		e := chat.Entry{Chat: c, Me: me}
		if me.Left != nil {
			e.At = me.Left.At
		}
		if before > 0 && e.At >= before {
			continue
		}
		for _, m := range s.state.messages[c.ID] {
			if !visible(me, m) {
				continue
			}
			e.Last = &m
			if m.Unread && m.From.ID != user && m.Pos > me.Read {
				e.Unread++
			}
		}
		for _, m := range s.state.members[c.ID] {
			if m.ID != user && !rtc.IsGroup(c.Key) {
				e.Peer = &m
			}
			if m.Left == nil {
				e.Members++
			}
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b chat.Entry) int { return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.ID, a.ID)) })
	n := min(limit, len(entries))
	for n > 0 && n < len(entries) && entries[n].At == entries[n-1].At {
		n++
	}
	return entries[:n], n < len(entries), nil
}

// visibleTo gives the messages of somebody's chats, newest first.
func (s *Store) visibleTo(user string) (all []chat.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.state.chats {
		if me, in := s.state.members[c.ID][user]; in {
			for _, m := range s.state.messages[c.ID] {
				if visible(me, m) {
					all = append(all, m)
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b chat.Message) int {
		return cmp.Or(cmp.Compare(b.ServerTime, a.ServerTime), cmp.Compare(b.ID, a.ID))
	})
	return all
}

// Search implements chat.Store.
func (s *Store) Search(_ context.Context, find chat.Find) (found []chat.Message, more bool, err error) {
	for _, m := range s.visibleTo(find.User) {
		if m.Kind == rtc.KindText && (find.Key == "" || m.Key == find.Key) && (find.Before == 0 || m.ServerTime < find.Before) &&
			strings.Contains(strings.ToLower(m.Body), strings.ToLower(find.Text)) {
			found = append(found, m)
		}
	}
	return found, false, nil
}

// Calls implements chat.Store.
func (s *Store) Calls(_ context.Context, user string, before int64, limit int) (calls []chat.PastCall, more bool, err error) {
	for _, m := range s.visibleTo(user) {
		if m.Kind == rtc.KindCall && (before == 0 || m.ServerTime < before) {
			to, _ := person(chat.Seen(m.Key, m.From.ID))
			calls = append(calls, chat.PastCall{Message: m, To: to.User})
		}
	}
	return calls, false, nil
}

// CallsSeen implements chat.Store.
func (s *Store) CallsSeen(_ context.Context, user string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[user], nil
}

// SeeCalls implements chat.Store.
func (s *Store) SeeCalls(_ context.Context, user string, at int64) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at <= s.seen[user] {
		return false, nil
	}
	s.seen[user] = at
	return true, nil
}

// Export implements chat.Store.
func (s *Store) Export(_ context.Context, user string, after int64, limit int) (page []chat.Message, err error) {
	all := s.visibleTo(user)
	slices.SortFunc(all, func(a, b chat.Message) int { return cmp.Compare(a.ID, b.ID) })
	for _, m := range all {
		if m.ID > after && len(page) < limit {
			page = append(page, m)
		}
	}
	return page, nil
}

// MayRead implements chat.Store.
func (s *Store) MayRead(_ context.Context, user, file string) (bool, error) {
	return slices.ContainsFunc(s.visibleTo(user), func(m chat.Message) bool { return m.File != nil && m.File.File == file }), nil
}

// FileUsed implements chat.Store.
func (s *Store) FileUsed(_ context.Context, file string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, all := range s.state.messages {
		if slices.ContainsFunc(all, func(m chat.Message) bool { return m.File != nil && m.File.File == file }) {
			return true, nil
		}
	}
	return false, nil
}

// Sweep implements chat.Store.
func (s *Store) Sweep(_ context.Context, before int64, limit int) (gone int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, all := range s.state.messages {
		s.state.messages[id] = slices.DeleteFunc(all, func(m chat.Message) bool {
			old := m.ServerTime < before && gone < limit
			if old {
				gone++
			}
			return old
		})
	}
	return gone, nil
}
