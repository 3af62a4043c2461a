package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
	"fieldphone/rtc/presence"

	"github.com/google/go-cmp/cmp"
)

func at(user, device string) call.Device { return call.Device{User: user, ID: device + "-00000000"} }

func selfTest(id string, devices ...call.Device) PathTest {
	t := PathTest{ID: id, Kind: rtc.TestSelf}
	for _, d := range devices {
		t.Runs = append(t.Runs, PathRun{Devices: []call.Device{d}})
	}
	return t
}

func pairTest(id string, a, b call.Device) PathTest {
	return PathTest{ID: id, Kind: rtc.TestPair, Runs: []PathRun{{Devices: []call.Device{a, b}}}}
}

func begin(t *testing.T, h *Hub, test PathTest) {
	t.Helper()
	if err := h.RunPathTest(test); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

// states are those of the runs of a test, in order.
func states(t *testing.T, h *Hub, id string) (list []RunState) {
	t.Helper()
	view, ok := h.PathTest(id)
	if !ok {
		t.Fatalf("no test %s", id)
	}
	for _, run := range view.Runs {
		list = append(list, run.State)
	}
	if over := !slices.Contains(list, RunWaiting) && !slices.Contains(list, RunRunning); over == view.Done.IsZero() {
		t.Fatalf("runs %v, done %v", list, view.Done)
	}
	return list
}

var stunOK = []rtc.Leg{{Leg: rtc.LegSTUN, State: rtc.LegOK, MS: 3, Target: "10.77.1.2:3478/udp"}}

func TestSelfTestOfSeveralDevices(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
		begin(t, h, selfTest("test", at("alice", "a"), at("bob", "b"), at("zoe", "z")))
		run := one[*rtc.PathRun](alice)
		if run.Kind != rtc.TestSelf || run.Peer != nil || run.Transports != nil {
			t.Errorf("got %+v", run)
		}
		if got := states(t, h, "test"); !slices.Equal(got, []RunState{RunRunning, RunRunning, RunGone}) {
			t.Fatal(got)
		}
		bob.say(&rtc.PathResult{Test: run.Test, Legs: stunOK}) // alice's
		bob.refused(rtc.CodeNoSuchTest)
		alice.say(&rtc.PathResult{Test: run.Test, Legs: stunOK})
		one[*rtc.Ack](alice)
		alice.say(&rtc.PathResult{Test: run.Test, Legs: stunOK}) // again
		alice.refused(rtc.CodeNoSuchTest)
		bob.say(&rtc.PathResult{Legs: []rtc.Leg{{Leg: rtc.LegTURNUDP, State: rtc.LegFailed, Code: rtc.LegTimeout}}}) // alone

		people := h.People()
		if path := people[0].Devices[0].Path; path == nil || path.Test != run.Test || !path.At.Equal(time.Now()) || cmp.Diff(stunOK, path.Legs) != "" {
			t.Errorf("alice's last result is %+v", path)
		}
		if path := people[1].Devices[0].Path; path == nil || path.Test != "" || path.Legs[0].Code != rtc.LegTimeout {
			t.Errorf("bob's last result is %+v", path)
		}
		time.Sleep(runLimit + time.Second)
		if got := states(t, h, "test"); !slices.Equal(got, []RunState{RunDone, RunExpired, RunGone}) {
			t.Error(got)
		}
		view, _ := h.PathTest("test")
		if end := view.Runs[0].Ends[0]; end.User.Name != "ALICE" || end.Session != "session-of-alice" || end.Link.Transport != TransportWSS || cmp.Diff(stunOK, view.Runs[0].Legs) != "" {
			t.Errorf("got %+v", view.Runs[0])
		}
		if end := view.Runs[2].Ends[0]; !end.Gone || end.User.ID != "zoe" {
			t.Errorf("got %+v", end)
		}
		stats := h.Stats()
		if diff := cmp.Diff(map[RunState]uint64{RunDone: 1, RunExpired: 1, RunGone: 1}, stats.PathRuns); diff != "" {
			t.Error(diff)
		}
		want := map[LegOutcome]uint64{{rtc.LegSTUN, rtc.LegOK}: 1, {rtc.LegTURNUDP, rtc.LegFailed}: 1}
		if diff := cmp.Diff(want, stats.Legs); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPairTest(t *testing.T) {
	var got []string
	cfg := testConfig()
	told(&cfg, &got)
	inBubbleOf(t, cfg, func(t *testing.T, h *Hub) {
		alice, bob, mallory := connect(t, h, "alice", "a"), connect(t, h, "bob", "b"), connect(t, h, "mallory", "m")
		begin(t, h, pairTest("test", at("alice", "a"), at("bob", "b")))
		offers, answers := one[*rtc.PathRun](alice), one[*rtc.PathRun](bob)
		if offers.Role != rtc.Offerer || offers.Peer.ID != "bob" || !slices.Equal(offers.Transports, rtc.Transports()) {
			t.Errorf("alice is asked for %+v", offers)
		}
		if answers.Role != rtc.Answerer || answers.Peer.ID != "alice" || answers.Test != offers.Test {
			t.Errorf("bob is asked for %+v", answers)
		}
		said := func(addr string) *rtc.PathSignal {
			return &rtc.PathSignal{Test: offers.Test, Payload: json.RawMessage(`{"transport":"direct","candidate":{"candidate":"candidate:1 1 udp 1 ` + addr + ` 5 typ host"}}`)}
		}
		alice.say(said("10.0.0.1"))
		if passed := one[*rtc.PathSignal](bob); cmp.Diff(said("10.0.0.1"), passed) != "" {
			t.Errorf("bob hears %s", passed.Payload)
		}
		none[*rtc.PathSignal](alice)
		bob.say(said("10.0.0.2"))
		one[*rtc.PathSignal](alice)
		mallory.say(said("10.0.0.66"))
		mallory.refused(rtc.CodeNoSuchTest)
		none[*rtc.PathSignal](bob)
		bob.say(&rtc.PathResult{Test: offers.Test, Legs: stunOK})
		bob.refused(rtc.CodeNoSuchTest)
		alice.say(&rtc.PathResult{Test: offers.Test, Legs: []rtc.Leg{{Leg: rtc.LegPairDirect, State: rtc.LegOK}}})
		if s := states(t, h, "test"); s[0] != RunDone {
			t.Error(s)
		}
		alice.say(said("10.0.0.3"))
		alice.refused(rtc.CodeNoSuchTest)
		if path := h.People()[0].Devices[0].Path; path != nil {
			t.Errorf("the pair's result is kept as alice's own: %+v", path)
		}
		for i, line := range got {
			got[i] = line[:len(line)-len(offers.Test)] + "TEST"
			if i == 1 || i == 2 {
				got[i] = "TEST" + line[len(offers.Test):]
			}
			if i == 0 {
				got[i] = "paired TEST" + line[len("paired ")+len(offers.Test):]
			}
		}
		want := []string{
			"paired TEST session-of-alice session-of-bob", "TEST: alice to bob: 10.0.0.1:5", "TEST: bob to alice: 10.0.0.2:5", "parted TEST",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// Ensure that a device has one test at a time, and that what waits runs when
// it is free.
func TestTestsWaitForTheirDevices(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
		begin(t, h, pairTest("pair", at("alice", "a"), at("bob", "b")))
		begin(t, h, selfTest("self", at("bob", "b")))
		pair := one[*rtc.PathRun](alice)
		one[*rtc.PathRun](bob)
		if got := states(t, h, "self"); got[0] != RunWaiting {
			t.Error(got)
		}
		alice.say(&rtc.PathResult{Test: pair.Test, Legs: stunOK})
		if run := one[*rtc.PathRun](bob); run.Kind != rtc.TestSelf {
			t.Errorf("got %+v", run)
		}
	})
}

func TestDevicesThatGoAwayDuringATest(t *testing.T) {
	for name, leave := range map[string]func(*client){
		"Bye":    func(c *client) { c.say(&rtc.Bye{}) },
		"Reload": func(c *client) { c.lose(); c.stream = ""; c.back() },
		"SignOut": func(c *client) {
			c.hub.EndSession("session-of-" + c.user)
			synctest.Wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, h *Hub) {
				alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
				begin(t, h, pairTest("test", at("alice", "a"), at("bob", "b")))
				run := one[*rtc.PathRun](alice)
				leave(bob)
				view, _ := h.PathTest("test")
				if got := view.Runs[0]; got.State != RunGone || got.Ends[0].Gone || !got.Ends[1].Gone {
					t.Errorf("got %+v", got)
				}
				alice.say(&rtc.PathSignal{Test: run.Test, Payload: json.RawMessage(`{}`)})
				alice.refused(rtc.CodeNoSuchTest)
			})
		})
	}
}

// Ensure that a device which merely blinks hears of its test afterwards.
func TestATestOutlivesABlink(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice := connect(t, h, "alice", "a")
		begin(t, h, selfTest("test", at("alice", "a")))
		alice.lose()
		alice.back()
		alice.say(&rtc.PathResult{Test: one[*rtc.PathRun](alice).Test, Legs: stunOK})
		if got := states(t, h, "test"); got[0] != RunDone {
			t.Error(got)
		}
	})
}

func TestPathTestsAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice := connect(t, h, "alice", "a")
		for i := range maxTests {
			begin(t, h, selfTest(fmt.Sprint("test-", i), at("alice", "a")))
		}
		if err := h.RunPathTest(selfTest("more", at("alice", "a"))); !errors.Is(err, ErrTooManyTests) {
			t.Errorf("got %v", err)
		}
		if err := h.RunPathTest(selfTest("test-3", at("alice", "a"))); err == nil {
			t.Error("the same id twice")
		}
		alice.say(&rtc.PathResult{Test: one[*rtc.PathRun](alice).Test, Legs: stunOK})
		if err := h.RunPathTest(selfTest("more", at("alice", "a"))); err != nil {
			t.Error(err)
		}
		if _, ok := h.PathTest("test-0"); ok {
			t.Error("the oldest that is over is kept")
		}

		// What nobody answers ends by itself.
		time.Sleep(waitLimit + time.Minute)
		alice.say(&rtc.Pong{})
		for i := 1; i < maxTests; i++ {
			if got := states(t, h, fmt.Sprint("test-", i)); got[0] != RunExpired && got[0] != RunGone {
				t.Errorf("test-%d: %v", i, got)
			}
		}
	})
	many := selfTest("many", slices.Repeat([]call.Device{at("alice", "a")}, MaxPathRuns+1)...)
	for name, test := range map[string]PathTest{
		"no id":               selfTest("", at("alice", "a")),
		"no kind":             {ID: "x", Runs: many.Runs[:1]},
		"no runs":             selfTest("x"),
		"many runs":           many,
		"one of a pair":       {ID: "x", Kind: rtc.TestPair, Runs: many.Runs[:1]},
		"a device and self":   pairTest("x", at("alice", "a"), at("alice", "a")),
		"two devices, self":   {ID: "x", Kind: rtc.TestSelf, Runs: pairTest("", at("a", "a"), at("b", "b")).Runs},
		"a strange transport": {ID: "x", Kind: rtc.TestPair, Runs: []PathRun{{Devices: []call.Device{at("a", "a"), at("b", "b")}, Transports: []rtc.Transport{"smoke"}}}},
	} {
		if err := test.Validate(); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestAfterTheHubStopped(t *testing.T) {
	stopped, err := New(testConfig(), presence.NewMemory(time.Now))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stopped.Run(ctx)
	if err := stopped.RunPathTest(selfTest("x", at("alice", "a"))); !errors.Is(err, ErrStopped) {
		t.Errorf("got %v", err)
	}
	if _, ok := stopped.PathTest("x"); ok || stopped.People() != nil || stopped.Calls() != nil || stopped.EndCall("x") {
		t.Error("a stopped hub answers")
	}
	if nodes := stopped.Nodes(); len(nodes) != 1 {
		t.Errorf("got %v", nodes)
	}
}
