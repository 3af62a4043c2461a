// Package pathtest judges path tests: from what each leg said it finds which one fails
// first, why, and what a firewall must let through. It is pure.
package pathtest

import (
	"fmt"
	"net/netip"
	"slices"

	"fieldphone/httpapi/firewall"
	"fieldphone/httpapi/segment"
	"fieldphone/rtc"
)

// Site is this server, and the client whose legs are judged.
type Site struct {
	firewall.Site
	Client netip.Addr // zero if it is not known
	Server netip.Addr // the address by which the client came; zero if it is not known
}

// Planned is one leg that a client tests, and where it leads (RFC 7064, RFC 7065).
type Planned struct {
	Leg rtc.LegName `json:"leg"`
	URL string      `json:"url"`
}

// Plan is what GET /api/v1/path tells a client. ServerTime is in Unix milliseconds.
type Plan struct {
	ServerTime int64     `json:"server_time"`
	Segment    string    `json:"segment"`
	Client     string    `json:"client"`
	Server     string    `json:"server"`
	StartPort  uint16    `json:"start_port"`
	Legs       []Planned `json:"legs"`
	Username   string    `json:"username"`
	Credential string    `json:"credential"`
	RelayPorts Ports     `json:"relay_ports"`
	NAT        *NAT      `json:"nat,omitempty"`
}

// Ports is the range of relay ports.
type Ports struct {
	Min uint16 `json:"min"`
	Max uint16 `json:"max"`
}

// NAT is where a client can ask two addresses from one socket (RFC 5780).
type NAT struct {
	Primary string `json:"primary"`
	Other   string `json:"other"`
}

// legOf names the leg of a way to the relay.
var legOf = map[segment.Transport]rtc.LegName{
	segment.UDP: rtc.LegTURNUDP, segment.TCP: rtc.LegTURNTCP, segment.TLS: rtc.LegTURNTLS, segment.HTTPS: rtc.LegTURNHTTPS,
}

// Legs lists what a client is to test: STUN, and every way to the relay, also those that
// calls do not use.
func Legs(plan segment.Plan) []Planned {
	legs := []Planned{}
	for _, url := range plan.STUN {
		legs = append(legs, Planned{rtc.LegSTUN, url})
	}
	for _, way := range plan.Ways {
		legs = append(legs, Planned{legOf[way.Transport], way.URL})
	}
	return legs
}

// Level says how much a finding matters.
type Level string

// The levels. With failures calls do not work; with warnings they do, but not well, or not
// for everybody; infos explain.
const (
	Failure Level = "failure"
	Warning Level = "warning"
	Info    Level = "info"
)

// Code names a finding. Clients have the words for it; English ones are in Sentence.
type Code string

// The codes, in the order in which one explains another.
const (
	ClockOff           Code = "clock_off"           // offset_ms
	NameUnresolved     Code = "name_unresolved"     //
	ServerUnreachable  Code = "server_unreachable"  // the HTTPS port does not answer
	Untrusted          Code = "untrusted"           // the site's CA is not installed
	SignallingFailed   Code = "signalling_failed"   //
	SignallingFallback Code = "signalling_fallback" // event stream instead of WebSocket
	SignallingSlow     Code = "signalling_slow"     //
	SignInAgain        Code = "sign_in_again"       // the relay refuses the credential
	RelayUnreachable   Code = "relay_unreachable"   // no way to the relay works
	RelayDown          Code = "relay_down"          // its port refuses: nothing listens, or a firewall rejects
	RelayBusy          Code = "relay_busy"          // reached, but it gives no relay port
	UDPBlocked         Code = "udp_blocked"         // calls go over TCP; port
	OnePortOnly        Code = "one_port_only"       // calls go over the HTTPS port; port
	TCPBlocked         Code = "tcp_blocked"         // only TURN over TCP fails; port
	HTTPSTURNFailed    Code = "https_turn_failed"   // TURN on the HTTPS port fails; port
	STUNSilent         Code = "stun_silent"         // TURN over UDP works, STUN does not
	RelaySlow          Code = "relay_slow"          // ms
	Lossy              Code = "lossy"               // loss, percent
	LargeLost          Code = "large_packets_lost"  // small ones pass: bytes
	Slow               Code = "slow"                // kbps, rtt_ms
	PortsBlocked       Code = "ports_blocked"       // ranges, asked, answered
	AllPortsBlocked    Code = "all_ports_blocked"   // range
	NATVaries          Code = "nat_varies"          // mappings: direct calls will be rare
	PairRelayFailed    Code = "pair_relay_failed"   // both reach the relay alone, not each other
	PairUnreachable    Code = "pair_unreachable"    // no transport works between the two
	PairGone           Code = "pair_gone"           // the other device went away
	PairSlow           Code = "pair_slow"           // loss, rtt_ms
	DirectBlocked      Code = "direct_blocked"      // calls go over the relay
	TestFailed         Code = "test_failed"         // the test itself
)

// Finding is one thing that a path test shows.
type Finding struct {
	Level   Level       `json:"level"`
	Code    Code        `json:"code"`
	Leg     rtc.LegName `json:"leg"`
	Because rtc.LegCode `json:"because,omitempty"` // what the leg said
	Target  string      `json:"target,omitempty"`
	Segment string      `json:"segment"`
	// Params are the numbers and texts that belong to the code.
	Params map[string]any `json:"params,omitempty"`
	// Openings are what a firewall must let through to mend it; empty where no firewall
	// is at fault.
	Openings []firewall.Opening `json:"openings"`
	// At are the firewalls that can be in the way, the likelier first.
	At []firewall.At `json:"at,omitempty"`
}

// Rule is the text of a firewall rule, ready to paste.
type Rule struct {
	Flavour firewall.Flavour `json:"flavour"`
	At      firewall.At      `json:"at"`
	Label   string           `json:"label"`
	Text    string           `json:"text"`
}

// Rules writes the finding's openings for each firewall that can be in the way, in the
// flavours asked for, or in all.
func (f Finding) Rules(flavours ...firewall.Flavour) []Rule {
	rules := []Rule{}
	if len(f.Openings) == 0 {
		return rules
	}
	for _, at := range f.At {
		for _, known := range firewall.Flavours() {
			if len(flavours) > 0 && !slices.Contains(flavours, known.Flavour) {
				continue
			}
			if text := firewall.Text(known.Flavour, f.Openings, at); text != "" {
				rules = append(rules, Rule{known.Flavour, at, known.Label, text})
			}
		}
	}
	return rules
}

// segment of the client, and what it needs opened for some reasons.
func (s Site) segment() segment.Segment {
	table := segment.Table{Segments: s.Segments}
	if found, ok := table.Find(s.Client); ok && s.Client.IsValid() {
		return found
	}
	if !s.Client.IsValid() {
		return segment.Segment{}
	}
	own := segment.Segment{Clients: []netip.Prefix{netip.PrefixFrom(s.Client.Unmap(), s.Client.Unmap().BitLen())}}
	if s.Server.IsValid() {
		own.ServerAddresses = []netip.Addr{s.Server.Unmap()}
	}
	return own
}

func (s Site) openings(reasons ...firewall.Why) ([]firewall.Opening, []firewall.At) {
	mine := s.segment()
	near := mine.Derived && (!s.Server.IsValid() || slices.Contains(mine.ServerAddresses, s.Server.Unmap()))
	if mine.Derived && !near {
		mine.ServerAddresses = []netip.Addr{s.Server.Unmap()}
	}
	needed := []firewall.Opening{}
	for _, o := range firewall.Openings(firewall.Site{Segments: []segment.Segment{mine}, Addresses: s.Addresses, Ports: s.Ports}) {
		if slices.Contains(reasons, o.Why) {
			needed = append(needed, o)
		}
	}
	if near { // the server is in this very network: no router is between
		return needed, []firewall.At{firewall.Server}
	}
	return needed, []firewall.At{firewall.Router, firewall.Server}
}

// ranges writes port ranges for people.
func texts(ranges []firewall.PortRange) []string {
	out := make([]string, len(ranges))
	for i, r := range ranges {
		out[i] = r.String()
	}
	return out
}

func number(data map[string]float64, name string) (float64, bool) {
	n, ok := data[name]
	return n, ok
}

func percent(loss float64) string { return fmt.Sprintf("%.0f", loss*100) }
