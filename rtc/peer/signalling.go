package peer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"fieldphone/rtc"
)

const (
	helloTimeout = 10 * time.Second // for the WebSocket and its welcome
	writeTimeout = 5 * time.Second  // for one frame
	maxFrame     = 8 << 20          // bytes from the server: a snapshot of many people
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second // between two attempts to connect
	maxHeartbeat = time.Minute
)

// run serves connections, one after the other, until the end.
func (p *Peer) run(wire Wire) {
	err := p.stay(wire)
	if p.isClosing() {
		err = ErrClosed
	}
	p.mu.Lock()
	p.err = err
	p.mu.Unlock()
	p.cancel()
	close(p.done)
	close(p.incoming)
	close(p.texts)
}

// stay returns why there will be no further connection.
func (p *Peer) stay(wire Wire) error {
	for {
		err := p.serve(wire)
		p.setWire(nil)
		wire.Close()
		for pause := firstPause; ; pause = min(2*pause, longestPause) {
			if p.ctx.Err() != nil {
				return p.ctx.Err()
			}
			if final(err) {
				return err
			}
			p.log.Info("peer: signalling was lost, connecting again", "error", err)
			select {
			case <-p.ctx.Done():
				return p.ctx.Err()
			case <-time.After(pause/2 + rand.N(pause)):
			}
			if wire, err = p.connect(p.ctx); err == nil {
				break
			}
		}
	}
}

// final tells that the server does not want to see this device again.
func final(err error) bool {
	var closed *ClosedError
	if errors.As(err, &closed) {
		return closed.Reason.Code >= 4000 && !closed.Reason.Reconnect()
	}
	var refusal *APIError
	return errors.As(err, &refusal) && refusal.final()
}

// connect opens a connection and says hello. On return it is in use.
func (p *Peer) connect(ctx context.Context) (Wire, error) {
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	wire, err := p.line.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("peer: connect %s: %w", p.cfg.User, err)
	}
	stop := context.AfterFunc(ctx, wire.Close)
	welcome, err := p.hello(wire)
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		wire.Close()
		return nil, fmt.Errorf("peer: hello of %s: %w", p.cfg.User, err)
	}
	p.welcomed(welcome)
	p.setWire(wire)
	return wire, nil
}

// hello opens the connection and waits for the welcome.
func (p *Peer) hello(wire Wire) (*rtc.Welcome, error) {
	const id = "hello"
	p.mu.Lock()
	hello := &rtc.Hello{Device: p.device, Stream: p.stream, LastSeq: p.lastSeq}
	calls := p.callList()
	p.mu.Unlock()
	for _, c := range calls {
		if running, ok := c.running(); ok && len(hello.Calls) < rtc.MaxHelloCalls {
			hello.Calls = append(hello.Calls, running)
		}
	}
	frame, err := rtc.EncodeRequest(hello, id)
	if err != nil {
		return nil, err
	}
	if err := wire.Write(frame); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(helloTimeout)
	for {
		frame, err := wire.Read(deadline)
		if err != nil {
			return nil, err
		}
		env, msg, err := rtc.Decode(frame)
		if err != nil {
			return nil, err
		}
		switch m := msg.(type) {
		case *rtc.Welcome:
			return m, nil
		case *rtc.Error:
			return nil, m
		default:
			p.log.Debug("peer: a message before welcome", "type", env.Type)
		}
	}
}

// welcomed takes over what the server says. Calls that a stream begun anew does
// not tell of are settled here.
func (p *Peer) welcomed(w *rtc.Welcome) {
	p.mu.Lock()
	p.user = w.User
	p.stream = w.Stream
	p.heartbeat = min(max(time.Duration(w.HeartbeatMS)*time.Millisecond, 10*time.Millisecond), maxHeartbeat)
	if !w.Resumed {
		p.lastSeq = 0
	}
	calls := p.callList()
	p.mu.Unlock()
	if w.Resumed {
		return
	}
	infos := map[string]rtc.CallInfo{}
	for _, info := range w.Calls {
		infos[info.Call] = info
	}
	for _, c := range calls {
		info, known := infos[c.id]
		delete(infos, c.id)
		if known && info.State == rtc.StateActive && info.Gen > c.generation() {
			p.post(&rtc.CallRejoin{Call: c.id})
		} else if !known && c.isInvited() {
			c.deliver(&rtc.CallEnded{Call: c.id, Reason: rtc.EndLost, ServerTime: w.ServerTime})
		}
	}
	for _, info := range infos {
		if info.State == rtc.StateRinging && info.Role == rtc.Answerer {
			p.ring(&rtc.CallIncoming{Call: info.Call, From: info.Peer, Media: info.Media, ServerTime: info.Since})
		} else {
			p.post(&rtc.CallHangup{Call: info.Call}) // of a former life of this device
		}
	}
}

// serve reads a connection until it ends.
func (p *Peer) serve(wire Wire) error {
	stop := context.AfterFunc(p.ctx, wire.Close)
	defer stop()
	p.mu.Lock()
	silence := p.heartbeat * 5 / 2
	p.mu.Unlock()
	for {
		frame, err := wire.Read(time.Now().Add(silence))
		if err != nil {
			return err
		}
		env, msg, err := rtc.Decode(frame)
		if err != nil {
			p.log.Debug("peer: a frame was not understood", "type", env.Type, "error", err)
			continue
		}
		p.dispatch(env, msg)
	}
}

func (p *Peer) dispatch(env rtc.Envelope, msg rtc.Message) {
	if env.Seq > 0 && !p.isNext(env.Seq) {
		return
	}
	if env.Re != "" {
		p.answered(env.Re, msg)
		return
	}
	switch m := msg.(type) {
	case *rtc.Ping:
		p.pong()
	case *rtc.PresenceSnapshot:
		p.setPeople(m.People, true)
	case *rtc.PresenceUpdate:
		p.setPeople(m.People, false)
	case *rtc.TextMessage:
		if m.Kind != rtc.KindText || m.Edited != 0 || m.Deleted != 0 {
			break // a call that is over, a note, or a text that was heard before
		}
		select {
		case p.texts <- *m:
		default:
			p.log.Warn("peer: a text was dropped, nobody reads them", "message", m.Message)
		}
	case *rtc.CallIncoming:
		p.ring(m)
	case *rtc.Error:
		p.log.Warn("peer: the server reports an error", "error", m)
	default:
		p.forward(msg)
	}
}

// isNext tells whether a numbered message is new, and remembers it.
func (p *Peer) isNext(seq uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if seq <= p.lastSeq {
		return false
	}
	p.lastSeq = seq
	return true
}

func (p *Peer) pong() {
	p.mu.Lock()
	pong := &rtc.Pong{Seq: p.lastSeq}
	p.mu.Unlock()
	frame, err := rtc.EncodeRequest(pong, "")
	if err != nil {
		p.log.Error("peer: cannot encode", "error", err)
		return
	}
	p.send(frame)
}

func (p *Peer) setPeople(people []rtc.Person, all bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if all {
		clear(p.people)
	}
	for _, person := range people {
		if person.Status == rtc.Offline {
			delete(p.people, person.ID)
		} else {
			p.people[person.ID] = person
		}
	}
	p.changed.notify()
}
