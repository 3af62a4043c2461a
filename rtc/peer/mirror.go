package peer

import (
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// maxMirrored bounds the packets of one kind that wait to go back: a few
// seconds of a large picture. Beyond it the newest are lost.
const maxMirrored = 4096

// mirror sends back one kind of media, a while after it came.
type mirror struct {
	delay   time.Duration
	waiting chan mirrored
	source  atomic.Uint32 // SSRC of what comes, 0 before the first packet
}

type mirrored struct {
	packet *rtp.Packet
	due    time.Time
}

func newMirror(delay time.Duration) *mirror {
	return &mirror{delay: delay, waiting: make(chan mirrored, maxMirrored)}
}

// take queues a packet to go back.
func (m *mirror) take(packet *rtp.Packet, now time.Time) {
	m.source.Store(packet.SSRC)
	packet.Extension, packet.Extensions = false, nil // they were for this hop
	select {
	case m.waiting <- mirrored{packet, now.Add(m.delay)}:
	default:
	}
}

// sendBack runs from the negotiation of a track to the connection's end.
func (c *connection) sendBack(m *mirror, track *webrtc.TrackLocalStaticRTP, flow *flow) {
	for {
		var next mirrored
		select {
		case <-c.ctx.Done():
			return
		case next = <-m.waiting:
		}
		select {
		case <-c.ctx.Done():
			return
		case <-time.After(time.Until(next.due)):
		}
		if err := track.WriteRTP(next.packet); err != nil {
			c.log.Debug("peer: a packet was not sent back", "error", err)
			continue
		}
		c.mu.Lock()
		flow.sent.add(len(next.packet.Payload))
		c.mu.Unlock()
	}
}

// passOn asks the other side for a key frame whenever it asks for one of what
// is sent back to it.
func (c *connection) passOn(m *mirror, packets []rtcp.Packet) {
	for _, packet := range packets {
		switch packet.(type) {
		case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
			ask := []rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: m.source.Load()}}
			if err := c.pc.WriteRTCP(ask); err != nil {
				c.log.Debug("peer: a key frame was not asked for", "error", err)
			}
		}
	}
}
