package hub

import (
	"slices"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
)

// What is kept of the reports of one end: five minutes at the protocol's pace.
const (
	maxSamples    = 60
	reportSpacing = time.Second // closer ones are not kept, so that nobody floods memory or log
)

// vitals are the times of a call and what its ends report.
type vitals struct {
	accepted  time.Time // zero until then, and after a restart
	connected bool
	ends      [2]endVitals // the caller's first
}

type endVitals struct {
	last    *Report
	setup   time.Duration // of the first gen
	samples []Sample
}

// report takes how the media fare at one end of a call.
func (h *Hub) report(d *device, m *rtc.CallReport) error {
	c := h.calls.byID[m.Call]
	if c == nil || !c.Holds(d.key) {
		return rtc.NewError(rtc.CodeNoSuchCall, "there is no such call, or this device has no part in it")
	}
	if m.Gen != c.Gen() || c.State() != rtc.StateActive {
		return nil // of media that were thrown away
	}
	v, i := h.calls.vitals[c.ID()], 0
	if c.Ends()[0].Device != d.key {
		i = 1
	}
	now, end := h.cfg.Now(), &v.ends[i]
	first := end.last == nil || end.last.Gen != m.Gen
	if !first && now.Sub(end.last.At) < reportSpacing {
		return nil
	}
	changed := !first && end.last.Path != m.Path
	end.last = &Report{At: now, CallReport: *m}
	if len(end.samples) >= maxSamples {
		end.samples = slices.Delete(end.samples, 0, len(end.samples)-maxSamples+1)
	}
	end.samples = append(end.samples, Sample{At: now, RTTMS: m.RTTMS, Loss: m.Loss, UpKbps: m.UpKbps, DownKbps: m.DownKbps})
	switch {
	case first:
		h.connected(c, d, v, i, m)
	case changed:
		h.logCall("call changes its path", c, d, pathAttrs(m)...)
	}
	return nil
}

// connected notes the first report of an end, and of the call.
func (h *Hub) connected(c *call.Call, d *device, v *vitals, i int, m *rtc.CallReport) {
	if v.ends[i].setup == 0 {
		v.ends[i].setup = time.Duration(m.SetupMS) * time.Millisecond
	}
	h.logCall("call is connected", c, d, append(pathAttrs(m), "gen", m.Gen, "setup_ms", m.SetupMS)...)
	if v.connected {
		return
	}
	v.connected = true
	if h.cfg.OnCallConnected == nil {
		return
	}
	told := CallConnected{Call: c.ID(), Setup: v.ends[i].setup}
	if !v.accepted.IsZero() {
		told.Rang, told.Connected = v.accepted.Sub(c.Made()), h.cfg.Now().Sub(v.accepted)
	}
	h.cfg.OnCallConnected(told)
}

func pathAttrs(m *rtc.CallReport) []any {
	attrs := []any{"local", m.Path.Local, "remote", m.Path.Remote, "protocol", m.Path.Protocol}
	for _, more := range [][2]string{
		{"relay_protocol", m.Path.RelayProtocol}, {"relay", m.Path.Relay}, {"remote_relay", m.Path.RemoteRelay},
	} {
		if more[1] != "" {
			attrs = append(attrs, more[0], more[1])
		}
	}
	return attrs
}

// logCall writes one line of a call's story. The same names are used
// everywhere, so that one call, user, session or device can be followed.
func (h *Hub) logCall(what string, c *call.Call, d *device, more ...any) {
	attrs := []any{"call", c.ID()}
	if d != nil {
		attrs = append(attrs, "user", d.key.User, "session", d.session, "device", d.key.ID)
	}
	h.cfg.Logger.Info(what, append(attrs, more...)...)
}

// finish is the last word on a call that is over.
func (h *Hub) finish(c *call.Call) {
	reason, by := c.Ending()
	over := CallOver{Call: c.ID(), Media: c.Media(), Reason: reason, By: by, At: h.cfg.Now()}
	over.Claimed = c.Started().IsZero() && c.Gen() > 0
	if started := c.Started(); !started.IsZero() {
		over.Duration = over.At.Sub(started)
	}
	v := h.calls.vitals[c.ID()]
	for i, end := range c.Ends() {
		told := &over.Ends[i]
		told.Party, told.Name = h.party(end.User.ID, end.Device), end.User.Name
		if d := h.devices[end.Device]; d != nil {
			told.Link = d.link
		}
		told.Other = told.Session != "" && h.engaged(told.Party, c)
		told.Setup = v.ends[i].setup
		if last := v.ends[i].last; last != nil {
			told.Path = &last.Path
		}
	}
	h.stats.end(reason)
	attrs := []any{"reason", reason, "duration_ms", over.Duration.Milliseconds()}
	if by != "" {
		attrs = append(attrs, "by", by)
	}
	h.logCall("call ends", c, nil, attrs...)
	h.parted(c.ID())
	if h.cfg.OnCallEnded != nil {
		h.cfg.OnCallEnded(over)
	}
}
