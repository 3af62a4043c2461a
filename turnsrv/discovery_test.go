package turnsrv_test

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/pion/stun/v3"

	"fieldphone/turnsrv"
)

// openSquare opens the same port on both addresses, with the port after it
// free: what NAT behaviour discovery needs.
func openSquare(t *testing.T) ([]turnsrv.Listener, uint16) {
	t.Helper()
	for range 50 {
		port := freeRange(t, 2).Min
		opened, err := turnsrv.Open(t.Context(), []netip.Addr{addrOne, addrTwo}, port)
		if err == nil {
			return opened, port
		}
	}
	t.Fatal("no port is free on both addresses")
	return nil, 0
}

// startSquare is a site with NAT behaviour discovery.
func startSquare(t *testing.T, change ...func(*turnsrv.Config)) (*site, uint16) {
	t.Helper()
	opened, port := openSquare(t)
	s := startSite(t, append([]func(*turnsrv.Config){func(c *turnsrv.Config) {
		for _, l := range c.Listeners {
			if l.UDP != nil {
				l.UDP.Close()
			} else {
				l.TCP.Close()
			}
		}
		c.Listeners = opened
	}}, change...)...)
	return s, port
}

func changeRequest(flags byte) raw { return raw{stun.AttrChangeRequest, []byte{0, 0, 0, flags}} }

// Each of the four sockets answers from the one that was asked for, and tells
// where it answers from and which is opposite (RFC 5780 section 6.1).
func TestEachCornerAnswers(t *testing.T) {
	s, port := startSquare(t)
	addresses, ports := []netip.Addr{addrOne, addrTwo}, []uint16{port, port + 1}
	conn := listenUDP(t, addrPeer)
	for a := range addresses {
		for p := range ports {
			for flags := range byte(8) {
				asked := netip.AddrPortFrom(addresses[a], ports[p])
				origin := netip.AddrPortFrom(addresses[a^int(flags>>2&1)], ports[p^int(flags>>1&1)])
				opposite := netip.AddrPortFrom(addresses[1-a], ports[1-p])
				m := stun.MustBuild(stun.TransactionID, stun.BindingRequest, changeRequest(flags), stun.Fingerprint)
				reply(t, conn, asked, string(m.Raw))
				got, from := readMessage(t, conn)
				if got.TransactionID != m.TransactionID || from != origin {
					t.Fatalf("asked %s with %d: the answer came from %s, want %s", asked, flags, from, origin)
				}
				if err := stun.Fingerprint.Check(got); err != nil {
					t.Error(err)
				}
				if told := plainAddress(t, got, stun.AttrResponseOrigin); told != origin {
					t.Errorf("RESPONSE-ORIGIN: got %s, want %s", told, origin)
				}
				if told := plainAddress(t, got, stun.AttrOtherAddress); told != opposite {
					t.Errorf("OTHER-ADDRESS: got %s, want %s", told, opposite)
				}
			}
		}
	}
	if got, ok := s.OtherAddress(netip.AddrPortFrom(addrOne, port)); !ok || got != netip.AddrPortFrom(addrTwo, port+1) {
		t.Errorf("OtherAddress: got %s, %v", got, ok)
	}

	// The answer may be wanted at another port of the same address.
	elsewhere := listenUDP(t, addrPeer)
	for _, p := range ports {
		wanted := local(elsewhere).Port()
		m := stun.MustBuild(stun.TransactionID, stun.BindingRequest, raw{stun.AttrResponsePort, []byte{byte(wanted >> 8), byte(wanted)}})
		reply(t, conn, netip.AddrPortFrom(addrOne, p), string(m.Raw))
		got, from := readMessage(t, elsewhere)
		if got.TransactionID != m.TransactionID || from != netip.AddrPortFrom(addrOne, p) {
			t.Errorf("RESPONSE-PORT: got %v from %s", got, from)
		}
		if mapped := (&client{t: t}).address(got, stun.AttrXORMappedAddress); mapped != local(conn) {
			t.Errorf("mapped: got %s, want %s", mapped, local(conn))
		}
	}

	// The alternate ports do nothing but Binding, and the TCP listener at the
	// same port has no part in it.
	username, password := s.login("ann", "S1")
	alternate := dial(t, "udp", netip.AddrPortFrom(addrOne, port+1), username, password)
	alternate.silent(alternate.build(stun.MethodAllocate, requestUDP))
	alternate.silent(alternate.build(stun.MethodBinding, raw{stun.AttrFingerprint, []byte{0, 0, 0, 0}}))
	stream := dial(t, "tcp", s.tcp[addrOne], username, password)
	stream.expectError(stream.request(stun.MethodBinding, changeRequest(0)), stun.MethodBinding, 420, []byte{0, 3})
	bad := dial(t, "udp", s.udp[addrOne], "", "")
	bad.expectError(bad.request(stun.MethodBinding, raw{stun.AttrChangeRequest, []byte{6}}), stun.MethodBinding, 400, nil)
	bad.expectError(bad.request(stun.MethodBinding, raw{stun.AttrResponsePort, []byte{0, 0}}), stun.MethodBinding, 400, nil)
	bad.expectError(bad.request(stun.MethodBinding, changeRequest(6), raw{0x7ff1, nil}), stun.MethodBinding, 420, []byte{0x7f, 0xf1})
}

func readMessage(t *testing.T, conn *net.UDPConn) (*stun.Message, netip.AddrPort) {
	t.Helper()
	buffer := make([]byte, 2000)
	n, from, err := conn.ReadFromUDPAddrPort(buffer)
	if err != nil {
		t.Fatal(err)
	}
	m := &stun.Message{Raw: buffer[:n]}
	if err := m.Decode(); err != nil {
		t.Fatal(err)
	}
	return m, from
}

func plainAddress(t *testing.T, m *stun.Message, attr stun.AttrType) netip.AddrPort {
	t.Helper()
	var a stun.MappedAddress
	if err := a.GetFromAs(m, attr); err != nil {
		t.Fatalf("%v in %v: %v", attr, m, err)
	}
	ip, _ := netip.AddrFromSlice(a.IP)
	return netip.AddrPortFrom(ip.Unmap(), uint16(a.Port))
}

// With one address there is nothing to discover by: no port is opened, and
// CHANGE-REQUEST is unknown (RFC 5780 section 6.1).
func TestDiscoveryComesAndGoesWithTheSecondAddress(t *testing.T) {
	s, port := startSquare(t)
	ask := func(flags byte) *stun.Message {
		c := dial(t, "udp", netip.AddrPortFrom(addrOne, port), "", "")
		return c.request(stun.MethodBinding, changeRequest(flags))
	}
	if m := ask(0); m.Type != stun.BindingSuccess {
		t.Fatalf("with two addresses: got %v", m)
	}
	if rangeIsFree(int(port+1), 1) {
		t.Error("the alternate port is not open")
	}
	if err := s.Remove(addrTwo); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the alternate port is closed", func() bool { return rangeIsFree(int(port+1), 1) })
	if m := ask(0); code(m) != stun.CodeUnknownAttribute {
		t.Errorf("with one address: got %v (%d), want 420", m, code(m))
	}
	plain := dial(t, "udp", netip.AddrPortFrom(addrOne, port), "", "").request(stun.MethodBinding)
	if plain.Contains(stun.AttrOtherAddress) || plain.Contains(stun.AttrResponseOrigin) {
		t.Errorf("with one address: got %v", plain)
	}
	if got, ok := s.OtherAddress(netip.AddrPortFrom(addrOne, port)); ok {
		t.Errorf("with one address: another is %s", got)
	}
	if err := s.SetAddresses(t.Context(), []netip.Addr{addrOne, addrTwo}, port); err != nil {
		t.Fatal(err)
	}
	if m := ask(0); m.Type != stun.BindingSuccess {
		t.Errorf("with two addresses again: got %v", m)
	}
}

// A taken alternate port costs discovery, not service.
func TestAlternatePortIsTaken(t *testing.T) {
	opened, port := openSquare(t)
	bindTo(t, netip.AddrPortFrom(addrTwo, port+1))
	s := startSite(t)
	if err := s.Add(opened...); err != nil {
		t.Fatal(err)
	}
	c := dial(t, "udp", netip.AddrPortFrom(addrOne, port), "", "")
	if m := c.request(stun.MethodBinding); m.Type != stun.BindingSuccess || m.Contains(stun.AttrOtherAddress) {
		t.Errorf("got %v", m)
	}
	if !strings.Contains(s.log.String(), "NAT behaviour discovery leaves an address out") {
		t.Errorf("the admin is not told:\n%s", s.log)
	}
}

func TestBindingRateHoldsForEveryCorner(t *testing.T) {
	s, port := startSquare(t, func(c *turnsrv.Config) { c.Limits.BindingsPerSource = 1 })
	conn := listenUDP(t, addrPeer)
	answers := countFrom(conn)
	sent := 0
	sendPaced(t, 100, func() {
		sent++
		m := stun.MustBuild(stun.TransactionID, stun.BindingRequest, changeRequest(6))
		reply(t, conn, netip.AddrPortFrom([]netip.Addr{addrOne, addrTwo}[sent%2], port+uint16(sent/2%2)), string(m.Raw))
	}, func() int64 { return s.Stats().UDP.PacketsIn })
	eventually(t, "each is answered or counted", func() bool {
		return answers.packets.Load()+s.Stats().Limited.Bindings == 100
	})
	if got := answers.stop(t); got < 10 || got > 15 {
		t.Errorf("answers: got %d, want about 10", got)
	}
}
