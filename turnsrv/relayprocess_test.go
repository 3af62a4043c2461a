package turnsrv_test

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"fieldphone/turnsrv"
)

// serverEnv makes this test program the relay that it holds the relayProcess of.
const serverEnv = "FIELDPHONE_TEST_RELAY"

// relayProcess is a relay in a namespace of its own.
type relayProcess struct {
	Address  netip.Addr // of the world's server
	Port     uint16
	Path     turnsrv.Path
	Ports    turnsrv.PortRange
	Channels time.Duration // how long they last; 0: as long as RFC 8656 says
}

// account is what a relay process tells of itself, a line for each line that it
// reads.
type account struct {
	Path   turnsrv.Path
	Kernel int64             // packets
	Flows  [][2]turnsrv.Flow // of the allocations, oldest first
}

// serveForTest is a relay until its input ends.
func serveForTest(what string) error {
	var p relayProcess
	if err := json.Unmarshal([]byte(what), &p); err != nil {
		return err
	}
	if p.Channels > 0 {
		turnsrv.SetChannelLifetime(p.Channels)
	}
	opened, err := turnsrv.Open(context.Background(), []netip.Addr{p.Address}, p.Port)
	if err != nil {
		return err
	}
	s, err := turnsrv.New(turnsrv.Config{
		Realm: realm, Secret: secret, Logger: slog.New(slog.DiscardHandler), Now: time.Now, Listeners: opened,
		Relay: p.Ports, Path: p.Path,
		Limits: turnsrv.Limits{AllocatesPerSource: 1e4, BindingsPerSource: 1e5, AllocationsPerSession: 1000},
		Known:  func(turnsrv.Mode, string, string, netip.Addr) bool { return true },
	})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	out := json.NewEncoder(os.Stdout)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		a := account{Path: s.Path(), Kernel: s.Stats().KernelPackets}
		for _, allocation := range s.Allocations() {
			a.Flows = append(a.Flows, [2]turnsrv.Flow{allocation.FromClient, allocation.ToClient})
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
	return nil
}
