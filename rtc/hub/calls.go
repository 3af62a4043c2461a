package hub

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
)

// How long the name of a call that is over is remembered, and how many: an
// invite that is sent again starts nothing, and a claim to it restores nothing.
const (
	rememberEnded = 5 * time.Minute
	maxEnded      = 10_000
)

// calls indexes the calls that are not over.
type calls struct {
	byID map[string]*call.Call
	user map[string]map[string]*call.Call // by the id of either user
	held map[call.Device]*call.Call       // by either end
	over map[string]time.Time             // when those that are over ended

	vitals map[string]*vitals // by call
}

func newCalls() calls {
	return calls{
		byID: make(map[string]*call.Call),
		user: make(map[string]map[string]*call.Call),
		held: make(map[call.Device]*call.Call),
		over: make(map[string]time.Time),

		vitals: make(map[string]*vitals),
	}
}

// of lists the calls of a user, made or received, in a stable order.
func (cs *calls) of(user string) []*call.Call {
	return slices.SortedFunc(maps.Values(cs.user[user]), func(a, b *call.Call) int {
		return strings.Compare(a.ID(), b.ID())
	})
}

func (cs *calls) due(now time.Time) []*call.Call {
	var due []*call.Call
	for _, c := range cs.byID {
		if deadline, ok := c.Deadline(); ok && !now.Before(deadline) {
			due = append(due, c)
		}
	}
	return due
}

func (cs *calls) add(c *call.Call) {
	cs.byID[c.ID()] = c
	cs.vitals[c.ID()] = &vitals{}
	for _, user := range []string{c.Caller().ID, c.Callee().ID} {
		if cs.user[user] == nil {
			cs.user[user] = make(map[string]*call.Call)
		}
		cs.user[user][c.ID()] = c
	}
	cs.hold(c)
}

func (cs *calls) hold(c *call.Call) {
	for _, d := range c.Devices() {
		cs.held[d] = c
	}
}

func (cs *calls) remove(c *call.Call, now time.Time) {
	delete(cs.byID, c.ID())
	delete(cs.vitals, c.ID())
	cs.remember(c.ID(), now)
	for _, user := range []string{c.Caller().ID, c.Callee().ID} {
		delete(cs.user[user], c.ID())
		if len(cs.user[user]) == 0 {
			delete(cs.user, user)
		}
	}
	for _, d := range c.Devices() {
		if cs.held[d] == c {
			delete(cs.held, d)
		}
	}
}

func (cs *calls) remember(id string, now time.Time) {
	if len(cs.over) >= maxEnded {
		clear(cs.over)
	}
	cs.over[id] = now
}

func (cs *calls) forget(now time.Time) {
	maps.DeleteFunc(cs.over, func(_ string, ended time.Time) bool { return now.Sub(ended) > rememberEnded })
}

// idle picks one device that is in no call, for a user who takes as many calls
// as there are devices; busy means that all of them are.
func (h *Hub) idle(devices []call.Device) (one []call.Device, busy bool) {
	for _, d := range devices {
		rings := func(c *call.Call) bool { return c.RingsAt(d) }
		if h.calls.held[d] == nil && !slices.ContainsFunc(h.calls.of(d.User), rings) {
			return []call.Device{d}, false
		}
	}
	return devices, len(devices) > 0
}

// occupied tells whether a user is in a call, rings somebody or is rung.
func (cs *calls) occupied(user string) bool {
	for _, c := range cs.user[user] {
		if c.Occupies(user) {
			return true
		}
	}
	return false
}

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
	}
	return "", nil, false
}

// event lets something happen to a call, acknowledging before its effects.
func (h *Hub) event(d *device, id string, ev call.Event, addrs []netip.AddrPort, ack func()) error {
	c := h.calls.byID[id]
	if c == nil {
		return rtc.NewError(rtc.CodeNoSuchCall, "there is no such call, or it is over")
	}
	if accept, ok := ev.(call.Accept); ok {
		if other := h.calls.held[accept.By]; other != nil && other != c {
			return rtc.NewError(rtc.CodeInCall, "this device is in another call; hang up first")
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
	switch {
	case !c.Over():
		h.calls.hold(c)
	case h.calls.byID[c.ID()] == c:
		h.finish(c)
		h.calls.remove(c, h.cfg.Now())
	}
	for _, key := range c.Devices() {
		h.showBusy(key)
	}
	h.stats.calls.Store(int64(len(h.calls.byID)))
}

func (h *Hub) showBusy(key call.Device) {
	d := h.devices[key]
	if d == nil {
		return
	}
	if busy := h.calls.held[key] != nil; busy != d.busy {
		d.busy = busy
		if d.port != nil { // one that is away is not kept in sight by this
			h.publish(d)
		}
	}
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
	case h.calls.held[d.key] != nil:
		return rtc.NewError(rtc.CodeInCall, "this device is already in a call")
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
	in.Busy = h.calls.occupied(m.To)
	in.Devices = h.reachable(m.To)
	if m.To == rtc.EchoID {
		in.Devices, in.Busy = h.idle(in.Devices)
	}
	c, effects := call.New(in, h.timing(), now)
	h.calls.add(c)
	ack()
	h.logInvite(d, m)
	if !c.Over() {
		h.logCall("call rings", c, nil, "devices", len(in.Devices))
	}
	h.carry(c, effects)
	return nil
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

// restore takes up the calls that run on a device and that this server does
// not know, because it was started meanwhile.
func (h *Hub) restore(d *device, running []rtc.RunningCall) {
	for _, r := range running {
		if _, over := h.calls.over[r.Call]; over || r.Peer == d.key.User || h.calls.held[d.key] != nil {
			continue
		}
		claim := call.Claim{By: d.key, User: d.user, Running: r}
		c := h.calls.byID[r.Call]
		if c == nil {
			c = call.Restore(claim, h.timing(), h.cfg.Now())
			h.calls.add(c)
			h.logCall("call is claimed", c, d, "peer", r.Peer, "gen", r.Gen)
			h.carry(c, nil)
		} else if h.apply(c, call.Join{Claim: claim}) {
			h.logCall("call is restored", c, d, "gen", c.Gen())
			h.paired(c)
		}
	}
}
