package turnsrv_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v3"
	"github.com/pion/turn/v4"

	"fieldphone/turnsrv"
)

func TestEveryOperation(t *testing.T) {
	s := startSite(t)
	for _, address := range []netip.Addr{addrOne, addrTwo} {
		t.Run(address.String(), func(t *testing.T) {
			dialBoth(t, func(t *testing.T, network string) { everyOperation(t, s, network, address) })
		})
	}
}

func everyOperation(t *testing.T, s *site, network string, address netip.Addr) {
	username, password := s.login("ann.b", "S1")
	c := dial(t, network, s.at(network, address), username, password)
	if got, want := c.bind().String(), c.conn.LocalAddr().String(); got != want {
		t.Errorf("Binding: got %s, want %s", got, want)
	}
	relayed := c.allocate()
	if relayed.Addr() != address || relayed.Port() < s.relay.Min || relayed.Port() > s.relay.Max {
		t.Fatalf("relayed address: got %s, want %s and a port of %s", relayed, address, s.relay)
	}
	if got := code(c.tryAllocate()); got != stun.CodeAllocMismatch {
		t.Errorf("second Allocate: got %d, want 437", got)
	}
	c.must(c.request(stun.MethodRefresh, lifetime(700)))

	peer := listenUDP(t, addrPeer)
	c.must(c.permit(local(peer).Addr()))
	c.indicate(local(peer), "by indication")
	if from := expectFrom(t, peer, "by indication"); from != relayed {
		t.Errorf("peer saw %s, want %s", from, relayed)
	}
	reply(t, peer, relayed, "back")
	if channel, from, data := c.next(); channel != 0 || from != local(peer) || data != "back" {
		t.Errorf("Data indication: got %d %s %q", channel, from, data)
	}

	c.must(c.bindChannel(0x4001, local(peer)))
	c.must(c.bindChannel(0x4001, local(peer)))
	for _, payload := range []string{"", "1", "by channel"} {
		c.sendChannel(0x4001, payload)
		expectFrom(t, peer, payload)
		reply(t, peer, relayed, payload+"!")
		if channel, _, data := c.next(); channel != 0x4001 || data != payload+"!" {
			t.Errorf("ChannelData: got %x %q, want 4001 %q", channel, data, payload+"!")
		}
	}

	c.must(c.request(stun.MethodRefresh, lifetime(0)))
	for method, attrs := range map[stun.Method][]stun.Setter{
		stun.MethodRefresh:          {lifetime(0)},
		stun.MethodCreatePermission: {peerAddress(local(peer))},
		stun.MethodChannelBind:      {channelNumber(0x4001), peerAddress(local(peer))},
	} {
		m := c.request(method, attrs...)
		if got := code(m); got != stun.CodeAllocMismatch || c.integrity().Check(m) != nil {
			t.Errorf("%v without an allocation: got %v, want a signed 437", method, m)
		}
	}
}

func reply(t *testing.T, from *net.UDPConn, to netip.AddrPort, data string) {
	t.Helper()
	if _, err := from.WriteToUDPAddrPort([]byte(data), to); err != nil {
		t.Fatal(err)
	}
}

// The library's client does what browsers do: indications first, then channels.
func TestLibraryClient(t *testing.T) {
	s := startSite(t)
	dialBoth(t, func(t *testing.T, network string) {
		var conn net.PacketConn = listenUDP(t, addrOne)
		if network == "tcp" {
			stream, err := net.Dial("tcp", s.tcp[addrTwo].String())
			if err != nil {
				t.Fatal(err)
			}
			conn = turn.NewSTUNConn(stream)
		}
		username, password := s.login("bob", "S2")
		server := s.at(network, addrTwo).String()
		c, err := turn.NewClient(&turn.ClientConfig{
			STUNServerAddr: server, TURNServerAddr: server,
			Conn: conn, Username: username, Password: password, Realm: realm,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		defer c.Close()
		if err := c.Listen(); err != nil {
			t.Fatal(err)
		}
		relay, err := c.Allocate()
		if err != nil {
			t.Fatal(err)
		}
		defer relay.Close()
		relayed := netip.MustParseAddrPort(relay.LocalAddr().String())
		if relayed.Addr() != addrTwo {
			t.Errorf("relayed on %s, asked at %s", relayed, addrTwo)
		}
		peer := listenUDP(t, addrPeer)
		buffer := make([]byte, 100)
		if err := relay.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		// The library's TCP client holds frames under nine bytes back.
		for _, text := range []string{"number one", "number two", "number three", "number four"} {
			if _, err := relay.WriteTo([]byte(text), peer.LocalAddr()); err != nil {
				t.Fatal(err)
			}
			expectFrom(t, peer, text)
			reply(t, peer, relayed, text)
			n, from, err := relay.ReadFrom(buffer)
			if err != nil || string(buffer[:n]) != text || from.String() != peer.LocalAddr().String() {
				t.Fatalf("got %q from %v, %v, want %q", buffer[:n], from, err, text)
			}
		}
	})
}

func TestTwoRelayedClientsReachEachOther(t *testing.T) {
	s := startSite(t)
	relayToRelay(t, s, addrOne, addrTwo)
	relayToRelay(t, s, addrOne, addrOne)
}

// Behind port forwarding clients hear only the advertised address, also as
// each other's peer address.
func TestAdvertisedAddress(t *testing.T) {
	advertised := netip.MustParseAddr("127.0.0.77")
	s := startSite(t, func(c *turnsrv.Config) {
		for i := range c.Listeners {
			if c.Listeners[i].Address == addrOne {
				c.Listeners[i].Advertised = advertised
			}
		}
	})
	a, b := relayToRelay(t, s, addrOne, addrOne)
	if a.Addr() != advertised || b.Addr() != advertised {
		t.Errorf("relayed addresses: got %s and %s, want %s", a, b, advertised)
	}
}

func relayToRelay(t *testing.T, s *site, at, bt netip.Addr) (netip.AddrPort, netip.AddrPort) {
	t.Helper()
	username, password := s.login("ann", "S1")
	a := dial(t, "udp", s.udp[at], username, password)
	username, password = s.login("bob", "S2")
	b := dial(t, "tcp", s.tcp[bt], username, password)
	aRelay, bRelay := a.allocate(), b.allocate()
	a.must(a.bindChannel(0x4000, bRelay))
	b.must(b.permit(aRelay.Addr()))
	a.sendChannel(0x4000, "from a")
	if _, from, data := b.next(); from != aRelay || data != "from a" {
		t.Fatalf("b got %q from %s, want it from %s", data, from, aRelay)
	}
	b.indicate(aRelay, "from b")
	if channel, _, data := a.next(); channel != 0x4000 || data != "from b" {
		t.Fatalf("a got %x %q", channel, data)
	}
	return aRelay, bRelay
}

func TestWhatIsNotOfferedIsSaid(t *testing.T) {
	s := startSite(t)
	username, password := s.login("ann", "S1")
	for name, test := range map[string]struct {
		attrs []stun.Setter
		want  stun.ErrorCode
	}{
		"IPv6":        {[]stun.Setter{requestUDP, raw{stun.AttrRequestedAddressFamily, []byte{2, 0, 0, 0}}}, 440},
		"TCP relay":   {[]stun.Setter{raw{stun.AttrRequestedTransport, []byte{6, 0, 0, 0}}}, 442},
		"reservation": {[]stun.Setter{requestUDP, raw{stun.AttrReservationToken, make([]byte, 8)}}, 508},
	} {
		c := dial(t, "udp", s.udp[addrOne], username, password)
		c.challenge()
		if got := code(c.request(stun.MethodAllocate, test.attrs...)); got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
	if got := s.Stats().Allocations; got != 0 {
		t.Errorf("allocations: got %d, want 0", got)
	}
	c := dial(t, "udp", s.udp[addrOne], username, password)
	c.allocate()
	other, otherPassword := s.login("bob", "S2")
	c.username, c.password = other, otherPassword
	if got := code(c.request(stun.MethodRefresh, lifetime(600))); got != stun.CodeWrongCredentials {
		t.Errorf("Refresh of another's allocation: got %d, want 441", got)
	}
}

// One stream listener on every address, as an HTTPS port shares its own.
func TestStreamListenerServesTheAddressAsked(t *testing.T) {
	s := startSite(t)
	shared, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	port := netip.MustParseAddrPort(shared.Addr().String()).Port()
	if err := s.Add(turnsrv.Listener{TCP: shared}); err != nil {
		t.Fatal(err)
	}
	username, password := s.login("ann", "S1")
	for _, address := range []netip.Addr{addrOne, addrTwo} {
		c := dial(t, "tcp", netip.AddrPortFrom(address, port), username, password)
		if got := c.allocate().Addr(); got != address {
			t.Errorf("relayed on %s, asked at %s", got, address)
		}
	}
}
