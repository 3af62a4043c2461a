// Package segment says which part of the network a client is in, and what that
// means: the server's addresses there, the addresses that clients are told, and
// the ways to the relay that are allowed. It is pure: interfaces, settings and
// requests come in as values.
package segment

import (
	"net/netip"
	"slices"
	"sync/atomic"
)

// Transport is a way from a client to the relay.
type Transport string

// The transports. TLS and HTTPS use the one open port, that of the page.
const (
	UDP   Transport = "udp"   // TURN over UDP, on the TURN port
	TCP   Transport = "tcp"   // TURN over TCP, on the TURN port
	HTTPS Transport = "https" // TURN over plain TCP, on the HTTPS port
	TLS   Transport = "tls"   // TURN over TLS, on the HTTPS port
)

// Transports lists all transports in the order in which clients prefer them.
func Transports() []Transport { return []Transport{UDP, TCP, HTTPS, TLS} }

// Segment is a part of the network and how its clients reach this server.
type Segment struct {
	Name    string
	Clients []netip.Prefix
	// ServerAddresses are this server's own addresses that the clients use.
	// Empty: the address that each client came by.
	ServerAddresses []netip.Addr
	// TURNAddresses are what clients are told instead, where a router forwards
	// ports to this server. Port 0 is the TURN port.
	TURNAddresses []netip.AddrPort
	// Transports that clients are offered. Empty: all that the server has.
	Transports []Transport
	// Derived is true if the segment was found at an interface.
	Derived   bool
	Interface string // of a derived one
}

// Allows reports whether clients of the segment may use a transport.
func (s Segment) Allows(t Transport) bool {
	return len(s.Transports) == 0 || slices.Contains(s.Transports, t)
}

// Reason is why an address or a segment is left out.
type Reason string

// The reasons.
const (
	Container   Reason = "container"    // a bridge of containers or virtual machines
	VPN         Reason = "vpn"          // a tunnel: its far end is not this site
	LinkLocal   Reason = "link_local"   // not routed, and browsers need a zone for it
	Skipped     Reason = "skipped"      // listen.skip_interfaces names the interface
	NotListened Reason = "not_listened" // listen.addresses does not name the address
	Host        Reason = "host"         // a network of one: clients come by the address all the same
	Covered     Reason = "covered"      // a configured segment says what holds there
	Absent      Reason = "absent"       // a configured server address that no interface has now
)

// LeftOut is an address that makes no segment, or one that a configured
// segment names and this host does not have.
type LeftOut struct {
	Interface string // empty for a configured segment
	Segment   string // the configured segment that is absent or covers this
	Prefix    netip.Prefix
	Reason    Reason
}

// Table is the segments of one moment. It does not change; a Holder holds the
// present one.
type Table struct {
	Segments []Segment
	LeftOut  []LeftOut
	// Addresses are all of this host that are served, best first.
	Addresses []netip.Addr
}

// Find returns the segment of a client: the one with the most specific network
// that contains the address.
func (t *Table) Find(client netip.Addr) (Segment, bool) {
	client = client.Unmap().WithZone("")
	best, bits := -1, -1
	for i, s := range t.Segments {
		for _, network := range s.Clients {
			if network.Bits() > bits && network.Contains(client) {
				best, bits = i, network.Bits()
			}
		}
	}
	if best < 0 {
		return Segment{}, false
	}
	return t.Segments[best], true
}

// Advertised returns the address that relayed ports of a local address are
// told by, where every segment that forwards to it agrees on one. Zero: the
// local address itself, which every client that is itself relayed reaches.
func (t *Table) Advertised(local netip.Addr) netip.Addr {
	var advertised netip.Addr
	for _, s := range t.Segments {
		if !slices.Contains(s.ServerAddresses, local) || len(s.TURNAddresses) == 0 {
			continue
		}
		told := s.TURNAddresses[0].Addr()
		if advertised.IsValid() && told != advertised {
			return netip.Addr{}
		}
		advertised = told
	}
	if slices.Contains(t.Addresses, advertised) {
		return netip.Addr{} // an address of this host stands for itself
	}
	return advertised
}

// Holder holds the present table. The zero Holder holds an empty one.
type Holder struct{ table atomic.Pointer[Table] }

// Load returns the present table, never nil.
func (h *Holder) Load() *Table {
	if t := h.table.Load(); t != nil {
		return t
	}
	return &Table{}
}

// Store replaces the table.
func (h *Holder) Store(t *Table) { h.table.Store(t) }
