package hub

import (
	"errors"
	"sync/atomic"
	"time"

	"fieldphone/rtc"

	"golang.org/x/time/rate"
)

// maxOffences is how many frames of a connection may be refused, for being no
// envelopes or too many, before it is closed.
const maxOffences = 100

// Port is the hub's end of one connection. Its methods are for the goroutine
// that reads the connection.
type Port struct {
	hub      *Hub
	conn     Conn
	session  string
	heard    atomic.Int64 // when the last frame came, Unix nanoseconds
	limiter  *rate.Limiter
	offences int

	// Owned by the goroutine of Run:
	user     rtc.User
	device   *device // nil before hello
	attached time.Time
}

// Attach takes a connection of a signed-in user. The caller hands each frame
// to Receive and calls Detach when the connection has ended. Nil means that
// the hub has stopped.
func (h *Hub) Attach(conn Conn, user rtc.User, session string) *Port {
	now := h.cfg.Now()
	p := &Port{
		hub: h, conn: conn, user: user, session: session, attached: now,
		limiter: rate.NewLimiter(rate.Limit(h.cfg.MessageRate), h.cfg.MessageBurst),
	}
	p.heard.Store(now.UnixNano())
	if !h.post(func() { h.ports[p] = struct{}{} }) {
		return nil
	}
	h.stats.connections.Add(1)
	return p
}

// Receive handles one frame. It waits while the hub is busy, which slows this
// one connection down.
func (p *Port) Receive(frame []byte) {
	h := p.hub
	now := h.cfg.Now()
	p.heard.Store(now.UnixNano())
	h.stats.received.Add(1)
	if !p.limiter.AllowN(now, 1) {
		p.offend(rtc.Envelope{}, rtc.NewError(rtc.CodeRateLimited, "too many messages; slow down"))
		return
	}
	env, msg, err := rtc.Decode(frame)
	if err != nil {
		var refusal *rtc.Error
		if errors.As(err, &refusal) {
			p.offend(env, refusal)
		}
		return
	}
	h.post(func() { h.handle(p, env, msg) })
}

// offend refuses a frame and closes the connection of a repeated offender.
func (p *Port) offend(env rtc.Envelope, refusal *rtc.Error) {
	p.hub.stats.refuse(refusal.Code)
	p.offences++
	if p.offences > maxOffences {
		p.conn.Close(rtc.CloseProtocolError)
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

func (p *Port) sendFrame(frame []byte) {
	if p.conn.Send(frame) {
		p.hub.stats.sent.Add(1)
		return
	}
	p.hub.stats.slow.Add(1)
	p.conn.Close(rtc.CloseSlow)
}

// Detach says that the connection has ended. The device is kept for the resume
// window.
func (p *Port) Detach() {
	p.hub.stats.connections.Add(-1)
	p.hub.post(func() { p.hub.detach(p) })
}

// silentSince tells whether nothing was heard for two heartbeats and a half.
func (p *Port) silent(now time.Time, heartbeat time.Duration) bool {
	return now.Sub(time.Unix(0, p.heard.Load())) > heartbeat*5/2
}
