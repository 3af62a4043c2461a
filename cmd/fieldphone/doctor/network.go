package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"fieldphone/cmd/fieldphone/checkup"
	"fieldphone/cmd/fieldphone/host"
	"fieldphone/httpapi/firewall"
	"fieldphone/httpapi/segment"
)

func (e *exam) network(ctx context.Context) {
	e.addresses()
	for _, p := range []struct {
		name, key string
		port      int
	}{
		{"https port", "listen.https_port", e.Config.Listen.HTTPSPort},
		{"http port", "listen.http_port", e.Config.Listen.HTTPPort},
	} {
		e.port(ctx, p.name, p.key, "tcp", e.listenOn(), p.port)
	}
	e.port(ctx, "turn port", "turn.port", "tcp", e.relayAddresses(), e.Config.TURN.Port)
	e.port(ctx, "turn port", "turn.port", "udp", e.relayAddresses(), e.Config.TURN.Port)
	e.relayPorts()
	e.firewall(ctx)
}

// reasons that an address is left out, in words.
var reasons = map[segment.Reason]string{
	segment.Container: "it leads to containers or virtual machines", segment.VPN: "it is a tunnel",
	segment.LinkLocal: "link-local addresses are not routed", segment.Skipped: "listen.skip_interfaces names it",
	segment.NotListened: "listen.addresses does not name it", segment.Host: "a network of one",
}

func (e *exam) addresses() {
	for _, p := range e.Places {
		s, _ := e.Table.Find(p.Prefix.Addr())
		text := p.Prefix.Addr().String() + " on " + p.Interface
		if s.Name != "" {
			text += ", segment " + s.Name
		}
		e.ok("address", "%s", text)
	}
	if len(e.Places) == 0 {
		e.warn("address", "Connect this machine to a network; addresses that come later are served by themselves.", "no address that clients could use")
	}
	for _, s := range e.Table.Segments {
		if !s.Derived {
			e.ok("segment", "%s: clients %s", s.Name, join(s.Clients))
		}
	}
	for _, out := range e.Table.LeftOut {
		switch out.Reason {
		case segment.Covered: // the configured segment has been told
		case segment.Absent:
			e.warn("segment", "Correct server_addresses of the segment, or bring the interface up.", "segment %s names %s, which this machine has not got now", out.Segment, out.Prefix.Addr())
		default:
			e.skip("left out", "%s on %s: %s", out.Prefix.Addr(), out.Interface, reasons[out.Reason])
		}
	}
}

func join[T fmt.Stringer](items []T) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = item.String()
	}
	return strings.Join(texts, ", ")
}

// listenOn are the addresses of the TCP ports; the unspecified one stands for all.
func (e *exam) listenOn() []netip.Addr {
	if len(e.Config.Listen.Addresses) > 0 {
		return e.Config.Listen.Addresses
	}
	return []netip.Addr{netip.IPv6Unspecified()}
}

// port tries to take a port, as the server would at its start.
func (e *exam) port(ctx context.Context, name, key, network string, addrs []netip.Addr, port int) {
	what := fmt.Sprintf("%d/%s", port, network)
	if port == 0 {
		e.skip(name, "%s is 0: the system chooses one", key)
		return
	}
	free := 0
	for _, addr := range addrs {
		err := try(ctx, network, addr, port)
		switch {
		case err == nil:
			free++
		case host.InUse(err):
			e.taken(name, key, what, network, addr, port)
			return
		case errors.Is(err, fs.ErrPermission) && e.running != nil && e.running.mine:
			e.ok(name, "%s needs rights that the running server has", what)
			return
		case errors.Is(err, fs.ErrPermission):
			e.fail(name, "Run the server by its systemd unit, which has the right (AmbientCapabilities=CAP_NET_BIND_SERVICE), or set "+key+" to a port from 1024 up.",
				"this user may not use port %s", what)
			return
		default:
			e.fail(name, "Correct listen.addresses: it must name addresses of this machine.", "%s: %v", what, err)
			return
		}
	}
	switch {
	case len(addrs) == 0:
		e.skip(name, "%s: no address yet", what)
	case e.running != nil && e.running.mine:
		e.fail(name, "Restart the server; its log says why it does not listen there.", "%s is free, though the server runs", what)
	default:
		e.ok(name, "%s is free", what)
	}
}

func try(ctx context.Context, network string, addr netip.Addr, port int) error {
	at := net.JoinHostPort(addr.String(), strconv.Itoa(port))
	if addr.IsUnspecified() {
		at = net.JoinHostPort("", strconv.Itoa(port))
	}
	var config net.ListenConfig
	if network == "udp" {
		conn, err := config.ListenPacket(ctx, "udp", at)
		if err == nil {
			conn.Close()
		}
		return err
	}
	ln, err := config.Listen(ctx, "tcp", at)
	if err == nil {
		ln.Close()
	}
	return err
}

func (e *exam) taken(name, key, what, network string, addr netip.Addr, port int) {
	process, known := e.sockets.owner(network, addr, uint16(port))
	mine := e.running != nil && e.running.mine
	switch {
	case mine && (process.PID == e.running.pid || process.PID == 0 || e.running.pid == 0):
		e.ok(name, "%s is held by the running server", what)
	case known && process.Name == ourName:
		e.fail(name, otherSettings, "%s is held by %s, which has other settings", what, process)
	case known && process.PID != 0:
		e.fail(name, "Stop "+process.String()+", or choose another "+key+".", "%s is held by %s", what, process)
	default:
		e.fail(name, "Stop what holds it (as root, ss -lnp names it), or choose another "+key+".", "%s is held by another program", what)
	}
}

// relayPorts looks for programs that hold ports of the range. Calls use the others, so
// this is no failure before nearly all are gone.
func (e *exam) relayPorts() {
	r := e.Config.TURN.RelayPorts
	all := e.sockets.all("udp")
	if !e.sockets.known["udp"] {
		return
	}
	taken := make(map[netip.AddrPort]host.Process)
	for _, h := range all {
		ours := e.running != nil && e.running.mine && (h.process.PID == e.running.pid || e.running.pid == 0 || h.process.PID == 0)
		serves := h.address.Addr().IsUnspecified() || slices.Contains(e.relayAddresses(), h.address.Addr())
		if r.Contains(int(h.address.Port())) && serves && !ours {
			taken[h.address] = h.process
		}
	}
	hint := fmt.Sprintf("Keep the system from lending them: sysctl -w net.ipv4.ip_local_reserved_ports=%s; or move turn.relay_ports.", r)
	switch n := len(taken); {
	case n == 0:
		e.ok("relay ports", "%s: %d ports, none held by others", r, r.Size())
	case n >= r.Size()*max(1, len(e.relayAddresses()))*9/10:
		e.fail("relay ports", hint, "%d ports of %s are held by others, as by %s", n, r, first(taken))
	default:
		e.warn("relay ports", hint, "%s of %s held by others, as by %s", plural(n, "port"), r, first(taken))
	}
}

func first(taken map[netip.AddrPort]host.Process) string {
	var best netip.AddrPort
	for at := range taken {
		if !best.IsValid() || at.Port() < best.Port() {
			best = at
		}
	}
	return fmt.Sprintf("%s (port %d)", taken[best], best.Port())
}

// firewall reads this machine's packet filter, which only root may. It hints: whether a
// packet passes shows the relay's loop and, from elsewhere, fieldphone probe.
func (e *exam) firewall(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	ruleset, known := host.Ruleset(ctx)
	if !known {
		e.skip("firewall", "cannot be read (it takes nft, and root)")
		return
	}
	openings := firewall.Openings(e.site())
	var ports []host.Port
	for _, o := range openings {
		p := host.Port{Protocol: string(o.Protocol), From: o.Ports.Min, To: o.Ports.Max}
		if !slices.Contains(ports, p) {
			ports = append(ports, p)
		}
	}
	closed := host.Closed(ruleset, ports)
	if len(closed) == 0 {
		e.ok("firewall", "nothing in nft list ruleset closes the server's ports")
		return
	}
	var names []string
	for _, p := range closed {
		names = append(names, p.Protocol+" "+firewall.PortRange{Min: p.From, Max: p.To}.String())
	}
	needed := slices.DeleteFunc(openings, func(o firewall.Opening) bool {
		return !slices.Contains(closed, host.Port{Protocol: string(o.Protocol), From: o.Ports.Min, To: o.Ports.Max})
	})
	e.add(checkup.Check{
		Name: "firewall", State: checkup.Warning,
		Text: "this machine's packet filter seems to drop " + strings.Join(names, ", "),
		Hint: "If clients cannot connect, let these in.",
		Rules: []checkup.Rule{{
			Flavour: string(firewall.NFTables), At: string(firewall.Server), Label: "On this machine",
			Text: firewall.Text(firewall.NFTables, needed, firewall.Server),
		}},
	})
}

// site is what the firewall's rules follow from.
func (e *exam) site() firewall.Site {
	c := e.Config
	var addrs []netip.Addr
	for _, p := range e.Places {
		addrs = append(addrs, p.Prefix.Addr())
	}
	return firewall.Site{Segments: e.Table.Segments, Addresses: addrs, Ports: firewall.Ports{
		HTTPS: uint16(c.Listen.HTTPSPort), HTTP: uint16(c.Listen.HTTPPort), TURN: uint16(c.TURN.Port),
		Relay: firewall.PortRange{Min: uint16(c.TURN.RelayPorts.Min), Max: uint16(c.TURN.RelayPorts.Max)},
	}}
}
