package turnsrv_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"fieldphone/turnsrv"
)

// serverEnv makes this test program a relay: "address path lowest-highest".
const serverEnv = "FIELDPHONE_TEST_RELAY"

// account is what a relay process tells of itself, a line for each line that it
// reads.
type account struct {
	Path   turnsrv.Path
	Kernel int64             // packets
	Flows  [][2]turnsrv.Flow // of the allocations, oldest first
}

// serveForTest is a relay in a namespace of its own, until its input ends.
func serveForTest(what string) error {
	var at, path string
	var ports turnsrv.PortRange
	if _, err := fmt.Sscanf(what, "%s %s %d-%d", &at, &path, &ports.Min, &ports.Max); err != nil {
		return err
	}
	address := netip.MustParseAddrPort(at)
	opened, err := turnsrv.Open(context.Background(), []netip.Addr{address.Addr()}, address.Port())
	if err != nil {
		return err
	}
	s, err := turnsrv.New(turnsrv.Config{
		Realm: realm, Secret: secret, Logger: slog.New(slog.DiscardHandler), Now: time.Now, Listeners: opened,
		Relay: ports, Path: turnsrv.Path(path),
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
