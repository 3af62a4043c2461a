package turnsrv_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"fieldphone/turnsrv"
)

// Ensure the probe learns the address that the server saw, passes over packets
// that are no answer, asks again when a packet is lost, and says when nobody
// answers.
func TestProbe(t *testing.T) {
	s := startSite(t)
	mapped, err := turnsrv.Probe(t.Context(), s.udp[addrOne])
	if err != nil {
		t.Fatal(err)
	}
	if mapped.Addr() != netip.MustParseAddr("127.0.0.1") || mapped.Port() == 0 {
		t.Errorf("mapped address %s", mapped)
	}

	deaf, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	requests := make(chan struct{}, 16)
	go func() {
		buffer := make([]byte, 1500)
		for {
			_, from, err := deaf.ReadFrom(buffer)
			if err != nil {
				return
			}
			requests <- struct{}{}
			_, _ = deaf.WriteTo([]byte("not an answer"), from)
		}
	}()
	if mapped, err := turnsrv.Probe(ctx, deaf.LocalAddr().(*net.UDPAddr).AddrPort()); err == nil {
		t.Errorf("a server that does not answer gave %s", mapped)
	}
	if len(requests) < 2 {
		t.Errorf("%d requests were sent, want the first to be repeated", len(requests))
	}
}
