package peer

import (
	"net/netip"
	"time"

	"github.com/pion/webrtc/v4"
)

// Report is how the media of a call is doing. The durations count from
// call.started; 0 means not yet.
type Report struct {
	Call  string
	Gen   int
	State string // of the RTCPeerConnection: new, connecting, connected, ...
	Pair  *Pair  // the selected candidate pair, nil while there is none
	Audio Flow
	Video Flow
	Echo  Echo

	Connected   time.Duration // until ICE and DTLS were through
	FirstPacket time.Duration // until the first RTP packet came
}

// Pair is a selected candidate pair (RFC 8445).
type Pair struct {
	Local, Remote Candidate
	RTT           time.Duration // of the last connectivity check
}

// Relayed tells whether the pair goes through a relay.
func (p *Pair) Relayed() bool { return p.Local.Type == "relay" || p.Remote.Type == "relay" }

// Candidate is one end of a pair.
type Candidate struct {
	Type          string // host, srflx, prflx or relay
	Protocol      string // between the two candidates: udp
	RelayProtocol string // how this side reaches its relay: udp, tcp or tls
	Addr          netip.AddrPort
}

// Flow is one kind of media, both ways.
type Flow struct {
	Sent, Received Count
	Lost           uint64 // not received, by sequence number (RFC 3550, appendix A.3)
}

// Count counts RTP packets and the bytes of their payloads.
type Count struct{ Packets, Bytes uint64 }

// Echo is the round trip over the data channel, between two Peers.
type Echo struct {
	Sent, Received uint64
	Last, Best     time.Duration
}

// flow is a Flow as it is being counted.
type flow struct {
	sent, received Count
	lost           uint64
	first          time.Time
}

func (c *Count) add(bytes int) {
	c.Packets++
	c.Bytes += uint64(bytes)
}

func (f *flow) report() Flow { return Flow{Sent: f.sent, Received: f.received, Lost: f.lost} }

// report takes a picture of the connection as it is now.
func (c *connection) report() Report {
	c.reporting.Lock()
	defer c.reporting.Unlock()
	if c.final != nil {
		return *c.final
	}
	var pair *Pair
	if c.isConnected() { // before, pion is still setting up what is read here
		pair = c.selectedPair()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := Report{
		Gen: c.gen, State: c.pc.ConnectionState().String(), Pair: pair,
		Audio: c.audio.report(), Video: c.video.report(),
		Echo: Echo{Sent: c.echo.sent, Received: c.echo.received, Last: c.echo.last, Best: c.echo.best},
	}
	if !c.connected.IsZero() {
		r.Connected = c.connected.Sub(c.began)
	}
	for _, f := range []*flow{&c.audio, &c.video} {
		if took := f.first.Sub(c.began); !f.first.IsZero() && (r.FirstPacket == 0 || took < r.FirstPacket) {
			r.FirstPacket = took
		}
	}
	return r
}

func (c *connection) selectedPair() *Pair {
	transport := c.pc.SCTP().Transport().ICETransport()
	pair, err := transport.GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return nil
	}
	p := &Pair{Local: candidate(pair.Local), Remote: candidate(pair.Remote)}
	if pair.Local.Typ == webrtc.ICECandidateTypeRelay {
		p.Local.RelayProtocol = c.relays.protocol(pair.Local.RelatedPort)
	}
	// A relay that is heard before its candidate is known is taken for a peer's
	// own address (RFC 8445, section 7.3.1.3).
	c.mu.Lock()
	if p.Remote.Type == "prflx" && c.theirs == "relay" {
		p.Remote.Type = "relay"
	}
	c.mu.Unlock()
	if stats, ok := transport.GetSelectedCandidatePairStats(); ok {
		p.RTT = time.Duration(stats.CurrentRoundTripTime * float64(time.Second))
	}
	return p
}

func candidate(c *webrtc.ICECandidate) Candidate {
	addr, err := netip.ParseAddr(c.Address)
	if err != nil {
		addr = netip.Addr{} // a name
	}
	return Candidate{Type: c.Typ.String(), Protocol: c.Protocol.String(), Addr: netip.AddrPortFrom(addr, c.Port)}
}

// sequence follows the sequence numbers of one stream.
type sequence struct {
	begun    bool
	first    uint64
	highest  uint64 // extended to 64 bits
	received uint64
}

// add takes a packet's number. One that is far behind counts as a new round
// only when it is ahead by less than half of all numbers.
func (s *sequence) add(number uint16) {
	if !s.begun {
		s.begun, s.first, s.highest = true, uint64(number)+1<<16, uint64(number)+1<<16
	}
	extended := s.highest + uint64(int64(int16(number-uint16(s.highest))))
	s.highest = max(s.highest, extended)
	s.first = min(s.first, extended)
	s.received++
}

// lost is how many numbers are missing; a packet that comes late makes it fall.
func (s *sequence) lost() uint64 {
	if expected := s.highest - s.first + 1; s.begun && expected > s.received {
		return expected - s.received
	}
	return 0
}
