package hub

import (
	"slices"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
	"fieldphone/rtc/presence"
)

// device is one client of a user, attached or away for less than the resume
// window.
type device struct {
	key       call.Device
	user      rtc.User
	session   string
	port      *Port // nil while away
	awaySince time.Time
	link      Link // of port, or the last one
	busy      bool // in a call, as presence shows it
	path      *PathReport
	elsewhere []rtc.ElsewhereCall // as last told to this connection
	typed     time.Time           // when it last said that its user writes

	stream string
	seq    uint64
	outbox []numbered // sent and not yet seen, oldest first
	bytes  int        // in outbox
	torn   bool       // the outbox overflowed: the stream cannot be resumed
}

type numbered struct {
	seq   uint64
	frame []byte
}

// keep stores a frame until the device has seen it.
func (d *device) keep(frame []byte) {
	if d.torn {
		return
	}
	if len(d.outbox) >= maxOutbox || d.bytes+len(frame) > maxOutboxSize {
		d.torn, d.outbox, d.bytes = true, nil, 0
		return
	}
	d.outbox = append(d.outbox, numbered{d.seq, frame})
	d.bytes += len(frame)
}

// seen forgets what the device has.
func (d *device) seen(seq uint64) {
	n := 0
	for n < len(d.outbox) && d.outbox[n].seq <= seq {
		d.bytes -= len(d.outbox[n].frame)
		n++
	}
	d.outbox = slices.Delete(d.outbox, 0, n)
}

// resumes tells whether the stream can go on after lastSeq.
func (d *device) resumes(stream string, lastSeq uint64) bool {
	if d.torn || stream == "" || stream != d.stream || lastSeq > d.seq {
		return false
	}
	return len(d.outbox) == 0 && lastSeq == d.seq || len(d.outbox) > 0 && d.outbox[0].seq <= lastSeq+1
}

// restart begins a fresh stream.
func (d *device) restart() {
	d.stream, d.seq, d.outbox, d.bytes, d.torn = newName(), 0, nil, 0, false
}

func (d *device) party() Party { return Party{User: d.key.User, Session: d.session} }

// send sends a numbered message, now or when the device is back.
func (h *Hub) send(d *device, msg rtc.Message) {
	data, err := rtc.Data(msg)
	if err != nil {
		h.cfg.Logger.Error("hub: cannot encode", "type", msg.Type(), "error", err)
		return
	}
	h.sendEncoded(d, msg.Type(), data)
}

// sendEncoded is send for a message that many get.
func (h *Hub) sendEncoded(d *device, kind rtc.Type, data []byte) {
	d.seq++
	frame := rtc.Frame(kind, d.seq, data)
	d.keep(frame)
	h.stats.outbox.note(int64(len(d.outbox)))
	if d.port != nil {
		d.port.sendFrame(frame)
	}
}

// attach makes p the connection of d; an older one of the same device is
// closed.
func (h *Hub) attach(p *Port, d *device) {
	if old := d.port; old != nil && old != p {
		old.device = nil
		old.shut(rtc.CloseReplaced)
	}
	if !d.awaySince.IsZero() {
		for _, c := range h.calls.held[d.key] {
			h.logCall("device of a call is back", c, d)
		}
	}
	d.port, d.session, d.user, d.link, d.awaySince = p, p.session, p.user, p.link, time.Time{}
	p.device, d.elsewhere = d, nil
	h.publish(d)
}

func (h *Hub) detach(p *Port) {
	delete(h.ports, p)
	d := p.device
	if d == nil || d.port != p {
		return
	}
	d.port, d.awaySince = nil, h.cfg.Now()
	for _, c := range slices.Clone(h.calls.held[d.key]) {
		h.logCall("device of a call is away", c, d)
		h.apply(c, call.Away{Device: d.key})
	}
}

// drop forgets a device and ends what it was in.
func (h *Hub) drop(d *device, reason rtc.EndReason) {
	for _, c := range h.calls.of(d.key.User) {
		h.apply(c, call.Gone{Device: d.key, Reason: reason})
	}
	h.deviceLeft(d.key)
	if d.port != nil {
		d.port.device = nil
	}
	delete(h.devices, d.key)
	delete(h.users[d.key.User], d.key)
	if len(h.users[d.key.User]) == 0 {
		delete(h.users, d.key.User)
	}
	h.roster.withdraw(presence.Key{User: d.key.User, Device: d.key.ID})
	h.stats.devices.Store(int64(len(h.devices)))
}

// sweep lets time pass: calls ring out, devices stay away too long,
// connections never say hello.
func (h *Hub) sweep(now time.Time) {
	for _, c := range h.calls.due(now) {
		h.apply(c, call.Tick{})
	}
	h.calls.forget(now)
	h.sweepTests(now)
	h.sweepLinks(now)
	for _, d := range h.devices {
		if d.port == nil && now.Sub(d.awaySince) > h.cfg.ResumeWindow {
			h.drop(d, rtc.EndLost)
		}
	}
	for p := range h.ports {
		if p.device == nil && now.Sub(p.attached) > h.cfg.HelloTimeout {
			p.shut(rtc.CloseHelloExpected)
		}
	}
}

// ping sends a heartbeat to those whose time it is, and gives up those that are silent. All at
// once would hold up what others say.
func (h *Hub) ping(now time.Time) {
	frame, err := rtc.Encode(&rtc.Ping{ServerTime: now.UnixMilli()}, 0, "")
	if err != nil {
		h.cfg.Logger.Error("hub: cannot encode", "type", "ping", "error", err)
		return
	}
	for p := range h.ports {
		if p.beat != h.beat {
			continue
		}
		if p.silent(now, h.cfg.Heartbeat) {
			h.stats.silent.Add(1)
			p.shut(rtc.CloseHeartbeat)
			h.detach(p) // its reader may hang on a dead network for minutes
			continue
		}
		if p.device != nil {
			p.sendFrame(frame)
		}
	}
}
