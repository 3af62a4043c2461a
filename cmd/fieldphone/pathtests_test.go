package main

import (
	"net/netip"
	"strings"
	"testing"

	"fieldphone/rtc"
)

type testAnswer struct {
	Kind    string
	Done    bool
	Devices []struct {
		User     struct{ ID, Name string }
		Segment  string
		State    string
		Legs     []rtc.Leg
		Findings []struct {
			Code, Leg string
			Rules     []struct{ Flavour, Text string }
		}
	}
	Grid []struct {
		From, To, Transport, State string
		Users                      []string
	}
}

// Ensure an administrator asks devices to test, and reads what each found and what mends it.
func TestPathTestsOfTheDashboard(t *testing.T) {
	r := startServer(t)
	root := r.admin("root")
	if got := want[refusalAnswer](t, 409, root.do("POST", "/admin/path-tests", object{"kind": "pairs"})).Error.Code; got != "nobody_to_test" {
		t.Errorf("nobody is there: %s", got)
	}
	root.set(object{"segments": []object{
		{"name": "camp", "clients": []string{"127.0.0.1/32"}, "turn_addresses": []string{"127.0.0.1"}},
		{"name": "hill", "clients": []string{"127.0.0.2/32"}, "turn_addresses": []string{"127.0.0.1"}},
	}})
	maria, jose := r.device("maria", hereOne), r.device("jose", hereTwo)
	start := func(body object) string {
		t.Helper()
		return want[struct{ ID string }](t, 201, root.do("POST", "/admin/path-tests", body)).ID
	}
	read := func(id string) testAnswer {
		t.Helper()
		return want[testAnswer](t, 200, root.do("GET", "/admin/path-tests/"+id, nil))
	}

	id := start(object{"kind": "self", "people": []string{"maria"}})
	run := hear[*rtc.PathRun](maria)
	maria.do(&rtc.PathResult{Test: run.Test, Legs: []rtc.Leg{
		{Leg: rtc.LegTURNUDP, State: rtc.LegFailed, Code: rtc.LegTimeout, Target: "127.0.0.1:3478/udp"},
		{Leg: rtc.LegTURNTCP, State: rtc.LegOK, MS: 3},
	}})
	self := read(id)
	if len(self.Devices) != 1 || !self.Done || self.Kind != "self" {
		t.Fatalf("got %+v", self)
	}
	d := self.Devices[0]
	if d.Segment != "camp" || d.State != "done" || d.User.ID != "maria" || len(d.Findings) == 0 || d.Findings[0].Leg != "turn_udp" || len(d.Findings[0].Rules) < 7 {
		t.Errorf("got %+v", d)
	}
	nft := d.Findings[0].Rules[0]
	if nft.Flavour != "nftables" || !strings.Contains(nft.Text, r.portText()) {
		t.Errorf("the rule: %+v", nft)
	}

	id = start(object{"kind": "pairs"})
	if got := read(id); got.Done || len(got.Grid) > 0 || got.Devices[0].State != "running" {
		t.Errorf("got %+v", got)
	}
	run, _ = hear[*rtc.PathRun](maria), hear[*rtc.PathRun](jose)
	legs := []rtc.Leg{{Leg: rtc.LegPairDirect, State: rtc.LegOK, MS: 2}, {Leg: rtc.LegPairRelayUDP, State: rtc.LegFailed, Code: rtc.LegTimeout}}
	maria.do(&rtc.PathResult{Test: run.Test, Legs: legs})
	pairs := read(id)
	if !pairs.Done || len(pairs.Devices) != 2 || len(pairs.Grid) != 2 {
		t.Fatalf("got %+v", pairs)
	}
	if c := pairs.Grid[0]; c.From != "camp" || c.To != "hill" || c.Transport != "direct" || c.State != "ok" || strings.Join(c.Users, " ") != "MARIA JOSE" {
		t.Errorf("got %+v", c)
	}
	if c := pairs.Grid[1]; c.State != "failed" || c.Transport != "relay_udp" {
		t.Errorf("got %+v", c)
	}
	if got := root.do("GET", "/admin/path-tests/none", nil).status; got != 404 {
		t.Errorf("an unknown test: %d", got)
	}
	if got := root.do("POST", "/admin/path-tests", object{"kind": "all"}).status; got != 400 {
		t.Errorf("an unknown kind: %d", got)
	}
	if got := root.log()[0]; got.Action != "path_test.start" || got.Target != "pairs" {
		t.Errorf("got %+v", got)
	}
	live := root.live(always)
	for _, p := range live.People {
		if p.ID == "maria" && (p.Devices[0].Segment != "camp" || p.Devices[0].Address != netip.MustParseAddr("127.0.0.1").String()) {
			t.Errorf("got %+v", p)
		}
	}
}

func (r *runner) portText() string {
	_, port, _ := strings.Cut(r.turnAddr().String(), ":")
	return port
}
