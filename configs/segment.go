package configs

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"
)

// Segment is a part of the network, beside those that the server finds at its interfaces,
// and how its clients reach this server.
type Segment struct {
	Name    string         `yaml:"name"`
	Clients []netip.Prefix `yaml:"clients"` // the most specific network decides
	// ServerAddresses are this server's own addresses in the segment. Empty: the address
	// that each client came by.
	ServerAddresses []netip.Addr `yaml:"server_addresses"`
	// TURNAddresses are what the clients are told instead, for ports that a router
	// forwards and for addresses outside the segment. Port 0 means TURN.Port.
	TURNAddresses []netip.AddrPort `yaml:"turn_addresses"`
	// Transports are udp, tcp, https or tls. Empty: all.
	Transports []string `yaml:"transports"`
}

func (c Config) checkSegments(ps *Problems) {
	const most = 200
	if len(c.Segments) > most {
		ps.refuse("too_many", "segments", nil, fmt.Sprintf("there are more than %d segments", most), "join networks that are treated alike into one segment")
		return
	}
	names := map[string]int{}
	networks := map[netip.Prefix]string{}
	for i, s := range c.Segments {
		at := fmt.Sprintf("segments[%d]", i)
		if before, twice := names[s.Name]; s.Name == "" {
			ps.refuse("missing", at+".name", s.Name, "a segment needs a name", "use what people call this part of the network")
		} else if twice {
			ps.refuse("twice", at+".name", s.Name, fmt.Sprintf("segments[%d] has the same name", before), "rename one of the two")
		} else if len([]rune(s.Name)) > 64 || strings.ContainsFunc(s.Name, unicode.IsControl) {
			ps.add(at+".name", s.Name, "it is shown in one line", "use at most 64 characters and no line break")
		}
		names[s.Name] = i
		s.checkClients(ps, at, networks)
		s.checkAddresses(ps, at)
		s.checkTransports(ps, at, c.TURN.OnHTTPSPort)
	}
}

func (s Segment) checkClients(ps *Problems, at string, known map[netip.Prefix]string) {
	const most = 64
	switch n := len(s.Clients); {
	case n == 0:
		ps.refuse("missing", at+".clients", nil, "a segment needs the networks of its clients", "list them, like [192.168.1.0/24]")
	case n > most:
		ps.refuse("too_many", at+".clients", nil, fmt.Sprintf("there are more than %d networks", most), "use larger ones, like 10.20.0.0/16")
		return
	}
	for j, network := range s.Clients {
		key := fmt.Sprintf("%s.clients[%d]", at, j)
		if network != network.Masked() {
			ps.refuse("bits_set", key, network, "bits are set after the prefix", "write "+network.Masked().String())
		} else if other, twice := known[network]; twice {
			ps.refuse("twice", key, network, other+" is the same network", "remove one of the two")
		} else {
			known[network] = key
		}
	}
}

func (s Segment) checkAddresses(ps *Problems, at string) {
	const most = 8
	if max(len(s.ServerAddresses), len(s.TURNAddresses)) > most {
		ps.refuse("too_many", at+".server_addresses", nil, fmt.Sprintf("there are more than %d addresses", most), "name the one or two that clients use")
		return
	}
	for j, a := range s.ServerAddresses {
		key := fmt.Sprintf("%s.server_addresses[%d]", at, j)
		inside := slices.ContainsFunc(s.Clients, func(network netip.Prefix) bool { return network.Contains(a) })
		switch {
		case !isSingle(a):
			ps.add(key, a, "no client can send to this address", "write an address of this server")
		case slices.Contains(s.ServerAddresses[:j], a):
			ps.refuse("twice", key, a, "it is in the list twice", "remove one of the two")
		case !inside && len(s.TURNAddresses) == 0:
			ps.refuse("outside_segment", key, a, "none of the segment's networks contains it", "correct one of the two; where clients reach this address through a router, write it under turn_addresses")
		}
	}
	for j, ap := range s.TURNAddresses {
		key := fmt.Sprintf("%s.turn_addresses[%d]", at, j)
		if !isSingle(ap.Addr()) {
			ps.add(key, ap, "no client can send to this address", "write the one that clients of this segment use for the server")
		} else if slices.Contains(s.TURNAddresses[:j], ap) {
			ps.refuse("twice", key, ap, "it is in the list twice", "remove one of the two")
		}
	}
}

func isSingle(a netip.Addr) bool { return a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() }

func (s Segment) checkTransports(ps *Problems, at string, onHTTPSPort bool) {
	shared := 0
	for j, transport := range s.Transports {
		key := fmt.Sprintf("%s.transports[%d]", at, j)
		ps.oneOf(key, transport, "udp", "tcp", "https", "tls")
		if slices.Contains(s.Transports[:j], transport) {
			ps.refuse("twice", key, transport, "it is in the list twice", "remove one of the two")
		}
		if transport == "https" || transport == "tls" {
			shared++
		}
	}
	if n := len(s.Transports); n > 0 && shared == n && !onHTTPSPort {
		ps.refuse("no_transport", at+".transports", nil, "turn.on_https_port is false, so that no way to the relay is left", "set it to true, or add udp or tcp")
	}
}
