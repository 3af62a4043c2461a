package main

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fieldphone/turnsrv/turnclient"

	"github.com/google/go-cmp/cmp"
)

// Ensure the range moves under a relayed call that notices nothing, that the administrator is
// told before what it means, and that a restart keeps it.
func TestTheRangeMovesUnderACall(t *testing.T) {
	r := startServer(t)
	root := r.admin("root")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	maria, jose := r.device("maria", hereOne), r.device("jose", hereTwo)
	maria.call("call-0001", jose)
	ends := []*turnclient.Client{
		r.turn(ctx, turnclient.UDP, "maria", root.sessionOf("maria")), r.turn(ctx, turnclient.TCP, "jose", root.sessionOf("jose")),
	}
	var relayed [2]netip.AddrPort
	for i, c := range ends {
		var err error
		if relayed[i], err = c.Allocate(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range ends {
		if err := c.BindChannel(ctx, relayed[1-i]); err != nil {
			t.Fatal(err)
		}
	}
	exchange(t, ends[0], ends[1])

	moved := object{"relay_ports": object{"min": 52000, "max": 52049}}
	preview := want[previewAnswer](t, 200, root.do("POST", "/admin/settings/preview", object{"settings": moved}))
	told := map[string]object{}
	for _, e := range preview.Effects {
		told[e.Code] = e.Params
	}
	if diff := cmp.Diff(object{"allocations": 2.0, "calls": 1.0}, told["ports_kept"]); diff != "" || len(preview.Problems) > 0 {
		t.Errorf("%+v: -want +got:\n%s", preview, diff)
	}
	if told["ports_free"]["need"] != 2.0 || told["ports_free"]["free"].(float64) < 40 || told["firewall"]["ports"] != "52000-52049" {
		t.Errorf("got %+v", told)
	}
	before := root.settings()
	after := root.set(moved)
	if after.Settings.Ports.Min != 52000 || after.Settings.Ports.Max != 52049 || after.Revision == before.Revision {
		t.Errorf("got %+v", after)
	}
	exchange(t, ends[0], ends[1])
	fresh := r.turn(ctx, turnclient.UDP, "maria", root.sessionOf("maria"))
	if at, err := fresh.Allocate(ctx); err != nil || at.Port() < 52000 || at.Port() > 52049 {
		t.Errorf("allocated %v, %v", at, err)
	}
	now := root.live(func(l liveAnswer) bool { return len(l.Allocations) == 3 })
	outside := 0
	for _, a := range now.Allocations {
		if a.Outside {
			outside++
		}
	}
	if p := now.Ports[0]; outside != 2 || p.Min != 52000 || p.Max != 52049 || p.Outside != 2 || p.Used != 1 {
		t.Errorf("%d outside, %+v", outside, now.Ports)
	}
	entry := root.log()[0]
	if entry.Action != "settings.change" || entry.Admin.Name != "ROOT" || !entry.CanUndo ||
		cmp.Diff(object{"relay_ports": object{"min": 49160.0, "max": 49359.0}}, entry.Before) != "" {
		t.Errorf("got %+v", entry)
	}
	if firewall := string(root.do("GET", "/admin/firewall?flavour=nftables", nil).body); !strings.Contains(firewall, "52000-52049") || strings.Contains(firewall, "iptables") {
		t.Errorf("the firewall text: %s", firewall)
	}
	r.wait(0)
	again := startServerOn(t, r.data).person("root").settings()
	if diff := cmp.Diff(after, again); diff != "" {
		t.Errorf("after a restart: -want +got:\n%s", diff)
	}
}

// Ensure a range is refused that would do harm, and nothing changes then.
func TestBadSettingsAreRefused(t *testing.T) {
	r := startServer(t)
	root := r.admin("root")
	before := root.settings()
	relay := int(r.turnAddr().Port())
	for name, tt := range map[string]struct {
		settings object
		code     string
	}{
		"privileged": {object{"relay_ports": object{"min": 500, "max": 600}}, "range_privileged relay_ports"},
		"reversed":   {object{"relay_ports": object{"min": 52000, "max": 51000}}, "range_reversed relay_ports"},
		"own port":   {object{"relay_ports": object{"min": max(1024, relay-10), "max": min(65535, relay+10)}}, "range_own_port relay_ports"},
		"mode":       {object{"peers": object{"mode": "everybody"}}, "not_one_of peers.mode"},
		"segment":    {object{"segments": []object{{"name": "x", "clients": []string{"10.0.0.1/8"}}}}, "segments[0].clients[0]"},
		"unknown":    {object{"colour": "red"}, "unknown colour"},
	} {
		t.Run(name, func(t *testing.T) {
			preview := want[previewAnswer](t, 200, root.do("POST", "/admin/settings/preview", object{"settings": tt.settings}))
			refused := want[refusalAnswer](t, 422, root.do("PUT", "/admin/settings", object{"revision": before.Revision, "settings": tt.settings}))
			if refused.Error.Code != "settings_invalid" || len(preview.Effects) > 0 || cmp.Diff(preview.Problems, refused.Error.Problems) != "" {
				t.Errorf("preview %+v, refusal %+v", preview, refused)
			}
			var got []string
			for _, p := range refused.Error.Problems {
				got = append(got, p.Code+" "+p.Key)
			}
			if !strings.Contains(strings.Join(got, ", "), tt.code) {
				t.Errorf("got %q, want %s", got, tt.code)
			}
		})
	}
	for _, body := range []any{"", "{", "[]", object{"settings": object{}}, object{"revision": 7}} {
		if got := root.do("PUT", "/admin/settings", body); got.status != 400 {
			t.Errorf("%v: %d %s", body, got.status, got.body)
		}
	}
	if diff := cmp.Diff(before, root.settings()); diff != "" || len(root.log()) > 0 {
		t.Errorf("something changed: %s", diff)
	}
}

func TestTwoAdministratorsAtOnce(t *testing.T) {
	r := startServer(t)
	anna, bert := r.admin("anna"), r.admin("bert")
	seen := bert.settings()
	anna.set(object{"limits": object{"kbps": 4000}})
	refused := want[refusalAnswer](t, 409, bert.do("PUT", "/admin/settings", object{"revision": seen.Revision, "settings": object{"limits": object{"kbps": 5000}}}))
	if e := refused.Error; e.Code != "settings_changed" || e.By.Name != "ANNA" || time.Since(time.UnixMilli(e.At)).Abs() > time.Minute {
		t.Errorf("got %+v", e)
	}
	if got := bert.settings().Settings.Limits["kbps"]; got != 4000 {
		t.Errorf("kbps is %d", got)
	}
	// Of many with the same revision one goes first, and the others are told.
	revision := bert.settings().Revision
	results := make(chan int, 8)
	for i := range cap(results) {
		go func() {
			answer, _ := []*someone{anna, bert}[i%2].try("PUT", "/admin/settings", object{"revision": revision, "settings": object{"limits": object{"kbps": 6000 + i}}})
			results <- answer.status
		}()
	}
	count := map[int]int{}
	for range cap(results) {
		count[<-results]++
	}
	if diff := cmp.Diff(map[int]int{200: 1, 409: cap(results) - 1}, count); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if entries := anna.log(); len(entries) != 2 {
		t.Errorf("%d entries", len(entries))
	}
}

func TestSettingsOfTheEnvironmentAreFixed(t *testing.T) {
	r := startServer(t, "TURN_KBPS=3000")
	root := r.admin("root")
	now := root.settings()
	if diff := cmp.Diff([]string{"limits.kbps"}, now.Fixed); diff != "" || now.Settings.Limits["kbps"] != 3000 {
		t.Errorf("%+v: %s", now.Settings.Limits, diff)
	}
	refused := want[refusalAnswer](t, 422, root.do("PUT", "/admin/settings", object{"revision": now.Revision, "settings": object{"limits": object{"kbps": 4000}}}))
	if diff := cmp.Diff([]problemAnswer{{"limits.kbps", "fixed", "it is set by FIELDPHONE_TURN_KBPS, which wins over what is set here; change it there, and restart"}}, refused.Error.Problems); diff != "" {
		t.Error(diff)
	}
	after := root.set(object{"limits": object{"kbps": 3000, "allocations": 500}})
	if after.Settings.Limits["allocations"] != 500 {
		t.Errorf("got %+v", after)
	}
}

func TestUndo(t *testing.T) {
	r := startServer(t)
	root := r.admin("root")
	undo := func(e entryAnswer) reply { return root.do("POST", fmt.Sprintf("/admin/log/%d/undo", e.ID), nil) }
	limits := func() (kbps, allocations int) {
		l := root.settings().Settings.Limits
		return l["kbps"], l["allocations"]
	}
	root.set(object{"limits": object{"kbps": 4000, "kbps_per_allocation": 300}})
	root.set(object{"limits": object{"allocations": 77}})
	first := root.log()[1]
	// What others changed since stays.
	want[nothing](t, 204, undo(first))
	if kbps, allocations := limits(); kbps != 0 || allocations != 77 {
		t.Errorf("kbps %d, allocations %d", kbps, allocations)
	}
	undone := root.log()
	if e := undone[0]; e.Undoes != first.ID || e.Admin.ID != "root" || cmp.Diff(first.Before, e.After) != "" || undone[2].UndoneBy != e.ID || undone[2].CanUndo {
		t.Errorf("got %+v", undone)
	}
	if got := want[refusalAnswer](t, 409, undo(first)).Error.Code; got != "undone_already" {
		t.Errorf("got %s", got)
	}
	// An undo is undone like anything else.
	want[nothing](t, 204, undo(undone[0]))
	if kbps, _ := limits(); kbps != 4000 {
		t.Errorf("kbps %d", kbps)
	}
	redone := root.log()[0]
	root.set(object{"limits": object{"kbps": 9000}})
	refused := want[refusalAnswer](t, 409, undo(redone))
	if refused.Error.Code != "undo_overtaken" || cmp.Diff([]string{"limits.kbps"}, refused.Error.Keys) != "" {
		t.Errorf("got %+v", refused)
	}
	if got := undo(entryAnswer{ID: 1 << 40}); got.status != 404 {
		t.Errorf("an unknown entry: %d", got.status)
	}
}

// Ensure that what cannot be saved is not in force either.
func TestNothingHappensUnlessItIsSaved(t *testing.T) {
	r := startServer(t)
	root := r.admin("root")
	before := root.settings()
	// A folder in the place of the file makes the rename fail, also for root.
	block := r.data + "/settings.yaml"
	if err := mkdirWithFile(block); err != nil {
		t.Fatal(err)
	}
	got := root.do("PUT", "/admin/settings", object{"revision": before.Revision, "settings": object{"relay_ports": object{"min": 52000, "max": 52049}}})
	if got.status != 500 || !bytes.Contains(got.body, []byte("internal")) {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if diff := cmp.Diff(before, root.settings()); diff != "" {
		t.Error(diff)
	}
	if p := root.live(always).Ports[0]; p.Min != 49160 {
		t.Errorf("the relay has %+v", p)
	}
	if entries := root.log(); len(entries) > 0 {
		t.Errorf("it is in the log: %+v", entries)
	}
	if !strings.Contains(r.stderr.String(), "settings.yaml") {
		t.Error("the server's log does not say why")
	}
}
