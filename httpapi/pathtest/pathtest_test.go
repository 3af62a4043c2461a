package pathtest_test

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"fieldphone/httpapi/firewall"
	"fieldphone/httpapi/pathtest"
	"fieldphone/httpapi/segment"
	"fieldphone/rtc"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var (
	camp = netip.MustParseAddr("10.77.1.9")  // in a routed segment
	here = netip.MustParseAddr("10.77.2.30") // in the server's own network
	away = netip.MustParseAddr("172.30.0.5") // in no segment
)

// at is the lab's server, with a client somewhere.
func at(client netip.Addr) pathtest.Site {
	return pathtest.Site{
		Site: firewall.Site{
			Segments: []segment.Segment{
				{Name: "camp", Clients: []netip.Prefix{netip.MustParsePrefix("10.77.1.0/24")}, ServerAddresses: []netip.Addr{netip.MustParseAddr("10.77.2.2")}},
				{Name: "eth0", Clients: []netip.Prefix{netip.MustParsePrefix("10.77.2.0/24")}, ServerAddresses: []netip.Addr{netip.MustParseAddr("10.77.2.2")}, Derived: true, Interface: "eth0"},
			},
			Addresses: []netip.Addr{netip.MustParseAddr("10.77.2.2")},
			Ports:     firewall.Ports{HTTPS: 8443, HTTP: 8080, TURN: 3478, Relay: firewall.PortRange{Min: 49160, Max: 49359}},
		},
		Client: client, Server: netip.MustParseAddr("10.77.2.2"),
	}
}

func ok(names ...rtc.LegName) (legs []rtc.Leg) {
	for _, name := range names {
		legs = append(legs, rtc.Leg{Leg: name, State: rtc.LegOK, MS: 12})
	}
	return legs
}

func bad(code rtc.LegCode, names ...rtc.LegName) (legs []rtc.Leg) {
	targets := map[rtc.LegName]string{
		rtc.LegSTUN: "10.77.2.2:3478/udp", rtc.LegTURNUDP: "10.77.2.2:3478/udp", rtc.LegTURNTCP: "10.77.2.2:3478/tcp",
		rtc.LegTURNHTTPS: "10.77.2.2:8443/tcp", rtc.LegTURNTLS: "10.77.2.2:8443/tcp",
	}
	for _, name := range names {
		legs = append(legs, rtc.Leg{Leg: name, State: rtc.LegFailed, Code: code, MS: 8000, Target: targets[name]})
	}
	return legs
}

var (
	serverOK = ok(rtc.LegClock, rtc.LegTLS, rtc.LegSignalling)
	relayOK  = ok(rtc.LegSTUN, rtc.LegTURNUDP, rtc.LegTURNTCP, rtc.LegTURNHTTPS, rtc.LegTURNTLS)
)

func both(parts ...[]rtc.Leg) []rtc.Leg { return slices.Concat(parts...) }

// brief is a finding in one line: what an admin must get right.
func brief(f pathtest.Finding) string {
	opened := []string{}
	for _, o := range f.Openings {
		opened = append(opened, string(o.Protocol)+" "+o.Ports.String())
	}
	text := string(f.Level) + " " + string(f.Code) + " " + string(f.Leg)
	if len(opened) > 0 {
		text += " open " + strings.Join(opened, ", ")
	}
	return text
}

// Ensure that what hurts people in the field is named: the leg, why, and what to open.
func TestDiagnose(t *testing.T) {
	clock := func(state rtc.LegState, ms float64) rtc.Leg {
		return rtc.Leg{Leg: rtc.LegClock, State: state, Code: rtc.LegClockOff, Data: map[string]float64{"offset_ms": ms}}
	}
	quality := func(state rtc.LegState, code rtc.LegCode, data map[string]float64) rtc.Leg {
		return rtc.Leg{Leg: rtc.LegThroughput, State: state, Code: code, Data: data}
	}
	swept := func(asked, answered float64, blocked ...int) rtc.Leg {
		return rtc.Leg{
			Leg: rtc.LegPorts, State: rtc.LegFailed, Code: rtc.LegBlockedPorts, Blocked: blocked,
			Data: map[string]float64{"asked": asked, "answered": answered},
		}
	}
	for name, tt := range map[string]struct {
		client netip.Addr
		legs   []rtc.Leg
		want   []string
	}{
		"Healthy": {camp, both(serverOK, relayOK, ok(rtc.LegThroughput, rtc.LegPorts)), nil},
		"RouterDropsUDP": {
			camp, both(serverOK, bad(rtc.LegTimeout, rtc.LegSTUN, rtc.LegTURNUDP), ok(rtc.LegTURNTCP, rtc.LegTURNHTTPS)),
			[]string{"warning udp_blocked turn_udp open udp 3478, udp 49160-49359"},
		},
		"OnlyTheHTTPSPort": {
			camp, both(serverOK, bad(rtc.LegTimeout, rtc.LegSTUN, rtc.LegTURNUDP, rtc.LegTURNTCP), ok(rtc.LegTURNHTTPS)),
			[]string{"warning one_port_only turn_udp open udp 3478, udp 49160-49359, tcp 3478"},
		},
		"LockedSegmentWithoutOnePort": {
			camp, both(serverOK, bad(rtc.LegTimeout, rtc.LegSTUN, rtc.LegTURNUDP, rtc.LegTURNTCP, rtc.LegTURNTLS, rtc.LegTURNHTTPS)),
			[]string{"failure relay_unreachable stun open tcp 8443, udp 3478, udp 49160-49359, tcp 3478"},
		},
		"ClickedThroughCertificate": { // turns: refuses it, plain TURN on the HTTPS port does not
			camp, both(ok(rtc.LegClock, rtc.LegSignalling), relayOK[:4], []rtc.Leg{{Leg: rtc.LegTLS, State: rtc.LegSlow, Code: rtc.LegUntrusted}}, bad(rtc.LegUntrusted, rtc.LegTURNTLS)),
			[]string{"warning untrusted tls"},
		},
		"IPhoneWithoutCA": { // the page works, wss fails, the event stream does not
			camp, both(ok(rtc.LegClock), relayOK[:3], []rtc.Leg{
				{Leg: rtc.LegTLS, State: rtc.LegSlow, Code: rtc.LegUntrusted}, {Leg: rtc.LegSignalling, State: rtc.LegSlow, Code: rtc.LegFallback},
			}),
			[]string{"warning untrusted tls", "warning signalling_fallback signalling"},
		},
		"WrongClockExplainsTheCertificate": {
			camp, both([]rtc.Leg{clock(rtc.LegFailed, -4e8), {Leg: rtc.LegTLS, State: rtc.LegFailed, Code: rtc.LegUntrusted}}, relayOK),
			[]string{"failure clock_off clock"},
		},
		"ClockAMinuteOff": {camp, both([]rtc.Leg{clock(rtc.LegSlow, 90_000)}, relayOK), []string{"warning clock_off clock"}},
		"DeadDNS": {
			camp, both(bad(rtc.LegNameUnresolved, rtc.LegTLS)),
			[]string{"failure name_unresolved tls"},
		},
		"ServerOff": {camp, bad(rtc.LegTimeout, rtc.LegTLS), []string{"failure server_unreachable tls open tcp 8443"}},
		"RelayStopped": {
			camp, both(serverOK, bad(rtc.LegRefused, rtc.LegTURNUDP, rtc.LegTURNTCP), bad(rtc.LegRefused, rtc.LegSTUN)),
			[]string{"failure relay_down turn_udp open udp 3478, udp 49160-49359, tcp 3478"},
		},
		"RelayPortsUsedUp": {
			camp, both(serverOK, ok(rtc.LegSTUN), bad(rtc.LegRefused, rtc.LegTURNUDP, rtc.LegTURNTCP, rtc.LegTURNHTTPS)),
			[]string{"failure relay_busy turn_udp"},
		},
		"ExpiredCredential": {
			camp, both(serverOK, ok(rtc.LegSTUN), bad(rtc.LegUnauthorized, rtc.LegTURNUDP, rtc.LegTURNTCP)),
			[]string{"failure sign_in_again turn_udp"},
		},
		"PartOfTheRangeIsEaten": {
			camp, both(serverOK, relayOK, []rtc.Leg{swept(20, 15, 49261, 49271, 49281, 49350, 49291)}),
			[]string{"warning ports_blocked ports open udp 49261-49291, udp 49350-49359"},
		},
		"FewSamples": { // where the holes end is not known
			camp, both(serverOK, relayOK, []rtc.Leg{swept(2, 1, 49245)}),
			[]string{"warning ports_blocked ports open udp 49160-49359"},
		},
		"WholeRangeIsEaten": {
			camp, both(serverOK, relayOK, []rtc.Leg{swept(3, 0, 49161, 49200, 49300)}),
			[]string{"warning all_ports_blocked ports open udp 49160-49359"},
		},
		"WholeRangeAndUDP": { // said once
			camp, both(serverOK, bad(rtc.LegTimeout, rtc.LegSTUN, rtc.LegTURNUDP), ok(rtc.LegTURNTCP), []rtc.Leg{swept(3, 0, 49161, 49200, 49300)}),
			[]string{"warning udp_blocked turn_udp open udp 3478, udp 49160-49359"},
		},
		"WeakWiFi": {
			here, both(serverOK, relayOK, []rtc.Leg{quality(rtc.LegSlow, rtc.LegLossy, map[string]float64{"loss": 0.08, "kbps": 900, "rtt_ms": 40})}),
			[]string{"warning lossy throughput"},
		},
		"SmallMTU": {
			camp, both(serverOK, relayOK, []rtc.Leg{quality(rtc.LegFailed, rtc.LegLossy, map[string]float64{"loss": 1, "small_loss": 0, "bytes": 1200})}),
			[]string{"failure large_packets_lost throughput"},
		},
		"SymmetricNAT": {
			away, both(serverOK, relayOK, []rtc.Leg{{Leg: rtc.LegNAT, State: rtc.LegOK, Data: map[string]float64{"mappings": 2}}}),
			[]string{"info nat_varies nat"},
		},
		"NoTurnTCP":  {camp, both(serverOK, relayOK[:2], bad(rtc.LegTimeout, rtc.LegTURNTCP)), []string{"info tcp_blocked turn_tcp open tcp 3478"}},
		"STUNFilter": {camp, both(serverOK, relayOK[1:], bad(rtc.LegTimeout, rtc.LegSTUN)), []string{"info stun_silent stun"}},
		"TurnsByOneNameOnly": { // of two ways of one kind the better counts
			camp, both(serverOK, relayOK, bad(rtc.LegTimeout, rtc.LegTURNTLS, rtc.LegTURNUDP)), nil,
		},
		"Skipped":    {camp, both(serverOK, relayOK[:2], []rtc.Leg{{Leg: rtc.LegTURNTLS, State: rtc.LegSkipped, Code: rtc.LegUnsupported}}), nil},
		"BrokenTest": {camp, both(serverOK, relayOK, bad(rtc.LegInternal, rtc.LegNAT)), []string{"warning test_failed nat"}},
		"NoSegment": {
			away, both(serverOK, bad(rtc.LegTimeout, rtc.LegSTUN, rtc.LegTURNUDP), ok(rtc.LegTURNTCP)),
			[]string{"warning udp_blocked turn_udp open udp 3478, udp 49160-49359"},
		},
		"SegmentsAreNotRouted": {
			camp, both(bad(rtc.LegTimeout, rtc.LegPairDirect), ok(rtc.LegPairRelayUDP)), []string{"info direct_blocked pair_direct"},
		},
		"RelayToRelay": {
			camp, both(relayOK, bad(rtc.LegTimeout, rtc.LegPairRelayUDP), ok(rtc.LegPairDirect)), []string{"warning pair_relay_failed pair_relay_udp"},
		},
		"PairCut": {
			camp, bad(rtc.LegTimeout, rtc.LegPairDirect, rtc.LegPairRelayUDP), []string{"failure pair_unreachable pair_relay_udp open udp 3478, udp 49160-49359"},
		},
		"PairGone": {camp, bad(rtc.LegPeerGone, rtc.LegPairRelayUDP), []string{"warning pair_gone pair_relay_udp"}},
		"Nothing":  {netip.Addr{}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range pathtest.Diagnose(tt.legs, at(tt.client)) {
				got = append(got, brief(f))
				if s := f.Sentence() + f.Advice(); strings.ContainsAny(s, "{}") || strings.Contains(s, "%!") {
					t.Errorf("%s: %q", f.Code, s)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Ensure the rule that mends a blocked segment names its network, the server and the
// ports, first for the router; and that no router is blamed in the server's own network.
func TestRules(t *testing.T) {
	legs := both(serverOK, bad(rtc.LegTimeout, rtc.LegSTUN, rtc.LegTURNUDP), ok(rtc.LegTURNTCP))
	f := pathtest.Diagnose(legs, at(camp))[0]
	if f.Segment != "camp" || f.Target != "10.77.2.2:3478/udp" || f.Because != rtc.LegTimeout {
		t.Errorf("got %+v", f)
	}
	rules := f.Rules(firewall.NFTables)
	if len(rules) != 2 || rules[0].At != firewall.Router || rules[1].At != firewall.Server {
		t.Fatalf("got %+v", rules)
	}
	for _, want := range []string{"10.77.1.0/24", "10.77.2.2", "3478", "49160-49359", "forward"} {
		if !strings.Contains(rules[0].Text, want) {
			t.Errorf("the router's rule lacks %s:\n%s", want, rules[0].Text)
		}
	}
	if all := f.Rules(); len(all) < 12 {
		t.Errorf("%d rules in all flavours", len(all))
	}
	if rules := pathtest.Diagnose(legs, at(here))[0].Rules(firewall.NFTables); len(rules) != 1 || rules[0].At != firewall.Server {
		t.Errorf("in the server's own network: %+v", rules)
	}
	if rules := pathtest.Diagnose(legs, at(away))[0].Rules(firewall.NFTables); !strings.Contains(rules[0].Text, "172.30.0.5") {
		t.Errorf("of a client in no segment:\n%s", rules[0].Text)
	}
	text, err := json.Marshal(f)
	if err != nil || !strings.Contains(string(text), `"openings":[{"segment":"camp"`) {
		t.Errorf("%s, %v", text, err)
	}
	if got := f.Sentence(); got != "UDP to port 3478 does not pass (nothing comes back); calls go over TCP, with longer delays" {
		t.Errorf("got %q", got)
	}
}

// Ensure that ranges hold every port that did not answer, lie in the relay range and do
// not touch.
func TestEaten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		relay := firewall.PortRange{Min: 49160, Max: 49160 + rapid.Uint16Range(3, 4000).Draw(t, "size")}
		size := int(relay.Max-relay.Min) + 1
		asked := rapid.IntRange(1, min(size, 64)).Draw(t, "asked")
		var blocked []int
		for i := range asked {
			if rapid.Bool().Draw(t, "blocked") {
				blocked = append(blocked, int(relay.Min)+i*size/asked)
			}
		}
		ranges := pathtest.Eaten(blocked, asked, relay)
		for i, r := range ranges {
			if r.Min > r.Max || r.Min < relay.Min || r.Max > relay.Max || i > 0 && r.Min <= ranges[i-1].Max {
				t.Fatalf("%v in %v", ranges, relay)
			}
		}
		for _, port := range blocked {
			if !slices.ContainsFunc(ranges, func(r firewall.PortRange) bool { return int(r.Min) <= port && port <= int(r.Max) }) {
				t.Fatalf("%d is not in %v", port, ranges)
			}
		}
	})
}

func TestLegs(t *testing.T) {
	got := pathtest.Legs(segment.Plan{STUN: []string{"stun:10.77.2.2:3478"}, Ways: []segment.Way{
		{Transport: segment.UDP, URL: "turn:10.77.2.2:3478?transport=udp", Listed: true},
		{Transport: segment.TLS, URL: "turns:phone.lan:8443?transport=tcp"},
		{Transport: segment.HTTPS, URL: "turn:10.77.2.2:8443?transport=tcp"},
	}})
	want := []pathtest.Planned{
		{Leg: rtc.LegSTUN, URL: "stun:10.77.2.2:3478"},
		{Leg: rtc.LegTURNUDP, URL: "turn:10.77.2.2:3478?transport=udp"},
		{Leg: rtc.LegTURNTLS, URL: "turns:phone.lan:8443?transport=tcp"},
		{Leg: rtc.LegTURNHTTPS, URL: "turn:10.77.2.2:8443?transport=tcp"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Ensure that a cell names the end whose own leg fails, and the worst of several pairs.
func TestGrid(t *testing.T) {
	blocked := both(serverOK, bad(rtc.LegTimeout, rtc.LegSTUN, rtc.LegTURNUDP), ok(rtc.LegTURNTCP))
	anna := pathtest.End{User: "anna", Site: at(camp), Legs: blocked}
	ben := pathtest.End{User: "ben", Site: at(here), Legs: both(serverOK, relayOK)}
	cleo := pathtest.End{User: "cleo", Site: at(here), Legs: both(serverOK, relayOK)}
	grid := pathtest.Grid([]pathtest.Pair{
		{From: ben, To: anna, Legs: both(ok(rtc.LegPairDirect), bad(rtc.LegTimeout, rtc.LegPairRelayUDP), ok(rtc.LegPairRelayTCP))},
		{From: anna, To: cleo, Legs: both(bad(rtc.LegTimeout, rtc.LegPairDirect), ok(rtc.LegPairRelayTCP))},
		{From: ben, To: cleo, Legs: both(ok(rtc.LegPairDirect), bad(rtc.LegTimeout, rtc.LegPairRelayUDP))},
	})
	type line struct{ From, To, Transport, State, Leg, Finding string }
	var got []line
	for _, c := range grid {
		l := line{c.From, c.To, string(c.Transport), string(c.State), string(c.Leg), ""}
		if c.Finding != nil {
			l.Finding = brief(*c.Finding)
		}
		got = append(got, l)
	}
	want := []line{
		{"camp", "eth0", "direct", "failed", "pair_direct", "info direct_blocked pair_direct"},
		{"camp", "eth0", "relay_udp", "failed", "turn_udp", "warning udp_blocked turn_udp open udp 3478, udp 49160-49359"},
		{"camp", "eth0", "relay_tcp", "ok", "", ""},
		{"eth0", "eth0", "direct", "ok", "", ""},
		{"eth0", "eth0", "relay_udp", "failed", "pair_relay_udp", "warning pair_relay_failed pair_relay_udp"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][2]string{{"anna", "ben"}, {"anna", "cleo"}}, grid[2].Users); diff != "" {
		t.Error(diff)
	}
}

// Somebody of the server's network who came by another of its addresses reaches that one
// through a router, which is then in the way.
func TestRuleIsForTheAddressThatTheClientCameBy(t *testing.T) {
	site := at(here)
	site.Server = netip.MustParseAddr("10.77.9.2")
	legs := append(ok(rtc.LegTURNTCP), bad(rtc.LegTimeout, rtc.LegSTUN, rtc.LegTURNUDP)...)
	findings := pathtest.Diagnose(slices.Concat(serverOK, legs), site)
	if len(findings) != 1 || len(findings[0].At) == 0 || findings[0].At[0] != firewall.Router {
		t.Fatalf("got %+v, want one finding for the router", findings)
	}
	rule := findings[0].Rules("nftables")[0].Text
	if !strings.Contains(rule, "10.77.9.2") || strings.Contains(rule, "udp dport 3478 accept") && strings.Contains(rule, "10.77.2.2 } udp dport 3478") {
		t.Errorf("the rule opens another address:\n%s", rule)
	}
}
