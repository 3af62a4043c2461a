package hub

import (
	"errors"
	"net/netip"
	"slices"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
	"fieldphone/rtc/presence"
)

// request is one message of a connection.
type request struct {
	env   rtc.Envelope
	msg   rtc.Message
	addrs []netip.AddrPort // that it tells another device to send to
}

// handle carries out one message of a connection.
func (h *Hub) handle(p *Port, r request) {
	env := r.env
	if _, known := h.ports[p]; !known || p.dead.Load() {
		return // closed meanwhile
	}
	if hello, ok := r.msg.(*rtc.Hello); ok {
		h.hello(p, env, hello)
		return
	}
	if p.device == nil {
		h.stats.refuse(rtc.CodeHelloExpected)
		p.reply(rtc.NewError(rtc.CodeHelloExpected, "the first message must be hello"), env.ID)
		return
	}
	if err := h.carryOut(p, p.device, r); err != nil {
		h.refuse(p, env, err)
	}
}

// carryOut does what a message asks for and answers it, or says why not.
func (h *Hub) carryOut(p *Port, d *device, r request) error {
	env := r.env
	ack := func() {
		if env.ID != "" {
			p.reply(&rtc.Ack{}, env.ID)
		}
	}
	switch m := r.msg.(type) {
	case *rtc.Pong:
		d.seen(m.Seq)
		h.publish(d) // so that presence lasts one TTL from the last sign of life
		return nil
	case *rtc.Bye:
		ack()
		h.leave(d)
		return nil
	case *rtc.TextSend:
		return h.text(p, d, env, m, m.Chat)
	case *rtc.TextEdit:
		return h.text(p, d, env, m, m.Chat)
	case *rtc.TextDelete:
		return h.text(p, d, env, m, m.Chat)
	case *rtc.TextMark:
		return h.text(p, d, env, m, m.Chat)
	case *rtc.TextTyping:
		h.typing(d, m)
		return nil
	case *rtc.CallInvite:
		return h.invite(d, m, ack)
	case *rtc.CallReport:
		return answered(h.report(d, m), ack)
	case *rtc.PathSignal:
		return answered(h.pathSignal(d, m, r.addrs), ack)
	case *rtc.PathResult:
		return answered(h.pathResult(d, m), ack)
	case *rtc.FileAsk:
		return answered(h.askFile(d, m), ack)
	case *rtc.FileTake:
		return answered(h.takeFile(d, m), ack)
	case *rtc.FileSignal:
		return answered(h.fileSignal(d, m, r.addrs), ack)
	case *rtc.FileDrop:
		return answered(h.dropFile(d, m), ack)
	}
	id, ev, ok := callEvent(d.key, r.msg)
	if !ok {
		return rtc.NewError(rtc.CodeUnknownType, "only the server sends this")
	}
	return h.event(d, id, ev, r.addrs, ack)
}

// answered acknowledges what was carried out.
func answered(err error, ack func()) error {
	if err == nil {
		ack()
	}
	return err
}

// refuse answers a request that was not carried out.
func (h *Hub) refuse(p *Port, env rtc.Envelope, err error) {
	var refusal *rtc.Error
	if !errors.As(err, &refusal) {
		h.cfg.Logger.Error("hub: cannot carry out", "type", env.Type, "user", p.user.ID, "error", err)
		refusal = rtc.NewError(rtc.CodeInternal, "the server could not do this; its log says why")
	}
	h.stats.refuse(refusal.Code)
	p.reply(refusal, env.ID)
}

// hello makes the connection a device's: a new one, one that resumes its
// stream, or one that begins anew (a reload, or a stream that is lost).
func (h *Hub) hello(p *Port, env rtc.Envelope, m *rtc.Hello) {
	key := call.Device{User: p.user.ID, ID: m.Device}
	if p.device != nil {
		h.refuse(p, env, rtc.NewError(rtc.CodeWrongState, "this connection has said hello"))
		return
	}
	d := h.devices[key]
	if d == nil {
		if len(h.users[key.User]) >= maxDevices && !h.evict(key.User) {
			h.refuse(p, env, rtc.NewError(rtc.CodeInCall, "every device of this user is in a call; there is no room for one more"))
			return
		}
		d = &device{key: key}
		d.restart()
		h.devices[key] = d
		if h.users[key.User] == nil {
			h.users[key.User] = make(map[call.Device]*device)
		}
		h.users[key.User][key] = d
		h.stats.devices.Store(int64(len(h.devices)))
	}
	resumed := d.resumes(m.Stream, m.LastSeq)
	if resumed {
		d.seen(m.LastSeq)
	} else {
		d.restart()
		h.deviceLeft(key) // a page that begins anew knows of no path test and no link
	}
	h.attach(p, d)
	h.restore(d, m.Calls)
	h.welcome(p, d, env.ID, resumed)
	missed := make([][]byte, len(d.outbox))
	for i, kept := range d.outbox {
		missed[i] = kept.frame
	}
	p.sendFrame(missed...)
	h.sendSnapshot(p)
	for _, c := range h.calls.of(key.User) {
		h.apply(c, call.Back{Device: key})
	}
	h.tellElsewhere(key.User)
}

func (h *Hub) welcome(p *Port, d *device, re string, resumed bool) {
	infos := []rtc.CallInfo{}
	for _, c := range h.calls.of(d.key.User) {
		if info, ok := c.Info(d.key); ok {
			infos = append(infos, info)
		}
	}
	p.reply(&rtc.Welcome{
		User: d.user, Device: d.key.ID, Stream: d.stream, Resumed: resumed,
		ServerTime: h.cfg.Now().UnixMilli(), HeartbeatMS: h.cfg.Heartbeat.Milliseconds(),
		ResumeMS: h.cfg.ResumeWindow.Milliseconds(), Calls: infos,
	}, re)
}

// evict makes room for one more device of a user: the one that is away for
// longest goes, else the one attached for longest. One in a call stays; false
// means that all are.
func (h *Hub) evict(user string) bool {
	var oldest *device
	for _, d := range h.users[user] {
		if len(h.calls.held[d.key]) == 0 && (oldest == nil || d.stalerThan(oldest)) {
			oldest = d
		}
	}
	if oldest == nil {
		return false
	}
	if p := oldest.port; p != nil {
		p.shut(rtc.CloseReplaced)
	}
	h.drop(oldest, rtc.EndLost)
	return true
}

func (d *device) stalerThan(other *device) bool {
	switch {
	case d.port == nil && other.port == nil:
		return d.awaySince.Before(other.awaySince)
	case d.port == nil || other.port == nil:
		return d.port == nil
	}
	return d.port.attached.Before(other.port.attached)
}

// leave is a device going on purpose.
func (h *Hub) leave(d *device) {
	for _, c := range slices.Clone(h.calls.held[d.key]) {
		h.apply(c, call.Hangup{By: d.key})
	}
	h.drop(d, rtc.EndHangup)
}

// publish makes presence show the device as it is now, for one more TTL.
func (h *Hub) publish(d *device) {
	if d.key.User == rtc.AttentionID {
		return // in no roster
	}
	h.roster.publish(presence.Entry{
		User: d.key.User, Device: d.key.ID, Name: d.user.Name, Node: h.cfg.Node, Busy: d.busy && d.key.User != rtc.EchoID,
	})
}

// reachable lists the devices of a user that can be rung or written to.
func (h *Hub) reachable(user string) []call.Device {
	now := h.cfg.Now()
	var keys []call.Device
	for key, d := range h.users[user] {
		if d.port != nil || now.Sub(d.awaySince) < h.cfg.PresenceTTL {
			keys = append(keys, key)
		}
	}
	return keys
}
