package chat

import (
	"errors"
	"slices"

	"fieldphone/rtc"
)

// Call is a call that is over.
type Call struct {
	Call           string
	Caller, Callee string // user ids
	rtc.PastCall
}

// missed tells whether the callee has yet to hear of the call.
func (c Call) missed() bool {
	return c.Seconds == 0 && c.Reason != rtc.EndDeclined && c.Reason != rtc.EndHangup
}

// EndCall writes a call into the chat of the two, once for each call. It never
// waits, and does nothing for people whom nobody knows, and for a caller whom
// the callee has blocked.
func (s *Service) EndCall(c Call) {
	key, ok := Key(c.Caller, c.Callee)
	if !ok || rtc.IsGroup(key) || c.Caller == rtc.EchoID || s.cfg.Blocked(c.Callee, c.Caller) {
		return
	}
	s.submit(c.Caller, func(b *batch) (outcome, error) { return b.endCall(c) }, func(_ any, err error) {
		var refusal *rtc.Error
		if errors.As(err, &refusal) && refusal.Code != rtc.CodeNoSuchChat {
			s.cfg.Logger.Warn("a call is missing from the list of calls", "call", c.Call, "error", err)
		}
	})
}

func (b *batch) endCall(c Call) (outcome, error) {
	caller, err := b.Person(c.Caller)
	if err != nil {
		return outcome{}, missing(err)
	}
	r, err := b.between(c.Caller, c.Callee)
	if err != nil {
		return outcome{}, err
	}
	if _, err := b.Message(r.ID, c.Call); !errors.Is(err, ErrNotFound) {
		return outcome{}, err // it is there
	}
	past := c.PastCall
	text, err := b.add(&r, Message{Unread: c.missed(), TextMessage: rtc.TextMessage{
		Message: c.Call, From: caller.User, Kind: rtc.KindCall, Call: &past,
	}})
	return outcome{changes: []Change{{Key: r.Key, To: slices.Clone(r.all()), Message: &text}}}, err
}
