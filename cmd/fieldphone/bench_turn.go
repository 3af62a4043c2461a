package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"runtime"
	"time"

	"fieldphone/cmd/fieldphone/bench"
	"fieldphone/turnsrv"
	"fieldphone/turnsrv/baseline"
)

const benchTURNUsage = `fieldphone bench turn --listen HOST:PORT --secret SECRET [--path PATH] [--baseline] [--accounts]
  is the relay alone, for benchmarks to load. With --accounts it tells what it holds, a line of
  JSON for each line that it reads.
`

// benchTURN is the relay alone, with everybody known: what a benchmark loads.
func (inv *invocation) benchTURN(ctx context.Context, args []string) error {
	fs := inv.benchFlags("turn")
	listen := fs.String("listen", "127.0.0.1:3478", "`address` to listen on")
	secret := fs.String("secret", "", "that credentials are made with")
	path := fs.String("path", "auto", "how packets are forwarded: auto, kernel, user or plain")
	asItComes := fs.Bool("baseline", false, "pion/turn as it comes, which lets everybody through")
	accounts := fs.Bool("accounts", false, "tell what is held, for each line of input")
	if rest, err := parse(fs, args); err != nil || len(rest) > 0 {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	address, err := netip.ParseAddrPort(*listen)
	if err != nil || len(*secret) < 16 {
		return fmt.Errorf("%w: --listen must be like 127.0.0.1:3478, and --secret have 16 characters", errUsage)
	}
	listeners, err := turnsrv.Open(ctx, []netip.Addr{address.Addr()}, address.Port())
	if err != nil {
		return err
	}
	if *asItComes {
		server, err := baseline.Serve(listeners[0].UDP, address.Addr().AsSlice(), "fieldphone", *secret)
		if err != nil {
			return err
		}
		<-ctx.Done()
		return server.Close()
	}
	server, err := turnsrv.New(turnsrv.Config{
		Realm: "fieldphone", Secret: []byte(*secret), Logger: slog.New(slog.DiscardHandler), Now: time.Now, Listeners: listeners,
		Relay:  turnsrv.PortRange{Min: 20000, Max: 59999},
		Path:   turnsrv.Path(*path),
		Limits: turnsrv.Limits{AllocatesPerSource: 1e6, BindingsPerSource: 1e6},
		Known:  func(turnsrv.Mode, string, string, netip.Addr) bool { return true },
	})
	if err != nil {
		return err
	}
	if *accounts {
		go inv.giveAccounts(server)
	}
	<-ctx.Done()
	return server.Close()
}

func (inv *invocation) giveAccounts(server *turnsrv.Server) {
	out := json.NewEncoder(inv.stdout)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		if out.Encode(bench.ServerAccount{
			Allocations: len(server.Allocations()), KernelFlows: server.KernelFlows(),
			KernelMpkt: float64(server.Stats().KernelPackets) / 1e6,
			Goroutines: runtime.NumGoroutine(), HeapMB: float64(memory.HeapAlloc) / 1e6,
		}) != nil {
			return
		}
	}
}
