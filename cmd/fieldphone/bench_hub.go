package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"fieldphone/cmd/fieldphone/bench"
)

const benchHubUsage = `fieldphone bench hub [--case NAME] [--server NAME] [--rounds N] [--json FILE]

hub loads signalling servers by turns, over WebSockets within TLS on this machine, and prints
medians, spreads and ratios: this one, as serve runs it, with a data folder for the while; and,
as a yardstick, the least that passes messages on, by Fiber and contrib/websocket and by net/http
and gorilla/websocket. Each round has a process of its own.

`

// hubCase is one kind of load.
type hubCase struct {
	name, what string
	load       bench.HubLoad
	storm      int // people that sign in at once, instead
	calls      int // that are made within a minute, instead
}

func (c hubCase) called() string { return c.name }

func hubCases() []hubCase {
	load := bench.HubLoad{People: 2000, Duration: 5 * time.Second, Settle: 8 * time.Second}
	with := func(clients, rate int) bench.HubLoad {
		l := load
		l.Clients, l.Rate = clients, rate
		return l
	}
	return []hubCase{
		{name: "2k", what: "2,000 clients, 10,000 messages a second", load: with(2000, 10_000)},
		{name: "10k", what: "10,000 clients", load: with(10_000, 0)},
		{name: "calls", what: "1,000 calls in a minute", calls: 1000},
		{name: "storm", what: "2,000 sign in within 10 s", storm: 2000},
	}
}

func (inv *invocation) benchHub(ctx context.Context, args []string) error {
	if len(args) == 2 && args[0] == plainHub { // a process of this very benchmark
		return inv.servePlainHub(ctx, args[1])
	}
	fs := inv.benchFlags("hub")
	only := fs.String("case", "", "`names` of cases, by commas; all: "+caseNames(hubCases()))
	servers := fs.String("server", "", "`names` of servers, by commas; all: fieldphone,fiber,gorilla")
	rounds := fs.Int("rounds", 3, "how often each server is measured")
	clients := fs.Int("clients", 0, "how many clients, instead of the case's")
	rate := fs.Int("rate", 0, "messages a second in all, instead of the case's")
	binary := fs.String("beside", "", "another fieldphone `binary`, to measure as well")
	jsonFile := fs.String("json", "", "write every round to this `file`")
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: bench hub takes no %q", errUsage, rest[0])
	}
	cases, err := chosenHubCases(*only, *clients, *rate)
	if err != nil {
		return err
	}
	targets, stop, err := inv.hubTargets(ctx, *servers, *binary, cases)
	if err != nil {
		return err
	}
	defer stop()
	var reports []bench.HubReport
	for _, c := range cases {
		report := bench.HubReport{What: c.what, At: time.Now(), Machine: machine()}
		switch {
		case c.storm > 0:
			report.Rows, err = bench.HubStorm(ctx, targets, c.storm, *rounds, inv.stderr)
		case c.calls > 0:
			knowing := slices.DeleteFunc(slices.Clone(targets), func(t bench.HubTarget) bool { return !t.Calls })
			report.Rows, err = bench.HubCalls(ctx, knowing, c.calls, time.Minute, *rounds, inv.stderr)
		default:
			report.Rows, err = bench.HubClients(ctx, targets, c.load, *rounds, inv.stderr)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if len(report.Rows) == 0 {
			continue // no such server
		}
		reports = append(reports, report)
		if err := report.WriteTable(inv.stdout); err != nil {
			return err
		}
		fmt.Fprintln(inv.stdout)
	}
	return writeReports(*jsonFile, reports)
}

// plainHub makes the command one of the servers beside this one.
const plainHub = "plain"

func (inv *invocation) servePlainHub(ctx context.Context, name string) error {
	if name == "gorilla" {
		return bench.ServeGorilla(ctx, inv.stdout)
	}
	return bench.ServeFiber(ctx, inv.stdout)
}

func chosenHubCases(names string, clients, rate int) ([]hubCase, error) {
	cases, err := chosenCases(hubCases(), names)
	if err != nil {
		return nil, err
	}
	for i := range cases {
		c := &cases[i]
		switch {
		case clients > 0 && c.storm > 0:
			c.storm, c.what = clients, fmt.Sprintf("%d sign in within 10 s", clients)
		case clients > 0 && c.calls > 0:
			c.calls, c.what = clients/2, fmt.Sprintf("%d calls in a minute", clients/2)
		case clients > 0:
			c.load.Clients, c.what = clients, fmt.Sprintf("%d clients", clients)
		}
		if rate > 0 && c.load.Clients > 0 {
			c.load.Rate = rate
			c.what = fmt.Sprintf("%d clients, %d messages a second", c.load.Clients, rate)
		}
		if err := bench.AllowFiles(uint64(max(c.load.Clients, c.storm, 2*c.calls)) + 200); err != nil {
			return nil, err
		}
	}
	return cases, nil
}

// hubTargets finds the servers, the one of this binary first.
func (inv *invocation) hubTargets(ctx context.Context, names, beside string, cases []hubCase) ([]bench.HubTarget, func(), error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	people := 0
	for _, c := range cases {
		people = max(people, c.storm, 2*c.calls, min(c.load.People, c.load.Clients))
	}
	var sites []*benchSite
	stop := func() {
		for _, site := range sites {
			_ = os.RemoveAll(site.data)
		}
	}
	own := func(name, binary string) (bench.HubTarget, error) {
		site, err := newBenchSite(ctx, binary, inv.env("GOGC"), people, inv.stderr)
		if err != nil {
			return bench.HubTarget{}, err
		}
		sites = append(sites, site)
		return bench.HubTarget{Name: name, Start: site.start, Calls: true}, nil
	}
	if names == "" {
		names = "fieldphone,fiber,gorilla"
	}
	var targets []bench.HubTarget
	for name := range strings.SplitSeq(names, ",") {
		t := bench.HubTarget{Name: name}
		switch name {
		case "fieldphone":
			t, err = own(name, self)
		case "fiber", "gorilla":
			t.Start = func(ctx context.Context) (bench.HubServer, error) { return startPlainHub(ctx, self, name) }
		default:
			err = fmt.Errorf("%w: there is no server %q; choose of fieldphone, fiber and gorilla", errUsage, name)
		}
		if err != nil {
			stop()
			return nil, nil, err
		}
		targets = append(targets, t)
	}
	if beside != "" {
		t, err := own("beside", beside)
		if err != nil {
			stop()
			return nil, nil, err
		}
		targets = append(targets, t)
	}
	return targets, stop, nil
}
