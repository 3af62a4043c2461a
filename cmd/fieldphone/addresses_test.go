package main

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fieldphone/configs"
	"fieldphone/turnsrv"
)

func TestFindPlacesTakesWhatIsConfigured(t *testing.T) {
	cfg := configs.Default().Listen
	cfg.Addresses = []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("203.0.113.9")}
	places, err := findPlaces(cfg)
	if err != nil || len(places) != 1 || places[0].Addr != cfg.Addresses[0] {
		t.Errorf("got %v, %v: want the one that this host has", places, err)
	}
	cfg.Addresses = nil
	places, err = findPlaces(cfg)
	if err != nil || slices.ContainsFunc(places, func(p place) bool { return p.Addr.IsLoopback() || p.Addr.IsLinkLocalUnicast() }) {
		t.Errorf("got %v, %v", places, err)
	}
}

func TestSkippedInterfaces(t *testing.T) {
	patterns := configs.Default().Listen.SkipInterfaces
	for name, want := range map[string]bool{"docker0": true, "br-1a2b": true, "veth9": true, "eth0": false, "wlan0": false, "bridge0": false} {
		if got := skipped(patterns, name); got != want {
			t.Errorf("%s: skipped %v", name, got)
		}
	}
}

func TestPrivateIPv4ComesFirst(t *testing.T) {
	order := []string{"10.0.0.1", "100.64.0.1", "fd00::1", "2001:db8::1"}
	for i := 1; i < len(order); i++ {
		if rank(netip.MustParseAddr(order[i-1])) >= rank(netip.MustParseAddr(order[i])) {
			t.Errorf("%s does not come before %s", order[i-1], order[i])
		}
	}
}

// Ensure a change that could not be served is tried again until it can.
func TestWatchPlacesTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := configs.Default().Listen
		cfg.Addresses = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var seen []bool
		watchPlaces(ctx, cfg, nil, func(_ []place, again bool) error {
			seen = append(seen, again)
			if len(seen) == 3 {
				cancel()
				return nil
			}
			return errors.New("the address is not ready")
		})
		if want := []bool{false, true, true}; !slices.Equal(seen, want) {
			t.Errorf("tried %v, want %v", seen, want)
		}
	})
}

// Ensure clients are sent to a relay that listens: the address they came by,
// else one of the same interface, else the best.
func TestRelayFor(t *testing.T) {
	addr := netip.MustParseAddr
	turn, err := turnsrv.New(turnsrv.Config{
		Realm: "test", Secret: []byte("0123456789abcdef"), Logger: slog.New(slog.DiscardHandler), Now: time.Now,
		Relay: turnsrv.PortRange{Min: 20000, Max: 20099},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := turn.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &server{turn: turn}
	s.reachable.Store(&[]place{{addr("10.1.0.1"), "eth0"}, {addr("127.0.0.2"), "eth1"}, {addr("127.0.0.3"), "eth2"}, {addr("fd00::3"), "eth2"}})
	if got, ok := s.relayFor(addr("10.1.0.1")); ok {
		t.Errorf("got %s, and nothing listens", got)
	}
	for _, a := range []string{"127.0.0.2", "127.0.0.3"} {
		listeners, err := turnsrv.Open(t.Context(), []netip.Addr{addr(a)}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := turn.Add(listeners...); err != nil {
			t.Fatal(err)
		}
	}
	for reached, want := range map[string]string{
		"127.0.0.3": "127.0.0.3", // the very address
		"fd00::3":   "127.0.0.3", // IPv6: the same interface
		"10.1.0.1":  "127.0.0.2", // could not be bound: the best that listens
		"127.0.0.1": "127.0.0.2", // the server's own machine
	} {
		if got, ok := s.relayFor(addr(reached)); !ok || got != addr(want) {
			t.Errorf("who came by %s is sent to %s, want %s", reached, got, want)
		}
	}
}
