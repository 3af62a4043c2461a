package hub

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/call"

	"golang.org/x/time/rate"
)

// Limits of links, over which a file goes from device to device.
const (
	takeLimit     = 10 * time.Second // from file.ask to file.take
	linkIdle      = time.Minute      // without a signal of either end
	maxAsked      = 4                // links that a device has asked for
	maxGiven      = 8                // links over which a device sends
	askBurst      = 20               // links that a user may ask for at once
	askPerMinute  = 60
	maxAskers     = 10_000
	maxLinksInAll = 20_000
)

// fileLinks are those that are asked for or go on.
type fileLinks struct {
	byName map[string]*fileLink
	asking map[string]*rate.Limiter // by user
}

// fileLink is one attempt to get a file from one of the devices of its sender.
type fileLink struct {
	name, file string
	asker      call.Device
	giver      call.Device // zero until one takes it
	asked      map[call.Device]bool
	heard      time.Time // the last signal, or when it was asked for
}

func newFileLinks() fileLinks {
	return fileLinks{byName: make(map[string]*fileLink), asking: make(map[string]*rate.Limiter)}
}

func (l *fileLink) taken() bool { return l.giver != call.Device{} }

// other is the end that is not this one; ok is false for a stranger.
func (l *fileLink) other(key call.Device) (end call.Device, ok bool) {
	switch {
	case !l.taken():
		return call.Device{}, false
	case key == l.asker:
		return l.giver, true
	case key == l.giver:
		return l.asker, true
	}
	return call.Device{}, false
}

// askFile puts a question for a file to the devices of who sent it.
func (h *Hub) askFile(d *device, m *rtc.FileAsk) error {
	if old := h.links.byName[m.Link]; old != nil {
		if old.asker == d.key && old.file == m.File {
			return nil // sent again
		}
		return wrongLink()
	}
	now := h.cfg.Now()
	if !h.links.mayAsk(d.key, now) {
		return rtc.NewError(rtc.CodeRateLimited, "too many files are asked for; wait until one has come")
	}
	asked := make(map[call.Device]bool)
	for key, other := range h.users[m.From] {
		if other != d && other.port != nil {
			asked[key] = true
		}
	}
	if len(asked) == 0 {
		return rtc.NewError(rtc.CodeOffline, "no device of who sent the file is connected")
	}
	h.links.byName[m.Link] = &fileLink{name: m.Link, file: m.File, asker: d.key, asked: asked, heard: now}
	for key := range asked {
		h.send(h.devices[key], &rtc.FileAsked{Link: m.Link, File: m.File, By: d.user})
	}
	return nil
}

// mayAsk bounds how many links there are, and how often one asks.
func (ls *fileLinks) mayAsk(key call.Device, now time.Time) bool {
	asked := 0
	for _, l := range ls.byName {
		if l.asker == key {
			asked++
		}
	}
	if asked >= maxAsked || len(ls.byName) >= maxLinksInAll {
		return false
	}
	limiter := ls.asking[key.User]
	if limiter == nil {
		if len(ls.asking) >= maxAskers {
			maps.DeleteFunc(ls.asking, func(_ string, l *rate.Limiter) bool { return l.TokensAt(now) >= askBurst })
		}
		limiter = rate.NewLimiter(askPerMinute/60.0, askBurst)
		ls.asking[key.User] = limiter
	}
	return limiter.AllowN(now, 1)
}

// takeFile gives the link to the first device that says that it has the file.
func (h *Hub) takeFile(d *device, m *rtc.FileTake) error {
	l := h.links.byName[m.Link]
	if l == nil || !l.asked[d.key] {
		return wrongLink()
	}
	if l.taken() {
		if l.giver == d.key {
			return nil // sent again
		}
		return wrongLink()
	}
	asker := h.devices[l.asker]
	if asker == nil {
		return wrongLink()
	}
	given := 0
	for _, other := range h.links.byName {
		if other.giver == d.key {
			given++
		}
	}
	if given >= maxGiven {
		return rtc.NewError(rtc.CodeRateLimited, "this device sends many files already; wait until one has gone")
	}
	l.giver, l.heard = d.key, h.cfg.Now()
	if h.cfg.OnPaired != nil {
		h.cfg.OnPaired(l.name, [2]Party{asker.party(), d.party()})
	}
	h.send(asker, &rtc.FileTaken{Link: l.name})
	return nil
}

// fileSignal passes on what one end of a link says to the other.
func (h *Hub) fileSignal(d *device, m *rtc.FileSignal, addrs []netip.AddrPort) error {
	l := h.links.byName[m.Link]
	if l == nil {
		return wrongLink()
	}
	key, ok := l.other(d.key)
	other := h.devices[key]
	if !ok || other == nil {
		return wrongLink()
	}
	l.heard = h.cfg.Now()
	h.signalled(l.name, d.party(), other.party(), addrs)
	h.send(other, &rtc.FileSignal{Link: m.Link, Payload: m.Payload})
	return nil
}

// dropFile ends a link for one of its ends. A device that was asked and has not
// got the file says nothing.
func (h *Hub) dropFile(d *device, m *rtc.FileDrop) error {
	l := h.links.byName[m.Link]
	if l == nil {
		return nil // it is over already
	}
	key, ok := l.other(d.key)
	if !ok && d.key != l.asker {
		return wrongLink()
	}
	h.endLink(l)
	if other := h.devices[key]; ok && other != nil {
		h.send(other, &rtc.FileDrop{Link: l.name})
	}
	return nil
}

func (h *Hub) endLink(l *fileLink) {
	delete(h.links.byName, l.name)
	if l.taken() {
		h.parted(l.name)
	}
}

// sweepLinks ends the links that nobody took in time or that went quiet.
func (h *Hub) sweepLinks(now time.Time) {
	for _, l := range h.links.byName {
		limit := linkIdle
		if !l.taken() {
			limit = takeLimit
		}
		if now.Sub(l.heard) < limit {
			continue
		}
		h.endLink(l)
		for _, key := range []call.Device{l.asker, l.giver} {
			if d := h.devices[key]; d != nil {
				h.send(d, &rtc.FileDrop{Link: l.name, Code: rtc.CodeOffline})
			}
		}
	}
}

// leaveLinks ends the links of a device that is gone or has begun anew.
func (h *Hub) leaveLinks(key call.Device) {
	for _, l := range slices.Collect(maps.Values(h.links.byName)) {
		delete(l.asked, key)
		if l.asker != key && l.giver != key && (l.taken() || len(l.asked) > 0) {
			continue
		}
		h.endLink(l)
		for _, end := range []call.Device{l.asker, l.giver} {
			if d := h.devices[end]; d != nil && end != key {
				h.send(d, &rtc.FileDrop{Link: l.name, Code: rtc.CodeOffline})
			}
		}
	}
}

// linked tells whether a session has a link that was taken.
func (h *Hub) linked(session string) bool {
	for _, l := range h.links.byName {
		if !l.taken() {
			continue
		}
		for _, key := range []call.Device{l.asker, l.giver} {
			if d := h.devices[key]; d != nil && d.session == session {
				return true
			}
		}
	}
	return false
}

func wrongLink() error {
	return rtc.NewError(rtc.CodeWrongState, "there is no such link, another device has it, or this one has no part in it")
}
