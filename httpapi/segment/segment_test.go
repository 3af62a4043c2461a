package segment

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var compare = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, s := range texts {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

var home = []Interface{
	{Name: "lo", Loopback: true, Prefixes: prefixes("127.0.0.1/8", "::1/128")},
	{Name: "eth0", Prefixes: prefixes("10.77.1.2/24", "10.77.1.3/24", "fe80::1/64", "fd00::2/64")},
	{Name: "wlan0", Prefixes: prefixes("169.254.7.7/16", "192.168.43.1/24", "10.9.9.9/32")},
	{Name: "docker0", Prefixes: prefixes("172.17.0.1/16")},
	{Name: "wg0", Prefixes: prefixes("10.100.0.1/24")},
	{Name: "lab9", Prefixes: prefixes("10.9.0.1/24")},
}

func TestBuildDerivesFromTheInterfaces(t *testing.T) {
	got := Build(nil, home, Rules{Skip: append(SkipByDefault(), "lab*")})
	want := &Table{
		Segments: []Segment{
			{Name: "eth0 10.77.1.0/24", Clients: prefixes("10.77.1.0/24"), ServerAddresses: []netip.Addr{addr("10.77.1.2"), addr("10.77.1.3")}, Derived: true, Interface: "eth0"},
			{Name: "wlan0 192.168.43.0/24", Clients: prefixes("192.168.43.0/24"), ServerAddresses: []netip.Addr{addr("192.168.43.1")}, Derived: true, Interface: "wlan0"},
			{Name: "eth0 fd00::/64", Clients: prefixes("fd00::/64"), ServerAddresses: []netip.Addr{addr("fd00::2")}, Derived: true, Interface: "eth0"},
		},
		LeftOut: []LeftOut{
			{Interface: "eth0", Prefix: netip.MustParsePrefix("fe80::1/64"), Reason: LinkLocal},
			{Interface: "wlan0", Prefix: netip.MustParsePrefix("169.254.7.7/16"), Reason: LinkLocal},
			{Interface: "docker0", Prefix: netip.MustParsePrefix("172.17.0.1/16"), Reason: Container},
			{Interface: "wg0", Prefix: netip.MustParsePrefix("10.100.0.1/24"), Reason: VPN},
			{Interface: "lab9", Prefix: netip.MustParsePrefix("10.9.0.1/24"), Reason: Skipped},
			{Interface: "wlan0", Prefix: netip.MustParsePrefix("10.9.9.9/32"), Reason: Host},
		},
		Addresses: []netip.Addr{addr("10.77.1.2"), addr("10.77.1.3"), addr("192.168.43.1"), addr("10.9.9.9"), addr("fd00::2")},
	}
	if diff := cmp.Diff(want, got, compare); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestBuildPutsWhatIsConfiguredFirst(t *testing.T) {
	configured := []Segment{
		{Name: "campus", Clients: prefixes("10.77.0.0/16"), ServerAddresses: []netip.Addr{addr("10.77.1.2"), addr("10.77.8.8")}},
	}
	got := Build(configured, home, Rules{Addresses: []netip.Addr{addr("127.0.0.1"), addr("10.77.1.2"), addr("192.168.43.1")}})
	want := []Segment{
		{Name: "campus", Clients: prefixes("10.77.0.0/16"), ServerAddresses: []netip.Addr{addr("10.77.1.2")}},
		{Name: "wlan0 192.168.43.0/24", Clients: prefixes("192.168.43.0/24"), ServerAddresses: []netip.Addr{addr("192.168.43.1")}, Derived: true, Interface: "wlan0"},
		{Name: "lo 127.0.0.0/8", Clients: prefixes("127.0.0.0/8"), ServerAddresses: []netip.Addr{addr("127.0.0.1")}, Derived: true, Interface: "lo"},
	}
	if diff := cmp.Diff(want, got.Segments, compare); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	reasons := map[string]Reason{}
	for _, l := range got.LeftOut {
		reasons[l.Segment+"|"+l.Prefix.String()] = l.Reason
	}
	for at, want := range map[string]Reason{
		"campus|10.77.8.8/32": Absent, "campus|10.77.1.2/24": Covered, "|10.77.1.3/24": NotListened, "|172.17.0.1/16": NotListened,
	} {
		if reasons[at] != want {
			t.Errorf("%s is left out as %q, want %q", at, reasons[at], want)
		}
	}
	if len(configured[0].ServerAddresses) != 2 {
		t.Error("Build changed what it was given")
	}
}

func TestTheMostSpecificNetworkWins(t *testing.T) {
	table := &Table{Segments: []Segment{
		{Name: "all", Clients: prefixes("0.0.0.0/0")},
		{Name: "wide", Clients: prefixes("192.168.7.0/24", "10.0.0.0/8")},
		{Name: "narrow", Clients: prefixes("10.1.0.0/16")},
		{Name: "six", Clients: prefixes("fd00::/8")},
	}}
	for client, want := range map[string]string{
		"10.1.2.3": "narrow", "10.2.2.3": "wide", "::ffff:10.1.2.3": "narrow", "192.168.7.1": "wide",
		"192.168.8.1": "all", "fd00::1": "six", "fe80::1%eth0": "",
	} {
		if s, ok := table.Find(addr(client)); s.Name != want || ok != (want != "") {
			t.Errorf("%s is in %q, want %q", client, s.Name, want)
		}
	}
	if _, ok := table.Find(netip.Addr{}); ok {
		t.Error("no address is in a segment")
	}
	// Whatever the order, the segment found contains the client and no other
	// is more specific.
	rapid.Check(t, func(r *rapid.T) {
		shuffled := &Table{Segments: rapid.Permutation(table.Segments).Draw(r, "order")}
		client := netip.AddrFrom4([4]byte{10, rapid.Byte().Draw(r, "second"), 0, 1})
		got, _ := shuffled.Find(client)
		if want, _ := table.Find(client); got.Name != want.Name {
			r.Errorf("%s is in %q, want %q", client, got.Name, want.Name)
		}
	})
}

func TestAdvertisedOnlyWhereAllAgree(t *testing.T) {
	forwarded := func(to, told string) Segment {
		return Segment{ServerAddresses: []netip.Addr{addr(to)}, TURNAddresses: []netip.AddrPort{netip.AddrPortFrom(addr(told), 0)}}
	}
	table := &Table{Addresses: []netip.Addr{addr("10.0.0.2"), addr("10.0.0.6")}, Segments: []Segment{
		{ServerAddresses: []netip.Addr{addr("10.0.0.2")}},
		forwarded("10.0.0.2", "172.16.0.1"), forwarded("10.0.0.2", "172.16.0.1"),
		forwarded("10.0.0.3", "172.16.0.1"), forwarded("10.0.0.3", "172.16.9.1"),
		forwarded("10.0.0.4", "10.0.0.6"),
	}}
	for local, want := range map[string]netip.Addr{"10.0.0.2": addr("172.16.0.1"), "10.0.0.3": {}, "10.0.0.4": {}, "10.0.0.5": {}} {
		if got := table.Advertised(addr(local)); got != want {
			t.Errorf("%s is advertised as %s, want %s", local, got, want)
		}
	}
}
