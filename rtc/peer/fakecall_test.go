package peer_test

import (
	"bytes"
	"encoding/json"

	"fieldphone/rtc"
)

func (c *fakeCall) other(user string) string {
	if user == c.caller {
		return c.callee
	}
	return c.caller
}

func (c *fakeCall) role(user string) rtc.Role {
	if user == c.caller {
		return rtc.Offerer
	}
	return rtc.Answerer
}

func (f *fake) invite(d *fakeDevice, m *rtc.CallInvite) {
	if f.calls[m.Call] != nil {
		return // sent again
	}
	if f.devices[m.To] == nil {
		f.send(d.user, &rtc.CallEnded{Call: m.Call, Reason: rtc.EndUnreachable})
		return
	}
	f.calls[m.Call] = &fakeCall{caller: d.user, callee: m.To, media: m.Media}
	f.send(d.user, &rtc.CallRinging{Call: m.Call})
	f.send(m.To, &rtc.CallIncoming{Call: m.Call, From: f.user(d.user), Media: m.Media})
}

// begin starts the media of a call, for the first time or anew; with mu held.
func (f *fake) begin(id string) {
	c := f.calls[id]
	c.gen++
	for _, user := range []string{c.caller, c.callee} {
		f.send(user, &rtc.CallStarted{Call: id, Peer: f.user(c.other(user)), Role: c.role(user), Gen: c.gen, Media: c.media})
	}
}

func (f *fake) end(id, by string, reason rtc.EndReason) {
	c := f.calls[id]
	delete(f.calls, id)
	for _, user := range []string{c.caller, c.callee} {
		f.send(user, &rtc.CallEnded{Call: id, Reason: reason, By: by})
	}
}

// onCall carries out a message about a call that exists; with mu held.
func (f *fake) onCall(d *fakeDevice, msg rtc.Message) (rtc.Message, func()) {
	var id string
	var then func(c *fakeCall) func()
	started := func(c *fakeCall, want bool, act func()) func() {
		if (c.gen > 0) != want {
			return nil
		}
		return act
	}
	switch m := msg.(type) {
	case *rtc.CallAccept:
		id, then = m.Call, func(c *fakeCall) func() { return started(c, false, func() { f.begin(id) }) }
	case *rtc.CallDecline:
		id, then = m.Call, func(c *fakeCall) func() {
			return started(c, false, func() { f.end(id, d.user, rtc.EndDeclined) })
		}
	case *rtc.CallCancel:
		id, then = m.Call, func(c *fakeCall) func() {
			return started(c, false, func() { f.end(id, d.user, rtc.EndCancelled) })
		}
	case *rtc.CallHangup:
		f.hangups = append(f.hangups, *m)
		reason := rtc.EndHangup
		if m.Reason != "" {
			reason = m.Reason
		}
		id, then = m.Call, func(c *fakeCall) func() {
			return started(c, true, func() { f.end(id, d.user, reason) })
		}
	case *rtc.CallRejoin:
		id, then = m.Call, func(c *fakeCall) func() { return started(c, true, func() { f.begin(id) }) }
	case *rtc.CallMedia:
		id, then = m.Call, func(c *fakeCall) func() { return func() { f.send(c.other(d.user), m) } }
	case *rtc.CallSignal:
		id, then = m.Call, func(c *fakeCall) func() {
			return func() {
				if bytes.Contains(m.Payload, []byte(`"offer"`)) {
					f.offers = append(f.offers, *m)
				}
				var said struct{ Nominated string }
				if json.Unmarshal(m.Payload, &said) == nil && said.Nominated != "" {
					f.nominated[d.user] = said.Nominated
				}
				if m.Gen == c.gen {
					f.send(c.other(d.user), m)
				}
			}
		}
	default:
		return rtc.NewError(rtc.CodeUnknownType, "unknown"), nil
	}
	c := f.calls[id]
	if c == nil {
		return rtc.NewError(rtc.CodeNoSuchCall, "no such call"), nil
	}
	act := then(c)
	if act == nil {
		return rtc.NewError(rtc.CodeWrongState, "wrong state"), nil
	}
	return &rtc.Ack{}, act
}
