package pathtest

import (
	"fmt"
	"math"
	"strings"
	"time"

	"fieldphone/rtc"
)

// Sentence says in English what was found; pages have words of their own for the code.
func (f Finding) Sentence() string {
	if text, ok := sentences[f.Code]; ok {
		return f.fill(text)
	}
	return string(f.Code)
}

// Advice says in English what to do about it.
func (f Finding) Advice() string { return f.fill(advice[f.Code]) }

// sentences hold {name} for a parameter of that name, {target} and {because}.
var sentences = map[Code]string{
	ClockOff:           "this device's clock is {offset} the server's",
	NameUnresolved:     "the name in {target} has no address here",
	ServerUnreachable:  "the server's page does not answer at {target}: {because}",
	Untrusted:          "this device does not trust the site's certificate",
	SignallingFailed:   "the page answers, but signalling does not: {because}",
	SignallingFallback: "the WebSocket fails; signalling goes over the event stream, which is slower",
	SignallingSlow:     "signalling takes long",
	SignInAgain:        "the server refuses this session's credential",
	RelayUnreachable:   "no way to the relay works; the first that fails is {target}: {because}",
	RelayDown:          "{target} refuses: no relay listens there, or a firewall rejects",
	RelayBusy:          "the relay is reached, but gives no relay port ({because})",
	UDPBlocked:         "UDP to port {port} does not pass ({because}); calls go over TCP, with longer delays",
	OnePortOnly:        "only the HTTPS port {port} passes; calls go over it, with longer delays",
	TCPBlocked:         "TCP to port {port} does not pass ({because}); calls go over UDP, and would fail where UDP is blocked too",
	HTTPSTURNFailed:    "TURN on the HTTPS port {port} fails ({because}); other ways work",
	STUNSilent:         "STUN does not answer, though TURN at the same port does",
	RelaySlow:          "the relay takes {ms} ms to answer",
	Lossy:              "{loss} % of the packets are lost on the way to the relay and back",
	LargeLost:          "small packets pass and large ones are lost: the path's MTU is smaller than its ends believe",
	Slow:               "the way to the relay is slow: {kbps} kbit/s, {rtt_ms} ms",
	PortsBlocked:       "relay ports {ranges} do not pass ({answered} of {asked} sampled ports answered)",
	AllPortsBlocked:    "none of the relay ports {range} pass",
	NATVaries:          "a NAT on the way gives each destination another port: calls from here go over the relay",
	PairRelayFailed:    "both devices reach the relay, but not each other through it: {because}",
	PairUnreachable:    "the two devices cannot reach each other in any way: {because}",
	PairGone:           "the other device went away during the test",
	PairSlow:           "the path between the two devices is poor",
	DirectBlocked:      "the two devices do not reach each other directly, so calls between them go over the relay",
	TestFailed:         "the test of {target} itself failed",
}

const (
	openIt    = "Let the server's ports through the firewalls between this network and the server, and through the server's own; the rules are below."
	installCA = "Install the site's certificate on this device; the start page (plain HTTP) shows how."
)

var advice = map[Code]string{
	ClockOff:           "Set the clock that is wrong: certificates and sessions are judged by it.",
	NameUnresolved:     "Open the site by its address instead of its name, or mend the network's DNS.",
	ServerUnreachable:  "Check that the server runs and that this network has a route to it. " + openIt,
	Untrusted:          installCA + " iPhones refuse signalling without it, and no device speaks TURN over TLS.",
	SignallingFailed:   "Look for a proxy or a filter between here and the server that breaks WebSockets and long answers. On an iPhone: " + installCA,
	SignallingFallback: "Install the site's certificate; otherwise a proxy on the way does not pass WebSockets.",
	SignallingSlow:     "Look at the load of the server and of the network.",
	SignInAgain:        "Sign out and in again; if that does not help, compare the clocks of this device and the server.",
	RelayUnreachable:   openIt,
	RelayDown:          "Check on the server with: fieldphone doctor. If it is well there, a firewall rejects: " + strings.ToLower(openIt[:1]) + openIt[1:],
	RelayBusy:          "Widen turn.relay_ports, and look on the dashboard at who uses the ports.",
	UDPBlocked:         openIt,
	OnePortOnly:        "Calls work. For better ones: " + strings.ToLower(openIt[:1]) + openIt[1:],
	TCPBlocked:         "Calls work as they are. The rule is below for those whose networks drop UDP.",
	HTTPSTURNFailed:    "Look for a proxy on the way that speaks only HTTP at this port; check turn.on_https_port.",
	STUNSilent:         "Look for a firewall that inspects STUN (an ALG), and switch it off.",
	RelaySlow:          "Look at the load of the server and of the network.",
	Lossy:              "Look for a weak Wi-Fi signal or a full link; a cable to the access point, or fewer video calls, help.",
	LargeLost:          "Lower the MTU on the tunnel or link that is in between, or let ICMP 'fragmentation needed' through.",
	Slow:               "Look for a weak Wi-Fi signal or a full link.",
	PortsBlocked:       "A firewall lets only part of the range through. Open the rest, or narrow turn.relay_ports to what is open.",
	AllPortsBlocked:    "Calls between two relayed devices work; to one without a relay they need the relay ports open.",
	PairRelayFailed:    "Check on the server with: fieldphone doctor (relay). Between two servers, each must reach the relay ports of the other.",
	PairUnreachable:    "Run the path test on each of the two devices alone: it names the leg that fails.",
	PairGone:           "Run the test again while both pages are open.",
	PairSlow:           "Run the path test on each of the two devices alone to see whose side it is.",
	TestFailed:         "Run the test again; the browser's console says why.",
}

// reasons are the legs' codes in words.
var reasons = map[rtc.LegCode]string{
	rtc.LegTimeout: "nothing comes back", rtc.LegRefused: "the connection is refused", rtc.LegUnauthorized: "the credential is refused",
	rtc.LegUntrusted: "the certificate is not trusted", rtc.LegNameUnresolved: "the name has no address", rtc.LegClockOff: "the clock is wrong",
	rtc.LegFallback: "only the event stream works", rtc.LegLossy: "too much is lost", rtc.LegTooSlow: "it is too slow",
	rtc.LegNoCandidate: "the browser finds no candidate", rtc.LegPeerGone: "the other device is gone", rtc.LegBlockedPorts: "ports do not answer",
	rtc.LegUnsupported: "it cannot be tested here", rtc.LegInternal: "the test failed",
}

func (f Finding) fill(text string) string {
	pairs := []string{"{target}", f.Target, "{because}", reasons[f.Because]}
	if f.Target == "" {
		pairs[1] = string(f.Leg)
	}
	for name, value := range f.Params {
		pairs = append(pairs, "{"+name+"}", show(value))
	}
	if ms, ok := f.Params["offset_ms"].(int64); ok {
		pairs = append(pairs, "{offset}", offset(time.Duration(ms)*time.Millisecond))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func show(value any) string {
	switch v := value.(type) {
	case []string:
		return strings.Join(v, ", ")
	case float64:
		return fmt.Sprint(math.Round(v))
	}
	return fmt.Sprint(value)
}

// offset says how far a clock is from another.
func offset(by time.Duration) string {
	where := "ahead of"
	if by < 0 {
		by, where = -by, "behind"
	}
	switch {
	case by >= 48*time.Hour:
		return fmt.Sprintf("%d days %s", int(by.Hours()/24), where)
	case by >= time.Minute:
		return fmt.Sprintf("%v %s", by.Round(time.Minute), where)
	}
	return fmt.Sprintf("%v %s", by.Round(time.Millisecond), where)
}
