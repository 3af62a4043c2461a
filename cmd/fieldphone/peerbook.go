package main

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/rtc/hub"
	"fieldphone/turnsrv"
)

// Limits of the peer book.
const (
	peerGrace      = 30 * time.Second // that an entry outlives its session or call
	maxSeen        = 16               // addresses seen of one session
	maxSignalled   = 64               // addresses signalled by one end of a call
	maxBookEntries = 50_000           // sessions, and calls
)

// peerBook knows which addresses belong to signed-in clients, so that the
// relay sends to no others: those that requests came from, and those that
// devices signalled to each other. Of a session or an end of a call that names
// too many, the oldest are forgotten: it takes room from nobody else.
type peerBook struct {
	now func() time.Time

	mu       sync.RWMutex
	sessions map[string]*bookSession
	pairs    map[string]*bookPair // calls and path tests, by id
	clients  map[netip.Addr]int   // how many entries name the address
	due      time.Time            // when the next entry may end; zero if none does
	refused  int64                // entries refused for want of room
}

type bookSession struct {
	seen  []netip.Addr // the latest last
	pairs map[string]struct{}
	until time.Time
}

// bookPair is a call or path test. Until is zero while it goes on.
type bookPair struct {
	sessions  [2]string
	signalled [2][]netip.Addr // the latest last
	until     time.Time
}

func newPeerBook(now func() time.Time) *peerBook {
	return &peerBook{
		now: now, sessions: make(map[string]*bookSession), pairs: make(map[string]*bookPair), clients: make(map[netip.Addr]int),
	}
}

// saw notes the address that a signed-in request, or a TURN client with the
// session's credential, came from. The session ends at expires at the latest.
func (b *peerBook) saw(session string, addr netip.Addr, expires time.Time) {
	addr = addr.Unmap().WithZone("")
	if session == "" || !addr.IsValid() || addr.IsUnspecified() {
		return
	}
	until := expires.Add(peerGrace)
	b.mu.RLock()
	s := b.sessions[session]
	known := s != nil && len(s.seen) > 0 && s.seen[len(s.seen)-1] == addr && !until.After(s.until)
	b.mu.RUnlock()
	if known {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
	if s = b.session(session); s == nil {
		return
	}
	if until.After(s.until) {
		s.until = until
		b.wake(until)
	}
	s.seen = b.note(s.seen, addr, maxSeen)
}

// seen is httpapi.Config.Seen.
func (s *server) seen(session account.Session, remote netip.Addr) {
	s.book.saw(session.ID, remote, session.ExpiresAt.Add(s.cfg.Session.Leeway))
}

// allocated is turnsrv.Config.Allocated.
func (s *server) allocated(_, session string, client netip.AddrPort) {
	s.book.saw(session, client.Addr(), time.Now())
}

// ended says that a session is over.
func (b *peerBook) ended(session string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.sessions[session]; s != nil {
		s.until = b.now().Add(peerGrace)
		b.wake(s.until)
	}
}

// paired says that two ends exchange signals from now on.
func (b *peerBook) paired(id string, ends [2]hub.Party) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
	p := b.pairs[id]
	if p == nil {
		if len(b.pairs) >= maxBookEntries {
			b.refused++
			return
		}
		p = &bookPair{}
		b.pairs[id] = p
	}
	p.until = time.Time{}
	for i, end := range ends {
		if p.sessions[i] == end.Session {
			continue
		}
		b.leave(id, p.sessions[i])
		for _, addr := range p.signalled[i] { // of a device that the call was moved away from
			b.drop(addr)
		}
		p.sessions[i], p.signalled[i] = end.Session, nil
		if s := b.session(end.Session); s != nil {
			s.pairs[id] = struct{}{}
		}
	}
}

// parted says that they do so no more.
func (b *peerBook) parted(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.pairs[id]; p != nil {
		p.until = b.now().Add(peerGrace)
		b.wake(p.until)
	}
}

// signalled notes an address that one end of a pair tells the other.
func (b *peerBook) signalled(id string, from, _ hub.Party, addr netip.AddrPort) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pairs[id]
	if p == nil || !p.until.IsZero() {
		return
	}
	if i := slices.Index(p.sessions[:], from.Session); i >= 0 {
		p.signalled[i] = b.note(p.signalled[i], addr.Addr().Unmap(), maxSignalled)
	}
}

// engaged tells whether a session is in a call or path test between devices.
func (b *peerBook) engaged(session string) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	s := b.sessions[session]
	if s == nil {
		return false
	}
	for id := range s.pairs {
		if p := b.pairs[id]; p != nil && p.until.IsZero() {
			return true
		}
	}
	return false
}

// Known is turnsrv.Config.Known: whether a session may reach a client's
// address by the relay.
func (b *peerBook) Known(mode turnsrv.Mode, _, session string, peer netip.Addr) bool {
	peer = peer.Unmap().WithZone("")
	now := b.now()
	b.mu.RLock()
	if !b.due.IsZero() && !now.Before(b.due) {
		b.mu.RUnlock()
		b.mu.Lock()
		b.sweep()
		b.mu.Unlock()
		b.mu.RLock()
	}
	defer b.mu.RUnlock()
	if mode == turnsrv.ModeClients {
		return b.clients[peer] > 0
	}
	return mode == turnsrv.ModeCall && b.reaches(session, peer)
}

// reaches tells whether an address is that of the other end of a call, or path
// test, of a session.
func (b *peerBook) reaches(session string, peer netip.Addr) bool {
	s := b.sessions[session]
	if s == nil {
		return false
	}
	for id := range s.pairs {
		p := b.pairs[id]
		if p == nil {
			continue
		}
		for i := range p.sessions {
			if p.sessions[1-i] != session {
				continue
			}
			other := b.sessions[p.sessions[i]]
			if slices.Contains(p.signalled[i], peer) || other != nil && slices.Contains(other.seen, peer) {
				return true
			}
		}
	}
	return false
}

// counts are for /metrics.
func (b *peerBook) counts() (sessions, pairs, addresses, refused int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
	return int64(len(b.sessions)), int64(len(b.pairs)), int64(len(b.clients)), b.refused
}

// session finds or makes an entry; nil if there is no room or no session.
func (b *peerBook) session(id string) *bookSession {
	s := b.sessions[id]
	switch {
	case s != nil || id == "":
		return s
	case len(b.sessions) >= maxBookEntries:
		b.refused++
		return nil
	}
	s = &bookSession{pairs: make(map[string]struct{}), until: b.now().Add(peerGrace)}
	b.wake(s.until)
	b.sessions[id] = s
	return s
}

// note moves an address to the end of a list of the latest.
func (b *peerBook) note(list []netip.Addr, addr netip.Addr, limit int) []netip.Addr {
	if i := slices.Index(list, addr); i >= 0 {
		return append(slices.Delete(list, i, i+1), addr)
	}
	if len(list) >= limit {
		b.drop(list[0])
		list = slices.Delete(list, 0, 1)
	}
	b.clients[addr]++
	return append(list, addr)
}

func (b *peerBook) drop(addr netip.Addr) {
	if b.clients[addr]--; b.clients[addr] <= 0 {
		delete(b.clients, addr)
	}
}

func (b *peerBook) leave(id, session string) {
	if s := b.sessions[session]; s != nil {
		delete(s.pairs, id)
	}
}

func (b *peerBook) wake(at time.Time) {
	if b.due.IsZero() || at.Before(b.due) {
		b.due = at
	}
}

// sweep forgets what has ended. A session with a call outlives its time, which
// another request of the client may yet lengthen.
func (b *peerBook) sweep() {
	now := b.now()
	if b.due.IsZero() || now.Before(b.due) {
		return
	}
	b.due = time.Time{}
	for id, p := range b.pairs {
		switch {
		case p.until.IsZero():
		case now.Before(p.until):
			b.wake(p.until)
		default:
			for i, session := range p.sessions {
				b.leave(id, session)
				for _, addr := range p.signalled[i] {
					b.drop(addr)
				}
			}
			delete(b.pairs, id)
		}
	}
	for id, s := range b.sessions {
		switch {
		case len(s.pairs) > 0:
			b.wake(now.Add(peerGrace))
		case now.Before(s.until):
			b.wake(s.until)
		default:
			for _, addr := range s.seen {
				b.drop(addr)
			}
			delete(b.sessions, id)
		}
	}
}
