package hub

import (
	"errors"
	"sync/atomic"
	"time"

	"fieldphone/rtc"

	"golang.org/x/time/rate"
)

// maxOffences is how many frames of a connection may be refused at once, for
// being no envelopes or too many, before it is closed; a tenth of one more is
// forgiven each second.
const (
	maxOffences     = 100
	offencesForgive = 0.1
)

// Port is the hub's end of one connection. Its methods are for the goroutine
// that reads the connection.
type Port struct {
	hub      *Hub
	conn     Conn
	session  string
	link     Link
	dead     atomic.Bool  // closed by the hub: nothing goes in or out
	heard    atomic.Int64 // when the last frame came, in nanoseconds since attached by the monotonic clock
	limiter  *rate.Limiter
	offences *rate.Limiter

	attached time.Time

	// Owned by the goroutine of Run:
	user   rtc.User
	device *device // nil before hello
	beat   int     // at which it is pinged: it came during that one
}

// Attach takes a connection of a signed-in user. The caller hands each frame
// to Receive and calls Detach when the connection has ended. Nil means that
// the hub has stopped.
func (h *Hub) Attach(conn Conn, user rtc.User, session string, link Link) *Port {
	now := h.cfg.Now()
	p := &Port{
		hub: h, conn: conn, user: user, session: session, link: link, attached: now,
		limiter:  rate.NewLimiter(rate.Limit(h.cfg.MessageRate), h.cfg.MessageBurst),
		offences: rate.NewLimiter(offencesForgive, maxOffences),
	}
	if endpoint(user.ID) { // of this process, and it may speak to hundreds at once
		p.limiter = rate.NewLimiter(rate.Inf, 0)
	}
	if !h.post(func() { p.beat, h.ports[p] = h.beat, struct{}{} }) {
		return nil
	}
	h.stats.connections.Add(1)
	return p
}

// Receive handles one frame, which it does not keep. It waits while the hub is
// busy, which slows this one connection down.
func (p *Port) Receive(frame []byte) {
	h := p.hub
	now := h.cfg.Now()
	p.heard.Store(int64(now.Sub(p.attached)))
	h.stats.received.Add(1)
	env, msg, err := rtc.Decode(frame)
	env.Data = nil // is part of the frame
	if !p.limiter.AllowN(now, 1) {
		p.offend(env, rtc.NewError(rtc.CodeRateLimited, "too many messages; slow down"))
		return
	}
	if err != nil {
		var refusal *rtc.Error
		if errors.As(err, &refusal) {
			p.offend(env, refusal)
		}
		return
	}
	addrs := candidates(msg) // here, where it costs only this connection time
	h.post(func() { h.handle(p, request{env: env, msg: msg, addrs: addrs}) })
}

// offend refuses a frame and closes the connection of a repeated offender.
func (p *Port) offend(env rtc.Envelope, refusal *rtc.Error) {
	p.hub.stats.refuse(refusal.Code)
	if !p.offences.AllowN(p.hub.cfg.Now(), 1) {
		p.shut(rtc.CloseProtocolError)
		return
	}
	p.reply(refusal, env.ID)
}

// reply sends a message that is not numbered.
func (p *Port) reply(msg rtc.Message, re string) {
	frame, err := rtc.Encode(msg, 0, re)
	if err != nil {
		p.hub.cfg.Logger.Error("hub: cannot encode", "type", msg.Type(), "error", err)
		return
	}
	p.sendFrame(frame)
}

// sendFrame sends all of the frames or closes the connection: one that missed
// a frame must not get a later one, or its device would not ask for the first.
func (p *Port) sendFrame(frames ...[]byte) {
	if p.dead.Load() || len(frames) == 0 {
		return
	}
	if p.conn.Send(frames...) {
		p.hub.stats.sent.Add(int64(len(frames)))
		return
	}
	p.hub.stats.slow.Add(1)
	p.shut(rtc.CloseSlow)
}

// shut ends the connection from the hub's side.
func (p *Port) shut(reason rtc.Close) {
	p.dead.Store(true)
	p.conn.Close(reason)
}

// Detach says that the connection has ended. The device is kept for the resume
// window.
func (p *Port) Detach() {
	p.hub.stats.connections.Add(-1)
	p.hub.post(func() { p.hub.detach(p) })
}

// silent tells whether nothing was heard for two heartbeats and a half.
func (p *Port) silent(now time.Time, heartbeat time.Duration) bool {
	return now.Sub(p.attached)-time.Duration(p.heard.Load()) > heartbeat*5/2
}
