package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/hub"
	"fieldphone/rtc/peer"
)

// The echo contact answers for the server itself, so that anybody can try a
// call alone.
const (
	echoName     = "Echo test"
	echoCalls    = 8               // at once; each is a device
	echoLongest  = 2 * time.Minute // a call
	echoDelay    = time.Second     // so that people tell their voice from its echo
	echoSession  = "echo"          // of no account
	echoQueue    = 256             // frames waiting for one device
	echoPatience = 10 * time.Second
)

// serveEcho answers calls and texts until ctx ends.
func (s *server) serveEcho(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range echoCalls {
		p, err := peer.Dial(ctx, peer.Config{
			User: rtc.EchoID, Device: fmt.Sprintf("echo-%04d", i), Mirror: echoDelay, Logger: quiet(s.log),
			Connect: func() (peer.Wire, error) { return attach(s.hub) },
			ICE:     peer.ICE{Sockets: s.turn.Borrow, Loopback: s.cfg.TURN.AllowLoopbackPeers},
		})
		if err != nil {
			return fmt.Errorf("open the echo contact: %w", err)
		}
		wg.Go(func() {
			<-ctx.Done()
			_ = p.Close() // what it could still say nobody hears
		})
		wg.Go(func() { answerCalls(ctx, p, s.log) })
		if i == 0 { // a text comes to every device
			wg.Go(func() { answerTexts(ctx, p) })
		}
	}
	<-ctx.Done()
	return nil
}

// quiet keeps what a Peer says about each connection out of the log; its calls
// are in the hub's.
func quiet(log *slog.Logger) *slog.Logger {
	if log.Enabled(context.Background(), slog.LevelDebug) {
		return log
	}
	return slog.New(slog.DiscardHandler)
}

func answerCalls(ctx context.Context, p *peer.Peer, log *slog.Logger) {
	for incoming := range p.Incoming() {
		c, err := incoming.Accept(ctx, incoming.Media)
		if err != nil {
			continue // it was given up meanwhile
		}
		limit := time.NewTimer(echoLongest)
		select {
		case <-c.Ended():
		case <-limit.C:
			end, cancel := context.WithTimeout(ctx, echoPatience)
			if err := c.Hangup(end); err != nil && ctx.Err() == nil {
				log.Warn("the echo contact could not hang up", "call", c.ID(), "error", err)
			}
			cancel()
		}
		limit.Stop()
	}
}

// answerTexts sends each text back.
func answerTexts(ctx context.Context, p *peer.Peer) {
	for text := range p.Texts() {
		limited, cancel := context.WithTimeout(ctx, echoPatience)
		_, _ = p.SendTextNamed(limited, answerName(text), text.From.ID, text.Body) // it fails if the sender has gone meanwhile
		cancel()
	}
}

// answerName is the same for a text that is sent again: it is answered twice,
// and shown once.
func answerName(text rtc.TextMessage) string {
	sum := sha256.Sum256([]byte(text.From.ID + "\x00" + text.Message))
	return "echo-" + hex.EncodeToString(sum[:16])
}

// attach opens a connection to the hub as one of the echo's devices.
func attach(h *hub.Hub) (peer.Wire, error) {
	return attachment{user: rtc.User{ID: rtc.EchoID, Name: echoName}, session: echoSession, queue: echoQueue}.attach(h)
}

// attachment is how an endpoint of the server itself reaches the hub.
type attachment struct {
	user    rtc.User
	session string
	queue   int // frames waiting for one device
}

func (a attachment) attach(h *hub.Hub) (peer.Wire, error) {
	conn := &echoConn{frames: make(chan []byte, a.queue), closed: make(chan struct{})}
	port := h.Attach(conn, a.user, a.session, hub.Link{})
	if port == nil {
		return nil, errors.New("the hub has stopped")
	}
	return &echoWire{conn, port, sync.OnceFunc(port.Detach)}, nil
}

// echoConn is the hub's end of a connection within the process.
type echoConn struct {
	frames chan []byte

	mu     sync.Mutex
	err    error // why it is closed
	closed chan struct{}
}

// Send implements hub.Conn.
func (c *echoConn) Send(frames ...[]byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cap(c.frames)-len(c.frames) < len(frames) {
		return false
	}
	for _, frame := range frames {
		c.frames <- frame
	}
	return true
}

// Close implements hub.Conn.
func (c *echoConn) Close(reason rtc.Close) { c.end(&peer.ClosedError{Reason: reason}) }

func (c *echoConn) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		close(c.closed)
	}
}

// echoWire is the Peer's end of it.
type echoWire struct {
	conn   *echoConn
	port   *hub.Port
	detach func()
}

// Read implements peer.Wire.
func (w *echoWire) Read(deadline time.Time) ([]byte, error) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case frame := <-w.conn.frames:
		return frame, nil
	case <-w.conn.closed:
		w.conn.mu.Lock()
		defer w.conn.mu.Unlock()
		return nil, w.conn.err
	case <-timer.C:
		return nil, os.ErrDeadlineExceeded
	}
}

// Write implements peer.Wire.
func (w *echoWire) Write(frame []byte) error {
	w.port.Receive(frame)
	return nil
}

// Close implements peer.Wire.
func (w *echoWire) Close() {
	w.conn.end(net.ErrClosed)
	w.detach()
}
