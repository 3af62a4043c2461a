package hub

import (
	"slices"
	"strings"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
)

// maxCalls is how many calls a device has at once, one of them running and the
// others on hold, and how many a user may have for another one to ring.
const maxCalls = 2

// endpoint tells whether the server itself answers for a user. No account has
// such an id, see rtc.EchoID.
func endpoint(user string) bool { return strings.HasPrefix(user, "_") }

// room tells whether a device may take part in a call beside those that it has.
// An endpoint has one at a time. A call from an endpoint always finds room: it
// is how the site speaks to people.
func (h *Hub) room(d call.Device, c *call.Call) bool {
	limit, others := maxCalls, 0
	if endpoint(d.User) {
		limit = 1
	}
	for _, held := range h.calls.held[d] {
		if held == c {
			return true
		}
		if !endpoint(held.Caller().ID) {
			others++
		}
	}
	return others < limit || c != nil && endpoint(c.Caller().ID) && !endpoint(d.User)
}

func errInCall() error {
	return rtc.NewError(rtc.CodeInCall, "this device has as many calls as it can have; end one first")
}

// invite starts a call, or joins the one by which the other side is ringing
// this very user at this moment.
func (h *Hub) invite(d *device, m *rtc.CallInvite, ack func()) error {
	now := h.cfg.Now()
	known := h.calls.byID[m.Call]
	_, over := h.calls.over[m.Call]
	switch {
	case over, known != nil && known.Caller().ID == d.key.User && known.Holds(d.key):
		ack() // sent again
		return nil
	case known != nil:
		return rtc.NewError(rtc.CodeBadData, "call is the name of another call")
	case m.To == d.key.User:
		return rtc.NewError(rtc.CodeBadData, "to must be somebody else")
	case m.Device != "" && !endpoint(d.key.User):
		return rtc.NewError(rtc.CodeBadData, "device is not for clients to choose")
	case !endpoint(d.key.User) && !h.room(d.key, nil):
		return errInCall()
	}
	in := call.Invite{
		ID: m.Call, Caller: d.user, Device: d.key, Media: m.Media,
		Callee: rtc.User{ID: m.To, Name: h.name(m.To)},
	}
	if mutual := h.ringingFrom(m.To, d.key); mutual != nil {
		ack()
		for _, e := range call.Merge(in, mutual.ID(), now) {
			h.send(d, e.Message)
		}
		h.stats.end(rtc.EndMerged)
		h.logInvite(d, m)
		h.cfg.Logger.Info("call ends", "call", m.Call, "reason", rtc.EndMerged, "into", mutual.ID())
		h.calls.remember(m.Call, now)
		h.accepted(mutual, d)
		h.apply(mutual, call.Accept{By: d.key, Media: m.Media})
		return nil
	}
	h.choose(&in)
	if m.Device != "" {
		in.Devices = slices.DeleteFunc(in.Devices, func(key call.Device) bool { return key.ID != m.Device })
	}
	c, effects := call.New(in, h.timing(), now)
	h.calls.add(c)
	ack()
	h.logInvite(d, m)
	if !c.Over() {
		h.logCall("call rings", c, nil, "devices", len(in.Devices), "waiting", in.Waiting)
	}
	h.carry(c, effects)
	return nil
}

// choose finds which devices of the callee an invite rings at, or why none.
// What an endpoint has to say gets through to everybody who can be reached.
func (h *Hub) choose(in *call.Invite) {
	callee, urgent := in.Callee.ID, endpoint(in.Caller.ID)
	in.Devices = h.reachable(callee)
	if callee == rtc.AttentionID && (h.cfg.Admits == nil || !h.cfg.Admits(in.ID, in.Caller.ID)) {
		in.Refused = rtc.EndDeclined
		return
	}
	if endpoint(callee) {
		var busy bool
		if in.Devices, busy = h.idle(in.Devices); busy {
			in.Refused = rtc.EndBusy
		}
		return
	}
	var calls int
	calls, in.Waiting = h.calls.load(callee)
	if urgent {
		return
	}
	if h.cfg.Refuses != nil {
		in.Refused = h.cfg.Refuses(callee, in.Caller.ID)
	}
	switch {
	case in.Refused == rtc.EndQuiet && len(in.Devices) == 0:
		in.Refused = "" // that nobody is there says more
	case in.Refused == "" && calls >= maxCalls:
		in.Refused = rtc.EndBusy
	}
}

func (h *Hub) logInvite(d *device, m *rtc.CallInvite) {
	h.cfg.Logger.Info("call is made", "call", m.Call, "user", d.key.User, "session", d.session, "device", d.key.ID,
		"callee", m.To, "media", m.Media)
}

func (h *Hub) timing() call.Timing {
	return call.Timing{Ring: h.cfg.RingTimeout, Resume: h.cfg.ResumeWindow}
}

// ringingFrom finds the call by which a user rings this device.
func (h *Hub) ringingFrom(caller string, at call.Device) *call.Call {
	for _, c := range h.calls.of(at.User) {
		if c.Ringing() && c.Caller().ID == caller {
			if _, rings := c.Info(at); rings {
				return c
			}
		}
	}
	return nil
}

// idle picks one device that is in no call, for a user who takes as many calls
// as there are devices; busy means that all of them are.
func (h *Hub) idle(devices []call.Device) (one []call.Device, busy bool) {
	for _, d := range devices {
		rings := func(c *call.Call) bool { return c.RingsAt(d) }
		if len(h.calls.held[d]) == 0 && !slices.ContainsFunc(h.calls.of(d.User), rings) {
			return []call.Device{d}, false
		}
	}
	return nil, len(devices) > 0
}
