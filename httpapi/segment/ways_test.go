package segment

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var served = Relay{
	Port: 3478, HTTPSPort: 8443, OnHTTPS: true,
	Near: func(reached netip.Addr) (netip.Addr, bool) {
		if reached == addr("10.77.2.2") {
			return reached, true
		}
		return addr("10.77.1.2"), true
	},
}

// listed are the URLs that an ICE list gets.
func (p Plan) listed() (urls []string) {
	urls = append(urls, p.STUN...)
	for _, w := range p.Ways {
		if w.Listed {
			urls = append(urls, w.URL)
		}
	}
	return urls
}

func TestPlan(t *testing.T) {
	visit := func(client, server, host string) Visit { return Visit{addr(client), addr(server), host} }
	table := &Table{Segments: []Segment{
		{Name: "eth0 10.77.1.0/24", Clients: prefixes("10.77.1.0/24"), ServerAddresses: []netip.Addr{addr("10.77.1.2")}, Derived: true},
		{Name: "yard", Clients: prefixes("10.20.0.0/16"), TURNAddresses: []netip.AddrPort{netip.MustParseAddrPort("10.20.0.1:0"), netip.MustParseAddrPort("10.20.0.1:3479"), netip.MustParseAddrPort("10.20.0.2:3479")}},
		{Name: "locked", Clients: prefixes("10.30.0.0/16"), Transports: []Transport{HTTPS}},
		{Name: "wires", Clients: prefixes("10.40.0.0/16"), ServerAddresses: []netip.Addr{addr("10.77.2.2")}, Transports: []Transport{UDP, TCP, TLS}},
	}}
	for name, tt := range map[string]struct {
		visit Visit
		want  []string
	}{
		"by address": {visit("10.77.1.11", "10.77.1.2", "10.77.1.2:8443"), []string{
			"stun:10.77.1.2:3478", "turn:10.77.1.2:3478?transport=udp", "turn:10.77.1.2:8443?transport=tcp", "turns:10.77.1.2:8443?transport=tcp",
		}},
		"routed, by the far address": {visit("10.77.1.11", "10.77.2.2", "10.77.2.2"), []string{
			"stun:10.77.2.2:3478", "turn:10.77.2.2:3478?transport=udp", "turn:10.77.2.2:443?transport=tcp", "turns:10.77.2.2:443?transport=tcp",
		}},
		"by name": {visit("10.77.1.11", "10.77.1.2", "fieldphone.local:8443"), []string{
			"stun:10.77.1.2:3478", "turn:10.77.1.2:3478?transport=udp", "turn:10.77.1.2:8443?transport=tcp", "turns:fieldphone.local:8443?transport=tcp",
		}},
		"on the server itself": {visit("127.0.0.1", "127.0.0.1", "localhost:8443"), []string{
			"stun:10.77.1.2:3478", "turn:10.77.1.2:3478?transport=udp", "turn:10.77.1.2:8443?transport=tcp", "turns:10.77.1.2:8443?transport=tcp",
		}},
		"on the server itself, by address": {visit("127.0.0.1", "127.0.0.1", "127.0.0.1:8443"), []string{
			"stun:10.77.1.2:3478", "turn:10.77.1.2:3478?transport=udp", "turn:10.77.1.2:8443?transport=tcp", "turns:10.77.1.2:8443?transport=tcp",
		}},
		"by IPv6": {visit("fd00::9", "fd00::2", "[fd00::2]:8443"), []string{
			"stun:10.77.1.2:3478", "turn:10.77.1.2:3478?transport=udp", "turn:[fd00::2]:8443?transport=tcp", "turns:[fd00::2]:8443?transport=tcp",
		}},
		"through a router that nobody told of": {visit("172.16.3.3", "10.77.1.2", "172.16.0.1:4443"), []string{
			"stun:10.77.1.2:3478", "turn:10.77.1.2:3478?transport=udp", "turn:172.16.0.1:4443?transport=tcp", "turns:172.16.0.1:4443?transport=tcp",
		}},
		"port forwarding": {visit("10.20.3.3", "10.77.1.2", "10.20.0.1"), []string{
			"stun:10.20.0.1:3478", "stun:10.20.0.1:3479", "turn:10.20.0.1:3478?transport=udp", "turn:10.20.0.1:3479?transport=udp",
			"turn:10.20.0.1:443?transport=tcp", "turns:10.20.0.1:443?transport=tcp",
		}},
		"only HTTPS": {visit("10.30.3.3", "10.77.1.2", "10.77.1.2:8443"), []string{"turn:10.77.1.2:8443?transport=tcp"}},
		"the admin's choice": {visit("10.40.3.3", "10.77.1.2", "phone.lan"), []string{
			"stun:10.77.2.2:3478", "turn:10.77.2.2:3478?transport=udp", "turn:10.77.2.2:3478?transport=tcp", "turns:phone.lan:443?transport=tcp",
		}},
		"no authority": {visit("10.77.1.11", "10.77.1.2", ""), []string{
			"stun:10.77.1.2:3478", "turn:10.77.1.2:3478?transport=udp", "turn:10.77.1.2:8443?transport=tcp", "turns:10.77.1.2:8443?transport=tcp",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, table.Plan(tt.visit, served).listed()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestPlanWithoutTheHTTPSPort(t *testing.T) {
	relay := served
	relay.OnHTTPS = false
	v := Visit{addr("10.77.1.11"), addr("10.77.1.2"), "10.77.1.2:8443"}
	want := []string{"stun:10.77.1.2:3478", "turn:10.77.1.2:3478?transport=udp", "turn:10.77.1.2:3478?transport=tcp"}
	if diff := cmp.Diff(want, new(Holder).Load().Plan(v, relay).listed()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	relay = served
	relay.Near = func(netip.Addr) (netip.Addr, bool) { return netip.Addr{}, false }
	if p := new(Table).Plan(v, relay); len(p.STUN)+len(p.Ways) != 0 {
		t.Errorf("no relay, and yet %v", p)
	}
}

// The path test tries every way, also those that no browser is given.
func TestPlanHoldsEveryWay(t *testing.T) {
	got := map[Transport]int{}
	for _, w := range new(Table).Plan(Visit{addr("10.77.1.11"), addr("10.77.1.2"), "phone.lan:8443"}, served).Ways {
		got[w.Transport]++
	}
	if diff := cmp.Diff(map[Transport]int{UDP: 1, TCP: 1, HTTPS: 1, TLS: 2}, got); diff != "" {
		t.Error(diff)
	}
}

// Whatever a client puts into its Host header, the URLs stay URLs: a browser
// that gets one it cannot parse makes no connection at all.
func TestPlanSurvivesAnyHost(t *testing.T) {
	for _, host := range []string{"evil\"?", "a b", "[", "]:1", ":", "x:99999", "x:0", "-x", "..", "[::1", "fe80::1%eth0", "0.0.0.0:1", strings.Repeat("a.", 200)} {
		check(t, host)
	}
	rapid.Check(t, func(r *rapid.T) { check(r, rapid.String().Draw(r, "host")) })
}

func check(t interface{ Errorf(string, ...any) }, host string) {
	for _, w := range new(Table).Plan(Visit{addr("10.77.1.11"), addr("10.77.1.2"), host}, served).Ways {
		rest, ok := strings.CutPrefix(strings.TrimPrefix(w.URL, "turns:"), "turn:")
		if ok == strings.HasPrefix(w.URL, "turns:") || !strings.Contains(rest, "?transport=") ||
			strings.ContainsFunc(rest, func(c rune) bool { return c > 'z' || c < '-' || slices.Contains([]rune("\\\"<>;@/"), c) }) {
			t.Errorf("host %q makes %q", host, w.URL)
		}
	}
}
