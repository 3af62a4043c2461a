package call

import (
	"time"

	"fieldphone/rtc"
)

// Move brings a running call to another device of one of its users. The device
// before is told that it ended there; both ends start media anew.
type Move struct {
	By    Device    // to here
	Media rtc.Media // what it wants to send
}

func (e Move) apply(c *Call, now time.Time) ([]Effect, error) {
	if c.Holds(e.By) {
		return nil, nil // sent again
	}
	mine, other := &c.caller, &c.callee
	if mine.user.ID != e.By.User {
		mine, other = other, mine
	}
	switch {
	case mine.user.ID != e.By.User || !mine.present && c.phase != ringing:
		return nil, refuse(rtc.CodeNoSuchCall, "this user has no part in the call")
	case c.phase != active:
		return nil, refuse(rtc.CodeWrongState, "the call does not run on another device")
	}
	effects := c.farewell(mine.device, rtc.EndMoved, e.By.User, now)
	mine.device, mine.media, mine.awayUntil = e.By, e.Media, time.Time{}
	// It may have been told of an end before: the call rang there, or ran there
	// and was moved away. Now it is to hear of one more.
	delete(c.rung, e.By)
	delete(c.endings, e.By)
	effects = append(effects, c.start(now)...)
	if !other.awayUntil.IsZero() {
		effects = append(effects, Effect{e.By, &rtc.CallPeer{Call: c.id, Connected: false}})
	}
	return effects, nil
}
