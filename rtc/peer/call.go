package peer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"fieldphone/rtc"

	"github.com/pion/webrtc/v4"
)

const (
	callEvents  = 256                   // messages of one call not handled yet
	iceTimeout  = 15 * time.Second      // to be told the ICE servers
	reportEvery = 20 * time.Millisecond // how often WaitReport looks
)

// EndedError says that a call ended before what was waited for.
type EndedError struct{ rtc.CallEnded }

// Error implements error.
func (e *EndedError) Error() string {
	return fmt.Sprintf("peer: call %s ended: %s", e.Call, e.Reason)
}

// Call is one call of this device, from ringing to its end.
type Call struct {
	id       string
	peer     *Peer
	outgoing bool
	events   chan rtc.Message
	ended    chan rtc.CallEnded // of one
	done     chan struct{}      // closed after everything of the call is

	connected chan struct{} // says to run that media were connected

	mu      sync.Mutex
	changed broadcast
	with    rtc.User
	media   rtc.Media  // what this side sends
	into    *Broadcast // takes the sound of the other side, which gets none
	feed    *Broadcast // is all that this side sends
	invited bool       // the server knows the call
	rung    bool
	role    rtc.Role
	gen     int
	conn    *connection // of gen; nil before it begins
	report  Report      // of the last connection, once that is closed
	end     *rtc.CallEnded
	err     error // why media failed
}

// Incoming is a call that rings here.
type Incoming struct {
	From  rtc.User
	Media rtc.Media // what the caller wants to send
	call  *Call
}

// Call rings a user, to send them sound, and with rtc.Video picture too. It
// returns when the server has taken the invitation; the call may have ended by
// then. The error is an *rtc.Error if the server refuses.
func (p *Peer) Call(ctx context.Context, user string, media rtc.Media) (*Call, error) {
	return p.CallNamed(ctx, newCallID(), user, media)
}

// CallNamed is Call by a name that the server has given.
func (p *Peer) CallNamed(ctx context.Context, id, user string, media rtc.Media) (*Call, error) {
	c := p.newCall(id, media)
	return p.invite(ctx, c, &rtc.CallInvite{Call: c.id, To: user, Media: media})
}

func newCallID() string { return rand.Text() }

func (p *Peer) invite(ctx context.Context, c *Call, invite *rtc.CallInvite) (*Call, error) {
	c.outgoing = true
	c.with = rtc.User{ID: invite.To}
	if !p.start(c) {
		return nil, ErrClosed
	}
	if _, err := p.request(ctx, invite); err != nil {
		if ctx.Err() != nil {
			p.post(&rtc.CallCancel{Call: c.id}) // the invitation may have arrived
		}
		c.deliver(&rtc.CallEnded{Call: c.id, Reason: rtc.EndCancelled})
		return nil, fmt.Errorf("peer: call %s: %w", invite.To, err)
	}
	c.mu.Lock()
	c.invited = true
	c.mu.Unlock()
	return c, nil
}

func (p *Peer) newCall(id string, media rtc.Media) *Call {
	return &Call{
		id: id, peer: p, media: media,
		events: make(chan rtc.Message, callEvents), ended: make(chan rtc.CallEnded, 1), done: make(chan struct{}),
		connected: make(chan struct{}, 1),
	}
}

// start makes a call one of the Peer's. It is false when the Peer is closing,
// or already has it.
func (p *Peer) start(c *Call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing || p.calls[c.id] != nil {
		return false
	}
	p.calls[c.id] = c
	p.wg.Go(c.run)
	return true
}

// ring offers an incoming call to the reader of Incoming. Only the goroutine
// that reads the connection calls it.
func (p *Peer) ring(m *rtc.CallIncoming) {
	c := p.newCall(m.Call, m.Media)
	c.with, c.invited, c.rung = m.From, true, true
	if !p.start(c) {
		return
	}
	select {
	case p.incoming <- &Incoming{From: m.From, Media: m.Media, call: c}:
	default:
		p.log.Warn("peer: a call is declined, nobody reads them", "call", m.Call)
		p.post(&rtc.CallDecline{Call: m.Call})
	}
}

// forward hands a message to the call that it is about.
func (p *Peer) forward(msg rtc.Message) {
	p.mu.Lock()
	c := p.calls[callOf(msg)]
	p.mu.Unlock()
	if c != nil {
		c.deliver(msg)
	}
}

func callOf(msg rtc.Message) string {
	switch m := msg.(type) {
	case *rtc.CallRinging:
		return m.Call
	case *rtc.CallStarted:
		return m.Call
	case *rtc.CallSignal:
		return m.Call
	case *rtc.CallEnded:
		return m.Call
	}
	return ""
}

// callList lists the calls, with mu held.
func (p *Peer) callList() []*Call {
	list := make([]*Call, 0, len(p.calls))
	for _, c := range p.calls {
		list = append(list, c)
	}
	return list
}

// ID is the call's name.
func (in *Incoming) ID() string { return in.call.id }

// Ended is Call.Ended of the ringing call.
func (in *Incoming) Ended() <-chan rtc.CallEnded { return in.call.ended }

// Accept takes the call and sends sound, and with rtc.Video picture too.
func (in *Incoming) Accept(ctx context.Context, media rtc.Media) (*Call, error) {
	c := in.call
	c.mu.Lock()
	c.media = media
	started := c.gen > 0 // both called each other
	c.mu.Unlock()
	if started {
		return c, nil
	}
	if _, err := c.peer.request(ctx, &rtc.CallAccept{Call: c.id, Media: media}); err != nil {
		return nil, fmt.Errorf("peer: accept: %w", err)
	}
	return c, nil
}

// Decline refuses the call for all devices of the user.
func (in *Incoming) Decline(ctx context.Context) error {
	if _, err := in.call.peer.request(ctx, &rtc.CallDecline{Call: in.call.id}); err != nil {
		return fmt.Errorf("peer: decline: %w", err)
	}
	return nil
}

// ID is the call's name.
func (c *Call) ID() string { return c.id }

// Peer is the other side; its name is known once the call has started.
func (c *Call) Peer() rtc.User {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.with
}

// Ended gives the last word on the call, once, and is then closed. By then all
// that the call held is released, and Report stands still.
func (c *Call) Ended() <-chan rtc.CallEnded { return c.ended }

// WaitRinging waits until the call rings at the other side.
func (c *Call) WaitRinging(ctx context.Context) error {
	return c.wait(ctx, "does not ring", func() bool { return c.rung || c.gen > 0 })
}

// WaitConnected waits until media can flow. It fails with an *EndedError when
// the call ends before.
func (c *Call) WaitConnected(ctx context.Context) error {
	return c.wait(ctx, "is not connected", func() bool { return c.err == nil && c.conn != nil && c.conn.isConnected() })
}

func (c *Call) wait(ctx context.Context, otherwise string, holds func() bool) error {
	for {
		c.mu.Lock()
		ok, end, err, changed := holds(), c.end, c.err, c.changed.wait()
		c.mu.Unlock()
		switch {
		case ok:
			return nil
		case err != nil:
			return err
		case end != nil:
			return &EndedError{*end}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("peer: call %s %s: %w", c.id, otherwise, ctx.Err())
		}
	}
}

// Report says how the media of the call is doing, or was when it ended.
func (c *Call) Report() Report {
	c.mu.Lock()
	conn, report := c.conn, c.report
	c.mu.Unlock()
	if conn != nil {
		report = conn.report()
	}
	report.Call = c.id
	return report
}

// WaitReport waits for a report that satisfies holds, and returns the last one
// that it saw.
func (c *Call) WaitReport(ctx context.Context, holds func(Report) bool) (Report, error) {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		report := c.Report()
		if holds(report) {
			return report, nil
		}
		select {
		case <-tick.C:
		case <-c.done:
			c.mu.Lock()
			end := *c.end
			c.mu.Unlock()
			return report, &EndedError{end}
		case <-ctx.Done():
			return report, fmt.Errorf("peer: call %s: the awaited report did not come: %w", c.id, ctx.Err())
		}
	}
}

// Hangup ends the call, whatever its state, and waits until it is over. That it
// is over already is no error.
func (c *Call) Hangup(ctx context.Context) error {
	_, err := c.peer.request(ctx, c.farewell())
	if refused(err, rtc.CodeWrongState) { // it started meanwhile
		_, err = c.peer.request(ctx, &rtc.CallHangup{Call: c.id})
	}
	if err != nil && !refused(err, rtc.CodeNoSuchCall) {
		return fmt.Errorf("peer: hang up: %w", err)
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("peer: hang up: %w", ctx.Err())
	}
}

func refused(err error, code rtc.Code) bool {
	var refusal *rtc.Error
	return errors.As(err, &refusal) && refusal.Code == code
}

// farewell is what ends the call in its present state.
func (c *Call) farewell() rtc.Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.gen > 0:
		return &rtc.CallHangup{Call: c.id}
	case c.outgoing:
		return &rtc.CallCancel{Call: c.id}
	default:
		return &rtc.CallDecline{Call: c.id}
	}
}

func (c *Call) generation() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gen
}

func (c *Call) isInvited() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.invited
}

// running describes the call for hello, if its media runs.
func (c *Call) running() (rtc.RunningCall, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil || c.conn.pc.ConnectionState() != webrtc.PeerConnectionStateConnected {
		return rtc.RunningCall{}, false
	}
	return rtc.RunningCall{Call: c.id, Peer: c.with.ID, Role: c.role, Gen: c.gen, Media: c.media}, true
}
