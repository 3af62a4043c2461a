package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fieldphone/turnsrv/turnclient"

	"github.com/google/go-cmp/cmp"
)

// someone is somebody signed in, who speaks to the API.
type someone struct {
	r      *runner
	id     string
	token  string
	client *http.Client
}

func (r *runner) person(id string) *someone {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: r.tls}}
	r.t.Cleanup(client.CloseIdleConnections)
	return &someone{r, id, r.signIn(id), client}
}

// admin adds an administrator at the console and signs in.
func (r *runner) admin(id string) *someone {
	r.t.Helper()
	if code, _, stderr := fieldphone(r.t, "correct horse "+id+"\n", "user", "add", id, "--name", strings.ToUpper(id), "--admin", "--data", r.data); code != 0 {
		r.t.Fatal(stderr)
	}
	return r.person(id)
}

// user registers somebody.
func (r *runner) user(id string) *someone {
	r.t.Helper()
	if code, _, stderr := fieldphone(r.t, "correct horse "+id+"\n", "user", "add", id, "--name", strings.ToUpper(id), "--data", r.data); code != 0 {
		r.t.Fatal(stderr)
	}
	return r.person(id)
}

// reply is what the API answered.
type reply struct {
	status int
	body   []byte
}

func (p *someone) try(method, path string, body any) (reply, error) {
	text, isText := body.(string)
	if !isText && body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return reply{}, err
		}
		text = string(encoded)
	}
	req, err := http.NewRequestWithContext(p.r.t.Context(), method, p.r.url+"/api/v1"+path, strings.NewReader(text))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := p.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, answer}, err
}

func (p *someone) do(method, path string, body any) reply {
	p.r.t.Helper()
	answer, err := p.try(method, path, body)
	if err != nil {
		p.r.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer
}

// want decodes the answer of a request that must have this status.
func want[T any](t *testing.T, status int, r reply) (out T) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	if len(r.body) > 0 {
		if err := json.Unmarshal(r.body, &out); err != nil {
			t.Fatalf("%v: %s", err, r.body)
		}
	}
	return out
}

type (
	object  = map[string]any
	nothing = struct{}
)

type settingsAnswer struct {
	Revision string
	Settings struct {
		Ports  struct{ Min, Max uint16 } `json:"relay_ports"`
		Limits map[string]int
		Peers  struct {
			Mode string
			Deny []string
		}
		Registration object
		Log          object
		Segments     []object
	}
	Fixed    []string
	Defaults object
}

type refusalAnswer struct {
	Error struct {
		Code     string
		By       struct{ ID, Name string }
		At       int64
		Keys     []string
		Problems []problemAnswer
	}
}

type problemAnswer struct{ Key, Code, Message string }

type previewAnswer struct {
	Problems []problemAnswer
	Effects  []struct {
		Code   string
		Params object
	}
}

type entryAnswer struct {
	ID            int64
	Admin         struct{ ID, Name string }
	Action        string
	Target        string
	Before, After object
	UndoneBy      int64 `json:"undone_by"`
	Undoes        int64
	CanUndo       bool `json:"can_undo"`
}

type liveAnswer struct {
	People []struct {
		ID      string
		Admin   bool
		Devices []struct{ Device, Session, Address, Segment string }
	}
	Calls       []struct{ Call, State string }
	Allocations []struct {
		ID       int64
		User     string
		Relayed  netip.AddrPort
		Outside  bool
		UpKbps   float64 `json:"up_kbps"`
		DownKbps float64 `json:"down_kbps"`
		BytesUp  int64   `json:"bytes_up"`
	}
	Ports    []struct{ Min, Max, Used, Outside, Free int }
	Forecast struct{ State string }
	Warnings []struct {
		Code   string
		Params object
	}
}

func (p *someone) settings() settingsAnswer {
	p.r.t.Helper()
	return want[settingsAnswer](p.r.t, 200, p.do("GET", "/admin/settings", nil))
}

// set changes settings as they are now.
func (p *someone) set(settings object) settingsAnswer {
	p.r.t.Helper()
	return want[settingsAnswer](p.r.t, 200, p.do("PUT", "/admin/settings", object{"revision": p.settings().Revision, "settings": settings}))
}

func (p *someone) log() []entryAnswer {
	p.r.t.Helper()
	return want[struct{ Entries []entryAnswer }](p.r.t, 200, p.do("GET", "/admin/log", nil)).Entries
}

// live looks until a condition holds.
func (p *someone) live(holds func(liveAnswer) bool) liveAnswer {
	p.r.t.Helper()
	var now liveAnswer
	await(p.r.t, func() bool {
		now = want[liveAnswer](p.r.t, 200, p.do("GET", "/admin/live", nil))
		return holds(now)
	})
	return now
}

func always(liveAnswer) bool { return true }

// await polls a condition.
func await(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatal("it did not come true within 10 s")
		case <-tick.C:
		}
	}
}

func (p *someone) sessionOf(user string) string {
	p.r.t.Helper()
	for _, each := range p.live(always).People {
		if each.ID == user && len(each.Devices) > 0 {
			return each.Devices[0].Session
		}
	}
	p.r.t.Fatalf("%s is not there", user)
	return ""
}

// exchange sends a datagram each way between two that have bound channels.
func exchange(t *testing.T, a, b *turnclient.Client) {
	t.Helper()
	for _, way := range [][2]*turnclient.Client{{a, b}, {b, a}} {
		if err := way[0].Send([]byte("hello over the relay")); err != nil {
			t.Fatal(err)
		}
		if got, err := way[1].Receive(time.Now().Add(5 * time.Second)); err != nil || string(got) != "hello over the relay" {
			t.Fatalf("got %q, %v", got, err)
		}
	}
}

var (
	hereOne = netip.MustParseAddr("127.0.0.1")
	hereTwo = netip.MustParseAddr("127.0.0.2")
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
