package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"time"

	"fieldphone/cmd/fieldphone/bench"
	"fieldphone/turnsrv/turnclient"
	"fieldphone/turnsrv/wire"
)

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

// relaySite is what is measured, and where.
type relaySite struct {
	targets []bench.Target
	places  wire.Places
	offload func(on bool) error // see wire.World
	stop    func()
}

// benchTargets finds the servers, or starts them in namespaces.
func (inv *invocation) benchTargets(ctx context.Context, direct directServer, commands []string) (relaySite, error) {
	if direct.uri != "" {
		t, places, err := direct.target()
		return relaySite{[]bench.Target{t}, places, func(bool) error { return nil }, func() {}}, err
	}
	if len(commands) == 0 {
		commands = defaultServers()
	}
	world, err := wire.New()
	if err != nil {
		return relaySite{}, fmt.Errorf("make network namespaces (root is needed; or name a server with --server): %w", err)
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
	if err := world.Forward(); err != nil {
		stop()
		return relaySite{}, fmt.Errorf("make a router: %w", err)
	}
	targets := []bench.Target{{Name: "one hop", Control: bench.OneHop}, {Name: "IP forwarding", Control: bench.Forwarding}}
	for i, command := range commands {
		name, line, ok := strings.Cut(command, "=")
		if !ok {
			stop()
			return relaySite{}, fmt.Errorf("%w: a server is NAME=COMMAND", errUsage)
		}
		port := uint16(3478 + i)
		fill := strings.NewReplacer("{address}", world.Server.String(), "{port}", fmt.Sprint(port), "{secret}", benchSecret)
		cmd := world.Command(fill.Replace(line))
		if err := cmd.Start(); err != nil {
			stop()
			return relaySite{}, err
		}
		running = append(running, cmd)
		t := bench.Target{
			Name: name, Address: netip.AddrPortFrom(world.Server, port), Network: turnclient.UDP,
			Secret: []byte(benchSecret), PID: cmd.Process.Pid,
		}
		if err := awaitTURN(ctx, t, world.Places); err != nil {
			stop()
			return relaySite{}, fmt.Errorf("%s does not answer: %w", name, err)
		}
		targets = append(targets, t)
	}
	return relaySite{targets, world.Places, world.Offload, stop}, nil
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
