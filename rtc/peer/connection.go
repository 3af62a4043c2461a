package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"fieldphone/rtc"

	"github.com/pion/webrtc/v4"
)

const maxEarlyCandidates = 64 // that come before the description they belong to

// hooks are what a connection tells its call. They must not wait for the
// goroutine that owns the connection.
type hooks struct {
	signal func(payload json.RawMessage)
	state  func(webrtc.PeerConnectionState)
}

// wanted is what a call sends, and where what it gets goes.
type wanted struct {
	media rtc.Media
	into  *Broadcast
	feed  *Broadcast
}

// connection is the media of one generation of a call. The call's goroutine
// owns it: offer, receive and close are for that goroutine alone.
type connection struct {
	gen int
	wanted
	pc      *webrtc.PeerConnection
	relays  *relayNet
	hooks   hooks
	log     *slog.Logger
	began   time.Time
	ctx     context.Context
	cancel  context.CancelFunc
	early   []webrtc.ICECandidateInit
	remote  string // the last description from the other side
	sending map[webrtc.RTPCodecType]bool
	mirrors map[webrtc.RTPCodecType]*mirror // not written to after the beginning

	reporting sync.Mutex // pion must not be asked while it closes
	final     *Report    // once it is closing

	mu        sync.Mutex
	closed    bool
	wg        sync.WaitGroup
	connected time.Time
	audio     flow
	video     flow
	echo      echo
	theirs    string // what the other side says that its own candidate is
}

// payload is what call.signal carries, as browsers make it.
type payload struct {
	Description *webrtc.SessionDescription `json:"description,omitempty"`
	Candidate   *webrtc.ICECandidateInit   `json:"candidate,omitempty"`
	Nominated   string                     `json:"nominated,omitempty"` // the sender's own candidate type
}

func newConnection(p *Peer, m *rtc.CallStarted, wanted wanted, servers []iceServer, h hooks) (*connection, error) {
	ctx, cancel := context.WithCancel(p.ctx)
	c := &connection{
		gen: m.Gen, wanted: wanted, hooks: h, log: p.log.With("call", m.Call, "gen", m.Gen), began: time.Now(),
		ctx: ctx, cancel: cancel, sending: map[webrtc.RTPCodecType]bool{},
	}
	if delay := p.cfg.Mirror; delay > 0 {
		c.mirrors = map[webrtc.RTPCodecType]*mirror{
			webrtc.RTPCodecTypeAudio: newMirror(delay), webrtc.RTPCodecTypeVideo: newMirror(delay),
		}
	}
	pc, relays, err := newPeerConnection(ctx, p, servers, wanted)
	if err != nil {
		cancel()
		return nil, err
	}
	c.pc, c.relays = pc, relays
	pc.OnConnectionStateChange(c.stateChanged)
	pc.OnTrack(c.receiveTrack)
	pc.OnICECandidate(func(candidate *webrtc.ICECandidate) {
		if candidate != nil {
			init := candidate.ToJSON()
			c.signal(payload{Candidate: &init})
		}
	})
	pc.SCTP().Transport().ICETransport().OnSelectedCandidatePairChange(func(pair *webrtc.ICECandidatePair) {
		c.signal(payload{Nominated: pair.Local.Typ.String()})
	})
	if wanted.feed != nil || wanted.into != nil {
		return c, nil
	}
	if err := c.openEcho(); err != nil {
		c.close()
		return nil, fmt.Errorf("open the echo channel: %w", err)
	}
	return c, nil
}

// offer makes the first offer of a call (RFC 3264, section 5).
func (c *connection) offer(call rtc.Media) error {
	if err := c.send(webrtc.RTPCodecTypeAudio); err != nil {
		return err
	}
	switch {
	case c.media == rtc.Video:
		if err := c.send(webrtc.RTPCodecTypeVideo); err != nil {
			return err
		}
	case call == rtc.Video:
		receive := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
		if _, err := c.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, receive); err != nil {
			return fmt.Errorf("receive video: %w", err)
		}
	}
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		return fmt.Errorf("create the offer: %w", err)
	}
	return c.describe(offer)
}

// describe sends a description and then applies it, so that the candidates
// found from then on follow it.
func (c *connection) describe(d webrtc.SessionDescription) error {
	c.signal(payload{Description: &d})
	if err := c.pc.SetLocalDescription(d); err != nil {
		return fmt.Errorf("set the local description: %w", err)
	}
	return nil
}

// receive handles what the other side signals. Bad candidates are passed over,
// bad descriptions are errors.
func (c *connection) receive(raw json.RawMessage) error {
	var p payload
	if err := json.Unmarshal(raw, &p); err != nil {
		return fmt.Errorf("a signal is neither a description nor a candidate: %w", err)
	}
	if p.Nominated != "" {
		c.mu.Lock()
		c.theirs = p.Nominated
		c.mu.Unlock()
	}
	switch {
	case p.Description != nil:
		return c.receiveDescription(*p.Description)
	case p.Candidate != nil && p.Candidate.Candidate != "":
		c.receiveCandidate(*p.Candidate)
	}
	return nil
}

func (c *connection) receiveDescription(d webrtc.SessionDescription) error {
	if d.SDP == c.remote {
		return nil // sent again after a reconnect
	}
	if err := c.pc.SetRemoteDescription(d); err != nil {
		return fmt.Errorf("set the remote description: %w", err)
	}
	c.remote = d.SDP
	early := c.early
	c.early = nil
	for _, candidate := range early {
		c.receiveCandidate(candidate)
	}
	if d.Type != webrtc.SDPTypeOffer {
		return nil
	}
	for _, t := range c.pc.GetTransceivers() {
		if c.into != nil {
			break // only listens
		}
		if t.Kind() == webrtc.RTPCodecTypeAudio || c.media == rtc.Video {
			if err := c.send(t.Kind()); err != nil {
				return err
			}
		}
	}
	answer, err := c.pc.CreateAnswer(nil)
	if err != nil {
		return fmt.Errorf("create the answer: %w", err)
	}
	return c.describe(answer)
}

func (c *connection) receiveCandidate(candidate webrtc.ICECandidateInit) {
	if c.pc.RemoteDescription() == nil {
		if len(c.early) < maxEarlyCandidates {
			c.early = append(c.early, candidate)
		}
		return
	}
	if err := c.pc.AddICECandidate(candidate); err != nil {
		c.log.Debug("peer: a candidate was not understood", "error", err)
	}
}

func (c *connection) signal(p payload) {
	raw, err := json.Marshal(p)
	if err != nil {
		c.log.Error("peer: cannot encode", "error", err)
		return
	}
	c.hooks.signal(raw)
}

func (c *connection) stateChanged(state webrtc.PeerConnectionState) {
	c.log.Debug("peer: connection state", "state", state)
	if state == webrtc.PeerConnectionStateConnected {
		c.mu.Lock()
		if c.connected.IsZero() {
			c.connected = time.Now()
		}
		c.mu.Unlock()
	}
	c.hooks.state(state)
}

// isConnected tells whether media could flow at some time.
func (c *connection) isConnected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.connected.IsZero()
}

// start runs f until the connection is closed; close waits for it.
func (c *connection) start(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.wg.Go(f)
	}
}

// close ends the connection and everything that it started, and returns the
// last report.
func (c *connection) close() Report {
	report := c.report()
	c.reporting.Lock()
	c.final = &report
	c.reporting.Unlock()
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	if err := c.pc.GracefulClose(); err != nil {
		c.log.Debug("peer: the connection did not close cleanly", "error", err)
	}
	c.wg.Wait()
	return report
}
