package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"fieldphone/cmd/fieldphone/bench"
	"fieldphone/turnsrv/relay"
	"fieldphone/turnsrv/turnclient"
)

const benchRelayUsage = `fieldphone bench relay [--case NAME] [--rounds N] [--json FILE] [NAME=COMMAND ...]
fieldphone bench relay --server turn:HOST:PORT[?transport=tcp] (--user ID --pass WORD | --rest-secret SECRET) [--pid PID]
  loads TURN servers by turns and prints medians, spreads and ratios to the last of them. As
  root and without --server it makes network namespaces for clients, server and peers, and
  starts servers in there: this one, pion/turn as it comes, and coturn if it is installed; or
  those named, whose COMMAND may say {address}, {port} and {secret}. Beside them it measures what
  there is without any relay: peers one hop away, and IP forwarding.
`

// relayCase is one kind of load.
type relayCase struct {
	name, what  string
	load        bench.RelayLoad
	network     turnclient.Network
	allocations bool // allocate and release instead
	offload     bool // trains arrive as NICs join them
	hold        int  // allocations to make, refresh and hold instead
}

func (c relayCase) called() string { return c.name }

func relayCases() []relayCase {
	both := bench.RelayLoad{Clients: 100, Size: 200, Train: 1, Up: true, Down: true}
	with := func(change func(l *bench.RelayLoad)) bench.RelayLoad {
		l := both
		change(&l)
		return l
	}
	return []relayCase{
		{name: "saturated", what: "200 B, both ways, saturated", load: both},
		{name: "30k", what: "200 B, both ways, 30,000 a second", load: with(func(l *bench.RelayLoad) { l.Rate = 30_000 })},
		{name: "latency", what: "200 B, both ways, 20,000 a second", load: with(func(l *bench.RelayLoad) { l.Rate = 20_000 })},
		{name: "pairs", what: "200 B, relay to relay, saturated", load: with(func(l *bench.RelayLoad) { l.Pairs = true })},
		{name: "trains", what: "8 x 1200 B to the peer, joined by the NIC, saturated", offload: true, load: with(func(l *bench.RelayLoad) { l.Size, l.Train, l.Down = 1200, 8, false })},
		{name: "tcp", what: "200 B over TCP, both ways, 20,000 a second", network: turnclient.TCP, load: with(func(l *bench.RelayLoad) { l.Rate = 20_000 })},
		{name: "allocations", what: "allocate and release", allocations: true},
		{name: "idle", what: "5,000 allocations, idle", hold: 5000},
		{name: "storm", what: "10,000 allocations, and a refresh of each", hold: 10_000},
	}
}

func (inv *invocation) benchRelay(ctx context.Context, args []string) error {
	fs := inv.benchFlags("relay")
	only := fs.String("case", "", "`names` of cases, by commas; all: "+caseNames(relayCases()))
	rounds := fs.Int("rounds", 5, "how often each server is measured")
	duration := fs.Duration("for", 3*time.Second, "how long a round is")
	clients := fs.Int("clients", 0, "how many clients, instead of the case's")
	size := fs.Int("size", 0, "`bytes` of payload, instead of the case's")
	rate := fs.Int("rate", 0, "packets a second in all, instead of the case's")
	jsonFile := fs.String("json", "", "write every round to this `file`")
	var direct directServer
	direct.flags(fs)
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	cases, err := chosenCases(relayCases(), *only)
	if err != nil {
		return err
	}
	if !relay.Offered {
		return errors.New("bench relay makes its load by recvmmsg and sendmmsg, which are Linux's: run it there, against any server")
	}
	site, err := inv.benchTargets(ctx, direct, rest)
	if err != nil {
		return err
	}
	defer site.stop()
	var reports []bench.Report
	for _, c := range cases {
		load := c.load
		load.Duration = *duration
		for _, f := range []struct{ to, from *int }{{&load.Clients, clients}, {&load.Size, size}, {&load.Rate, rate}} {
			if *f.from > 0 {
				*f.to = *f.from
			}
		}
		report, err := inv.benchCase(ctx, c, load, site, *rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		reports = append(reports, report)
		if err := report.WriteTable(inv.stdout); err != nil {
			return err
		}
		fmt.Fprintln(inv.stdout)
	}
	return writeReports(*jsonFile, reports)
}

func (inv *invocation) benchCase(ctx context.Context, c relayCase, load bench.RelayLoad, site relaySite, rounds int) (bench.Report, error) {
	if err := site.offload(c.offload); err != nil {
		return bench.Report{}, err
	}
	targets, places := slices.Clone(site.targets), site.places
	if c.network != "" || c.allocations || c.hold > 0 {
		targets = slices.DeleteFunc(targets, func(t bench.Target) bool { return t.Control != 0 })
	}
	if c.network != "" {
		for i := range targets {
			targets[i].Network = c.network
		}
		// pion/turn as it comes listens on UDP alone here.
		targets = slices.DeleteFunc(targets, func(t bench.Target) bool { return t.Name == baselineName })
	}
	report := bench.Report{What: c.what, At: time.Now(), Machine: machine()}
	var err error
	switch {
	case c.allocations:
		report.Rows, err = bench.Allocations(ctx, targets, load.Duration, places, rounds, inv.stderr)
	case c.hold > 0:
		report.Rows, err = bench.Hold(ctx, targets, c.hold, places, rounds, inv.stderr)
	default:
		report.Rows, err = bench.Relay(ctx, targets, load, places, rounds, inv.stderr)
	}
	return report, err
}

func machine() string {
	name := "unknown CPU"
	if raw, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(raw)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				name = strings.TrimSpace(value)
				break
			}
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%d x %s, %s %s, %s", runtime.NumCPU(), name, runtime.GOOS, strings.TrimSpace(string(kernel)), runtime.Version())
}
