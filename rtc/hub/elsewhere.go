package hub

import (
	"slices"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
)

// tellElsewhere tells the devices of a user of the calls that run on others of
// them, where that is news. Endpoints know what they do.
func (h *Hub) tellElsewhere(user string) {
	if endpoint(user) || len(h.users[user]) == 0 {
		return
	}
	calls := h.calls.of(user)
	for _, d := range h.users[user] {
		if d.port == nil {
			continue // told when it is back
		}
		list := elsewhere(d.key, calls)
		if slices.Equal(list, d.elsewhere) {
			continue
		}
		d.elsewhere = list
		// Not numbered: after a reconnect it is told again.
		d.port.reply(&rtc.CallElsewhere{Calls: list}, "")
	}
}

// elsewhere lists the running calls of a device's user that are not on it.
func elsewhere(at call.Device, calls []*call.Call) []rtc.ElsewhereCall {
	list := []rtc.ElsewhereCall{}
	for _, c := range calls {
		if c.State() != rtc.StateActive || c.Holds(at) || endpoint(c.Caller().ID) {
			continue
		}
		ends := c.Ends()
		mine, other := ends[0], ends[1]
		if mine.User.ID != at.User {
			mine, other = other, mine
		}
		if mine.Present {
			list = append(list, rtc.ElsewhereCall{Call: c.ID(), Peer: other.User, Media: c.Media(), Since: c.Started().UnixMilli()})
		}
	}
	return list
}
