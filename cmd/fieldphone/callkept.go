package main

import (
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/chat"
	"fieldphone/rtc/hub"
)

// keepCall writes a call that is over into the chat of the two. What one end
// alone says after a restart is not kept: it may be invented.
func (s *server) keepCall(over hub.CallOver) {
	if over.Claimed {
		return
	}
	past := rtc.PastCall{Media: over.Media, Reason: over.Reason, By: over.By}
	if over.Duration > 0 {
		past.Seconds = max(1, int64(over.Duration.Round(time.Second)/time.Second))
	}
	for _, end := range over.Ends {
		switch {
		case end.Path == nil:
		case end.Path.Local == rtc.Relayed, end.Path.Remote == rtc.Relayed:
			past.Path = "relay"
		case past.Path == "":
			past.Path = "direct"
		}
	}
	s.chat.EndCall(chat.Call{Call: over.Call, Caller: over.Ends[0].User, Callee: over.Ends[1].User, PastCall: past})
}
