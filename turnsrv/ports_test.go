package turnsrv_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/stun/v3"

	"fieldphone/turnsrv"
)

func TestRelayPortsAreExact(t *testing.T) {
	span := freeRange(t, 8)
	s := startSite(t, func(c *turnsrv.Config) { c.Relay = span })
	dialNew := func(n int) *client {
		username, password := s.login("ann", fmt.Sprintf("S%d", n))
		return dial(t, "udp", s.udp[addrOne], username, password)
	}
	held := make(map[uint16]*client)
	for n := range 8 {
		c := dialNew(n)
		port := c.allocate().Port()
		if held[port] != nil {
			t.Fatalf("port %d given twice", port)
		}
		held[port] = c
	}
	for n := range 3 {
		if got := code(dialNew(100 + n).tryAllocate()); got != stun.CodeInsufficientCapacity {
			t.Errorf("Allocate when full: got %d, want 508", got)
		}
	}
	if got := strings.Count(s.log.String(), "(8 ports now)"); got != 1 {
		t.Errorf("the log must say once what to change:\n%s", s.log)
	}
	stats := s.Stats()
	if stats.RelayPorts != (turnsrv.RelayPorts{Used: 8, Free: 8, Peak: 8}) || stats.AllocationsRefused.Ports != 3 {
		t.Errorf("got %+v", stats)
	}
	// The other address has a range of its own.
	want := []turnsrv.PortUse{
		{Address: addrOne, Range: span, Used: 8, Peak: 8, Refused: 3},
		{Address: addrTwo, Range: span, Free: 8},
	}
	if diff := cmp.Diff(want, s.Ports(), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	username, password := s.login("bob", "T")
	dial(t, "tcp", s.tcp[addrTwo], username, password).allocate()

	for port, c := range held {
		c.must(c.request(stun.MethodRefresh, lifetime(0)))
		if got := dialNew(int(port)).allocate().Port(); got != port {
			t.Errorf("got port %d, want the one given back, %d", got, port)
		}
	}
}

func TestRelayPortsOfOthersArePassedOver(t *testing.T) {
	span := freeRange(t, 4)
	taken := bindTo(t, netip.AddrPortFrom(addrOne, span.Min+2))
	s := startSite(t, func(c *turnsrv.Config) { c.Relay = span })
	username, password := s.login("ann", "S1")
	for range 3 {
		if got := dial(t, "udp", s.udp[addrOne], username, password).allocate().Port(); got == span.Min+2 {
			t.Errorf("got port %d, which another socket holds", got)
		}
	}
	if got := code(dial(t, "udp", s.udp[addrOne], username, password).tryAllocate()); got != stun.CodeInsufficientCapacity {
		t.Errorf("got %d, want 508", got)
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	if got := dial(t, "udp", s.udp[addrOne], username, password).allocate().Port(); got != span.Min+2 {
		t.Errorf("got port %d, want %d", got, span.Min+2)
	}
}

func TestEvenPort(t *testing.T) {
	span := freeRange(t, 4) // two even, two odd
	s := startSite(t, func(c *turnsrv.Config) { c.Relay = span })
	username, password := s.login("ann", "S1")
	even := raw{stun.AttrEvenPort, []byte{0}}
	for range 2 {
		c := dial(t, "udp", s.udp[addrOne], username, password)
		m := c.tryAllocate(even)
		c.must(m)
		if got := c.address(m, stun.AttrXORRelayedAddress).Port(); got%2 != 0 {
			t.Errorf("EVEN-PORT: got %d", got)
		}
	}
	if got := code(dial(t, "udp", s.udp[addrOne], username, password).tryAllocate(even)); got != stun.CodeInsufficientCapacity {
		t.Errorf("with only odd ports left: got %d, want 508", got)
	}
	for range 2 {
		dial(t, "udp", s.udp[addrOne], username, password).allocate()
	}
	if got := s.Stats(); got.Allocations != 4 || got.RelayPorts.Used != 4 {
		t.Errorf("got %+v", got)
	}
}
