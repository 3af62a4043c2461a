package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"fieldphone/cmd/fieldphone/bench"
	"fieldphone/turnsrv"
	"fieldphone/turnsrv/baseline"
	"fieldphone/turnsrv/relay"
	"fieldphone/turnsrv/turnclient"
	"fieldphone/turnsrv/wire"
)

const benchUsage = `fieldphone bench relay [--case NAME] [--rounds N] [--json FILE] [NAME=COMMAND ...]
fieldphone bench relay --server turn:HOST:PORT[?transport=tcp] (--user ID --pass WORD | --rest-secret SECRET) [--pid PID]
fieldphone bench turn --listen HOST:PORT --secret SECRET [--baseline]

relay loads TURN servers by turns and prints medians, spreads and ratios to the last of them.
As root and without --server it makes network namespaces for clients, server and peers, and
starts servers in there: this one, pion/turn as it comes, and coturn if it is installed; or those
named, whose COMMAND may say {address}, {port} and {secret}. turn is such a server alone.

`

// benchSecret is of servers that live as long as a benchmark.
const benchSecret = "fieldphone-bench-secret"

func (inv *invocation) bench(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "relay":
			return inv.benchRelay(ctx, args[1:])
		case "turn":
			return inv.benchTURN(ctx, args[1:])
		}
	}
	fmt.Fprint(inv.stderr, benchUsage)
	return fmt.Errorf("%w: bench takes relay or turn", errUsage)
}

func (inv *invocation) benchFlags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet("fieldphone bench "+name, flag.ContinueOnError)
	fs.SetOutput(inv.stderr)
	fs.Usage = func() {
		fmt.Fprint(inv.stderr, benchUsage)
		fs.PrintDefaults()
	}
	return fs
}

// relayCase is one kind of load.
type relayCase struct {
	name, what  string
	load        bench.RelayLoad
	network     turnclient.Network
	allocations bool // allocate and release instead
	idle        int  // allocations to hold instead
}

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
		{name: "trains", what: "8 x 1200 B to the peer, saturated", load: with(func(l *bench.RelayLoad) { l.Size, l.Train, l.Down = 1200, 8, false })},
		{name: "tcp", what: "200 B over TCP, both ways, 20,000 a second", network: turnclient.TCP, load: with(func(l *bench.RelayLoad) { l.Rate = 20_000 })},
		{name: "allocations", what: "allocate and release", allocations: true},
		{name: "idle", what: "5,000 allocations, idle", idle: 5000},
	}
}

func (inv *invocation) benchRelay(ctx context.Context, args []string) error {
	fs := inv.benchFlags("relay")
	only := fs.String("case", "", "`names` of cases, by commas; all: "+caseNames())
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
	cases, err := chosenCases(*only)
	if err != nil {
		return err
	}
	if !relay.Offered {
		return errors.New("bench relay makes its load by recvmmsg and sendmmsg, which are Linux's: run it there, against any server")
	}
	targets, places, stop, err := inv.benchTargets(ctx, direct, rest)
	if err != nil {
		return err
	}
	defer stop()
	var reports []bench.Report
	for _, c := range cases {
		load := c.load
		load.Duration = *duration
		for _, f := range []struct{ to, from *int }{{&load.Clients, clients}, {&load.Size, size}, {&load.Rate, rate}} {
			if *f.from > 0 {
				*f.to = *f.from
			}
		}
		report, err := inv.benchCase(ctx, c, load, targets, places, *rounds)
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

func (inv *invocation) benchCase(ctx context.Context, c relayCase, load bench.RelayLoad, targets []bench.Target, places wire.Places, rounds int) (bench.Report, error) {
	targets = slices.Clone(targets)
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
	case c.idle > 0:
		report.Rows, err = bench.Idle(ctx, targets, c.idle, places, inv.stderr)
	default:
		report.Rows, err = bench.Relay(ctx, targets, load, places, rounds, inv.stderr)
	}
	return report, err
}

func caseNames() string {
	var names []string
	for _, c := range relayCases() {
		names = append(names, c.name)
	}
	return strings.Join(names, ",")
}

func chosenCases(names string) ([]relayCase, error) {
	all := relayCases()
	if names == "" {
		return all, nil
	}
	var chosen []relayCase
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(c relayCase) bool { return c.name == name })
		if i < 0 {
			return nil, fmt.Errorf("%w: there is no case %q; choose of %s", errUsage, name, caseNames())
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

func writeReports(file string, reports []bench.Report) error {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	for _, r := range reports {
		if err := r.WriteJSON(f); err != nil {
			f.Close()
			return err
		}
	}
	return f.Close()
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

// directServer is one that runs already.
type directServer struct {
	uri, user, password, secret string
	pid                         int
	peer                        string
}

func (d *directServer) flags(fs *flag.FlagSet) {
	fs.StringVar(&d.uri, "server", "", "`URI` of a server that runs already, like turn:127.0.0.1:3478?transport=udp")
	fs.StringVar(&d.user, "user", "", "user `name` there")
	fs.StringVar(&d.password, "pass", "", "`password` there")
	fs.StringVar(&d.secret, "rest-secret", "", "`secret` that makes credentials there")
	fs.IntVar(&d.pid, "pid", 0, "process `id` of that server, if it is on this machine")
	fs.StringVar(&d.peer, "peer", "", "local `address` of the peers; default: the one that leads to the server")
}

func (d directServer) target() (bench.Target, wire.Places, error) {
	rest, ok := strings.CutPrefix(d.uri, "turn:")
	network := turnclient.UDP
	secure, isSecure := strings.CutPrefix(d.uri, "turns:")
	if isSecure {
		rest, ok, network = secure, true, turnclient.TLS
	}
	rest, query, _ := strings.Cut(rest, "?")
	if query == "transport=tcp" && !isSecure {
		network = turnclient.TCP
	}
	address, err := netip.ParseAddrPort(rest)
	if !ok || err != nil {
		return bench.Target{}, wire.Places{}, fmt.Errorf("%w: --server must be like turn:192.168.1.10:3478 or turns:192.168.1.10:5349?transport=tcp", errUsage)
	}
	local := d.peer
	if local == "" {
		probe, err := net.Dial("udp", address.String())
		if err != nil {
			return bench.Target{}, wire.Places{}, err
		}
		local = probe.LocalAddr().(*net.UDPAddr).IP.String()
		probe.Close()
	}
	peer, err := netip.ParseAddr(local)
	if err != nil {
		return bench.Target{}, wire.Places{}, fmt.Errorf("%w: --peer must be an IP address of this machine", errUsage)
	}
	t := bench.Target{Name: d.uri, Address: address, Network: network, User: d.user, Password: d.password, PID: d.pid}
	if d.secret != "" {
		t.Secret = []byte(d.secret)
	}
	return t, wire.Places{Client: wire.Here, Peer: wire.Here, PeerAddress: peer}, nil
}

const baselineName = "pion/turn"

// benchTargets finds the servers, or starts them in namespaces.
func (inv *invocation) benchTargets(ctx context.Context, direct directServer, commands []string) ([]bench.Target, wire.Places, func(), error) {
	if direct.uri != "" {
		t, places, err := direct.target()
		return []bench.Target{t}, places, func() {}, err
	}
	if len(commands) == 0 {
		commands = defaultServers()
	}
	world, err := wire.New()
	if err != nil {
		return nil, wire.Places{}, nil, fmt.Errorf("make network namespaces (root is needed; or name a server with --server): %w", err)
	}
	var running []*exec.Cmd
	stop := func() {
		for _, cmd := range running {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		if err := world.Close(); err != nil {
			fmt.Fprintln(inv.stderr, "fieldphone bench:", err)
		}
	}
	var targets []bench.Target
	for i, command := range commands {
		name, line, ok := strings.Cut(command, "=")
		if !ok {
			stop()
			return nil, wire.Places{}, nil, fmt.Errorf("%w: a server is NAME=COMMAND", errUsage)
		}
		port := uint16(3478 + i)
		fill := strings.NewReplacer("{address}", world.Server.String(), "{port}", fmt.Sprint(port), "{secret}", benchSecret)
		cmd := world.Command(fill.Replace(line))
		if err := cmd.Start(); err != nil {
			stop()
			return nil, wire.Places{}, nil, err
		}
		running = append(running, cmd)
		t := bench.Target{
			Name: name, Address: netip.AddrPortFrom(world.Server, port), Network: turnclient.UDP,
			Secret: []byte(benchSecret), PID: cmd.Process.Pid,
		}
		if err := awaitTURN(ctx, t, world.Places); err != nil {
			stop()
			return nil, wire.Places{}, nil, fmt.Errorf("%s does not answer: %w", name, err)
		}
		targets = append(targets, t)
	}
	return targets, world.Places, stop, nil
}

func defaultServers() []string {
	self, err := os.Executable()
	if err != nil {
		self = "fieldphone"
	}
	servers := []string{
		"kernel=" + self + " bench turn --listen {address}:{port} --secret {secret} --path kernel",
		"user=" + self + " bench turn --listen {address}:{port} --secret {secret} --path user",
		"plain=" + self + " bench turn --listen {address}:{port} --secret {secret} --path plain",
		baselineName + "=" + self + " bench turn --listen {address}:{port} --secret {secret} --baseline",
	}
	if coturn, err := exec.LookPath("turnserver"); err == nil {
		servers = append(servers, "coturn="+coturn+" -n --listening-ip {address} --relay-ip {address} --listening-port {port} "+
			"--use-auth-secret --static-auth-secret {secret} --realm fieldphone --no-tls --no-dtls --no-cli --log-file /dev/null --pidfile /dev/null "+
			"--min-port 20000 --max-port 59999 --no-software-attribute")
	}
	return servers
}

// awaitTURN waits until a server answers.
func awaitTURN(ctx context.Context, t bench.Target, places wire.Places) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		var c *turnclient.Client
		err := places.Client(func() (err error) {
			c, err = turnclient.Dial(ctx, turnclient.Target{Network: t.Network, Address: t.Address})
			return err
		})
		if err == nil {
			_, err = c.Bind(ctx)
			c.Close()
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// benchTURN is the relay alone, with everybody known: what a benchmark loads.
func (inv *invocation) benchTURN(ctx context.Context, args []string) error {
	fs := inv.benchFlags("turn")
	listen := fs.String("listen", "127.0.0.1:3478", "`address` to listen on")
	secret := fs.String("secret", "", "that credentials are made with")
	path := fs.String("path", "auto", "how packets are forwarded: auto, kernel, user or plain")
	asItComes := fs.Bool("baseline", false, "pion/turn as it comes, which lets everybody through")
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
	<-ctx.Done()
	return server.Close()
}
