package turnsrv_test

import (
	"net"
	"testing"

	"fieldphone/turnsrv"
)

// A borrowed port is reached through relays like one of an allocation, also
// when the range has moved away from it, and its place comes back.
func TestBorrowedPortsAreRelayPorts(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) { c.Policy.Mode = turnsrv.ModeClients })
	before := s.Ports()
	borrowed, err := s.Borrow()
	if err != nil || len(borrowed) != len(s.Addresses()) {
		t.Fatalf("borrowed %d sockets, %v, want one on each of %v", len(borrowed), err, s.Addresses())
	}
	for i, use := range s.Ports() {
		if use.Used != before[i].Used+1 || use.Free != before[i].Free-1 {
			t.Errorf("%s: %d used and %d free, before %d and %d", use.Address, use.Used, use.Free, before[i].Used, before[i].Free)
		}
	}
	settings := s.Settings()
	settings.Relay = freeRange(t, 20)
	if err := s.Apply(settings); err != nil {
		t.Fatal(err)
	}
	user, password := s.login("alice", "session")
	c := dial(t, "udp", s.at("udp", s.Addresses()[0]), user, password)
	c.challenge()
	c.allocate()
	peer := borrowed[0].LocalAddr().(*net.UDPAddr).AddrPort()
	c.must(c.permit(peer.Addr()))
	c.indicate(peer, "through the relay")
	buffer := make([]byte, 100)
	n, from, err := borrowed[0].ReadFrom(buffer)
	if err != nil || string(buffer[:n]) != "through the relay" {
		t.Fatalf("got %q, %v", buffer[:n], err)
	}
	if _, err := borrowed[0].WriteTo([]byte("and back"), from); err != nil {
		t.Fatal(err)
	}
	if _, from, data := c.next(); data != "and back" || from != peer {
		t.Errorf("got %q from %s", data, from)
	}
	for _, conn := range borrowed {
		if conn.Close() != nil || conn.Close() == nil {
			t.Error("closing twice is not told apart")
		}
	}
	for _, use := range s.Ports() {
		if use.Outside != 0 {
			t.Errorf("%s: %d ports are still used outside of the range", use.Address, use.Outside)
		}
	}
}
