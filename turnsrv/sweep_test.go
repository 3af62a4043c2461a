package turnsrv_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"fieldphone/turnsrv"
)

// check sends a Binding request and returns the answer, or nil if there is
// none before a wait is over.
func check(t *testing.T, to netip.AddrPort, wait time.Duration, setters ...stun.Setter) *stun.Message {
	t.Helper()
	conn := listenUDP(t, addrPeer)
	request, err := stun.Build(append([]stun.Setter{stun.TransactionID, stun.BindingRequest}, setters...)...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.WriteToUDPAddrPort(request.Raw, to); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 1500)
	n, from, err := conn.ReadFromUDPAddrPort(buffer)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	answer := &stun.Message{Raw: buffer[:n]}
	if err := answer.Decode(); err != nil || answer.TransactionID != request.TransactionID || from != to {
		t.Fatalf("got %v from %s, %v", answer, from, err)
	}
	var mapped stun.XORMappedAddress
	if err := mapped.GetFrom(answer); err != nil || mapped.Port != int(local(conn).Port()) || !mapped.IP.Equal(net.IP(addrPeer.AsSlice())) {
		t.Errorf("mapped address %v, %v, want %s", mapped, err, local(conn))
	}
	return answer
}

// unanswered asserts that the port is silent to a request; another, that it
// answers, follows on the same port.
func unanswered(t *testing.T, to netip.AddrPort, setters ...stun.Setter) {
	t.Helper()
	if got := check(t, to, 100*time.Millisecond, setters...); got != nil {
		t.Errorf("got %v, want silence", got)
	}
}

// Every port of a sweep answers like an ICE lite agent.
func TestSweepAnswersAsICELite(t *testing.T) {
	s := startSite(t)
	const life = 30 * time.Second
	began := time.Now()
	sweep, err := s.Sweep(addrOne, 6, life)
	if err != nil {
		t.Fatal(err)
	}
	if len(sweep.Ports) != 6 || sweep.Address != addrOne || len(sweep.Ufrag) < 4 || len(sweep.Password) < 22 ||
		sweep.Expires.Before(began) || sweep.Expires.After(time.Now().Add(life)) {
		t.Fatalf("got %+v", sweep)
	}
	// A sample of six in 32 ports reaches into each sixth of them.
	for i, port := range sweep.Ports {
		if slot := (int(port) - int(s.relay.Min)) * 6 / 32; slot < i-1 || slot > i {
			t.Errorf("port %d of %s is number %d of the sample: it is not spread", port, s.relay, i)
		}
	}
	username := stun.NewUsername(sweep.Ufrag + ":peer")
	good := stun.NewShortTermIntegrity(sweep.Password)
	for _, port := range sweep.Ports {
		at := netip.AddrPortFrom(addrOne, port)
		if got := check(t, at, patience); got == nil || got.Type != stun.BindingSuccess || got.Contains(stun.AttrMessageIntegrity) {
			t.Errorf("port %d: got %v to a plain request", port, got)
		}
	}
	at := netip.AddrPortFrom(addrOne, sweep.Ports[0])
	eventually(t, "a check is answered", func() bool {
		got := check(t, at, 100*time.Millisecond, username, good, stun.Fingerprint)
		return got != nil && good.Check(got) == nil && stun.Fingerprint.Check(got) == nil
	})
	unanswered(t, at, username, stun.NewShortTermIntegrity("guessed"))
	unanswered(t, at, username)
	unanswered(t, at, stun.NewUsername("other:peer"), good)
	if got := s.Ports()[0]; got.Free != 32 || got.Used != 0 {
		t.Errorf("lent ports are not free: %+v", got)
	}
}

func TestSweepEndsInTime(t *testing.T) {
	s := startSite(t)
	sweep, err := s.Sweep(addrOne, 4, 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the ports are given back", func() bool { return rangeIsFree(int(s.relay.Min), 32) })
	if early := time.Until(sweep.Expires); early > 0 {
		t.Errorf("%v early", early)
	}
}

// Calls come first: a sweep gets a share of what is free, and loses it to the
// allocation that finds no other port.
func TestSweepYieldsToAllocations(t *testing.T) {
	span := freeRange(t, 8)
	s := startSite(t, func(c *turnsrv.Config) { c.Relay = span })
	username, password := s.login("ann", "S1")
	sweep, err := s.Sweep(addrOne, 8, time.Minute)
	if err != nil || len(sweep.Ports) != 2 {
		t.Fatalf("got %+v, %v, want a quarter of eight ports", sweep, err)
	}
	if _, err := s.Sweep(addrOne, 1, time.Minute); !errors.Is(err, turnsrv.ErrNoSweep) {
		t.Errorf("beyond the share: got %v", err)
	}
	got := make(map[uint16]bool)
	for range 6 {
		got[dial(t, "udp", s.udp[addrOne], username, password).allocate().Port()] = true
	}
	for _, port := range sweep.Ports {
		if got[port] || check(t, netip.AddrPortFrom(addrOne, port), patience) == nil {
			t.Errorf("port %d was taken from the sweep though others were free", port)
		}
	}
	for range 2 {
		got[dial(t, "udp", s.udp[addrOne], username, password).allocate().Port()] = true
	}
	if len(got) != 8 {
		t.Errorf("got %d ports of eight", len(got))
	}
	if got := code(dial(t, "udp", s.udp[addrOne], username, password).tryAllocate()); got != stun.CodeInsufficientCapacity {
		t.Errorf("the ninth: got %d, want 508", got)
	}
	want := turnsrv.PortUse{Address: addrOne, Range: span, Used: 8, Peak: 8, Refused: 1}
	if got := s.Ports()[0]; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// A sweep ends with its range, its address and its server; startSite sees
// whether Close waits for it.
func TestSweepEndsWithItsRange(t *testing.T) {
	low, high := halves(t)
	s := startSite(t, func(c *turnsrv.Config) { c.Relay = low })
	if _, err := s.Sweep(addrOne, 2, time.Minute); err != nil {
		t.Fatal(err)
	}
	s.mustApply(func(n *turnsrv.Settings) { n.Relay = high })
	if !rangeIsFree(int(low.Min), 8) {
		t.Error("the old range is still held")
	}
	for _, address := range []netip.Addr{addrOne, addrTwo} {
		if _, err := s.Sweep(address, 2, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Remove(addrOne); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sweep(addrOne, 1, time.Minute); !errors.Is(err, turnsrv.ErrSweepAddress) {
		t.Errorf("an address that is not served: got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all ports are given back", func() bool { return rangeIsFree(int(high.Min), 8) })
}

func TestSweepOfNothing(t *testing.T) {
	s := startSite(t)
	for _, c := range []struct {
		n    int
		life time.Duration
	}{{0, time.Second}, {-1, time.Second}, {1, 0}} {
		if got, err := s.Sweep(addrOne, c.n, c.life); err == nil {
			t.Errorf("a sweep of %d ports for %v: got %+v", c.n, c.life, got)
		}
	}
	long, err := s.Sweep(addrOne, 1000, time.Hour)
	if err != nil || len(long.Ports) != 8 || time.Until(long.Expires) > time.Minute {
		t.Errorf("got %+v, %v, want it cut to a quarter of the ports and a minute", long, err)
	}
}
