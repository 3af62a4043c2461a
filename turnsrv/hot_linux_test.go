package turnsrv

import (
	"encoding/binary"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"fieldphone/turnsrv/relay"
)

// hotSpot is a server with two allocations whose clients have bound channels to
// a peer and to each other, driven without sockets in between.
type hotSpot struct {
	server   *Server
	one, two *relayConn
	peer     netip.AddrPort
	up       *upward
	down     *downward
}

const (
	toPeer  = 0x4000
	toOther = 0x4001
)

func newHotSpot(b *testing.B) *hotSpot {
	b.Helper()
	home := netip.MustParseAddr("127.0.0.1")
	listeners, err := Open(b.Context(), []netip.Addr{home}, 0)
	if err != nil {
		b.Fatal(err)
	}
	s, err := New(Config{
		Realm: "bench", Secret: []byte("0123456789abcdef"), Logger: slog.New(slog.DiscardHandler), Now: time.Now,
		Listeners: listeners, Relay: PortRange{20000, 29999}, Path: PathUser,
		Policy: Policy{Mode: ModeAny, AllowLoopback: true},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	h := &hotSpot{server: s}
	h.peer = h.sinkhole(b)
	var e *endpoint
	for each := range s.listeners[0].endpoints {
		e = each
	}
	h.up = &upward{sink: newSink(), endpoint: e}
	if h.down, err = newDownward(s); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(h.down.poller.Close)
	h.one, h.two = h.allocate(b, e), h.allocate(b, e)
	h.bind(h.one, h.two)
	h.bind(h.two, h.one)
	return h
}

// sinkhole is where packets end.
func (h *hotSpot) sinkhole(b *testing.B) netip.AddrPort {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 3)}) // not the server's own
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return addrPort(conn.LocalAddr())
}

func (h *hotSpot) allocate(b *testing.B, e *endpoint) *relayConn {
	e.pending = &admission{client: h.sinkhole(b)}
	if refusal := h.server.sessions.reserve("", 10, 0); refusal != nil {
		b.Fatal(refusal.reason)
	}
	conn, _, err := e.AllocatePacketConn("udp4", 0)
	if err != nil {
		b.Fatal(err)
	}
	return conn.(*relayConn)
}

func (h *hotSpot) bind(r, other *relayConn) {
	for number, peer := range map[uint16]netip.AddrPort{toPeer: h.peer, toOther: other.told} {
		r.gate.setPermission(peer.Addr(), true)
		r.gate.setChannel(number, peer, true)
	}
}

func channelFrame(number uint16, size int) []byte {
	frame := make([]byte, headerSize+size)
	binary.BigEndian.PutUint16(frame, number)
	binary.BigEndian.PutUint16(frame[2:], uint16(size))
	return frame
}

const hotPayload = 200

// forwarded fails a benchmark that has measured how packets are dropped.
func (h *hotSpot) forwarded(b *testing.B, counted *trafficCounters) {
	b.Helper()
	if got := counted.snapshot(); got.PacketsOut != int64(b.N) || got.SendErrors > 0 {
		b.Errorf("%d of %d packets were sent, %d failed", got.PacketsOut, b.N, got.SendErrors)
	}
}

// BenchmarkUp is from client to peer, with the system calls.
func BenchmarkUp(b *testing.B) {
	h := newHotSpot(b)
	d := relay.Datagram{Data: channelFrame(toPeer, hotPayload), From: h.one.client}
	b.ReportAllocs()
	for b.Loop() {
		if !h.up.forward(d) {
			b.Fatal("not forwarded")
		}
	}
	h.up.sink.flush()
	h.forwarded(b, &h.server.counters.relay)
}

// BenchmarkHairpin is from client to client by two allocations.
func BenchmarkHairpin(b *testing.B) {
	h := newHotSpot(b)
	frame := channelFrame(toOther, hotPayload)
	b.ReportAllocs()
	for b.Loop() {
		binary.BigEndian.PutUint16(frame, toOther)
		if !h.up.forward(relay.Datagram{Data: frame, From: h.one.client}) {
			b.Fatal("not forwarded")
		}
	}
	h.up.sink.flush()
	h.forwarded(b, &h.server.counters.udp)
}

// BenchmarkDown is from peer to client.
func BenchmarkDown(b *testing.B) {
	h := newHotSpot(b)
	d := relay.Datagram{Data: make([]byte, hotPayload), From: h.peer}
	b.ReportAllocs()
	for b.Loop() {
		if !h.down.forward(h.one, d) {
			b.Fatal("not forwarded")
		}
	}
	h.down.flush()
	h.forwarded(b, &h.server.counters.udp)
}

// BenchmarkIndicate is from a peer without a channel.
func BenchmarkIndicate(b *testing.B) {
	data, peer := make([]byte, hotPayload), netip.MustParseAddrPort("192.168.1.2:5000")
	p := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		p = appendIndication(p[:0], data, peer)
	}
}

// BenchmarkTrainHeaders looks at a train of eight.
func BenchmarkTrainHeaders(b *testing.B) {
	one := channelFrame(toPeer, 1200)
	var all []byte
	for range 8 {
		all = append(all, one...)
	}
	d := relay.Datagram{Data: all, Segment: len(one)}
	b.ReportAllocs()
	for b.Loop() {
		if !isChannelData(one) || !evenTrain(d, one, 1200) {
			b.Fatal("not even")
		}
	}
}
