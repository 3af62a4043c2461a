package hub

import (
	"fieldphone/rtc"
	"fieldphone/rtc/call"
)

// restore takes up the calls that run on a device and that this server does
// not know, because it was started meanwhile.
func (h *Hub) restore(d *device, running []rtc.RunningCall) {
	for _, r := range running {
		if _, over := h.calls.over[r.Call]; over || r.Peer == d.key.User || !h.room(d.key, h.calls.byID[r.Call]) {
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
