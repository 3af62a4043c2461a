package peer

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/pion/webrtc/v4"
)

const (
	echoLabel   = "fieldphone-echo"
	echoEvery   = 200 * time.Millisecond
	echoBacklog = 16 << 10 // bytes not sent yet above which no more are asked for
	echoAsk     = 'a'
	echoAnswer  = 'b'
	echoSize    = 9 // the kind, then the asker's clock in ns
)

// echo measures the round trip over a data channel, from asking to the answer.
type echo struct {
	sent, received uint64
	last, best     time.Duration
}

// openEcho opens the channel that both ends agreed on beforehand (RFC 8831,
// section 6.4). Browsers do not know it and never answer.
func (c *connection) openEcho() error {
	negotiated, ordered, retransmits := true, false, uint16(0)
	id := uint16(512)
	channel, err := c.pc.CreateDataChannel(echoLabel, &webrtc.DataChannelInit{
		Negotiated: &negotiated, ID: &id, Ordered: &ordered, MaxRetransmits: &retransmits,
	})
	if err != nil {
		return fmt.Errorf("create the data channel: %w", err)
	}
	channel.OnMessage(func(m webrtc.DataChannelMessage) {
		if m.IsString || len(m.Data) != echoSize {
			return
		}
		switch m.Data[0] {
		case echoAsk:
			if channel.BufferedAmount() > echoBacklog {
				return
			}
			m.Data[0] = echoAnswer
			if err := channel.Send(m.Data); err != nil {
				c.log.Debug("peer: an echo was not sent", "error", err)
			}
		case echoAnswer:
			c.echoed(time.Duration(binary.BigEndian.Uint64(m.Data[1:])))
		}
	})
	channel.OnOpen(func() { c.start(func() { c.askForEchoes(channel) }) })
	return nil
}

func (c *connection) askForEchoes(channel *webrtc.DataChannel) {
	tick := time.NewTicker(echoEvery)
	defer tick.Stop()
	for {
		if channel.BufferedAmount() <= echoBacklog {
			ask := binary.BigEndian.AppendUint64([]byte{echoAsk}, uint64(time.Since(c.began)))
			if err := channel.Send(ask); err != nil {
				return
			}
			c.mu.Lock()
			c.echo.sent++
			c.mu.Unlock()
		}
		select {
		case <-c.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// echoed counts an answer to what was asked at a time after the beginning.
func (c *connection) echoed(asked time.Duration) {
	now := time.Since(c.began)
	if asked < 0 || asked > now {
		return // not asked by us
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.echo.received++
	c.echo.last = now - asked
	if c.echo.best == 0 || c.echo.last < c.echo.best {
		c.echo.best = c.echo.last
	}
}
