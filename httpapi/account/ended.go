package account

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// endedRetention is how long an ended session is remembered past its expiry,
// in memory and in the store: longer than any step of a wrong clock that is
// put right while its token lies around.
const endedRetention = 24 * time.Hour

// endedSet knows which sessions were ended before their time, and tells
// listeners of each end once. It has two sources: the ends that this process
// makes, at once, and the store's feed of all ends in the order of their
// sequence numbers.
type endedSet struct {
	limit int

	mu        sync.Mutex
	until     map[string]time.Time // by session id: remembered until then
	cursor    int64                // the feed was read up to here
	ahead     map[int64]struct{}   // own ends that the feed has not brought yet
	blind     time.Time            // until then the set is incomplete, for want of room
	listeners []*listener
}

type listener struct{ tell func(Session) }

func newEndedSet(limit int) *endedSet {
	return &endedSet{limit: limit, until: make(map[string]time.Time), ahead: make(map[int64]struct{})}
}

// has says whether the session was ended, and whether that answer is sure.
func (s *endedSet) has(id string, now time.Time) (ended, sure bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ended = s.until[id]
	return ended, ended || !now.Before(s.blind)
}

// addOwn takes in ends that this process made, and gives those not heard of.
func (s *endedSet) addOwn(ends []EndedSession) []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var fresh []Session
	for _, end := range ends {
		if end.Seq <= s.cursor {
			continue
		}
		s.ahead[end.Seq] = struct{}{}
		s.remember(end.Session)
		fresh = append(fresh, end.Session)
	}
	return fresh
}

// addFeed takes in the next ends of the feed, and gives those not heard of.
func (s *endedSet) addFeed(ends []EndedSession) []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var fresh []Session
	for _, end := range ends {
		s.cursor = end.Seq
		if _, own := s.ahead[end.Seq]; own {
			delete(s.ahead, end.Seq)
			continue
		}
		s.remember(end.Session)
		fresh = append(fresh, end.Session)
	}
	return fresh
}

func (s *endedSet) remember(session Session) {
	until := session.ExpiresAt.Add(endedRetention)
	if len(s.until) < s.limit {
		s.until[session.ID] = until
	} else if until.After(s.blind) {
		s.blind = until
	}
}

func (s *endedSet) position() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursor
}

// forget drops the sessions whose tokens have long expired.
func (s *endedSet) forget(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.until, func(_ string, until time.Time) bool { return !now.Before(until) })
}

func (s *endedSet) subscribe(tell func(Session)) (cancel func()) {
	l := &listener{tell: tell}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners, l)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.listeners = slices.DeleteFunc(s.listeners, func(other *listener) bool { return other == l })
	}
}

func (s *endedSet) tell(ended []Session) {
	s.mu.Lock()
	listeners := slices.Clone(s.listeners)
	s.mu.Unlock()
	for _, session := range ended {
		for _, l := range listeners {
			l.tell(session)
		}
	}
}
