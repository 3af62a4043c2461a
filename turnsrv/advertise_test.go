package turnsrv_test

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"

	"fieldphone/turnsrv"
)

// Ensure that what is advertised may change while calls run: those that run
// keep what they were told, and each reaches each other.
func TestAdvertiseWhileCallsRun(t *testing.T) {
	s := startSite(t)
	router, another := netip.MustParseAddr("127.0.0.77"), netip.MustParseAddr("127.0.0.78")
	var clients []*client
	var relayed []netip.AddrPort
	join := func(session string, want netip.Addr) {
		t.Helper()
		username, password := s.login("ann", session)
		c := dial(t, "udp", s.udp[addrOne], username, password)
		at := c.allocate()
		if at.Addr() != want {
			t.Errorf("%s is told %s, want %s", session, at, want)
		}
		for i, peer := range relayed {
			c.must(c.permit(peer.Addr()))
			clients[i].must(clients[i].permit(at.Addr()))
		}
		clients, relayed = append(clients, c), append(relayed, at)
	}
	talk := func(when string) {
		t.Helper()
		for i, from := range clients {
			for j, to := range clients {
				if i == j {
					continue
				}
				from.indicate(relayed[j], when)
				if _, peer, data := to.next(); peer != relayed[i] || data != when {
					t.Errorf("%s: %d got %q from %s, want it from %s", when, j, data, peer, relayed[i])
				}
			}
		}
	}
	join("S1", addrOne)
	join("S2", addrOne)
	talk("at first")
	s.Advertise(map[netip.Addr]netip.Addr{addrOne: router})
	talk("after the first change")
	join("S3", router)
	talk("with a new one")
	s.Advertise(map[netip.Addr]netip.Addr{addrOne: another})
	join("S4", another)
	talk("after the second change")
	s.Advertise(nil)
	join("S5", addrOne)
	talk("with none")
	for i, a := range s.Allocations() {
		if a.Relayed != relayed[i] {
			t.Errorf("allocation %d is shown as %s, want %s", i, a.Relayed, relayed[i])
		}
	}
}

// Ensure a listener for many addresses relays by the address that it is told,
// advertises as the address does elsewhere, and closes what has none.
func TestRelayBy(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var none atomic.Bool
	router := netip.MustParseAddr("127.0.0.77")
	s := startSite(t, func(c *turnsrv.Config) {
		c.Listeners = append(c.Listeners, turnsrv.Listener{TCP: ln, RelayBy: func(local netip.Addr) (netip.Addr, bool) {
			if local != addrOne {
				t.Errorf("asked for %s", local)
			}
			return addrTwo, !none.Load()
		}})
	})
	at := netip.MustParseAddrPort(ln.Addr().String())
	username, password := s.login("ann", "S1")
	if relayed := dial(t, "tcp", at, username, password).allocate(); relayed.Addr() != addrTwo {
		t.Errorf("relayed by %s, want %s", relayed, addrTwo)
	}
	s.Advertise(map[netip.Addr]netip.Addr{addrTwo: router})
	if relayed := dial(t, "tcp", at, username, password).allocate(); relayed.Addr() != router {
		t.Errorf("told %s, want %s", relayed, router)
	}
	none.Store(true)
	dial(t, "tcp", at, username, password).closed()

	udp, err := turnsrv.Open(t.Context(), []netip.Addr{addrOne}, 0)
	if err != nil {
		t.Fatal(err)
	}
	udp[0].RelayBy = func(netip.Addr) (netip.Addr, bool) { return addrTwo, true }
	if err := s.Add(udp...); err == nil {
		t.Error("a UDP socket took RelayBy")
	}
}
