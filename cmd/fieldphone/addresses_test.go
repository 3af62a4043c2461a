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
	"fieldphone/httpapi/segment"
	"fieldphone/turnsrv"

	"github.com/google/go-cmp/cmp"
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
	s.reachable.Store(&[]place{
		{Addr: addr("10.1.0.1"), Interface: "eth0"},
		{Addr: addr("127.0.0.2"), Interface: "eth1"},
		{Addr: addr("127.0.0.3"), Interface: "eth2"},
		{Addr: addr("fd00::3"), Interface: "eth2"},
	})
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

// Ensure the interfaces that are skipped by default are those whose reason is known.
func TestSkippedInterfacesHaveAReason(t *testing.T) {
	if diff := cmp.Diff(segment.SkipByDefault(), configs.Default().Listen.SkipInterfaces); diff != "" {
		t.Errorf("configs.Default skips others than segment.SkipByDefault:\n%s", diff)
	}
	rules := addressRules(configs.Default().Listen)
	for name, want := range map[string]bool{"docker0": false, "br-1a2b": false, "veth9": false, "wg0": false, "tailscale0": false, "eth0": true, "wlan0": true, "bridge0": true} {
		places, _ := rules.Places([]segment.Interface{{Name: name, Prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")}}})
		if got := len(places) == 1; got != want {
			t.Errorf("%s is served: %v", name, got)
		}
	}
}
