package hub

import (
	"net/netip"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
)

// callEvent translates a message about a call that exists.
func callEvent(by call.Device, msg rtc.Message) (id string, ev call.Event, ok bool) {
	switch m := msg.(type) {
	case *rtc.CallAccept:
		return m.Call, call.Accept{By: by, Media: m.Media}, true
	case *rtc.CallDecline:
		return m.Call, call.Decline{By: by}, true
	case *rtc.CallCancel:
		return m.Call, call.Cancel{By: by}, true
	case *rtc.CallHangup:
		return m.Call, call.Hangup{By: by, Reason: m.Reason}, true
	case *rtc.CallSignal:
		return m.Call, call.Signal{By: by, Gen: m.Gen, Payload: m.Payload}, true
	case *rtc.CallMedia:
		return m.Call, call.Media{By: by, State: *m}, true
	case *rtc.CallRejoin:
		return m.Call, call.Rejoin{By: by, Gen: m.Gen}, true
	case *rtc.CallMove:
		return m.Call, call.Move{By: by, Media: m.Media}, true
	}
	return "", nil, false
}

// event lets something happen to a call, acknowledging before its effects.
func (h *Hub) event(d *device, id string, ev call.Event, addrs []netip.AddrPort, ack func()) error {
	c := h.calls.byID[id]
	if c == nil {
		return rtc.NewError(rtc.CodeNoSuchCall, "there is no such call, or it is over")
	}
	switch ev.(type) {
	case call.Accept, call.Move:
		if !h.room(d.key, c) {
			return errInCall()
		}
	}
	effects, err := c.Apply(ev, h.cfg.Now())
	if err != nil {
		return err
	}
	ack()
	switch ev := ev.(type) {
	case call.Accept:
		if len(effects) > 0 { // the first time
			h.accepted(c, d)
		}
	case call.Signal:
		if ends, ok := h.parties(c); ok && len(effects) > 0 { // of media that go on
			from, to := ends[0], ends[1]
			if effects[0].To == c.Ends()[0].Device {
				from, to = to, from
			}
			h.signalled(id, from, to, addrs)
		}
	case call.Rejoin:
		if len(effects) > 0 {
			h.logCall("call starts media anew", c, d, "gen", ev.Gen)
		}
	case call.Move:
		if len(effects) > 0 {
			h.logCall("call is moved", c, d, "from", effects[0].To.ID)
		}
	}
	h.carry(c, effects)
	return nil
}

func (h *Hub) accepted(c *call.Call, d *device) {
	v := h.calls.vitals[c.ID()]
	v.accepted = h.cfg.Now()
	h.logCall("call is accepted", c, d, "rang_ms", v.accepted.Sub(c.Made()).Milliseconds())
}

// apply is event for what the hub itself notices; nobody waits for an answer.
// True means that it was not refused.
func (h *Hub) apply(c *call.Call, ev call.Event) bool {
	effects, err := c.Apply(ev, h.cfg.Now())
	if err == nil {
		h.carry(c, effects)
	}
	return err == nil
}

// carry sends what a call has to say and keeps the indexes true.
func (h *Hub) carry(c *call.Call, effects []call.Effect) {
	for _, e := range effects {
		if m, ok := e.Message.(*rtc.CallStarted); ok && m.Role == rtc.Offerer {
			h.logCall("call starts", c, nil, "gen", m.Gen, "media", m.Media)
			h.paired(c)
		}
		if d := h.devices[e.To]; d != nil {
			h.send(d, e.Message)
		}
	}
	ends := c.Devices()
	switch {
	case !c.Over():
		left, changed := h.calls.hold(c)
		if !changed {
			return
		}
		ends = append(ends, left...)
	case h.calls.byID[c.ID()] == c:
		h.finish(c)
		h.calls.remove(c, h.cfg.Now())
	}
	for _, key := range ends {
		h.showBusy(key)
	}
	h.tellElsewhere(c.Caller().ID)
	h.tellElsewhere(c.Callee().ID)
	h.stats.calls.Store(int64(len(h.calls.byID)))
}

func (h *Hub) showBusy(key call.Device) {
	d := h.devices[key]
	if d == nil {
		return
	}
	if busy := h.calls.shown(key); busy != d.busy {
		d.busy = busy
		if d.port != nil { // one that is away is not kept in sight by this
			h.publish(d)
		}
	}
}
