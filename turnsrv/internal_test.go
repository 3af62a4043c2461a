package turnsrv

import (
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"fieldphone/turnsrv/credential"
)

// A session may end between the quota's yes and the port's opening.
func TestReservationOfAnEndedSession(t *testing.T) {
	now := time.Unix(1700000000, 0)
	s := newSessions()
	if first, second := s.reserve("S1", 1, 0), s.reserve("S1", 1, 0); first != nil || second != &refuseQuota {
		t.Fatalf("the quota of one must admit one: got %v, %v", first, second)
	}
	if got := s.reserve("S2", 1, 1); got != &refuseTotal {
		t.Fatalf("one more than one in all: got %v", got)
	}
	if got := s.end("S1", now, now.Add(time.Hour)); len(got) != 0 {
		t.Errorf("end: got %d allocations, want 0", len(got))
	}
	if s.attach(&relayConn{identity: credential.Identity{SessionID: "S1"}}) {
		t.Error("an allocation was attached to an ended session")
	}
	if len(s.live) != 0 || s.count != 0 {
		t.Errorf("left: %d sessions, %d allocations", len(s.live), s.count)
	}
}

func TestRevocationsAreBounded(t *testing.T) {
	now := time.Unix(1700000000, 0)
	s := newSessions()
	name := func(i int) string { return string([]byte{byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range maxRevoked + 10 {
		s.end(name(i), now, now.Add(time.Hour))
	}
	if got := s.revocations(); got != maxRevoked {
		t.Errorf("remembered: got %d, want %d", got, maxRevoked)
	}
	if s.isRevoked(name(9)) || !s.isRevoked(name(10)) || !s.isRevoked(name(maxRevoked+9)) {
		t.Error("the oldest must be forgotten first")
	}
	if len(s.queue) != len(s.revoked) {
		t.Errorf("queue %d, set %d", len(s.queue), len(s.revoked))
	}
}

// What is ours makes no garbage per packet, on any of the four ways.
func TestNoAllocationPerPacket(t *testing.T) {
	a, b := loopbackSocket(t), loopbackSocket(t)
	server := &Server{began: time.Now()}
	server.settings.Store(&Settings{Limits: Limits{BitsPerAllocation: 1 << 30, Bits: 1 << 30}})
	home := netip.MustParseAddr("127.0.0.1")
	pool := newPortPool(home, PortRange{1024, 65535}, bindRelay)
	pool.hold(addrPort(b.LocalAddr()).Port(), home)
	server.peers = newPeerRules(Policy{Mode: ModeAny, AllowLoopback: true}, slog.New(slog.DiscardHandler))
	server.peers.set([]Listener{{UDP: a, Address: home}}, map[netip.Addr]*portPool{home: pool})
	relay := &relayConn{conn: a, server: server}
	relay.gate = newGate(server.peers, relay.known, func() {})
	relay.gate.setPermission(home, true)
	front := newEndpoint(server, &listener{}, netip.MustParseAddr("127.0.0.1"), newUDPSocket(a, &server.counters))

	data := append([]byte{0x40, 0, 0, 100}, make([]byte, 100)...)
	buffer := make([]byte, 1600)
	toA, toB := addrPort(a.LocalAddr()), b.LocalAddr()
	for name, conn := range map[string]net.PacketConn{"relay": relay, "endpoint": front} {
		allocations := testing.AllocsPerRun(100, func() {
			if _, err := b.WriteToUDPAddrPort(data, toA); err != nil {
				t.Fatal(err)
			}
			if n, _, err := conn.ReadFrom(buffer); err != nil || n != len(data) {
				t.Fatal(n, err)
			}
			if _, err := conn.WriteTo(data, toB); err != nil {
				t.Fatal(err)
			}
			if n, _, err := b.ReadFromUDPAddrPort(buffer); err != nil || n != len(data) {
				t.Fatal(n, err)
			}
		})
		if allocations != 0 {
			t.Errorf("%s: %v allocations for a packet each way, want 0", name, allocations)
		}
	}
}

func loopbackSocket(t *testing.T) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
