package chat

import (
	"context"
	"time"

	"fieldphone/rtc"
)

const (
	typingLength   = 64              // that wait; more are dropped
	typingLimit    = 2 * time.Second // to find out who is to hear
	maxTypingGroup = 50              // members of a group in which it is told
)

type typing struct {
	by   string
	chat string
	tell func(to []string, key string)
}

// Typing finds out who is to hear that somebody writes, and calls tell with
// them and the chat's key, from another goroutine; not at all if nobody is, or
// if there is too much to do. It never waits.
func (s *Service) Typing(by string, m *rtc.TextTyping, tell func(to []string, key string)) {
	select {
	case s.typing <- typing{by, m.Chat, tell}:
	default:
	}
}

func (s *Service) runTyping(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-s.typing:
			if to, key := s.hearers(ctx, t); len(to) > 0 {
				t.tell(to, key)
			}
		}
	}
}

func (s *Service) hearers(ctx context.Context, t typing) (to []string, key string) {
	limited, cancel := context.WithTimeout(ctx, typingLimit)
	defer cancel()
	key, ok := Key(t.by, t.chat)
	if !ok {
		return nil, ""
	}
	c, me, err := s.store.Access(limited, key, t.by)
	if err != nil || me.Left != nil {
		return nil, ""
	}
	members, err := s.store.Members(limited, c.ID)
	if err != nil || rtc.IsGroup(key) && len(members) > maxTypingGroup {
		return nil, ""
	}
	for _, m := range members {
		if m.ID != t.by && !s.cfg.Blocked(m.ID, t.by) && !s.cfg.Blocked(t.by, m.ID) {
			to = append(to, m.ID)
		}
	}
	return to, key
}
