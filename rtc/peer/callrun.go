package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"fieldphone/rtc"

	"github.com/pion/webrtc/v4"
)

// deliver queues a message for the call. It never waits: a call that does not
// keep up is given up.
func (c *Call) deliver(msg rtc.Message) {
	select {
	case c.events <- msg:
	default:
		c.fail(fmt.Errorf("peer: call %s: more than %d messages wait", c.id, callEvents))
	}
}

// run owns the call's media from beginning to end.
func (c *Call) run() {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	var last told
	for {
		select {
		case <-c.connected:
			c.tell(&last)
			tick.Reset(tellEvery)
		case <-tick.C:
			c.tell(&last)
		case <-c.peer.ctx.Done():
			reason := rtc.EndLost
			if c.peer.isClosing() {
				reason = rtc.EndHangup
			}
			c.finish(rtc.CallEnded{Call: c.id, Reason: reason})
			return
		case msg := <-c.events:
			if ended, ok := msg.(*rtc.CallEnded); ok {
				c.finish(*ended)
				return
			}
			if err := c.handle(msg); err != nil {
				c.fail(err)
			}
		}
	}
}

func (c *Call) handle(msg rtc.Message) error {
	switch m := msg.(type) {
	case *rtc.CallRinging:
		c.mu.Lock()
		c.rung = true
		c.changed.notify()
		c.mu.Unlock()
	case *rtc.CallStarted:
		return c.begin(m)
	case *rtc.CallSignal:
		if c.conn == nil || m.Gen != c.conn.gen {
			return nil // of a connection that is gone
		}
		return c.conn.receive(m.Payload)
	}
	return nil
}

// begin makes the connection of a new generation, and closes the last one. Only
// run's goroutine writes conn, so it may read it without the lock.
func (c *Call) begin(m *rtc.CallStarted) error {
	if c.conn != nil && m.Gen <= c.conn.gen {
		return nil
	}
	old := c.conn
	c.mu.Lock()
	c.gen, c.role, c.with, c.conn = m.Gen, m.Role, m.Peer, nil
	media, into, feed := c.media, c.into, c.feed
	c.mu.Unlock()
	if old != nil {
		old.close()
	}
	ctx, cancel := context.WithTimeout(c.peer.ctx, iceTimeout)
	defer cancel()
	servers, err := c.peer.line.iceServers(ctx)
	if err != nil {
		return fmt.Errorf("peer: call %s: %w", c.id, err)
	}
	conn, err := newConnection(c.peer, m, wanted{media, into, feed}, servers, hooks{
		signal: func(payload json.RawMessage) {
			c.peer.post(&rtc.CallSignal{Call: c.id, Gen: m.Gen, Payload: payload})
		},
		state: func(state webrtc.PeerConnectionState) { c.stateChanged(m.Gen, state) },
	})
	if err != nil {
		return fmt.Errorf("peer: call %s: %w", c.id, err)
	}
	c.mu.Lock()
	c.conn = conn
	c.changed.notify()
	c.mu.Unlock()
	c.peer.post(&rtc.CallMedia{Call: c.id, Audio: into == nil, Video: media == rtc.Video})
	if m.Role == rtc.Offerer {
		if feed != nil {
			return conn.feeds()
		}
		return conn.offer(m.Media)
	}
	return nil
}

// stateChanged is called by the connection. It must not wait for run.
func (c *Call) stateChanged(gen int, state webrtc.PeerConnectionState) {
	c.mu.Lock()
	current := gen == c.gen
	c.changed.notify()
	c.mu.Unlock()
	if current && state == webrtc.PeerConnectionStateConnected {
		select {
		case c.connected <- struct{}{}:
		default:
		}
	}
	if current && state == webrtc.PeerConnectionStateFailed {
		c.fail(fmt.Errorf("peer: call %s: no way to the other side was found, or it was lost", c.id))
	}
}

// fail asks the server to end the call.
func (c *Call) fail(err error) {
	c.mu.Lock()
	first := c.err == nil && c.end == nil
	if first {
		c.err = err
		c.changed.notify()
	}
	c.mu.Unlock()
	if first {
		c.peer.log.Warn("peer: a call failed", "error", err)
		c.peer.post(&rtc.CallHangup{Call: c.id, Reason: rtc.EndFailed})
	}
}

// finish releases everything and tells.
func (c *Call) finish(end rtc.CallEnded) {
	var report Report
	if c.conn != nil {
		report = c.conn.close()
	}
	c.peer.mu.Lock()
	delete(c.peer.calls, c.id)
	c.peer.mu.Unlock()
	c.mu.Lock()
	c.end, c.report, c.conn = &end, report, nil
	c.changed.notify()
	c.mu.Unlock()
	c.ended <- end
	close(c.ended)
	close(c.done)
}
