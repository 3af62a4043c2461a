package peer

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const (
	audioEvery   = 20 * time.Millisecond
	videoEvery   = time.Second / 30
	videoFrame   = 2000 // bytes of one picture
	videoPayload = 1100 // most bytes of it in one packet
)

// generator makes the packets of one kind of media.
type generator struct {
	every time.Duration
	ticks uint32 // of the RTP clock between two frames
	frame func(dst []byte) []byte
	size  int // most bytes of a frame in one packet
	head  func(first bool) []byte
	codec webrtc.RTPCodecCapability
}

// audioGenerator makes silence: a 20 ms Opus packet of the full-band CELT mode
// (RFC 6716, section 3.1) whose range-coded part says "silence".
func audioGenerator() generator {
	return generator{
		every: audioEvery, ticks: opusClock / 50, size: videoPayload,
		frame: func(dst []byte) []byte { return append(dst, 0xf8, 0xff, 0xfe) },
		head:  func(bool) []byte { return nil },
		codec: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: opusClock, Channels: 2},
	}
}

// videoGenerator makes grey key frames (RFC 6386, section 9.1) of 64x48 pixels,
// behind a VP8 payload descriptor of one byte (RFC 7741, section 4.2). To a
// decoder zeros say: every flag off, every mode the first, no coefficients. The
// counter at the end is padding that no decoder reads.
func videoGenerator() generator {
	const (
		startOfPartition = 0x10 // S bit, partition 0
		firstPartition   = videoFrame / 2
	)
	var count uint32
	return generator{
		every: videoEvery, ticks: videoClock / 30, size: videoPayload,
		frame: func(dst []byte) []byte {
			tag := uint32(1<<4 | firstPartition<<5) // key frame, version 0, shown
			dst = append(dst, byte(tag), byte(tag>>8), byte(tag>>16), 0x9d, 0x01, 0x2a, 64, 0, 48, 0)
			dst = append(dst, make([]byte, videoFrame-4-len(dst))...)
			count++
			return binary.BigEndian.AppendUint32(dst, count)
		},
		head: func(first bool) []byte {
			if first {
				return []byte{startOfPartition}
			}
			return []byte{0}
		},
		codec: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: videoClock},
	}
}

// send adds a track of a kind, once, and sends on it from connected to close:
// what the generator of that kind makes, or what its mirror has taken.
func (c *connection) send(kind webrtc.RTPCodecType) error {
	if c.sending[kind] {
		return nil
	}
	c.sending[kind] = true
	gen, flow := audioGenerator(), &c.audio
	if kind == webrtc.RTPCodecTypeVideo {
		gen, flow = videoGenerator(), &c.video
	}
	track, err := webrtc.NewTrackLocalStaticRTP(gen.codec, kind.String(), "fieldphone")
	if err != nil {
		return fmt.Errorf("make a %s track: %w", kind, err)
	}
	sender, err := c.pc.AddTrack(track)
	if err != nil {
		return fmt.Errorf("add the %s track: %w", kind, err)
	}
	reflected := c.mirrors[kind]
	c.start(func() {
		for { // pion reads RTCP only as long as somebody asks for it
			packets, _, err := sender.ReadRTCP()
			if err != nil {
				return
			}
			if reflected != nil {
				c.passOn(reflected, packets)
			}
		}
	})
	if reflected != nil {
		c.start(func() { c.sendBack(reflected, track, flow) })
	} else {
		c.start(func() { c.generate(track, gen, flow) })
	}
	return nil
}

// generate writes frames at an even pace. Before the connection is made there
// is nowhere to write to.
func (c *connection) generate(track *webrtc.TrackLocalStaticRTP, gen generator, flow *flow) {
	tick := time.NewTicker(gen.every)
	defer tick.Stop()
	packet := rtp.Packet{Header: rtp.Header{Version: 2}}
	var frame []byte
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-tick.C:
		}
		if c.pc.ConnectionState() != webrtc.PeerConnectionStateConnected {
			continue
		}
		frame = gen.frame(frame[:0])
		packet.Timestamp += gen.ticks
		first, parts := true, slices.Collect(slices.Chunk(frame, gen.size))
		for i, part := range parts {
			packet.SequenceNumber++
			packet.Marker = i == len(parts)-1 && gen.codec.MimeType == webrtc.MimeTypeVP8
			packet.Payload = append(gen.head(first), part...)
			first = false
			// Before it leaves: the other end may have it, and end the call, at once.
			c.mu.Lock()
			flow.sent.add(len(packet.Payload))
			c.mu.Unlock()
			if err := track.WriteRTP(&packet); err != nil {
				c.log.Debug("peer: a packet was not sent", "error", err)
				return
			}
		}
	}
}

// receiveTrack counts what arrives on a track. Pion calls it on a goroutine of
// the track's own.
func (c *connection) receiveTrack(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	flow := &c.audio
	if track.Kind() == webrtc.RTPCodecTypeVideo {
		flow = &c.video
	}
	c.start(func() {
		var seen sequence
		for {
			packet, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			if c.feed != nil {
				continue // a listener has nothing to say
			}
			now := time.Now()
			c.mu.Lock()
			if flow.first.IsZero() {
				flow.first = now
			}
			flow.received.add(len(packet.Payload))
			before := seen.lost()
			seen.add(packet.SequenceNumber)
			flow.lost += seen.lost() - before
			c.mu.Unlock()
			if c.into != nil && track.Kind() == webrtc.RTPCodecTypeAudio {
				c.into.pass(packet)
			}
			if m := c.mirrors[track.Kind()]; m != nil {
				m.take(packet, now)
			}
		}
	})
}
