package call

import (
	"encoding/json"
	"time"

	"fieldphone/rtc"
)

// Event is something that happens to a call.
type Event interface {
	apply(c *Call, now time.Time) ([]Effect, error)
}

// Apply lets an event happen. An *rtc.Error means that the event was refused
// and nothing changed.
func (c *Call) Apply(ev Event, now time.Time) ([]Effect, error) {
	if c.Over() {
		return nil, refuse(rtc.CodeNoSuchCall, "the call is over")
	}
	return ev.apply(c, now)
}

// The events. By is the device that sent the message.
type (
	// Accept takes the call; the first device wins.
	Accept struct {
		By    Device
		Media rtc.Media // what it wants to send
	}
	// Decline refuses for all devices of the callee.
	Decline struct{ By Device }
	// Cancel is the caller giving up while it rings.
	Cancel struct{ By Device }
	// Hangup ends the call from either end; Reason is EndHangup or EndFailed.
	Hangup struct {
		By     Device
		Reason rtc.EndReason
	}
	// Signal passes a description or candidate to the other end.
	Signal struct {
		By      Device
		Gen     int
		Payload json.RawMessage
	}
	// Media tells the other end what this one sends.
	Media struct {
		By    Device
		State rtc.CallMedia
	}
	// Rejoin starts the media anew.
	Rejoin struct {
		By  Device
		Gen int // of the media that it lost; 0 when it does not know
	}
	// Away is the loss of a device's signalling.
	Away struct{ Device Device }
	// Back is its return, or the arrival of another device of the callee
	// while it rings.
	Back struct{ Device Device }
	// Gone is a device that will not return.
	Gone struct {
		Device Device
		Reason rtc.EndReason
	}
	// Stop ends the call from outside, whatever its state.
	Stop struct{ Reason rtc.EndReason }
	// Tick lets time pass; see Deadline.
	Tick struct{}
)

func (e Accept) apply(c *Call, now time.Time) ([]Effect, error) {
	switch {
	case c.callee.has(e.By):
		return nil, nil // sent again
	case !c.rung[e.By]:
		return nil, refuse(rtc.CodeNoSuchCall, "the call does not ring at this device")
	case c.phase != ringing:
		return nil, refuse(rtc.CodeNoSuchCall, "the call was answered elsewhere")
	}
	c.callee.device, c.callee.present, c.callee.media = e.By, true, e.Media
	c.phase, c.since, c.started = active, now, now
	delete(c.rung, e.By)
	effects := c.start(now)
	for d := range c.rung {
		effects = append(effects, c.farewell(d, rtc.EndAnsweredElsewhere, e.By.User, now)...)
	}
	return effects, nil
}

func (e Decline) apply(c *Call, now time.Time) ([]Effect, error) {
	if !c.rung[e.By] {
		return nil, refuse(rtc.CodeNoSuchCall, "the call does not ring at this device")
	}
	if c.phase != ringing {
		return nil, refuse(rtc.CodeNoSuchCall, "the call was answered elsewhere")
	}
	effects := c.farewell(e.By, rtc.EndDeclined, e.By.User, now)
	return append(effects, c.end(rtc.EndDeclined, e.By.User, now)...), nil
}

func (e Cancel) apply(c *Call, now time.Time) ([]Effect, error) {
	if !c.caller.has(e.By) {
		return nil, refuse(rtc.CodeNoSuchCall, "this device did not make the call")
	}
	if c.phase != ringing {
		return nil, refuse(rtc.CodeWrongState, "the call was answered; hang up instead")
	}
	return c.end(rtc.EndCancelled, e.By.User, now), nil
}

func (e Hangup) apply(c *Call, now time.Time) ([]Effect, error) {
	if !c.Holds(e.By) {
		return nil, refuse(rtc.CodeNoSuchCall, "this device has no part in the call")
	}
	reason := e.Reason
	switch {
	case c.phase == ringing:
		reason = rtc.EndCancelled
	case reason == "":
		reason = rtc.EndHangup
	}
	return c.end(reason, e.By.User, now), nil
}

// other returns the opposite end of a running call.
func (c *Call) other(d Device) (*side, error) {
	if !c.Holds(d) {
		return nil, refuse(rtc.CodeNoSuchCall, "this device has no part in the call")
	}
	if c.phase != active {
		return nil, refuse(rtc.CodeWrongState, "the call has not been answered")
	}
	if c.caller.has(d) {
		return &c.callee, nil
	}
	return &c.caller, nil
}

func (e Signal) apply(c *Call, _ time.Time) ([]Effect, error) {
	other, err := c.other(e.By)
	if err != nil {
		return nil, err
	}
	if e.Gen != c.gen {
		return nil, nil // belongs to media that were thrown away
	}
	return []Effect{{other.device, &rtc.CallSignal{Call: c.id, Gen: e.Gen, Payload: e.Payload}}}, nil
}

func (e Media) apply(c *Call, _ time.Time) ([]Effect, error) {
	other, err := c.other(e.By)
	if err != nil {
		return nil, err
	}
	state := e.State
	return []Effect{{other.device, &state}}, nil
}

func (e Rejoin) apply(c *Call, now time.Time) ([]Effect, error) {
	if _, err := c.other(e.By); err != nil {
		return nil, err
	}
	if e.Gen != 0 && e.Gen < c.gen {
		return nil, nil // sent again, or the other end was first
	}
	return c.start(now), nil
}

func (e Away) apply(c *Call, now time.Time) ([]Effect, error) {
	return c.connection(e.Device, now.Add(c.timing.Resume))
}

func (e Back) apply(c *Call, now time.Time) ([]Effect, error) {
	if c.phase == ringing && e.Device.User == c.callee.user.ID && !c.rung[e.Device] && !c.caller.has(e.Device) {
		return []Effect{c.ring(e.Device, now)}, nil
	}
	return c.connection(e.Device, time.Time{})
}

// connection notes that the signalling of an end went away or came back, and
// tells the other end when that is news.
func (c *Call) connection(d Device, awayUntil time.Time) ([]Effect, error) {
	mine, other := &c.caller, &c.callee
	if c.callee.has(d) {
		mine, other = other, mine
	}
	if !mine.has(d) {
		return nil, nil
	}
	wasAway := !mine.awayUntil.IsZero()
	mine.awayUntil = awayUntil
	if wasAway == !awayUntil.IsZero() || !other.present {
		return nil, nil
	}
	return []Effect{{other.device, &rtc.CallPeer{Call: c.id, Connected: awayUntil.IsZero()}}}, nil
}

func (e Gone) apply(c *Call, now time.Time) ([]Effect, error) {
	if c.Holds(e.Device) {
		return c.end(e.Reason, e.Device.User, now), nil
	}
	if c.phase != ringing || !c.rung[e.Device] {
		return nil, nil
	}
	delete(c.rung, e.Device) // nobody is there to be told; it rings again if it comes back
	if len(c.rung) > 0 {
		return nil, nil
	}
	return c.end(rtc.EndUnreachable, "", now), nil
}

func (e Stop) apply(c *Call, now time.Time) ([]Effect, error) {
	return c.end(e.Reason, "", now), nil
}

func (Tick) apply(c *Call, now time.Time) ([]Effect, error) {
	deadline, ok := c.Deadline()
	if !ok || now.Before(deadline) {
		return nil, nil
	}
	if c.phase == ringing && !now.Before(c.since.Add(c.timing.Ring)) {
		return c.end(rtc.EndTimeout, "", now), nil
	}
	return c.end(rtc.EndLost, "", now), nil
}
