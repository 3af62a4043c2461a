package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"text/tabwriter"

	"fieldphone/configs"
	"fieldphone/httpapi/segment"
)

// hostInterfaces are those of this machine that are up.
func hostInterfaces() (found []segment.Interface, err error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	for _, iface := range interfaces {
		addrs, err := iface.Addrs()
		if err != nil || iface.Flags&net.FlagUp == 0 {
			continue
		}
		one := segment.Interface{Name: iface.Name, Loopback: iface.Flags&net.FlagLoopback != 0}
		for _, a := range addrs {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil {
				one.Prefixes = append(one.Prefixes, prefix)
			}
		}
		found = append(found, one)
	}
	return found, nil
}

// addressRules say which of this machine's addresses are served.
func addressRules(cfg configs.Listen) segment.Rules {
	return segment.Rules{Addresses: cfg.Addresses, Skip: cfg.SkipInterfaces}
}

func configuredSegments(cfg configs.Config) (segments []segment.Segment) {
	for _, c := range cfg.Segments {
		s := segment.Segment{Name: c.Name, Clients: c.Clients, ServerAddresses: c.ServerAddresses, TURNAddresses: c.TURNAddresses}
		for _, transport := range c.Transports {
			s.Transports = append(s.Transports, segment.Transport(transport))
		}
		segments = append(segments, s)
	}
	return segments
}

// tableOf is the segments that a configuration makes of this host's interfaces
// as they are; of a host that does not tell them, what is configured.
func (s *server) tableOf(cfg configs.Config) *segment.Table {
	interfaces, err := hostInterfaces()
	if err != nil {
		s.log.Warn("cannot list network interfaces", "error", err)
	}
	return segment.Build(configuredSegments(cfg), interfaces, addressRules(cfg.Listen))
}

// setSegments makes the segments of a configuration hold: for what clients are
// told of the relay, and for what relayed addresses look like.
func (s *server) setSegments(cfg configs.Config) {
	table := s.tableOf(cfg)
	told := map[netip.Addr]netip.Addr{}
	for _, local := range table.Addresses {
		if advertised := table.Advertised(local); advertised.IsValid() {
			told[local] = advertised
		}
	}
	s.turn.Advertise(told)
	s.segments.Store(table)
	for _, out := range table.LeftOut {
		if out.Reason == segment.Absent {
			s.log.Warn("a segment names an address that this machine does not have now", "segment", out.Segment, "address", out.Prefix.Addr())
		}
	}
}

// planFor is how a client reaches the relay.
func (s *server) planFor(v segment.Visit) segment.Plan {
	return s.segments.Load().Plan(v, segment.Relay{
		Port: s.turnPort, HTTPSPort: portOf(s.https), OnHTTPS: s.cfg.TURN.OnHTTPSPort, Near: s.relayFor,
	})
}

// printSegments shows who is told what, and which addresses tell nobody.
func printSegments(w io.Writer, table *segment.Table, onHTTPS bool) {
	all := segment.Segment{}
	for _, transport := range segment.Transports() {
		if onHTTPS || transport == segment.UDP || transport == segment.TCP {
			all.Transports = append(all.Transports, transport)
		}
	}
	fmt.Fprint(w, "\nSegments of the network, and where their clients find the relay:\n\n")
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "  segment\tclients\tserver\tadvertised\ttransports")
	for _, s := range table.Segments {
		if len(s.Transports) == 0 {
			s.Transports = all.Transports
		}
		fmt.Fprintf(columns, "  %s\t%s\t%s\t%s\t%s\n", s.Name, list(s.Clients, "-"), list(s.ServerAddresses, "the one they came by"), told(s), list(s.Transports, "-"))
	}
	fmt.Fprintf(columns, "  elsewhere\tall others\tthe one they came by\t-\t%s\n", list(all.Transports, "-"))
	_ = columns.Flush() // like all of the banner, for whoever still looks
	for _, out := range table.LeftOut {
		if out.Segment != "" && out.Reason == segment.Absent {
			fmt.Fprintf(w, "  left out: %s of %s, which this machine does not have now\n", out.Prefix.Addr(), out.Segment)
			continue
		}
		fmt.Fprintf(w, "  left out: %s %s, %s\n", out.Interface, out.Prefix, words(out))
	}
}

func words(out segment.LeftOut) string {
	switch out.Reason {
	case segment.Container:
		return "of containers or virtual machines"
	case segment.VPN:
		return "a VPN"
	case segment.LinkLocal:
		return "link-local"
	case segment.NotListened:
		return "not in listen.addresses"
	case segment.Host:
		return "a network of one address: clients come by it all the same"
	case segment.Covered:
		return "covered by the segment " + out.Segment
	}
	return "in listen.skip_interfaces"
}

// told are the advertised addresses of a segment.
func told(s segment.Segment) string {
	texts := make([]string, len(s.TURNAddresses))
	for i, at := range s.TURNAddresses {
		texts[i] = at.String()
		if at.Port() == 0 {
			texts[i] = at.Addr().String()
		}
	}
	return list(texts, "-")
}

func list[T any](items []T, none string) string {
	if len(items) == 0 {
		return none
	}
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = fmt.Sprint(item)
	}
	return strings.Join(texts, " ")
}
