package rtc

import (
	"fmt"
	"strings"
)

// Limits on what a client may send, in bytes.
const (
	MinNameLength  = 8     // shortest name of a device, call or message
	MaxNameLength  = 64    // longest name of a device, call or message
	MaxUserID      = 64    // longest user id
	MaxPayload     = 60000 // longest SDP or candidate payload
	MaxHelloCalls  = 4     // most running calls named in a hello
	MaxGenerations = 1 << 20
)

// NewError makes an Error.
func NewError(code Code, message string) *Error { return &Error{Code: code, Message: message} }

func badData(field, rule string) *Error {
	return &Error{Code: CodeBadData, Message: fmt.Sprintf("%s %s", field, rule)}
}

// firstError returns the first error that is set. The explicit nil keeps a
// typed nil pointer out of the error interface.
func firstError(errs ...*Error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

const nameAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

func checkName(field, s string) *Error {
	if len(s) < MinNameLength || len(s) > MaxNameLength || strings.Trim(s, nameAlphabet) != "" {
		return badData(field, "must be 8 to 64 of A-Z a-z 0-9 _ -")
	}
	return nil
}

func checkUserID(field, s string) *Error {
	if s == "" || len(s) > MaxUserID {
		return badData(field, "must be a user id")
	}
	return nil
}

func checkMedia(m Media) *Error {
	if m != Video && m != Audio {
		return badData("media", "must be video or audio")
	}
	return nil
}

func checkRole(r Role) *Error {
	if r != Offerer && r != Answerer {
		return badData("role", "must be offerer or answerer")
	}
	return nil
}

func checkGen(gen int) *Error {
	if gen < 1 || gen > MaxGenerations {
		return badData("gen", "must be a number from 1")
	}
	return nil
}

// Validate implements Message.
func (m *Hello) Validate() error {
	errs := []*Error{checkName("device", m.Device)}
	if m.Stream != "" {
		errs = append(errs, checkName("stream", m.Stream))
	}
	if len(m.Calls) > MaxHelloCalls {
		errs = append(errs, badData("calls", "must be at most 4"))
	}
	for _, c := range m.Calls {
		errs = append(errs, checkName("call", c.Call), checkUserID("peer", c.Peer), checkRole(c.Role), checkGen(c.Gen), checkMedia(c.Media))
	}
	return firstError(errs...)
}

// Validate implements Message.
func (m *CallInvite) Validate() error {
	errs := []*Error{checkName("call", m.Call), checkUserID("to", m.To), checkMedia(m.Media)}
	if m.Device != "" {
		errs = append(errs, checkName("device", m.Device))
	}
	return firstError(errs...)
}

// Validate implements Message.
func (m *CallAccept) Validate() error {
	return firstError(checkName("call", m.Call), checkMedia(m.Media))
}

// Validate implements Message.
func (m *CallHangup) Validate() error {
	if m.Reason != "" && m.Reason != EndHangup && m.Reason != EndFailed {
		return badData("reason", "must be hangup or failed")
	}
	return firstError(checkName("call", m.Call))
}

// Validate implements Message.
func (m *CallSignal) Validate() error {
	return firstError(checkPayload(m.Payload), checkName("call", m.Call), checkGen(m.Gen))
}

func checkPayload(payload []byte) *Error {
	if len(payload) == 0 || len(payload) > MaxPayload || payload[0] != '{' {
		return badData("payload", "must be an object of at most 60000 bytes")
	}
	return nil
}

// Validate implements Message.
func (m *CallDecline) Validate() error { return firstError(checkName("call", m.Call)) }

// Validate implements Message.
func (m *CallCancel) Validate() error { return firstError(checkName("call", m.Call)) }

// Validate implements Message.
func (m *CallRejoin) Validate() error {
	if m.Gen < 0 || m.Gen > MaxGenerations {
		return badData("gen", "must be a number from 1")
	}
	return firstError(checkName("call", m.Call))
}

// Validate implements Message.
func (m *CallMove) Validate() error {
	return firstError(checkName("call", m.Call), checkMedia(m.Media))
}

// Validate implements Message.
func (m *CallMedia) Validate() error { return firstError(checkName("call", m.Call)) }

// What only the server sends needs no check at the server's edge; the headless
// peer trusts the server that it signed in to.

// Validate implements Message.
func (*Welcome) Validate() error { return nil }

// Validate implements Message.
func (*Ping) Validate() error { return nil }

// Validate implements Message.
func (*Pong) Validate() error { return nil }

// Validate implements Message.
func (*Bye) Validate() error { return nil }

// Validate implements Message.
func (*Ack) Validate() error { return nil }

// Validate implements Message.
func (*Error) Validate() error { return nil }

// Validate implements Message.
func (*PresenceSnapshot) Validate() error { return nil }

// Validate implements Message.
func (*PresenceUpdate) Validate() error { return nil }

// Validate implements Message.
func (*CallRinging) Validate() error { return nil }

// Validate implements Message.
func (*CallIncoming) Validate() error { return nil }

// Validate implements Message.
func (*CallStarted) Validate() error { return nil }

// Validate implements Message.
func (*CallElsewhere) Validate() error { return nil }

// Validate implements Message.
func (*CallPeer) Validate() error { return nil }

// Validate implements Message.
func (*CallEnded) Validate() error { return nil }

// IsName tells whether s can name a device, call, message or announcement.
func IsName(s string) bool { return checkName("", s) == nil }
