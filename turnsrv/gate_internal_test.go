package turnsrv

import (
	"encoding/binary"
	"log/slog"
	"net/netip"
	"testing"
)

// openGate is a gate in a mode by identity with one outside peer that answered.
func openGate(tb testing.TB) (*gate, netip.AddrPort) {
	tb.Helper()
	peer := netip.MustParseAddrPort("192.0.2.1:5000")
	g := newGate(newPeerRules(Policy{Mode: ModeClients}, slog.New(slog.DiscardHandler)), func(Mode, netip.Addr) bool { return true }, func() {})
	g.setPermission(peer.Addr(), true)
	request := binary.BigEndian.AppendUint16(nil, bindingRequest)
	request = append(request, 0, 0, 0x21, 0x12, 0xa4, 0x42)
	request = append(request, make([]byte, 12)...)
	if !g.inbound(request, peer, g.rules.now.Load()) {
		tb.Fatal("the peer's request did not pass")
	}
	return g, peer
}

func both(tb testing.TB, g *gate, packet []byte, peer netip.AddrPort) {
	if to, verdict := g.outbound(packet, peer); verdict != passes || to != peer {
		tb.Fatalf("to %s: %v", to, verdict)
	}
	if !g.inbound(packet, peer, g.rules.now.Load()) {
		tb.Fatal("inbound")
	}
}

func TestGateMakesNoGarbage(t *testing.T) {
	g, peer := openGate(t)
	packet := make([]byte, 200)
	if got := testing.AllocsPerRun(100, func() { both(t, g, packet, peer) }); got != 0 {
		t.Errorf("%v allocations for a packet each way, want 0", got)
	}
}

// BenchmarkGate is the gate's share of a packet each way.
func BenchmarkGate(b *testing.B) {
	g, peer := openGate(b)
	packet := make([]byte, 200)
	for b.Loop() {
		both(b, g, packet, peer)
	}
}
