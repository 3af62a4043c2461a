package turnsrv

import "time"

// SetChannelLifetime makes the channels of servers to come end sooner.
func SetChannelLifetime(d time.Duration) { channelLifetime = d }

// SetShards makes Open open so many sockets on each address.
func SetShards(n int) { shards = func() int { return n } }

// Shards tells how many sockets of a listener have allocations.
func (s *Server) Shards() (used int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		for e := range l.endpoints {
			e.mu.RLock()
			if l.UDP != nil && len(e.live) > 0 {
				used++
			}
			e.mu.RUnlock()
		}
	}
	return used
}

// SpoilNonces makes every endpoint forget the nonce that the TURN library
// wants to see, as an hour would.
func (s *Server) SpoilNonces() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		for e := range l.endpoints {
			e.handling.Lock()
			e.nonce = "old"
			e.handling.Unlock()
		}
	}
}

// ExpireSoon makes every allocation look as if its lifetime were about to end.
func (s *Server) ExpireSoon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		for e := range l.endpoints {
			e.mu.RLock()
			for _, r := range e.live {
				r.expires.Store(time.Now().Add(500 * time.Millisecond).UnixNano())
			}
			e.mu.RUnlock()
		}
	}
}
