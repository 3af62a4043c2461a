package peer

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"fieldphone/rtc"

	"github.com/pion/ice/v4"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// Broadcast passes the sound of one call on to many others, as it came: nothing is decoded.
// All listeners share its sockets, so that a crowd takes no more ports than one of them.
type Broadcast struct {
	track   *webrtc.TrackLocalStaticRTP
	mux     ice.UDPMux
	certs   []webrtc.Certificate
	sockets []net.PacketConn
	log     *slog.Logger

	mu     sync.Mutex // of the packets that go on
	source uint32     // SSRC of what comes now
	seq    uint16     // last that went on
	stamp  uint32
	dseq   uint16 // added to what comes, so that what goes on has no jump
	dstamp uint32
	passed uint64
}

// NewBroadcast opens the sockets that all listeners share. Each is bound to one address.
func NewBroadcast(open func() ([]net.PacketConn, error), log *slog.Logger) (*Broadcast, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	track, err := webrtc.NewTrackLocalStaticRTP(audioGenerator().codec, "audio", "fieldphone")
	if err != nil {
		return nil, fmt.Errorf("make the track: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	cert, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	sockets, err := open()
	if err != nil {
		return nil, fmt.Errorf("open sockets for candidates: %w", err)
	}
	b := &Broadcast{track: track, certs: []webrtc.Certificate{*cert}, sockets: sockets, log: log}
	b.mux = muxOf(sockets, log)
	return b, nil
}

// Close closes the sockets. The calls must have ended.
func (b *Broadcast) Close() error {
	errs := []error{b.mux.Close()}
	for _, socket := range b.sockets {
		if err := socket.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Passed counts the packets that were passed on.
func (b *Broadcast) Passed() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.passed
}

// pass sends a packet to all listeners. When the speaker's media begin anew, numbers and times
// go on where they were, or listeners would take everything for late.
func (b *Broadcast) pass(packet *rtp.Packet) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if packet.SSRC != b.source {
		if b.passed > 0 {
			b.dseq = b.seq + 1 - packet.SequenceNumber
			b.dstamp = b.stamp + opusClock/50 - packet.Timestamp
		}
		b.source = packet.SSRC
	}
	packet.SequenceNumber += b.dseq
	packet.Timestamp += b.dstamp
	packet.Extension, packet.Extensions = false, nil // they were for this hop
	if ahead := int16(packet.SequenceNumber - b.seq); ahead > 0 || b.passed == 0 {
		b.seq, b.stamp = packet.SequenceNumber, packet.Timestamp
	}
	b.passed++
	if err := b.track.WriteRTP(packet); err != nil {
		b.log.Debug("peer: a packet did not go to everybody", "error", err)
	}
}

// AcceptFor takes the call and passes its sound on to the listeners of b; it sends nothing.
func (in *Incoming) AcceptFor(ctx context.Context, b *Broadcast) (*Call, error) {
	in.call.mu.Lock()
	in.call.into = b
	in.call.mu.Unlock()
	return in.Accept(ctx, rtc.Audio)
}

// Ring calls one device of a user, to hear what b passes on. What it sends back is not taken.
// It is for endpoints of the server, see rtc.AttentionID; errors are those of Call.
func (p *Peer) Ring(ctx context.Context, user, device string, b *Broadcast) (*Call, error) {
	c := p.newCall(newCallID(), rtc.Audio)
	c.feed = b
	return p.invite(ctx, c, &rtc.CallInvite{Call: c.id, To: user, Media: rtc.Audio, Device: device})
}

// feeds makes the connection to a listener: one track, one way.
func (c *connection) feeds() error {
	only := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}
	transceiver, err := c.pc.AddTransceiverFromTrack(c.feed.track, only)
	if err != nil {
		return fmt.Errorf("add the track: %w", err)
	}
	c.start(func() {
		for { // pion reads RTCP only as long as somebody asks for it
			if _, _, err := transceiver.Sender().ReadRTCP(); err != nil {
				return
			}
		}
	})
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		return fmt.Errorf("create the offer: %w", err)
	}
	return c.describe(offer)
}
