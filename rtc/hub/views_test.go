package hub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/presence"

	"github.com/google/go-cmp/cmp"
)

func relayed(gen int, rtt float64) *rtc.CallReport {
	return &rtc.CallReport{
		Call: callID, Gen: gen, SetupMS: 400, RTTMS: rtt, Loss: 0.5, UpKbps: 640, DownKbps: 320,
		Path: rtc.Path{Local: rtc.Relayed, Remote: rtc.Host, Protocol: "udp", RelayProtocol: "tcp", Relay: "10.77.1.2:49170"},
	}
}

func TestPeopleAndCallsAreShown(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		made := time.Now()
		alice, bob := inCall(t, h)
		accepted := time.Now()
		time.Sleep(time.Second)
		alice.say(relayed(1, 20))
		bob.lose()

		people := h.People()
		link := Link{Remote: netip.MustParseAddrPort("10.77.1.9:50000"), Transport: TransportWSS}
		want := []PersonView{
			{User: rtc.User{ID: "alice", Name: "ALICE"}, Status: rtc.Busy, Devices: []DeviceView{{
				Device: "a-00000000", Session: "session-of-alice", Link: link, Since: made,
			}}},
			{User: rtc.User{ID: "bob", Name: "BOB"}, Status: rtc.Busy, Devices: []DeviceView{{
				Device: "b-00000000", Session: "session-of-bob", Link: link, Since: time.Now(), Away: true,
			}}},
		}
		if diff := cmp.Diff(want, people, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("people (-want +got):\n%s", diff)
		}

		calls := h.Calls()
		if len(calls) != 1 {
			t.Fatalf("%d calls", len(calls))
		}
		c := calls[0]
		if c.ID != callID || c.State != rtc.StateActive || c.Media != rtc.Video || c.Gen != 1 || !c.Since.Equal(made) || !c.Started.Equal(accepted) {
			t.Errorf("got %+v", c)
		}
		a, b := c.Ends[0], c.Ends[1]
		if a.User.ID != "alice" || a.Device != "a-00000000" || a.Session != "session-of-alice" || a.Link != link || b.User.ID != "bob" || b.Device != "b-00000000" {
			t.Errorf("ends %+v", c.Ends)
		}
		if a.Report == nil || a.Report.Path.Local != rtc.Relayed || len(a.Samples) != 1 || a.Samples[0].RTTMS != 20 || a.Samples[0].DownKbps != 320 || b.Report != nil {
			t.Errorf("reports %+v %+v", a.Report, b.Report)
		}

		time.Sleep(20 * time.Second) // longer than presence, shorter than the resume window
		if people = h.People(); len(people) != 2 || people[1].Status != rtc.Offline || !people[1].Devices[0].Away {
			t.Errorf("got %+v, want bob offline with a device that is away", people)
		}
		if nodes := h.Nodes(); len(nodes) != 1 || nodes[0] != (NodeView{Node: "test", Self: true, People: 1}) {
			t.Errorf("nodes %+v", nodes)
		}
	})
}

func TestNodesOfACluster(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		other := presence.Entry{User: "zoe", Device: "z-00000000", Name: "ZOE", Node: "elsewhere"}
		if err := h.store.Put(t.Context(), []presence.Entry{other}, time.Minute); err != nil {
			t.Fatal(err)
		}
		connect(t, h, "alice", "a")
		time.Sleep(time.Second)
		if nodes := h.Nodes(); !slices.Equal(nodes, []NodeView{{"test", true, 1}, {"elsewhere", false, 1}}) {
			t.Errorf("got %+v", nodes)
		}
		if people := h.People(); len(people) != 2 || people[1].User.Name != "ZOE" || len(people[1].Devices) != 0 {
			t.Errorf("got %+v", people)
		}
	})
}

func TestReportsAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := inCall(t, h)
		alice.say(relayed(2, 1)) // of media that have not started
		if h.Calls()[0].Ends[0].Report != nil {
			t.Error("a report of another gen is kept")
		}
		for i := range 100 {
			bob.say(relayed(1, float64(i)))
			bob.say(relayed(1, 999)) // too soon
			time.Sleep(5 * time.Second)
			alice.say(&rtc.Pong{})
		}
		end := h.Calls()[0].Ends[1]
		if len(end.Samples) != maxSamples || end.Samples[0].RTTMS != 40 || end.Samples[maxSamples-1].RTTMS != 99 || end.Report.RTTMS != 99 {
			t.Errorf("%d samples, %+v", len(end.Samples), end.Samples)
		}
		stranger := connect(t, h, "mallory", "m")
		stranger.say(relayed(1, 1))
		stranger.refused(rtc.CodeNoSuchCall)
	})
}

func TestAnAdministratorEndsACall(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := inCall(t, h)
		if !h.EndCall(callID) {
			t.Fatal("not ended")
		}
		for _, c := range []*client{alice, bob} {
			if ended := one[*rtc.CallEnded](c); ended.Reason != rtc.EndByAdmin || ended.By != "" {
				t.Errorf("got %+v", ended)
			}
		}
		if h.EndCall(callID) || len(h.Calls()) != 0 {
			t.Error("the call can be ended again")
		}
		alice.say(&rtc.CallInvite{Call: "call-0002", To: "bob", Media: rtc.Audio})
		if !h.EndCall("call-0002") || one[*rtc.CallEnded](bob).Reason != rtc.EndByAdmin {
			t.Error("a call that rings cannot be ended")
		}
		if ended := h.Stats().Ended[rtc.EndByAdmin]; ended != 2 {
			t.Errorf("%d counted", ended)
		}
	})
}

// told writes down what the hooks tell.
func told(cfg *Config, lines *[]string) {
	add := func(format string, args ...any) { *lines = append(*lines, fmt.Sprintf(format, args...)) }
	cfg.Hooks = Hooks{
		OnPaired: func(id string, ends [2]Party) { add("paired %s %s %s", id, ends[0].Session, ends[1].Session) },
		OnParted: func(id string) { add("parted %s", id) },
		OnCandidate: func(id string, from, to Party, addr netip.AddrPort) {
			add("%s: %s to %s: %s", id, from.User, to.User, addr)
		},
		OnCallConnected: func(c CallConnected) {
			add("connected %s rang %s connected %s setup %s", c.Call, c.Rang, c.Connected, c.Setup)
		},
		OnCallEnded: func(c CallOver) {
			add("ended %s %s %s by %s after %s", c.Call, c.Media, c.Reason, c.By, c.Duration)
			for _, end := range c.Ends {
				path := "-"
				if end.Path != nil {
					path = string(end.Path.Local)
				}
				add("end %s %s %s other %v path %s setup %s", end.User, end.Name, end.Session, end.Other, path, end.Setup)
			}
		},
	}
}

func TestHooks(t *testing.T) {
	var got []string
	cfg := testConfig()
	told(&cfg, &got)
	inBubbleOf(t, cfg, func(t *testing.T, h *Hub) {
		alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
		alice.say(&rtc.CallInvite{Call: callID, To: "bob", Media: rtc.Video})
		alice.say(&rtc.CallSignal{Call: callID, Gen: 1, Payload: json.RawMessage(`{"candidate":{"candidate":"candidate:1 1 udp 1 10.0.0.66 2 typ host"}}`)})
		time.Sleep(3 * time.Second)
		bob.say(&rtc.CallAccept{Call: callID, Media: rtc.Video})
		payload := json.RawMessage(`{"candidate": {"candidate": "candidate:1 1 udp 1 10.0.0.2 2 typ host"}}`)
		bob.say(&rtc.CallSignal{Call: callID, Gen: 1, Payload: payload})
		if passed := one[*rtc.CallSignal](alice); string(passed.Payload) != `{"candidate":{"candidate":"candidate:1 1 udp 1 10.0.0.2 2 typ host"}}` {
			t.Errorf("passed on as %s", passed.Payload)
		}
		bob.say(&rtc.CallSignal{Call: callID, Gen: 7, Payload: payload})
		mallory := connect(t, h, "mallory", "m")
		mallory.say(&rtc.CallSignal{Call: callID, Gen: 1, Payload: json.RawMessage(`{"candidate":{"candidate":"candidate:1 1 udp 1 10.0.0.66 2 typ host"}}`)})
		time.Sleep(time.Second)
		alice.say(relayed(1, 20))
		bob.say(relayed(1, 20))
		bob.say(&rtc.CallRejoin{Call: callID, Gen: 1})
		alice.say(relayed(2, 20))
		time.Sleep(time.Minute)
		for _, c := range []*client{alice, bob} {
			c.say(&rtc.Pong{})
		}
		bob.say(&rtc.CallHangup{Call: callID})
	})
	want := []string{
		"paired call-0001 session-of-alice session-of-bob",
		"call-0001: bob to alice: 10.0.0.2:2",
		"connected call-0001 rang 3s connected 1s setup 400ms",
		"paired call-0001 session-of-alice session-of-bob",
		"parted call-0001",
		"ended call-0001 video hangup by bob after 1m1s",
		"end alice ALICE session-of-alice other false path relay setup 400ms",
		"end bob BOB session-of-bob other false path relay setup 400ms",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Ensure that the end of a call says which session still needs the relay.
func TestEndTellsOfAnotherCall(t *testing.T) {
	var got []string
	cfg := testConfig()
	told(&cfg, &got)
	inBubbleOf(t, cfg, func(t *testing.T, h *Hub) {
		alice, _ := inCall(t, h)
		second, carol := connect(t, h, "alice", "a2"), connect(t, h, "carol", "c")
		second.say(&rtc.CallInvite{Call: "call-0002", To: "carol", Media: rtc.Audio})
		carol.say(&rtc.CallAccept{Call: "call-0002", Media: rtc.Audio})
		got = nil
		alice.say(&rtc.CallHangup{Call: callID})
		second.say(&rtc.CallHangup{Call: "call-0002"})
	})
	want := []string{
		"parted call-0001", "ended call-0001 video hangup by alice after 0s",
		"end alice ALICE session-of-alice other true path - setup 0s", "end bob BOB session-of-bob other false path - setup 0s",
		"parted call-0002", "ended call-0002 audio hangup by alice after 0s",
		"end alice ALICE session-of-alice other false path - setup 0s", "end carol CAROL session-of-carol other false path - setup 0s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Ensure that after a restart the two ends of a restored call are paired and
// its end is told, also when the other end never comes.
func TestRestoredCallsAreTold(t *testing.T) {
	var got []string
	cfg := testConfig()
	told(&cfg, &got)
	inBubbleOf(t, cfg, func(t *testing.T, h *Hub) {
		alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
		for c, running := range map[*client]rtc.RunningCall{
			alice: {Call: callID, Peer: "bob", Role: rtc.Offerer, Gen: 3, Media: rtc.Video},
			bob:   {Call: callID, Peer: "alice", Role: rtc.Answerer, Gen: 3, Media: rtc.Video},
		} {
			c.lose()
			c.attach()
			c.hello(running)
		}
		alice.say(&rtc.CallHangup{Call: callID})
		alice.lose()
		alice.attach()
		alice.hello(rtc.RunningCall{Call: "call-0009", Peer: "zoe", Role: rtc.Offerer, Gen: 1, Media: rtc.Video})
		time.Sleep(31 * time.Second)
		synctest.Wait()
	})
	want := []string{
		"paired call-0001 session-of-alice session-of-bob", "parted call-0001", "ended call-0001 video hangup by alice after 0s",
		"end alice ALICE session-of-alice other false path - setup 0s", "end bob BOB session-of-bob other false path - setup 0s",
		"parted call-0009", "ended call-0009 video lost by  after 0s",
		"end alice ALICE session-of-alice other false path - setup 0s", "end zoe zoe  other false path - setup 0s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Ensure that one call can be followed by its id, with the same names in every
// line, and that nothing of a payload is written.
func TestTheStoryOfACall(t *testing.T) {
	var log bytes.Buffer
	cfg := testConfig()
	cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}}))
	inBubbleOf(t, cfg, func(t *testing.T, h *Hub) {
		alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
		connect(t, h, "bob", "b2")
		alice.say(&rtc.CallInvite{Call: callID, To: "bob", Media: rtc.Video})
		time.Sleep(2 * time.Second)
		bob.say(&rtc.CallAccept{Call: callID, Media: rtc.Audio})
		bob.say(&rtc.CallSignal{Call: callID, Gen: 1, Payload: json.RawMessage(`{"description":{"type":"answer","sdp":"a=ice-pwd:hunter2\r\n"}}`)})
		alice.say(relayed(1, 20))
		time.Sleep(5 * time.Second)
		direct := relayed(1, 2)
		direct.Path = rtc.Path{Local: rtc.Host, Remote: rtc.PeerReflexive, Protocol: "udp"}
		alice.say(direct)
		bob.lose()
		time.Sleep(3 * time.Second)
		bob.back()
		bob.say(&rtc.CallRejoin{Call: callID, Gen: 1})
		alice.say(&rtc.CallHangup{Call: callID, Reason: rtc.EndFailed})
	})
	want := `msg="call is made" call=call-0001 user=alice session=session-of-alice device=a-00000000 callee=bob media=video
msg="call rings" call=call-0001 devices=2 waiting=false
msg="call is accepted" call=call-0001 user=bob session=session-of-bob device=b-00000000 rang_ms=2000
msg="call starts" call=call-0001 gen=1 media=video
msg="call is connected" call=call-0001 user=alice session=session-of-alice device=a-00000000 local=relay remote=host protocol=udp relay_protocol=tcp relay=10.77.1.2:49170 gen=1 setup_ms=400
msg="call changes its path" call=call-0001 user=alice session=session-of-alice device=a-00000000 local=host remote=prflx protocol=udp
msg="device of a call is away" call=call-0001 user=bob session=session-of-bob device=b-00000000
msg="device of a call is back" call=call-0001 user=bob session=session-of-bob device=b-00000000
msg="call starts media anew" call=call-0001 user=bob session=session-of-bob device=b-00000000 gen=1
msg="call starts" call=call-0001 gen=2 media=video
msg="call ends" call=call-0001 reason=failed duration_ms=8000 by=alice
`
	if diff := cmp.Diff(want, log.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if strings.Contains(log.String(), "hunter2") {
		t.Error("the log holds what the devices say to each other")
	}
}
