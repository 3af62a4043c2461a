package turnsrv_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"fieldphone/turnsrv"
)

// halves are two ranges of eight free ports each.
func halves(t *testing.T) (low, high turnsrv.PortRange) {
	t.Helper()
	span := freeRange(t, 16)
	return turnsrv.PortRange{Min: span.Min, Max: span.Min + 7}, turnsrv.PortRange{Min: span.Min + 8, Max: span.Max}
}

func (s *site) mustApply(change func(*turnsrv.Settings)) {
	s.t.Helper()
	settings := s.Settings()
	change(&settings)
	if err := s.Apply(settings); err != nil {
		s.t.Fatal(err)
	}
}

// Two allocations exchange packets with each other, and one of them with an
// outside peer, while the range moves to and fro: no packet may be lost, and
// an allocation of the new range reaches those of the old one.
func TestRangeMovesUnderRunningCalls(t *testing.T) {
	for _, mode := range []turnsrv.Mode{turnsrv.ModeClients, turnsrv.ModeAny} {
		t.Run(string(mode), func(t *testing.T) {
			low, high := halves(t)
			s := startSite(t, byIdentity(mode, knows(addrPeer)), func(c *turnsrv.Config) { c.Relay = low })
			username, password := s.login("ann", "S1")
			a, b := dial(t, "udp", s.udp[addrOne], username, password), dial(t, "tcp", s.tcp[addrTwo], username, password)
			relayedA, relayedB := a.allocate(), b.allocate()
			a.must(a.bindChannel(0x4000, relayedB))
			b.must(b.bindChannel(0x4000, relayedA))
			peer := listenUDP(t, addrPeer)
			a.must(a.bindChannel(0x4001, local(peer)))
			reply(t, peer, relayedA, string(binding(t, stun.ClassRequest, 20)))
			a.next()

			var applies sync.WaitGroup
			done := make(chan struct{})
			applies.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-done:
						return
					default:
					}
					settings := s.Settings()
					settings.Relay = []turnsrv.PortRange{high, low}[i%2]
					settings.Limits.AllocationsPerSession = 5 + i%2
					if err := s.Apply(settings); err != nil {
						t.Errorf("Apply: %v", err)
					}
				}
			})
			for i := range 1000 {
				want := fmt.Sprint("packet ", i)
				a.sendChannel(0x4000, want)
				if _, _, got := b.next(); got != want {
					t.Fatalf("b got %q, want %q", got, want)
				}
				b.sendChannel(0x4000, want)
				if _, _, got := a.next(); got != want {
					t.Fatalf("a got %q, want %q", got, want)
				}
				a.sendChannel(0x4001, want)
				expectFrom(t, peer, want)
				reply(t, peer, relayedA, want)
				if _, _, got := a.next(); got != want {
					t.Fatalf("a got %q from the peer, want %q", got, want)
				}
			}
			close(done)
			applies.Wait()

			s.mustApply(func(n *turnsrv.Settings) { n.Relay = high })
			for _, u := range s.Ports() {
				if want := (turnsrv.PortUse{Address: u.Address, Range: high, Outside: 1, Free: 8, Peak: 1}); u != want {
					t.Errorf("got %+v, want %+v", u, want)
				}
			}
			for _, allocation := range s.Allocations() {
				if !allocation.Outside {
					t.Errorf("%s is not marked as outside of %s", allocation.Relayed, high)
				}
			}
			c := dial(t, "udp", s.udp[addrTwo], username, password)
			relayedC := c.allocate()
			if !inRange(high, relayedC) {
				t.Errorf("a new allocation got %s, outside of %s", relayedC, high)
			}
			a.must(a.permit(relayedC.Addr()))
			c.must(c.permit(relayedA.Addr()))
			a.indicate(relayedC, "from the old range")
			if _, from, got := c.next(); from != relayedA || got != "from the old range" {
				t.Errorf("got %q from %s", got, from)
			}
			c.indicate(relayedA, "from the new range")
			if _, from, got := a.next(); from != relayedC || got != "from the new range" {
				t.Errorf("got %q from %s", got, from)
			}
			a.must(a.request(stun.MethodRefresh, lifetime(600)))

			// A port outside is not given out again.
			a.must(a.request(stun.MethodRefresh, lifetime(0)))
			if want := (turnsrv.PortUse{Address: addrOne, Range: high, Free: 8, Peak: 1}); s.Ports()[0] != want {
				t.Errorf("after the end: got %+v, want %+v", s.Ports()[0], want)
			}
		})
	}
}

func inRange(span turnsrv.PortRange, a netip.AddrPort) bool {
	return a.Port() >= span.Min && a.Port() <= span.Max
}

// Whatever is wrong, all is named and nothing changes.
func TestApplyIsAllOrNothing(t *testing.T) {
	low, high := halves(t)
	s := startSite(t, func(c *turnsrv.Config) { c.Relay = low })
	own := s.udp[addrTwo].Port()
	for port := high.Min; port <= high.Max; port++ {
		bindTo(t, netip.AddrPortFrom(addrTwo, port))
	}
	before := s.Settings()
	span := func(low, high uint16) func(*turnsrv.Settings) {
		return func(n *turnsrv.Settings) { n.Relay = turnsrv.PortRange{Min: low, Max: high} }
	}
	for name, c := range map[string]struct {
		change func(*turnsrv.Settings)
		want   string // keys and codes
		says   string
	}{
		"reversed":        {span(40010, 40001), "relay_ports range_reversed", "40010-40001"},
		"privileged":      {span(1000, 1100), "relay_ports range_privileged", "1024"},
		"zero":            {span(0, 0), "relay_ports range_privileged", "1024"},
		"our own port":    {span(own-2, own+2), "relay_ports range_own_port", fmt.Sprint(own)},
		"taken by others": {span(high.Min, high.Max), "relay_ports range_taken", addrTwo.String()},
		"mode":            {func(n *turnsrv.Settings) { n.Policy.Mode = "friends" }, "peers.mode mode_unknown", "friends"},
		"allow":           {func(n *turnsrv.Settings) { n.Policy.Allow = make([]netip.Prefix, 1) }, "peers.allow prefix_invalid", "10.20.0.0/16"},
		"deny":            {func(n *turnsrv.Settings) { n.Policy.Deny = make([]netip.Prefix, 1) }, "peers.deny prefix_invalid", "10.20.0.0/16"},
		"limits":          {func(n *turnsrv.Settings) { n.Limits.Bits = -1 }, "limits limit_negative", "negative"},
		"several": {func(n *turnsrv.Settings) {
			span(70, 60)(n)
			n.Policy.Mode = "x"
		}, "relay_ports range_reversed, relay_ports range_privileged, peers.mode mode_unknown", "70-60"},
	} {
		t.Run(name, func(t *testing.T) {
			settings := s.Settings()
			settings.Limits.Allocations = 7
			settings.Policy.Deny = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
			c.change(&settings)
			_, previewed := s.Preview(settings)
			for call, err := range map[string]error{"Preview": previewed, "Apply": s.Apply(settings)} {
				var problems *turnsrv.SettingsError
				if !errors.As(err, &problems) {
					t.Fatalf("%s: got %v, want a *SettingsError", call, err)
				}
				var got []string
				for _, p := range problems.Problems {
					got = append(got, p.Key+" "+p.Code)
				}
				if strings.Join(got, ", ") != c.want || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s: got %q (%v), want %q, %q", call, got, err, c.want, c.says)
				}
			}
			if got := s.Settings(); got.Relay != before.Relay || got.Limits != before.Limits || len(got.Policy.Deny) != 0 {
				t.Errorf("changed to %+v", got)
			}
		})
	}
}

// A listener may not come to lie in the range, whichever of the two came last.
func TestListenersStayOutOfAMovedRange(t *testing.T) {
	low, high := halves(t)
	s := startSite(t, func(c *turnsrv.Config) { c.Relay = low })
	inHigh := bindTo(t, netip.AddrPortFrom(addrOne, high.Min))
	s.mustApply(func(n *turnsrv.Settings) { n.Relay = high })
	if err := s.Add(turnsrv.Listener{UDP: inHigh, Address: addrOne}); err == nil || !strings.Contains(err.Error(), high.String()) {
		t.Errorf("a listener in the new range: got %v", err)
	}
	inLow := bindTo(t, netip.AddrPortFrom(addrOne, low.Min))
	if err := s.Add(turnsrv.Listener{UDP: inLow, Address: addrOne}); err != nil {
		t.Errorf("a listener in the old range: %v", err)
	}
}

func TestPreview(t *testing.T) {
	low, high := halves(t)
	s := startSite(t, func(c *turnsrv.Config) {
		c.Relay = low
		c.Known = knows().ask
	})
	dialNew := func(session string) *client {
		username, password := s.login("ann", session)
		return dial(t, "udp", s.udp[addrOne], username, password)
	}
	const running = 5
	var first *client
	inLowerHalf := 0
	for n := range running {
		c := dialNew(fmt.Sprint("S", n%2))
		relayed := c.allocate()
		if relayed.Port() < low.Min+4 {
			inLowerHalf++
		}
		if first == nil {
			first = c
			peer := listenUDP(t, addrPeer)
			c.must(c.permit(addrPeer))
			c.indicate(local(peer), "hello")
			reply(t, peer, expectFrom(t, peer, "hello"), "hello")
			c.next()
		}
	}
	taken := high.Min + 3
	bindTo(t, netip.AddrPortFrom(addrTwo, taken))
	preview := func(change func(*turnsrv.Settings)) turnsrv.Preview {
		t.Helper()
		settings := s.Settings()
		change(&settings)
		p, err := s.Preview(settings)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	expect := func(what string, got turnsrv.Preview, want turnsrv.Preview) {
		t.Helper()
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s: got %+v, want %+v", what, got, want)
		}
	}
	expect("no change", preview(func(*turnsrv.Settings) {}), turnsrv.Preview{Free: 3, Need: running})
	expect("another range", preview(func(n *turnsrv.Settings) { n.Relay = high }),
		turnsrv.Preview{Outside: running, Free: 7, Need: running, Taken: []uint16{taken}})
	narrow := turnsrv.PortRange{Min: low.Min, Max: low.Min + 3}
	expect("too narrow", preview(func(n *turnsrv.Settings) { n.Relay = narrow }),
		turnsrv.Preview{Outside: running - inLowerHalf, Free: 4 - inLowerHalf, Need: running, Short: 1})
	expect("quotas", preview(func(n *turnsrv.Settings) { n.Limits.AllocationsPerSession = 2 }),
		turnsrv.Preview{Free: 3, Need: running, OverQuota: 1})
	expect("a quota of all", preview(func(n *turnsrv.Settings) { n.Limits.Allocations = 2 }),
		turnsrv.Preview{Free: 3, Need: running, OverQuota: 3})
	expect("a network denied", preview(func(n *turnsrv.Settings) { n.Policy.Deny = []netip.Prefix{netip.PrefixFrom(addrPeer, 32)} }),
		turnsrv.Preview{Free: 3, Need: running, Refused: 1})
	expect("by identity", preview(func(n *turnsrv.Settings) { n.Policy.Mode = turnsrv.ModeClients }),
		turnsrv.Preview{Free: 3, Need: running, Refused: 1})
	if got := s.Ports()[0]; got.Used != running || got.Range != low {
		t.Errorf("a preview changed something: %+v", got)
	}
}

// A new policy binds for the next packet of a running allocation, and its
// refresh is refused; a peer that answered with STUN before is still trusted.
func TestPolicyChangesUnderRunningCalls(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) { c.Known = knows(addrPeer).ask })
	username, password := s.login("ann", "S1")
	c := dial(t, "udp", s.udp[addrOne], username, password)
	relayed := c.allocate()
	friend, plain := listenUDP(t, addrPeer), listenUDP(t, addrPeer)
	c.must(c.bindChannel(0x4000, local(friend)))
	c.must(c.bindChannel(0x4001, local(plain)))
	reply(t, friend, relayed, string(binding(t, stun.ClassSuccessResponse, 20)))
	c.next()
	c.sendChannel(0x4001, "any")
	expectFrom(t, plain, "any")

	s.mustApply(func(n *turnsrv.Settings) { n.Policy.Mode = turnsrv.ModeClients })
	c.sendChannel(0x4000, "clients")
	c.sendChannel(0x4001, "clients")
	expectFrom(t, friend, "clients")
	c.settle()
	if got := received(t, plain, addrPeer); len(got) != 0 {
		t.Errorf("a peer that never answered got %q", got)
	}

	s.mustApply(func(n *turnsrv.Settings) { n.Policy.Deny = []netip.Prefix{netip.PrefixFrom(addrPeer, 32)} })
	before := s.Stats().PeerPackets
	c.sendChannel(0x4000, "denied")
	reply(t, friend, relayed, "denied")
	eventually(t, "both are dropped", func() bool { return s.Stats().PeerPackets == before+2 })
	if got := received(t, friend, addrPeer); len(got) != 0 {
		t.Errorf("a denied peer got %q", got)
	}
	if got := code(c.bindChannel(0x4000, local(friend))); got != stun.CodeForbidden {
		t.Errorf("the refresh: got %d, want 403", got)
	}

	s.mustApply(func(n *turnsrv.Settings) { n.Policy.Deny = nil })
	c.sendChannel(0x4000, "again")
	expectFrom(t, friend, "again")
}

func TestQuotaChangesWhileRunning(t *testing.T) {
	s := startSite(t)
	username, password := s.login("ann", "S1")
	dial(t, "udp", s.udp[addrOne], username, password).allocate()
	s.mustApply(func(n *turnsrv.Settings) { n.Limits.AllocationsPerSession = 1 })
	if got := code(dial(t, "udp", s.udp[addrOne], username, password).tryAllocate()); got != stun.CodeAllocQuotaReached {
		t.Errorf("got %d, want 486", got)
	}
	s.mustApply(func(n *turnsrv.Settings) { n.Limits.AllocationsPerSession = 2 })
	dial(t, "udp", s.udp[addrOne], username, password).allocate()
}

func TestApplyAfterClose(t *testing.T) {
	s := startSite(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(s.Settings()); !errors.Is(err, turnsrv.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if _, err := s.Sweep(addrOne, 1, time.Second); err == nil {
		t.Error("a sweep of a closed server began")
	}
}

// The alternate ports of NAT behaviour discovery are our own, and are opened
// once the range lies in their way no more.
func TestRangeAndAlternatePort(t *testing.T) {
	s, port := startSquare(t)
	settings := s.Settings()
	settings.Relay = turnsrv.PortRange{Min: port + 1, Max: port + 1}
	if err := s.Apply(settings); err == nil || !strings.Contains(err.Error(), fmt.Sprint(port+1)) {
		t.Errorf("a range on the alternate port: got %v", err)
	}

	opened, port := openSquare(t)
	later := startSite(t, func(c *turnsrv.Config) {
		c.Relay = turnsrv.PortRange{Min: port + 1, Max: port + 1}
	})
	if err := later.Add(opened...); err != nil {
		t.Fatal(err)
	}
	c := dial(t, "udp", netip.AddrPortFrom(addrOne, port), "", "")
	discovers := func() bool { return c.request(stun.MethodBinding).Contains(stun.AttrOtherAddress) }
	if discovers() {
		t.Error("the alternate port was opened within the range")
	}
	later.mustApply(func(n *turnsrv.Settings) { n.Relay = freeRange(t, 4) })
	if !discovers() {
		t.Error("discovery did not begin when the range had moved")
	}
}
