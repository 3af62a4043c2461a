package turnsrv

import (
	"sync"
	"time"
)

// maxRevoked bounds what is remembered of ended sessions: about 15 MB. Beyond
// it the oldest are forgotten, whose credentials are the nearest to expiry.
const maxRevoked = 1 << 17

// sessions knows which allocations each session has, and which sessions ended.
type sessions struct {
	mu      sync.Mutex
	closed  bool
	count   int // reservations and allocations of all
	live    map[string]*session
	revoked map[string]struct{}
	queue   []revocation // in order of until
	running sync.WaitGroup
}

type session struct {
	reserved int
	relays   map[*relayConn]struct{}
}

type revocation struct {
	sessionID string
	until     time.Time
}

func newSessions() *sessions {
	return &sessions{
		live:    make(map[string]*session),
		revoked: make(map[string]struct{}),
	}
}

// reserve takes one place of the session's quota and, unless that is 0, of the
// total; attach fills it, cancel gives it back.
func (s *sessions) reserve(sessionID string, quota, total int) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry := s.live[sessionID]
	switch {
	case entry != nil && entry.reserved+len(entry.relays) >= quota:
		return &refuseQuota
	case total > 0 && s.count >= total:
		return &refuseTotal
	case entry == nil:
		entry = &session{relays: make(map[*relayConn]struct{})}
		s.live[sessionID] = entry
	}
	entry.reserved++
	s.count++
	return nil
}

func (s *sessions) cancel(sessionID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if entry := s.live[sessionID]; entry != nil {
		entry.reserved--
		s.count--
		s.forgetIfEmpty(sessionID, entry)
	}
}

// attach reports false if the session or the server ended meanwhile; the
// reservation is spent either way.
func (s *sessions) attach(r *relayConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.identity.SessionID
	entry := s.live[id]
	entry.reserved--
	if _, ended := s.revoked[id]; ended || s.closed {
		s.count--
		s.forgetIfEmpty(id, entry)
		return false
	}
	entry.relays[r] = struct{}{}
	s.running.Add(1)
	return true
}

func (s *sessions) detach(r *relayConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.identity.SessionID
	entry := s.live[id]
	delete(entry.relays, r)
	s.count--
	s.forgetIfEmpty(id, entry)
	s.running.Done()
}

func (s *sessions) forgetIfEmpty(sessionID string, entry *session) {
	if entry.reserved == 0 && len(entry.relays) == 0 {
		delete(s.live, sessionID)
	}
}

// end revokes the session until the given time and returns its allocations.
func (s *sessions) end(sessionID string, now, until time.Time) []*relayConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) > 0 && (now.After(s.queue[0].until) || len(s.queue) >= maxRevoked) {
		delete(s.revoked, s.queue[0].sessionID)
		s.queue = s.queue[1:]
	}
	if _, known := s.revoked[sessionID]; !known {
		s.revoked[sessionID] = struct{}{}
		s.queue = append(s.queue, revocation{sessionID, until})
	}
	return s.relaysOf(s.live[sessionID])
}

// close refuses new allocations and returns those that exist.
func (s *sessions) close() []*relayConn {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	return s.all()
}

// overQuota counts the allocations beyond other quotas.
func (s *sessions) overQuota(quota, total int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	over, running := 0, 0
	for _, entry := range s.live {
		running += len(entry.relays)
		over += max(0, len(entry.relays)-quota)
	}
	if total > 0 {
		over = max(over, running-total)
	}
	return over
}

func (s *sessions) all() []*relayConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*relayConn
	for _, entry := range s.live {
		all = append(all, s.relaysOf(entry)...)
	}
	return all
}

func (s *sessions) relaysOf(entry *session) []*relayConn {
	if entry == nil {
		return nil
	}
	relays := make([]*relayConn, 0, len(entry.relays))
	for r := range entry.relays {
		relays = append(relays, r)
	}
	return relays
}

func (s *sessions) isRevoked(sessionID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ended := s.revoked[sessionID]
	return ended
}

func (s *sessions) revocations() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.revoked)
}
