package main

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"fieldphone/turnsrv/turnclient"

	"github.com/google/go-cmp/cmp"
)

// preview returns the effects by code, and the problems.
func (p *someone) preview(settings object) (map[string]object, []problemAnswer) {
	p.r.t.Helper()
	answer := want[previewAnswer](p.r.t, 200, p.do("POST", "/admin/settings/preview", object{"settings": settings}))
	effects := map[string]object{}
	for _, e := range answer.Effects {
		effects[e.Code] = e.Params
	}
	return effects, answer.Problems
}

// Ensure a preview warns of what opens the network and of what slows calls, and says nothing
// of their contrary.
func TestPreviewWarnsOfOpenAndSlow(t *testing.T) {
	root := startServer(t, "TURN_KBPS=9000").admin("root")
	effects, problems := root.preview(object{"peers": object{"mode": "any"}, "limits": object{"kbps_per_allocation": 500}})
	if diff := cmp.Diff(map[string]object{"relay_open": {}, "slower_each": {"kbps": 500.0, "allocations": 0.0}}, effects); diff != "" || len(problems) > 0 {
		t.Errorf("effects (-want +got):\n%s%v", diff, problems)
	}
	if effects, problems := root.preview(object{"peers": object{"mode": "call"}}); len(effects)+len(problems) > 0 {
		t.Errorf("a narrower policy: %v %v", effects, problems)
	}
}

// Ensure a preview counts what runs: peers that would be cut off, sessions over their quota, and
// a range that has no room for what is in use.
func TestPreviewCountsWhatRuns(t *testing.T) {
	r := startServer(t)
	root := r.admin("root")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r.device("maria", hereOne)
	r.device("jose", hereTwo) // makes 127.0.0.2 the address of a client
	peer, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(hereTwo, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	binding := []byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12} // RFC 8489 section 5
	for i := range 6 {
		c := r.turn(ctx, turnclient.UDP, "maria", root.sessionOf("maria"))
		relayed, err := c.Allocate(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if i > 1 {
			continue
		}
		if err := c.BindChannel(ctx, peer.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
			t.Fatal(err)
		}
		if _, err := peer.WriteToUDPAddrPort(binding, relayed); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Receive(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	effects, problems := root.preview(object{"peers": object{"deny": []string{"127.0.0.2/32"}}, "limits": object{"allocations_per_session": 4}})
	wanted := map[string]object{"peers_refused": {"allocations": 2.0}, "over_quota": {"allocations": 2.0}}
	if diff := cmp.Diff(wanted, effects); diff != "" || len(problems) > 0 {
		t.Errorf("%v -want +got:\n%s", problems, diff)
	}
	_, problems = root.preview(object{"relay_ports": object{"min": 52100, "max": 52103}})
	if len(problems) != 1 || problems[0].Code != "range_too_small_for_calls" || problems[0].Key != "relay_ports" {
		t.Errorf("got %+v", problems)
	}
	if effects, problems := root.preview(object{}); len(effects)+len(problems) > 0 {
		t.Errorf("of nothing: %v %v", effects, problems)
	}
}

func TestPreviewSeesPortsOfOthers(t *testing.T) {
	r := startServer(t)
	root := r.admin("root")
	const first, last = 52200, 52203
	for port := first; port <= last; port++ {
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	_, problems := root.preview(object{"relay_ports": object{"min": first, "max": last}})
	if len(problems) != 1 || problems[0].Code != "range_taken" {
		t.Errorf("got %+v", problems)
	}
	effects, problems := root.preview(object{"relay_ports": object{"min": first, "max": last + 6}})
	if len(problems) > 0 || effects["ports_taken"]["count"] != 4.0 || effects["ports_taken"]["ports"] != "52200, 52201, 52202, 52203" || effects["ports_free"]["free"] != 6.0 {
		t.Errorf("got %+v, %+v", effects, problems)
	}
}
