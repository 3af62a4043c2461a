package configs

import (
	"fmt"
	"net/netip"
	"slices"
)

// TURN is about the STUN/TURN server (RFC 8489, RFC 8656).
type TURN struct {
	Realm      string    `yaml:"realm"`       // REALM attribute, RFC 8489 section 14.9
	Port       int       `yaml:"port"`        // UDP and TCP; 0: any free port
	RelayPorts PortRange `yaml:"relay_ports"` // UDP ports that allocations get
	// Secret signs the time-limited credentials. Empty: made at first start and kept in
	// Data.
	Secret Secret `yaml:"secret"`
	// AllowLoopbackPeers lets clients relay to 127.0.0.0/8 and ::1. Only for tests: it
	// opens everything that listens on this machine alone.
	AllowLoopbackPeers bool `yaml:"allow_loopback_peers"`
	// Peers says whom clients may reach through the relay.
	Peers                    Peers `yaml:"peers"`
	MaxAllocationsPerSession int   `yaml:"max_allocations_per_session"`
	MaxAllocations           int   `yaml:"max_allocations"`     // in all; 0: as many as there are ports
	KbpsPerAllocation        int   `yaml:"kbps_per_allocation"` // kbit/s each way; 0: no limit
	Kbps                     int   `yaml:"kbps"`                // kbit/s of all allocations each way; 0: no limit
	AllocatesPerSecond       int   `yaml:"allocates_per_second_per_source"`
	BindingsPerSecond        int   `yaml:"bindings_per_second_per_source"`
	OnHTTPSPort              bool  `yaml:"on_https_port"` // the HTTPS port speaks TURN as well
	MaxTCPConnections        int   `yaml:"max_tcp_connections"`
}

// Relay is about the relay's data path.
type Relay struct {
	Path string `yaml:"path"` // auto, kernel, user or plain
}

func (r Relay) check(ps *Problems) { ps.oneOf("relay.path", r.Path, "auto", "kernel", "user", "plain") }

// Peers is the policy for the far ends of relayed traffic, on top of what is never
// allowed.
type Peers struct {
	Mode  string         `yaml:"mode"`  // call, clients, cidr or any
	Allow []netip.Prefix `yaml:"allow"` // beside the mode's own; for cidr, the only ones
	Deny  []netip.Prefix `yaml:"deny"`  // wins over everything
}

func (t TURN) check(ps *Problems) {
	const longestRealm, shortestSecret = 127, 16 // RFC 8489 section 14.9: fewer than 128 characters
	if n := len([]rune(t.Realm)); n == 0 || n > longestRealm {
		ps.add("turn.realm", t.Realm, "a realm has from 1 to 127 characters", "use a short name, like fieldphone")
	}
	if isGiven(t.Secret) && len(t.Secret.Reveal()) < shortestSecret {
		ps.add("turn.secret", t.Secret, "it has fewer than 16 bytes and can be guessed", "use a longer random one, or leave it empty to have one made")
	}
	t.Peers.check(ps)
	const mostKbps, mostRate = 100_000_000, 1_000_000
	ps.between("turn.max_allocations_per_session", t.MaxAllocationsPerSession, 1, 1000)
	ps.between("turn.max_allocations", t.MaxAllocations, 0, 1_000_000)
	ps.between("turn.kbps_per_allocation", t.KbpsPerAllocation, 0, mostKbps)
	ps.between("turn.kbps", t.Kbps, 0, mostKbps)
	if t.Kbps != 0 && t.Kbps < t.KbpsPerAllocation {
		ps.refuse("below_other", "turn.kbps", t.Kbps, fmt.Sprintf("it is less than turn.kbps_per_allocation %d, of one allocation alone", t.KbpsPerAllocation), "raise it, or lower the other")
	}
	ps.between("turn.allocates_per_second_per_source", t.AllocatesPerSecond, 1, mostRate)
	ps.between("turn.bindings_per_second_per_source", t.BindingsPerSecond, 1, mostRate)
	ps.between("turn.max_tcp_connections", t.MaxTCPConnections, 1, 1_000_000)
}

func (p Peers) check(ps *Problems) {
	ps.oneOf("turn.peers.mode", p.Mode, "call", "clients", "cidr", "any")
	if p.Mode == "cidr" && len(p.Allow) == 0 {
		ps.refuse("empty", "turn.peers.allow", nil, "mode cidr permits the listed networks alone, and the list is empty", "list those of your clients, like [192.168.0.0/16], or choose mode clients")
	}
	ps.networks("turn.peers.allow", p.Allow)
	ps.networks("turn.peers.deny", p.Deny)
}

func (ps *Problems) networks(key string, networks []netip.Prefix) {
	for i, network := range networks {
		at := fmt.Sprintf("%s[%d]", key, i)
		if network != network.Masked() {
			ps.refuse("bits_set", at, network, "bits are set after the prefix", "write "+network.Masked().String())
		} else if slices.Contains(networks[:i], network) {
			ps.refuse("twice", at, network, "it is in the list twice", "remove one of the two")
		}
	}
}
