package call

import (
	"time"

	"fieldphone/rtc"
)

// Claim is a device saying, after the server forgot, that it is in a call.
type Claim struct {
	By      Device
	User    rtc.User // of By
	Running rtc.RunningCall
}

// Restore takes the first claim to a call that is not known. The call waits
// for the other end to say the same, and is lost if it does not.
func Restore(claim Claim, timing Timing, now time.Time) *Call {
	c := &Call{
		id: claim.Running.Call, media: claim.Running.Media, gen: claim.Running.Gen,
		timing: timing, phase: restoring, made: now, since: now,
		rung: make(map[Device]bool), endings: make(map[Device]bool),
	}
	mine := side{user: claim.User, media: claim.Running.Media, device: claim.By, present: true}
	other := side{user: rtc.User{ID: claim.Running.Peer, Name: claim.Running.Peer}, media: claim.Running.Media}
	if claim.Running.Role == rtc.Offerer {
		c.caller, c.callee = mine, other
	} else {
		c.caller, c.callee = other, mine
	}
	return c
}

// Matches tells whether a claim fits a call that is being restored: the two
// ends must name each other, in opposite roles. Anything else is a stranger
// claiming a part in somebody's call.
func (c *Call) Matches(claim Claim) bool {
	if c.phase != restoring {
		return false
	}
	mine, other := c.ends(claim.Running.Role)
	return !mine.present && other.present &&
		mine.user.ID == claim.User.ID && other.user.ID == claim.Running.Peer
}

func (c *Call) ends(role rtc.Role) (mine, other *side) {
	if role == rtc.Offerer {
		return &c.caller, &c.callee
	}
	return &c.callee, &c.caller
}

// Join is the second claim to a call that is being restored: it is active
// again. Its media ran on all the while.
type Join struct{ Claim Claim }

func (e Join) apply(c *Call, now time.Time) ([]Effect, error) {
	if !c.Matches(e.Claim) {
		return nil, refuse(rtc.CodeNoSuchCall, "the claim does not fit the call")
	}
	mine, other := c.ends(e.Claim.Running.Role)
	mine.user, mine.media, mine.device, mine.present = e.Claim.User, e.Claim.Running.Media, e.Claim.By, true
	c.gen = max(c.gen, e.Claim.Running.Gen)
	c.phase, c.since, c.started = active, now, now
	if !other.awayUntil.IsZero() {
		return nil, nil
	}
	return []Effect{{other.device, &rtc.CallPeer{Call: c.id, Connected: true}}}, nil
}
