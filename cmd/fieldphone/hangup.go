package main

import (
	"time"

	"fieldphone/rtc/hub"
)

// hangupDelay is how long the pages of both ends have to let go of their
// allocations by themselves.
const hangupDelay = 500 * time.Millisecond

// hangUp ends what a call that is over still holds in the relay: a page may
// have crashed, and what TURN over TCP says may be stuck. A session that has
// another call or path test keeps all, since no allocation says whose it is.
func (s *server) hangUp(over hub.CallOver) {
	for _, end := range over.Ends {
		if end.Session == "" || end.Other {
			continue
		}
		time.AfterFunc(hangupDelay, func() {
			if s.book.engaged(end.Session) {
				return
			}
			if n := s.turn.EndAllocations(end.Session, over.At); n > 0 {
				s.log.Info("hang-up ends allocations", "call", over.Call, "user", end.User, "session", end.Session, "allocations", n)
			}
		})
	}
}
