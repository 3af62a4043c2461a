// Package firewall says what a firewall must let through for this site, and
// writes it down as commands to paste. It is pure, and it trusts no name: what
// people call a segment gets into a comment, never into a command.
package firewall

import (
	"fmt"
	"net/netip"
	"slices"

	"fieldphone/httpapi/segment"
)

// Protocol is a transport protocol.
type Protocol string

// The protocols.
const (
	TCP Protocol = "tcp"
	UDP Protocol = "udp"
)

// PortRange is an inclusive range of ports.
type PortRange struct{ Min, Max uint16 }

// Port is the range of one port.
func Port(port uint16) PortRange { return PortRange{port, port} }

// String returns "8443" or "49160-49359".
func (r PortRange) String() string { return r.join("-") }

// MarshalText implements encoding.TextMarshaler by String.
func (r PortRange) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func (r PortRange) join(between string) string {
	if r.Min == r.Max {
		return fmt.Sprint(r.Min)
	}
	return fmt.Sprintf("%d%s%d", r.Min, between, r.Max)
}

// Why is what an opening is for.
type Why string

// The reasons for an opening.
const (
	HTTPS   Why = "https"    // page, API, signalling, and TURN where one port is all there is
	Start   Why = "start"    // the start page with the certificate
	TURNUDP Why = "turn_udp" // STUN and TURN over UDP
	TURNTCP Why = "turn_tcp" // TURN over TCP
	Relay   Why = "relay"    // media to the relay ports of others
)

// Opening is what a firewall between clients and server must let through, and
// the answers to it.
type Opening struct {
	Segment  string         `json:"segment"`
	From     []netip.Prefix `json:"from"` // one address family, as To
	To       []netip.Addr   `json:"to"`
	Protocol Protocol       `json:"proto"`
	Ports    PortRange      `json:"ports"`
	Why      Why            `json:"why"`
}

// Ports are those that the server listens on.
type Ports struct {
	HTTPS, HTTP, TURN uint16
	Relay             PortRange
}

// Site is what the openings follow from.
type Site struct {
	Segments  []segment.Segment
	Addresses []netip.Addr // all that this server is reached by
	Ports     Ports
}

// Openings lists what the clients of each segment need, by address family. A
// segment that names no address of this server may use any; relay ports are
// needed at all of them, since the other end of a call holds them. Where a
// router forwards ports, the openings are those behind the translation. STUN
// and TURN serve IPv4 alone.
func Openings(site Site) []Opening {
	var out []Opening
	for _, s := range site.Segments {
		mine := site.of(s)
		for _, four := range []bool{true, false} {
			from, to := networks(s.Clients, four), addresses(mine, four)
			add := func(to []netip.Addr, protocol Protocol, ports PortRange, why Why) {
				if len(from) > 0 && len(to) > 0 && ports.Min > 0 {
					out = append(out, Opening{s.Name, from, to, protocol, ports, why})
				}
			}
			add(to, TCP, Port(site.Ports.HTTPS), HTTPS)
			add(to, TCP, Port(site.Ports.HTTP), Start)
			if four && s.Allows(segment.UDP) {
				add(to, UDP, Port(site.Ports.TURN), TURNUDP)
				add(addresses(site.Addresses, true), UDP, site.Ports.Relay, Relay)
			}
			if four && s.Allows(segment.TCP) {
				add(to, TCP, Port(site.Ports.TURN), TURNTCP)
			}
		}
	}
	return out
}

// of are the addresses of this server that the clients of a segment use.
func (site Site) of(s segment.Segment) []netip.Addr {
	mine := s.ServerAddresses
	for _, told := range s.TURNAddresses {
		if len(s.ServerAddresses) == 0 && slices.Contains(site.Addresses, told.Addr()) {
			mine = append(mine, told.Addr())
		}
	}
	if len(mine) == 0 {
		return site.Addresses
	}
	return mine
}

// networks are the valid ones of one address family, in canonical form; none
// lies within another, which some versions of nftables refuse.
func networks(from []netip.Prefix, four bool) (out []netip.Prefix) {
	for _, p := range from {
		p = p.Masked()
		within := func(other netip.Prefix) bool { return other.Bits() <= p.Bits() && other.Contains(p.Addr()) }
		if !p.IsValid() || p.Addr().Is4() != four || slices.ContainsFunc(out, within) {
			continue
		}
		out = append(slices.DeleteFunc(out, func(other netip.Prefix) bool { return p.Contains(other.Addr()) }), p)
	}
	return out
}

// addresses are the valid ones of one address family, in canonical form.
func addresses(to []netip.Addr, four bool) (out []netip.Addr) {
	for _, a := range to {
		if a = a.Unmap().WithZone(""); a.IsValid() && a.Is4() == four && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}
