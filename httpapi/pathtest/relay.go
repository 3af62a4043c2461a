package pathtest

import (
	"fmt"
	"slices"

	"fieldphone/httpapi/firewall"
	"fieldphone/rtc"
)

// ways to the relay, in the order in which calls prefer them.
var ways = []rtc.LegName{rtc.LegTURNUDP, rtc.LegTURNTCP, rtc.LegTURNHTTPS, rtc.LegTURNTLS}

// relay judges the ways to the relay together: what one of them says depends on the
// others.
func (d *diagnosis) relay() {
	var failed []rtc.Leg
	working := false
	for _, name := range ways {
		working = working || d.works(name)
		if d.failed(name) {
			failed = append(failed, d.legs[name])
		}
	}
	if !working && len(failed) > 0 {
		d.noWay(failed)
		return
	}
	for _, leg := range failed {
		d.oneWay(leg)
	}
	if stun := d.legs[rtc.LegSTUN]; d.failed(rtc.LegSTUN) && d.works(rtc.LegTURNUDP) {
		d.add(Info, STUNSilent, stun, nil)
	} else if d.failed(rtc.LegSTUN) && !d.failed(rtc.LegTURNUDP) {
		d.add(Warning, UDPBlocked, stun, port(stun, d.site.Ports.TURN), firewall.TURNUDP, firewall.Relay)
	}
	for _, name := range ways {
		if leg := d.legs[name]; leg.State == rtc.LegSlow {
			d.add(Warning, RelaySlow, leg, map[string]any{"ms": leg.MS})
			break
		}
	}
}

// noWay names the one cause of everything that failed.
func (d *diagnosis) noWay(failed []rtc.Leg) {
	all := func(codes ...rtc.LegCode) bool {
		return !slices.ContainsFunc(failed, func(leg rtc.Leg) bool { return !slices.Contains(codes, leg.Code) })
	}
	any := func(code rtc.LegCode) (rtc.Leg, bool) {
		i := slices.IndexFunc(failed, func(leg rtc.Leg) bool { return leg.Code == code })
		if i < 0 {
			return rtc.Leg{}, false
		}
		return failed[i], true
	}
	if leg, ok := any(rtc.LegUnauthorized); ok {
		d.add(Failure, SignInAgain, leg, nil)
		return
	}
	if d.works(rtc.LegSTUN) && all(rtc.LegRefused, rtc.LegNoCandidate) {
		d.add(Failure, RelayBusy, failed[0], nil)
		return
	}
	if all(rtc.LegRefused, rtc.LegUntrusted) {
		d.add(Failure, RelayDown, failed[0], nil, firewall.TURNUDP, firewall.Relay, firewall.TURNTCP)
		return
	}
	first := failed[0]
	if stun := d.legs[rtc.LegSTUN]; d.failed(rtc.LegSTUN) {
		first = stun // the plainest of all: what stops it stops the rest
	}
	d.add(Failure, RelayUnreachable, first, port(first, d.site.Ports.TURN), firewall.HTTPS, firewall.TURNUDP, firewall.Relay, firewall.TURNTCP)
}

// oneWay judges a way that failed while another works.
func (d *diagnosis) oneWay(leg rtc.Leg) {
	onePort := d.works(rtc.LegTURNHTTPS) || d.works(rtc.LegTURNTLS)
	switch {
	case leg.Code == rtc.LegUnauthorized:
		d.add(Warning, SignInAgain, leg, nil)
	case leg.Leg == rtc.LegTURNUDP && d.works(rtc.LegSTUN):
		d.add(Warning, RelayBusy, leg, nil)
	case leg.Leg == rtc.LegTURNUDP && leg.Code == rtc.LegRefused:
		d.add(Warning, RelayDown, leg, port(leg, d.site.Ports.TURN), firewall.TURNUDP, firewall.Relay)
	case leg.Leg == rtc.LegTURNUDP && d.works(rtc.LegTURNTCP):
		d.add(Warning, UDPBlocked, leg, port(leg, d.site.Ports.TURN), firewall.TURNUDP, firewall.Relay)
	case leg.Leg == rtc.LegTURNUDP && onePort:
		d.add(Warning, OnePortOnly, leg, port(leg, d.site.Ports.HTTPS), firewall.TURNUDP, firewall.Relay, firewall.TURNTCP)
	case leg.Leg == rtc.LegTURNTCP && d.works(rtc.LegTURNUDP):
		d.add(Info, TCPBlocked, leg, port(leg, d.site.Ports.TURN), firewall.TURNTCP)
	case leg.Leg == rtc.LegTURNHTTPS:
		d.add(Info, HTTPSTURNFailed, leg, port(leg, d.site.Ports.HTTPS))
	case leg.Leg == rtc.LegTURNTLS && leg.Code != rtc.LegUntrusted && !d.works(rtc.LegTURNHTTPS):
		d.add(Info, HTTPSTURNFailed, leg, port(leg, d.site.Ports.HTTPS))
	}
}

func port(leg rtc.Leg, fallback uint16) map[string]any {
	return map[string]any{"port": portOf(leg.Target, fallback)}
}

// portOf reads the port of a target like 10.77.1.2:3478/udp.
func portOf(target string, fallback uint16) int {
	var rest string
	for i := len(target) - 1; i >= 0; i-- {
		if target[i] == ':' {
			rest = target[i+1:]
			break
		}
	}
	var n int
	if _, err := fmt.Sscanf(rest, "%d", &n); err != nil || n < 1 || n > 65535 {
		return int(fallback)
	}
	return n
}

// ports finds which parts of the relay range a firewall eats.
func (d *diagnosis) ports() {
	leg := d.legs[rtc.LegPorts]
	if leg.State != rtc.LegFailed || leg.Code != rtc.LegBlockedPorts || len(leg.Blocked) == 0 {
		return
	}
	asked, _ := number(leg.Data, "asked")
	answered, _ := number(leg.Data, "answered")
	relay := d.site.Ports.Relay
	if answered == 0 {
		// Where not even STUN passes, that has been said.
		if d.failed(rtc.LegSTUN) && d.failed(rtc.LegTURNUDP) {
			return
		}
		d.add(Warning, AllPortsBlocked, leg, map[string]any{"range": relay.String()}, firewall.Relay)
		return
	}
	eaten := Eaten(leg.Blocked, int(asked), relay)
	d.add(Warning, PortsBlocked, leg, map[string]any{"ranges": texts(eaten), "asked": asked, "answered": answered}, firewall.Relay)
	if asked >= fewSamples {
		last := &d.found[len(d.found)-1]
		last.Openings = within(last.Openings, eaten)
	}
}

// fewSamples of a sweep say that a range has holes, but not where they end.
const fewSamples = 8

// within narrows openings of the relay range to parts of it.
func within(openings []firewall.Opening, parts []firewall.PortRange) []firewall.Opening {
	narrowed := []firewall.Opening{}
	for _, o := range openings {
		for _, part := range parts {
			o.Ports = part
			narrowed = append(narrowed, o)
		}
	}
	return narrowed
}

// Eaten joins sampled ports that did not answer to contiguous ranges. Samples lie about
// relay.size/asked apart; two that did not answer and are nearly neighbours belong
// together, and a range reaches to the end of the relay range where no sample was beyond.
// Of few samples each stands for itself.
func Eaten(blocked []int, asked int, relay firewall.PortRange) []firewall.PortRange {
	ports := slices.Clone(blocked)
	slices.Sort(ports)
	ports = slices.Compact(ports)
	size := int(relay.Max) - int(relay.Min) + 1
	step := 1
	if asked >= fewSamples && size > asked {
		step = (size + asked - 1) / asked
	}
	reach := step + step/2
	var ranges []firewall.PortRange
	for _, port := range ports {
		if port < int(relay.Min) || port > int(relay.Max) {
			continue // the range has changed since
		}
		if n := len(ranges); n > 0 && port-int(ranges[n-1].Max) <= reach {
			ranges[n-1].Max = uint16(port)
			continue
		}
		ranges = append(ranges, firewall.Port(uint16(port)))
	}
	for i := range ranges {
		if int(ranges[i].Min)-int(relay.Min) < step {
			ranges[i].Min = relay.Min
		}
		if int(relay.Max)-int(ranges[i].Max) < step {
			ranges[i].Max = relay.Max
		}
	}
	return ranges
}
