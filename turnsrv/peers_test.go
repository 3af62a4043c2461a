package turnsrv_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/pion/stun/v3"

	"fieldphone/turnsrv"
)

func bindTo(t *testing.T, address netip.AddrPort) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestPeersNeverRelayedTo(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) {
		c.Policy = turnsrv.Policy{Mode: turnsrv.ModeAny, Deny: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}}
	})
	username, password := s.login("ann", "S1")
	c := dial(t, "udp", s.udp[addrOne], username, password)
	c.allocate()
	refused := []string{
		"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::1",
		"0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0", "169.254.0.1", "::ffff:169.254.169.254", "fe80::1",
		"224.0.0.251", "239.1.2.3", "::ffff:224.0.0.1", "ff02::fb", "255.255.255.255", "240.0.0.1", "::ffff:255.255.255.255",
		"10.9.8.7", "::ffff:10.9.8.7",
	}
	for _, text := range refused {
		peer := netip.MustParseAddr(text)
		for method, m := range map[string]*stun.Message{
			"CreatePermission": c.permit(peer),
			"ChannelBind":      c.bindChannel(0x4000, netip.AddrPortFrom(peer, 9)),
		} {
			if got := code(m); got != stun.CodeForbidden || c.integrity().Check(m) != nil {
				t.Errorf("%s for %s: got %v (%d), want a signed 403", method, text, m, got)
			}
		}
	}
	if got, want := s.Stats().PeersRefused, int64(2*len(refused)); got != want {
		t.Errorf("peers refused: got %d, want %d", got, want)
	}
	if got := code(c.permit(netip.MustParseAddr("2001:db8::1"))); got != stun.CodePeerAddrFamilyMismatch {
		t.Errorf("an IPv6 peer: got %d, want 443", got)
	}
	// One bad peer among good ones spoils the request, and nothing is permitted.
	good := netip.MustParseAddr("192.0.2.1")
	m := c.request(stun.MethodCreatePermission, peerAddress(netip.AddrPortFrom(good, 0)), peerAddress(netip.AddrPortFrom(addrOne, 0)))
	if got := code(m); got != stun.CodeForbidden {
		t.Errorf("a good and a bad peer: got %d, want 403", got)
	}
	c.must(c.permit(good))
}

func TestCIDRPolicy(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) {
		c.Policy = turnsrv.Policy{Mode: turnsrv.ModeCIDR, Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	})
	username, password := s.login("ann", "S1")
	c := dial(t, "udp", s.udp[addrOne], username, password)
	c.allocate()
	c.must(c.permit(netip.MustParseAddr("192.0.2.9")))
	if got := code(c.permit(netip.MustParseAddr("198.51.100.1"))); got != stun.CodeForbidden {
		t.Errorf("outside of Allow: got %d, want 403", got)
	}
}

// The server's own services are no peers, whichever of its addresses they are
// asked at; relay ports of other clients are.
func TestOwnPortsOutsideTheRelayRange(t *testing.T) {
	s := startSite(t)
	username, password := s.login("ann", "S1")
	c := dial(t, "udp", s.udp[addrOne], username, password)
	relayed := c.allocate()
	peer := listenUDP(t, addrPeer)
	c.must(c.permit(addrPeer))
	for _, own := range []netip.Addr{addrOne, addrTwo} {
		service := listenUDP(t, own)
		c.must(c.permit(own))
		c.must(c.bindChannel(0x4000+uint16(own.As4()[3]), local(service)))
		before := s.Stats().PeerPackets
		c.indicate(local(service), "to a service")
		c.sendChannel(0x4000+uint16(own.As4()[3]), "to a service")
		c.indicate(s.udp[own], "to the listener")
		reply(t, service, relayed, "from a service")
		eventually(t, "four packets are dropped", func() bool { return s.Stats().PeerPackets == before+4 })

		// What was sent before must not arrive before what comes after it.
		reply(t, peer, relayed, "from a peer")
		if _, from, data := c.next(); from != local(peer) || data != "from a peer" {
			t.Errorf("got %q from %s", data, from)
		}
		late := listenUDP(t, addrPeer)
		if _, err := late.WriteToUDPAddrPort([]byte("direct"), local(service)); err != nil {
			t.Fatal(err)
		}
		expectFrom(t, service, "direct")
	}
}

func TestUnpermittedPeersAreSilent(t *testing.T) {
	s := startSite(t)
	username, password := s.login("ann", "S1")
	c := dial(t, "udp", s.udp[addrOne], username, password)
	relayed := c.allocate()
	peer, stranger := listenUDP(t, addrPeer), listenUDP(t, netip.MustParseAddr("127.0.0.4"))
	c.indicate(local(peer), "without permission")
	c.must(c.permit(addrPeer))
	c.indicate(local(peer), "with permission")
	expectFrom(t, peer, "with permission")
	reply(t, stranger, relayed, "from a stranger")
	reply(t, peer, relayed, "from a peer")
	if _, from, data := c.next(); data != "from a peer" {
		t.Errorf("got %q from %s", data, from)
	}
}

func TestBindingsAreBounded(t *testing.T) {
	s := startSite(t)
	username, password := s.login("ann", "S1")
	c := dial(t, "udp", s.udp[addrOne], username, password)
	c.allocate()
	peer := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i / 100), byte(i % 100)}), 9)
	}
	for i := range 128 {
		c.must(c.bindChannel(0x4000+uint16(i), peer(i)))
	}
	if got := code(c.bindChannel(0x4fff, peer(0))); got != stun.CodeInsufficientCapacity {
		t.Errorf("one more channel: got %d, want 508", got)
	}
	if got := code(c.permit(peer(500).Addr())); got != stun.CodeInsufficientCapacity {
		t.Errorf("one more permission: got %d, want 508", got)
	}
	c.must(c.bindChannel(0x4000, peer(0)))
	c.must(c.permit(peer(5).Addr()))
	c.must(c.request(stun.MethodRefresh, lifetime(0)))
	c.allocate()
	c.must(c.permit(peer(500).Addr()))
}
