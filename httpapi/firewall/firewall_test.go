package firewall

import (
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fieldphone/httpapi/segment"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden texts anew")

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, s := range texts {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func addrs(texts ...string) (out []netip.Addr) {
	for _, s := range texts {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func camp() Site {
	return Site{
		Segments: []segment.Segment{
			{Name: "eth0 10.77.1.0/24", Clients: prefixes("10.77.1.0/24"), ServerAddresses: addrs("10.77.1.2")},
			{Name: "仓库 \"B\"'; reboot", Clients: prefixes("10.77.5.128/25", "10.77.2.0/24", "10.77.5.0/24", "fd00:2::/64", "10.77.2.7/32"), Transports: []segment.Transport{segment.UDP}},
			{Name: "locked", Clients: prefixes("10.77.4.0/24"), ServerAddresses: addrs("10.77.1.2"), Transports: []segment.Transport{segment.HTTPS}},
		},
		Addresses: addrs("10.77.1.2", "10.77.9.2", "fd00:1::2"),
		Ports:     Ports{HTTPS: 8443, HTTP: 8080, TURN: 3478, Relay: PortRange{49160, 49359}},
	}
}

func TestOpenings(t *testing.T) {
	text, err := json.Marshal(Openings(camp()))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "openings.json", strings.ReplaceAll(string(text), "},{", "},\n{")+"\n")
}

func TestOpeningsOfSegmentsBehindARouter(t *testing.T) {
	site := camp()
	for name, tt := range map[string]struct {
		segment segment.Segment
		want    []netip.Addr
	}{
		"any address":         {segment.Segment{}, addrs("10.77.1.2", "10.77.9.2")},
		"routed to one":       {segment.Segment{TURNAddresses: []netip.AddrPort{netip.MustParseAddrPort("10.77.9.2:0")}}, addrs("10.77.9.2")},
		"forwarded":           {segment.Segment{TURNAddresses: []netip.AddrPort{netip.MustParseAddrPort("172.16.0.1:0")}}, addrs("10.77.1.2", "10.77.9.2")},
		"forwarded to one":    {segment.Segment{ServerAddresses: addrs("10.77.9.2"), TURNAddresses: []netip.AddrPort{netip.MustParseAddrPort("172.16.0.1:0")}}, addrs("10.77.9.2")},
		"its own and another": {segment.Segment{ServerAddresses: addrs("10.77.9.2"), TURNAddresses: []netip.AddrPort{netip.MustParseAddrPort("10.77.1.2:0")}}, addrs("10.77.9.2")},
	} {
		tt.segment.Clients = prefixes("10.99.0.0/16")
		site.Segments = []segment.Segment{tt.segment}
		got := Openings(site)
		if len(got) == 0 || !slices.Equal(got[0].To, tt.want) {
			t.Errorf("%s: got %+v, want it to lead to %v", name, got, tt.want)
		}
	}
}

func TestText(t *testing.T) {
	for _, known := range Flavours() {
		t.Run(string(known.Flavour), func(t *testing.T) {
			openings := Openings(camp())
			golden(t, string(known.Flavour)+".txt", Text(known.Flavour, openings, Router)+"\n"+Text(known.Flavour, openings, Server))
		})
	}
	if got := Text("pf", Openings(camp()), Router); got != "" {
		t.Errorf("an unknown flavour gives %q", got)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: -want +got:\n%s", file, diff)
	}
}

// Whatever a segment is called, the commands have the same words and
// quotation marks as those of a segment with a plain name.
func TestNoNameGetsIntoACommand(t *testing.T) {
	shape := func(text, name string) string {
		text = strings.ReplaceAll(text, "("+name+")", "()")
		return text
	}
	for _, name := range []string{
		"'; rm -rf / #", "\"; add rule", "a\nnft flush ruleset", "$(reboot)", "`reboot`", "\\", "’; Stop-Computer; ‘", "]", "a)b", "\x00", "\xff", "\u2028x", "%s",
		strings.Repeat("x", 1000), strings.Repeat("仓", 300),
	} {
		holds(t, name, shape)
	}
	rapid.Check(t, func(r *rapid.T) { holds(r, rapid.String().Draw(r, "name"), shape) })
}

func holds(t interface{ Errorf(string, ...any) }, name string, shape func(text, name string) string) {
	site := camp()
	site.Segments = site.Segments[:1]
	site.Segments[0].Name = "plain"
	plain := Openings(site)
	site.Segments[0].Name = name
	odd := Openings(site)
	shown := harmless(name)
	if shown == "" {
		return
	}
	if strings.ContainsAny(shown, "'\"`$\\()\n\r;|&<>#%’‘“”") || len(shown) > 64 {
		t.Errorf("%q is shown as %q", name, shown)
	}
	for _, known := range Flavours() {
		for _, at := range []At{Router, Server} {
			want, got := Text(known.Flavour, plain, at), Text(known.Flavour, odd, at)
			if shape(got, shown) != shape(want, "plain") {
				t.Errorf("%s with %q:\n%s", known.Flavour, name, got)
			}
		}
	}
}

func TestInvalidOpeningsAreLeftOut(t *testing.T) {
	good := Opening{"a", prefixes("10.0.0.0/8"), addrs("10.0.0.1"), TCP, Port(443), HTTPS}
	for name, change := range map[string]func(*Opening){
		"no client":     func(o *Opening) { o.From = nil },
		"zero client":   func(o *Opening) { o.From = []netip.Prefix{{}} },
		"no server":     func(o *Opening) { o.To = []netip.Addr{{}} },
		"other family":  func(o *Opening) { o.To = addrs("fd00::1") },
		"protocol":      func(o *Opening) { o.Protocol = "tcp; reboot" },
		"port 0":        func(o *Opening) { o.Ports = Port(0) },
		"reversed":      func(o *Opening) { o.Ports = PortRange{2, 1} },
		"no why at all": func(o *Opening) { o.Protocol, o.Why = "", "" },
	} {
		bad := good
		change(&bad)
		for _, known := range Flavours() {
			if got, want := Text(known.Flavour, []Opening{bad}, Server), Text(known.Flavour, nil, Server); got != want {
				t.Errorf("%s, %s:\n%s", name, known.Flavour, got)
			}
		}
	}
	zone := good
	zone.From, zone.To = prefixes("fd00::7/64"), []netip.Addr{netip.MustParseAddr("fd00::1%eth0;reboot")}
	if got := Text(NFTables, []Opening{zone}, Server); strings.Contains(got, "reboot") || !strings.Contains(got, "ip6 saddr { fd00::/64 } ip6 daddr { fd00::1 }") {
		t.Errorf("got %s", got)
	}
}
