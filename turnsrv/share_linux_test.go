package turnsrv_test

import (
	"fmt"
	"net/netip"
	"testing"

	"fieldphone/turnsrv"
)

// Ensure clients reach each other whichever socket of the listener their
// packets come by, and that they do not all come by one.
func TestClientsComeByEverySocket(t *testing.T) {
	turnsrv.SetShards(4)
	defer turnsrv.SetShards(*shards)
	s := startSite(t)
	var clients []*client
	for i := range 16 {
		username, password := s.login("ann", fmt.Sprintf("S%d", i))
		clients = append(clients, dial(t, "udp", s.at("udp", addrOne), username, password))
	}
	for i := 0; i < len(clients); i += 2 {
		one, two := clients[i], clients[i+1]
		relayOne, relayTwo := one.allocate(), two.allocate()
		one.must(one.bindChannel(0x4000, relayTwo))
		two.must(two.bindChannel(0x4001, relayOne))
		peer := listenUDP(t, addrPeer)
		one.must(one.bindChannel(0x4002, local(peer)))
		for n := range 3 {
			said := fmt.Sprintf("%d from %d", n, i)
			one.sendChannel(0x4000, said)
			if channel, _, heard := two.next(); channel != 0x4001 || heard != said {
				t.Fatalf("got %q by %#x, want %q", heard, channel, said)
			}
			two.sendChannel(0x4001, said)
			if channel, _, heard := one.next(); channel != 0x4000 || heard != said {
				t.Fatalf("got %q by %#x, want %q", heard, channel, said)
			}
			one.sendChannel(0x4002, said)
			from := expectFrom(t, peer, said)
			if _, err := peer.WriteToUDPAddrPort([]byte(said), from); err != nil {
				t.Fatal(err)
			}
			if channel, _, heard := one.next(); channel != 0x4002 || heard != said {
				t.Fatalf("got %q by %#x from the peer, want %q", heard, channel, said)
			}
		}
	}
	if used := s.Shards(); used < 2 {
		t.Errorf("16 clients came by %d socket", used)
	}
	if err := s.Remove(addrOne); err != nil {
		t.Fatal(err)
	}
	port := s.udp[addrOne].Port()
	opened, err := turnsrv.Open(t.Context(), []netip.Addr{addrOne}, port)
	if err != nil {
		t.Fatalf("a socket was left open: %v", err)
	}
	if err := s.Add(opened...); err != nil {
		t.Fatal(err)
	}
}
