package turnsrv

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Settings is what may change while the server runs.
type Settings struct {
	// Relay is the range that relay ports are taken from, on every address.
	Relay PortRange
	// Policy says which peers may be reached through the relay.
	Policy Policy
	// Limits bounds what clients can use; zero fields get their default.
	Limits Limits
}

// PortRange is an inclusive range of UDP ports.
type PortRange struct{ Min, Max uint16 }

func (r PortRange) String() string { return fmt.Sprintf("%d-%d", r.Min, r.Max) }

func (r PortRange) size() int { return int(r.Max) - int(r.Min) + 1 }

func (r PortRange) contains(port uint16) bool { return port >= r.Min && port <= r.Max }

// Mode is how a Policy chooses the peers that may be reached.
type Mode string

const (
	// ModeCall lets a session reach the relay ports of this server, and what
	// Config.Known says belongs to the other end of its call.
	ModeCall Mode = "call"
	// ModeClients lets it reach the relay ports of this server, and what
	// Config.Known says was seen from or signalled by a signed-in client. The
	// zero Mode means this one.
	ModeClients Mode = "clients"
	// ModeCIDR lets it reach the networks of Policy.Allow.
	ModeCIDR Mode = "cidr"
	// ModeAny lets it reach every address that is not refused otherwise.
	ModeAny Mode = "any"
)

// byIdentity tells the modes in which Config.Known is asked and a peer must
// have answered with STUN before anything else is sent to it.
func (m Mode) byIdentity() bool { return m == ModeCall || m == ModeClients }

// Policy says which peers may be reached through the relay. Whatever it says,
// link-local, multicast, unspecified, broadcast and reserved addresses are
// refused, and so are the server's own addresses but for relay ports that an
// allocation holds. Those are reached in every mode, Deny or not: the
// allocation at that port is under the same rules.
type Policy struct {
	// Mode is ModeClients if empty.
	Mode Mode
	// AllowLoopback treats loopback like any other network. Only for tests: it
	// opens what listens on the machine's own loopback.
	AllowLoopback bool
	// Allow is what ModeCIDR may reach; ModeCall and ModeClients may reach it
	// too, still only after the peer has answered with STUN.
	Allow []netip.Prefix
	// Deny refuses more networks, in every mode.
	Deny []netip.Prefix
}

// Limits bounds what clients can use. Zero fields get the default named.
type Limits struct {
	// AllocationsPerSession is answered with 486 when exceeded. Default 12.
	AllocationsPerSession int
	// Allocations of all sessions together, answered with 508 when exceeded.
	// 0 means as many as there are relay ports.
	Allocations int
	// BitsPerAllocation and Bits (of all allocations together) are payload bits
	// per second in each direction; packets beyond that and a short burst are
	// dropped. 0 means no limit.
	BitsPerAllocation, Bits int64
	// AllocatesPerSource and BindingsPerSource are the requests per second that
	// one source address (IPv6: one /64) may send lastingly; a NAT hides many
	// clients behind one, so bursts of ten seconds' worth pass. Beyond it
	// Bindings and what is not authenticated are dropped (a stream's first,
	// unsigned request is not), and authenticated Allocates get 486. Default 20
	// and 100.
	AllocatesPerSource, BindingsPerSource float64
	// TCPConnections open at once, from everywhere. Default 4096.
	TCPConnections int
	// TCPConnectionsPerIP open at once from one address; a whole segment may
	// sit behind one NAT. Default 512.
	TCPConnectionsPerIP int
	// TCPFirstMessage is how long a TCP connection may take to send its first
	// valid message. Default 10 s.
	TCPFirstMessage time.Duration
	// TCPIdle is how long a TCP connection without an allocation may then be
	// silent. Default 2 min.
	TCPIdle time.Duration
	// CredentialLifetime is the longest lifetime of a credential that is
	// accepted, and how long a revocation is remembered. Default 24 h.
	CredentialLifetime time.Duration
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		value    *int
		fallback int
	}{
		{&l.AllocationsPerSession, 12},
		{&l.TCPConnections, 4096},
		{&l.TCPConnectionsPerIP, 512},
	} {
		if *f.value == 0 {
			*f.value = f.fallback
		}
	}
	for _, f := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&l.TCPFirstMessage, 10 * time.Second},
		{&l.TCPIdle, 2 * time.Minute},
		{&l.CredentialLifetime, 24 * time.Hour},
	} {
		if *f.value == 0 {
			*f.value = f.fallback
		}
	}
	for _, f := range []struct {
		value    *float64
		fallback float64
	}{
		{&l.AllocatesPerSource, 20},
		{&l.BindingsPerSource, 100},
	} {
		if *f.value == 0 {
			*f.value = f.fallback
		}
	}
	return l
}

// withDefaults is a copy that shares nothing with s.
func (s Settings) withDefaults() Settings {
	if s.Policy.Mode == "" {
		s.Policy.Mode = ModeClients
	}
	s.Policy.Allow, s.Policy.Deny = masked(s.Policy.Allow), masked(s.Policy.Deny)
	s.Limits = s.Limits.withDefaults()
	return s
}

// masked copies prefixes in the form that canonical addresses compare with.
func masked(prefixes []netip.Prefix) []netip.Prefix {
	copied := make([]netip.Prefix, 0, len(prefixes))
	for _, p := range prefixes {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		copied = append(copied, p.Masked())
	}
	return copied
}

// Problem is what is wrong with one setting.
type Problem struct {
	// Key is the setting: relay_ports, peers.mode, peers.allow, peers.deny or
	// limits.
	Key string
	// Code is one of the Code constants, for programs.
	Code string
	// Message says what is wrong and what to do.
	Message string
}

// Codes of a Problem.
const (
	CodeRangeReversed   = "range_reversed"
	CodeRangePrivileged = "range_privileged"
	CodeRangeOwnPort    = "range_own_port"
	CodeRangeTaken      = "range_taken"
	CodeModeUnknown     = "mode_unknown"
	CodePrefixInvalid   = "prefix_invalid"
	CodeLimitNegative   = "limit_negative"
)

// SettingsError is what New, Apply and Preview return for settings that make
// no sense: all that is wrong, at once.
type SettingsError struct{ Problems []Problem }

func (e *SettingsError) Error() string {
	sentences := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		sentences[i] = "turn: " + p.Key + ": " + p.Message
	}
	return strings.Join(sentences, "\n")
}

// lowestRelay keeps relay ports off the well-known ports, which firewalls and
// people take for services.
const lowestRelay = 1024

const keyRelayPorts = "relay_ports"

// validate returns a *SettingsError.
func (s Settings) validate() error {
	var problems []Problem
	refuse := func(bad bool, key, code, message string, args ...any) {
		if bad {
			problems = append(problems, Problem{Key: key, Code: code, Message: fmt.Sprintf(message, args...)})
		}
	}
	refuse(s.Relay.Max < s.Relay.Min, keyRelayPorts, CodeRangeReversed, "%s ends before it begins; write MIN-MAX", s.Relay)
	refuse(min(s.Relay.Min, s.Relay.Max) < lowestRelay, keyRelayPorts, CodeRangePrivileged, "%s has ports below %d; choose a range above, like 49160-49359", s.Relay, lowestRelay)
	modes := []Mode{"", ModeCall, ModeClients, ModeCIDR, ModeAny}
	refuse(!slices.Contains(modes, s.Policy.Mode), "peers.mode", CodeModeUnknown, "%q is no mode; write call, clients, cidr or any", s.Policy.Mode)
	for key, prefixes := range map[string][]netip.Prefix{"peers.allow": s.Policy.Allow, "peers.deny": s.Policy.Deny} {
		valid := !slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return !p.IsValid() })
		refuse(!valid, key, CodePrefixInvalid, "something in it is no network; write networks like 10.20.0.0/16")
	}
	l := s.Limits
	negative := min(l.AllocationsPerSession, l.Allocations, l.TCPConnections, l.TCPConnectionsPerIP) < 0 ||
		min(l.BitsPerAllocation, l.Bits) < 0 || min(l.TCPFirstMessage, l.TCPIdle, l.CredentialLifetime) < 0
	rates := min(l.AllocatesPerSource, l.BindingsPerSource)
	refuse(negative || rates < 0 || math.IsNaN(rates), "limits", CodeLimitNegative, "no limit can be negative")
	if len(problems) == 0 {
		return nil
	}
	return &SettingsError{problems}
}

// String is for log lines.
func (p Policy) String() string {
	var parts []string
	for name, prefixes := range map[string][]netip.Prefix{"allow": p.Allow, "deny": p.Deny} {
		for _, prefix := range prefixes {
			parts = append(parts, name+" "+prefix.String())
		}
	}
	slices.Sort(parts)
	return strings.Join(append([]string{string(p.Mode)}, parts...), ", ")
}
