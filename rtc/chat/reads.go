package chat

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"fieldphone/rtc"
)

// Limits of what is read at once.
const (
	MaxChats    = 500
	MaxMessages = 200
	MinFind     = 2   // characters to search for
	MaxFind     = 100 // characters to search for
)

// find turns the store's errors into what a client may see.
func found(err error) error {
	if errors.Is(err, ErrNotFound) {
		return noSuchChat()
	}
	return err
}

func bounded(limit, usual, most int) int {
	if limit <= 0 {
		return usual
	}
	return min(limit, most)
}

// seen gives messages as a viewer gets them.
func seen(viewer string, messages []Message) []rtc.TextMessage {
	out := make([]rtc.TextMessage, len(messages))
	for i, m := range messages {
		out[i] = m.TextMessage
		out[i].Chat = Seen(m.Key, viewer)
	}
	return out
}

// Last is the last message as a viewer gets it; nil if there is none.
func (e Entry) LastFor(viewer string) *rtc.TextMessage {
	if e.Last == nil {
		return nil
	}
	return &seen(viewer, []Message{*e.Last})[0]
}

// Chats lists somebody's chats with messages before a time (Unix milliseconds;
// 0: all), the latest first.
func (s *Service) Chats(ctx context.Context, user string, before int64, limit int) ([]Entry, bool, error) {
	return s.store.Chats(ctx, user, before, bounded(limit, 100, MaxChats))
}

// access finds a chat by the name that somebody calls it.
func (s *Service) access(ctx context.Context, user, chat string) (Chat, Member, error) {
	key, ok := Key(user, chat)
	if !ok {
		return Chat{}, Member{}, noSuchChat()
	}
	c, me, err := s.store.Access(ctx, key, user)
	return c, me, found(err)
}

// Messages gives a page of a chat in ascending order: the messages before a
// position, the newest if it is 0.
func (s *Service) Messages(ctx context.Context, user, chat string, before int64, limit int) ([]rtc.TextMessage, bool, error) {
	c, me, err := s.access(ctx, user, chat)
	if err != nil {
		return nil, false, err
	}
	limit = bounded(limit, 50, MaxMessages)
	got, err := s.store.Messages(ctx, Range{Chat: c, Me: me, Before: before, Limit: limit + 1})
	if err != nil {
		return nil, false, err
	}
	more := len(got) > limit
	if more {
		got = got[1:]
	}
	return seen(user, got), more, nil
}

// Changes gives what changed in a chat after a revision, by revision, and the
// revision to go on from.
func (s *Service) Changes(ctx context.Context, user, chat string, since int64, limit int) (changed []rtc.TextMessage, rev int64, more bool, err error) {
	c, me, err := s.access(ctx, user, chat)
	if err != nil {
		return nil, 0, false, err
	}
	limit = bounded(limit, 50, MaxMessages)
	got, err := s.store.Messages(ctx, Range{Chat: c, Me: me, ByRev: true, Since: since, Limit: limit + 1})
	if err != nil {
		return nil, 0, false, err
	}
	if more = len(got) > limit; more {
		got = got[:limit]
	}
	rev = max(since, c.Rev)
	if me.Left != nil {
		rev = max(since, me.Left.Rev)
	}
	if more {
		rev = got[len(got)-1].Rev
	}
	return seen(user, got), rev, more, nil
}

// Search finds texts in somebody's chats, or in one of them, newest first. The
// words may be of any script; no character means anything but itself.
func (s *Service) Search(ctx context.Context, user, text, chat string, before int64, limit int) ([]rtc.TextMessage, bool, error) {
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n < MinFind || n > MaxFind || !utf8.ValidString(text) {
		return nil, false, rtc.NewError(rtc.CodeBadData, "q must be 2 to 100 characters")
	}
	find := Find{User: user, Text: text, Before: before, Limit: bounded(limit, 50, MaxMessages)}
	if chat != "" {
		c, _, err := s.access(ctx, user, chat)
		if err != nil {
			return nil, false, err
		}
		find.Key = c.Key
	}
	got, more, err := s.store.Search(ctx, find)
	return seen(user, got), more, err
}

// Marks tells how far the members of a chat have received and read it.
// Members of a large group do not hear it of each other, only of themselves;
// nobody hears it of those who have blocked them.
func (s *Service) Marks(ctx context.Context, user, chat string) ([]rtc.TextMarks, error) {
	c, me, err := s.access(ctx, user, chat)
	if err != nil {
		return nil, err
	}
	marks := []rtc.TextMarks{{User: user, Delivered: me.Delivered, Read: me.Read}}
	if me.Left != nil {
		return marks, nil
	}
	members, err := s.store.Members(ctx, c.ID)
	if err != nil || rtc.IsGroup(c.Key) && len(members) > maxMarkedGroup {
		return marks, err
	}
	for _, m := range members {
		if m.ID != user && !s.cfg.Blocked(m.ID, user) {
			marks = append(marks, rtc.TextMarks{User: m.ID, Delivered: m.Delivered, Read: m.Read})
		}
	}
	return marks, nil
}

// Group gives a group to one who is in it.
func (s *Service) Group(ctx context.Context, user, group string) (Group, error) {
	c, me, err := s.access(ctx, user, rtc.GroupPrefix+group)
	if err != nil {
		return Group{}, err
	}
	if me.Left != nil {
		return Group{}, noSuchChat()
	}
	members, err := s.store.Members(ctx, c.ID)
	return groupOf(room{Chat: c, members: members}), err
}

// PeerMarks are the marks of the other of two that the viewer may know.
func (s *Service) PeerMarks(e Entry, viewer string) (delivered, read int64) {
	if e.Peer == nil || s.cfg.Blocked(e.Peer.ID, viewer) {
		return 0, 0
	}
	return e.Peer.Delivered, e.Peer.Read
}

// Calls lists somebody's calls that are over, newest first.
func (s *Service) Calls(ctx context.Context, user string, before int64, limit int) ([]PastCall, bool, error) {
	return s.store.Calls(ctx, user, before, bounded(limit, 50, MaxMessages))
}

// CallsSeen tells up to when (Unix milliseconds) somebody has looked at the list
// of calls, on whichever device.
func (s *Service) CallsSeen(ctx context.Context, user string) (int64, error) {
	return s.store.CallsSeen(ctx, user)
}

// SeeCalls notes that somebody has looked at the list of calls up to a time, at
// most now, and tells whether that is news. Once it returns, it is stored.
func (s *Service) SeeCalls(ctx context.Context, user string, at int64) (seen int64, news bool, err error) {
	seen = min(at, s.cfg.Now().UnixMilli())
	if seen <= 0 {
		return 0, false, rtc.NewError(rtc.CodeBadData, "at must be a time in Unix milliseconds")
	}
	news, err = s.store.SeeCalls(ctx, user, seen)
	return seen, news, err
}

// ExportMessages gives a page of all messages of all of somebody's chats, in
// the order in which they were stored. next is what after must be for the next
// page; it is 0 after the last one.
func (s *Service) ExportMessages(ctx context.Context, user string, after int64, limit int) (page []rtc.TextMessage, next int64, err error) {
	limit = bounded(limit, 500, 1000)
	got, err := s.store.Export(ctx, user, after, limit)
	if err != nil {
		return nil, 0, err
	}
	if len(got) == limit {
		next = got[len(got)-1].ID
	}
	return seen(user, got), next, nil
}

// MayRead tells whether somebody may read a file: a message in a chat of
// theirs has it, and was not deleted.
func (s *Service) MayRead(ctx context.Context, user, file string) (bool, error) {
	return s.store.MayRead(ctx, user, file)
}
