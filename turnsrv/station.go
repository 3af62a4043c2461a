package turnsrv

import (
	"net/netip"

	"fieldphone/turnsrv/relay"
)

const (
	// maxRelayed (bytes) is what a packet may have: less than pion/turn's buffers,
	// so that every path relays the same.
	maxRelayed = 1600
	// headerSize (bytes) of ChannelData (RFC 8656 section 12.4).
	headerSize = 4
	// stunHeader (bytes) of a STUN message (RFC 8489 section 5).
	stunHeader = 20
)

// sink gathers what is to be sent on one socket after the other.
type sink struct {
	writer *relay.Writer
	socket *relay.Socket // of what waits
	// traffic counts what waits, by packets and bytes.
	traffic        *trafficCounters
	packets, bytes int
	heads          [relay.MaxBatch][headerSize]byte
}

func newSink() *sink { return &sink{writer: relay.NewWriter(relay.MaxBatch, false)} }

// add takes a datagram, or a train of so many, that goes out on a socket. A head,
// if there is one, is copied.
func (s *sink) add(socket *relay.Socket, traffic *trafficCounters, head [headerSize]byte, headed bool, d relay.Datagram, skip int, to netip.AddrPort) {
	datagrams := d.Count()
	if s.socket != socket || !s.writer.Room(datagrams) {
		s.flush()
		s.socket, s.traffic = socket, traffic
	}
	var before []byte
	if headed {
		slot := &s.heads[s.writer.Waiting()]
		*slot = head
		before = slot[:]
	}
	s.packets += datagrams
	if d.Segment > 0 {
		s.bytes += len(d.Data) + datagrams*(len(before)-skip)
		s.writer.AddTrain(before, d.Data, d.Segment, skip, to)
		return
	}
	s.bytes += len(d.Data) - skip + len(before)
	s.writer.Add(before, d.Data[skip:], to)
}

// flush sends what waits. As with any datagram, what cannot be sent is lost.
func (s *sink) flush() {
	if s.writer.Waiting() == 0 {
		return
	}
	failed, _ := s.writer.FlushTo(s.socket)
	s.traffic.packetsOut.Add(int64(s.packets - failed))
	s.traffic.bytesOut.Add(int64(s.bytes))
	s.traffic.sendErrors.Add(int64(failed))
	s.packets, s.bytes = 0, 0
}
