// Package call is the state machine of one call between two devices. It is
// pure: events and the time come in, messages to send come out.
//
//	New ──► ringing ──► active ──► over
//	           └──────────────────►─┘
//	Restore ► restoring ► active
//
// Whatever the order of events, each device that was told of a call is told
// exactly once that it ended. A call that is moved to a device begins there.
package call

import (
	"fmt"
	"time"

	"fieldphone/rtc"
)

// Device names one connected client of a user.
type Device struct {
	User string
	ID   string
}

// Timing holds the limits of a call.
type Timing struct {
	Ring   time.Duration // how long it may ring before it times out
	Resume time.Duration // how long a device may be away before the call is lost
}

// Effect is a message to send to one device.
type Effect struct {
	To      Device
	Message rtc.Message
}

type phase int

const (
	ringing phase = iota
	active
	restoring
	over
)

// side is one end of a call. Its device is unknown while the callee rings, or
// while a restored call waits for the other end.
type side struct {
	user      rtc.User
	media     rtc.Media // what it said it wants to send
	device    Device
	present   bool      // the device is known
	awayUntil time.Time // zero while its signalling is connected
}

func (s *side) has(d Device) bool { return s.present && s.device == d }

// Call is one call. It is not safe for concurrent use.
type Call struct {
	id      string
	media   rtc.Media // what it was rung as
	timing  Timing
	phase   phase
	gen     int
	made    time.Time // when it was made, or first claimed
	since   time.Time // when the present phase began
	started time.Time // when it became active
	reason  rtc.EndReason
	endedBy string // user id, empty if nobody did it
	caller  side
	callee  side
	rung    map[Device]bool // devices of the callee that were told
	endings map[Device]bool // devices that were told of the end
}

// Invite is what a new call starts from.
type Invite struct {
	ID      string
	Caller  rtc.User
	Device  Device // the caller's
	Callee  rtc.User
	Media   rtc.Media
	Devices []Device // of the callee that can be rung now
	Waiting bool     // the callee is in another call, and hears of this one beside it

	// Refused is why the callee is not rung whatever the devices; empty if
	// nothing is in the way.
	Refused rtc.EndReason
}

// New starts to ring, or ends at once when nobody can be rung.
func New(in Invite, timing Timing, now time.Time) (*Call, []Effect) {
	c := &Call{
		id: in.ID, media: in.Media, timing: timing, phase: ringing, made: now, since: now,
		caller:  side{user: in.Caller, media: in.Media, device: in.Device, present: true},
		callee:  side{user: in.Callee, media: in.Media},
		rung:    make(map[Device]bool),
		endings: make(map[Device]bool),
	}
	switch {
	case in.Refused != "":
		return c, c.end(in.Refused, in.Callee.ID, now)
	case len(in.Devices) == 0:
		return c, c.end(rtc.EndUnreachable, "", now)
	}
	effects := []Effect{{c.caller.device, &rtc.CallRinging{Call: c.id, Waiting: in.Waiting}}}
	for _, d := range in.Devices {
		effects = append(effects, c.ring(d, now))
	}
	return c, effects
}

// Merge ends a call before it rings because the same two people already ring
// each other; into names the call that goes on.
func Merge(in Invite, into string, now time.Time) []Effect {
	return []Effect{{in.Device, &rtc.CallEnded{Call: in.ID, Reason: rtc.EndMerged, Into: into, ServerTime: now.UnixMilli()}}}
}

func (c *Call) ring(d Device, now time.Time) Effect {
	c.rung[d] = true
	return Effect{d, &rtc.CallIncoming{Call: c.id, From: c.caller.user, Media: c.media, Attention: c.caller.user.ID == rtc.AttentionID, ServerTime: now.UnixMilli()}}
}

// ID is the call's name.
func (c *Call) ID() string { return c.id }

// Over tells whether the call has ended.
func (c *Call) Over() bool { return c.phase == over }

// Ringing tells whether the call waits for an answer.
func (c *Call) Ringing() bool { return c.phase == ringing }

// RingsAt tells whether the call rings at a device.
func (c *Call) RingsAt(d Device) bool { return c.phase == ringing && c.rung[d] }

// Caller and Callee are the users of the call.
func (c *Call) Caller() rtc.User { return c.caller.user }

// Callee is the user who was called.
func (c *Call) Callee() rtc.User { return c.callee.user }

// Holds tells whether a device is one of the two ends.
func (c *Call) Holds(d Device) bool { return !c.Over() && (c.caller.has(d) || c.callee.has(d)) }

// Occupies tells whether a user is busy with the call: rings, is rung, or has
// an end of it. One who is merely named by somebody's claim is not.
func (c *Call) Occupies(user string) bool {
	if c.Over() {
		return false
	}
	for _, s := range []*side{&c.caller, &c.callee} {
		if s.user.ID == user && (s.present || c.phase != restoring) {
			return true
		}
	}
	return false
}

// Engages tells whether a user has a call beside which another one waits: not
// while it only rings at them.
func (c *Call) Engages(user string) bool {
	return c.Occupies(user) && (c.phase != ringing || c.callee.user.ID != user)
}

// Devices lists the ends that are known.
func (c *Call) Devices() []Device {
	var ds []Device
	for _, s := range []*side{&c.caller, &c.callee} {
		if s.present {
			ds = append(ds, s.device)
		}
	}
	return ds
}

// End is one end of a call. Device is known only if Present.
type End struct {
	User    rtc.User
	Device  Device
	Present bool
}

// Ends are both ends, the caller's first.
func (c *Call) Ends() [2]End {
	end := func(s side) End { return End{User: s.user, Device: s.device, Present: s.present} }
	return [2]End{end(c.caller), end(c.callee)}
}

// Media is what the call was rung as.
func (c *Call) Media() rtc.Media { return c.media }

// Gen is how often media were started; 0 before the first time.
func (c *Call) Gen() int { return c.gen }

// Made is when the call was made or, after a restart of the server, claimed.
func (c *Call) Made() time.Time { return c.made }

// Started is when the call was answered or restored; zero until then.
func (c *Call) Started() time.Time { return c.started }

// State is where the call stands; empty once it is over.
func (c *Call) State() rtc.CallState {
	return map[phase]rtc.CallState{ringing: rtc.StateRinging, active: rtc.StateActive, restoring: rtc.StateRestoring}[c.phase]
}

// Ending is why the call ended and who did it, if somebody did; both are empty
// until it is over.
func (c *Call) Ending() (reason rtc.EndReason, by string) { return c.reason, c.endedBy }

// Info describes the call to a device that has part in it; ok is false for
// others and once the call is over.
func (c *Call) Info(d Device) (info rtc.CallInfo, ok bool) {
	info = rtc.CallInfo{Call: c.id, Gen: c.gen, Since: c.since.UnixMilli()}
	switch {
	case c.Over():
		return rtc.CallInfo{}, false
	case c.caller.has(d):
		info.Role, info.Peer, info.Media = rtc.Offerer, c.callee.user, c.caller.media
	case c.callee.has(d), c.phase == ringing && c.rung[d]:
		info.Role, info.Peer, info.Media = rtc.Answerer, c.caller.user, c.callee.media
	default:
		return rtc.CallInfo{}, false
	}
	info.State = c.State()
	return info, true
}

// Deadline is when Apply must next be called with a Tick; ok is false for a
// call that waits for nothing.
func (c *Call) Deadline() (t time.Time, ok bool) {
	if c.Over() {
		return time.Time{}, false
	}
	consider := func(d time.Time) {
		if !d.IsZero() && (!ok || d.Before(t)) {
			t, ok = d, true
		}
	}
	switch c.phase {
	case ringing:
		consider(c.since.Add(c.timing.Ring))
	case restoring:
		consider(c.since.Add(c.timing.Resume))
	}
	consider(c.caller.awayUntil)
	consider(c.callee.awayUntil)
	return t, ok
}

// start makes both ends begin media anew.
func (c *Call) start(now time.Time) []Effect {
	c.gen++
	started := func(role rtc.Role, mine, other side) Effect {
		return Effect{mine.device, &rtc.CallStarted{
			Call: c.id, Peer: other.user, Role: role, Gen: c.gen, Media: mine.media, ServerTime: now.UnixMilli(),
		}}
	}
	return []Effect{started(rtc.Offerer, c.caller, c.callee), started(rtc.Answerer, c.callee, c.caller)}
}

// end tells every device that knows of the call, once.
func (c *Call) end(reason rtc.EndReason, by string, now time.Time) []Effect {
	c.phase, c.reason, c.endedBy = over, reason, by
	var effects []Effect
	for _, d := range c.Devices() {
		effects = append(effects, c.farewell(d, reason, by, now)...)
	}
	for d := range c.rung {
		effects = append(effects, c.farewell(d, elsewhere(reason, c.callee.user.ID, by), by, now)...)
	}
	return effects
}

func (c *Call) farewell(d Device, reason rtc.EndReason, by string, now time.Time) []Effect {
	if c.endings[d] {
		return nil
	}
	c.endings[d] = true
	return []Effect{{d, &rtc.CallEnded{Call: c.id, Reason: reason, By: by, ServerTime: now.UnixMilli()}}}
}

// elsewhere is how a decline sounds on the other devices of who declined.
func elsewhere(reason rtc.EndReason, callee, by string) rtc.EndReason {
	if reason == rtc.EndDeclined && by == callee {
		return rtc.EndDeclinedElsewhere
	}
	return reason
}

func refuse(code rtc.Code, format string, args ...any) error {
	return rtc.NewError(code, fmt.Sprintf(format, args...))
}
