package hub

import (
	"encoding/json"
	"testing"
	"time"

	"fieldphone/rtc"
)

// rings makes somebody call bob beside what he is doing.
func rings(t *testing.T, h *Hub, who, id string, bob *client) *client {
	t.Helper()
	c := connect(t, h, who, who[:1])
	c.say(&rtc.CallInvite{Call: id, To: "bob", Media: rtc.Video})
	if got := one[*rtc.CallRinging](c); !got.Waiting {
		t.Errorf("%s does not hear that bob is in a call", who)
	}
	if got := one[*rtc.CallIncoming](bob); got.Call != id {
		t.Errorf("%s rings", got.Call)
	}
	return c
}

func TestASecondCallWaitsAndAThirdIsBusy(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := inCall(t, h)
		carol := rings(t, h, "carol", "call-0002", bob)
		dave := connect(t, h, "dave", "d")
		dave.say(&rtc.CallInvite{Call: "call-0003", To: "bob", Media: rtc.Audio})
		if got := one[*rtc.CallEnded](dave).Reason; got != rtc.EndBusy {
			t.Errorf("the third caller heard %s", got)
		}
		none[*rtc.CallIncoming](bob)
		bob.say(&rtc.CallAccept{Call: "call-0002", Media: rtc.Video})
		one[*rtc.CallStarted](carol)
		if got := one[*rtc.CallStarted](bob); got.Call != "call-0002" || got.Gen != 1 {
			t.Errorf("bob starts %+v", got)
		}
		none[*rtc.CallEnded](alice)

		// Both calls are whole: signals, media and hold reach the right one.
		bob.say(&rtc.CallMedia{Call: callID, Held: true})
		if got := one[*rtc.CallMedia](alice); !got.Held || got.Call != callID {
			t.Errorf("alice heard %+v", got)
		}
		bob.say(&rtc.CallSignal{Call: "call-0002", Gen: 1, Payload: json.RawMessage(`{"candidate":1}`)})
		one[*rtc.CallSignal](carol)
		none[*rtc.CallSignal](alice)

		take[*rtc.Ack](bob)
		bob.say(&rtc.CallInvite{Call: "call-0004", To: "dave", Media: rtc.Audio})
		bob.refused(rtc.CodeInCall)
		bob.say(&rtc.CallHangup{Call: "call-0002"})
		one[*rtc.CallEnded](carol)
		none[*rtc.CallEnded](alice)
		time.Sleep(time.Second)
		if alice.sees("bob") != rtc.Busy {
			t.Error("bob still has a call and is not shown busy")
		}
		alice.say(&rtc.CallHangup{Call: callID})
		time.Sleep(time.Second)
		if alice.sees("bob") != rtc.Free {
			t.Error("bob has no call and is not shown free")
		}
	})
}

func TestConsultWhileOneIsOnHold(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := inCall(t, h)
		carol := connect(t, h, "carol", "c")
		bob.say(&rtc.CallInvite{Call: "call-0002", To: "carol", Media: rtc.Audio})
		if got := one[*rtc.CallRinging](bob); got.Waiting {
			t.Error("carol is in no call")
		}
		carol.say(&rtc.CallAccept{Call: one[*rtc.CallIncoming](carol).Call, Media: rtc.Audio})
		one[*rtc.CallStarted](bob)
		carol.say(&rtc.CallInvite{Call: "call-0003", To: "carol", Media: rtc.Video})
		carol.refused(rtc.CodeBadData)
		carol.say(&rtc.CallInvite{Call: "call-0004", To: "nobody", Media: rtc.Video})
		if got := one[*rtc.CallEnded](carol).Reason; got != rtc.EndUnreachable {
			t.Errorf("got %s", got)
		}
		bob.say(&rtc.Bye{})
		for _, c := range []*client{alice, carol} {
			if got := one[*rtc.CallEnded](c); got.Reason != rtc.EndHangup || got.By != "bob" {
				t.Errorf("%s heard %+v", c.user, got)
			}
		}
	})
}

func TestBothCallsOutliveALostSocketAndAReload(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := inCall(t, h)
		carol := rings(t, h, "carol", "call-0002", bob)
		bob.say(&rtc.CallAccept{Call: "call-0002", Media: rtc.Video})
		bob.lose()
		for _, c := range []*client{alice, carol} {
			if one[*rtc.CallPeer](c).Connected {
				t.Errorf("%s does not hear that bob is away", c.user)
			}
		}
		bob.set(func() { bob.stream, bob.seq = "", 0 })
		bob.back()
		if got := one2(take[*rtc.Welcome](bob)).Calls; len(got) != 2 || got[0].State != rtc.StateActive || got[1].State != rtc.StateActive {
			t.Fatalf("bob comes back to %+v", got)
		}
		for _, c := range []*client{alice, carol} {
			if !one[*rtc.CallPeer](c).Connected {
				t.Errorf("%s does not hear that bob is back", c.user)
			}
		}
		bob.lose()
		time.Sleep(31 * time.Second)
		for _, c := range []*client{alice, carol} {
			if got := one[*rtc.CallEnded](c).Reason; got != rtc.EndLost {
				t.Errorf("%s heard %s", c.user, got)
			}
		}
	})
}

func TestRestartedServerLearnsOfBothCalls(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		running := func(id, peer string, role rtc.Role) rtc.RunningCall {
			return rtc.RunningCall{Call: id, Peer: peer, Role: role, Gen: 1, Media: rtc.Video}
		}
		arrive := func(user string, calls ...rtc.RunningCall) []rtc.CallInfo {
			c := &client{t: t, hub: h, user: user, device: user[:1] + "-00000000"}
			c.attach()
			c.hello(calls...)
			return one[*rtc.Welcome](c).Calls
		}
		if got := arrive("bob",
			running("call-0001", "alice", rtc.Answerer), running("call-0002", "carol", rtc.Answerer), running("call-0003", "dave", rtc.Offerer),
		); len(got) != 2 {
			t.Fatalf("bob claims %+v, want two of the three", got)
		}
		for id, peer := range map[string]string{"call-0001": "alice", "call-0002": "carol"} {
			if got := arrive(peer, running(id, "bob", rtc.Offerer)); len(got) != 1 || got[0].State != rtc.StateActive {
				t.Errorf("%s comes back to %+v", peer, got)
			}
		}
		if now := h.Stats().CallsNow; now != 2 {
			t.Errorf("%d calls", now)
		}
	})
}

func TestRefusals(t *testing.T) {
	var told []CallOver
	cfg := testConfig()
	cfg.Refuses = func(callee, caller string) rtc.EndReason {
		switch {
		case caller == "mallory":
			return rtc.EndBlocked
		case callee == "bob":
			return rtc.EndQuiet
		}
		return ""
	}
	cfg.OnCallEnded = func(over CallOver) { told = append(told, over) }
	inBubbleOf(t, cfg, func(t *testing.T, h *Hub) {
		ask := func(c *client, id string, want rtc.EndReason) {
			t.Helper()
			c.say(&rtc.CallInvite{Call: id, To: "bob", Media: rtc.Audio})
			if got := one[*rtc.CallEnded](c).Reason; got != want {
				t.Errorf("%s heard %s, want %s", c.user, got, want)
			}
		}
		alice, mallory := connect(t, h, "alice", "a"), connect(t, h, "mallory", "m")
		ask(alice, "call-0001", rtc.EndUnreachable)
		bob := connect(t, h, "bob", "b")
		ask(alice, "call-0002", rtc.EndQuiet)
		ask(mallory, "call-0003", rtc.EndBlocked)
		none[*rtc.CallIncoming](bob)

		bob.say(&rtc.CallInvite{Call: "call-0004", To: "alice", Media: rtc.Audio})
		one[*rtc.CallIncoming](alice)
		alice.say(&rtc.CallInvite{Call: "call-0005", To: "bob", Media: rtc.Audio})
		if got := one[*rtc.CallEnded](alice); got.Reason != rtc.EndMerged {
			t.Errorf("bob, who calls alice himself, is not to be disturbed: %+v", got)
		}

		// The site itself gets through, and beside whatever else there is.
		carol := rings2(t, h, bob)
		site := connect(t, h, "_site", "s")
		site.say(&rtc.CallInvite{Call: "call-0007", To: "bob", Media: rtc.Audio})
		bob.say(&rtc.CallAccept{Call: one[*rtc.CallIncoming](bob).Call, Media: rtc.Audio})
		one[*rtc.CallStarted](site)
		none[*rtc.CallEnded](carol)
	})
	if len(told) != 3 {
		t.Fatalf("%d ends were told, want those of the three that did not ring", len(told))
	}
	quiet := told[1]
	if quiet.Call != "call-0002" || quiet.Reason != rtc.EndQuiet || quiet.Media != rtc.Audio || quiet.By != "bob" ||
		quiet.Ends[0].Name != "ALICE" || quiet.Ends[1].User != "bob" || quiet.Ends[1].Name != "BOB" || quiet.Duration != 0 {
		t.Errorf("told %+v", quiet)
	}
}

// rings2 gives bob a second call, made by himself.
func rings2(t *testing.T, h *Hub, bob *client) *client {
	t.Helper()
	carol := connect(t, h, "carol", "c")
	bob.say(&rtc.CallInvite{Call: "call-0006", To: "carol", Media: rtc.Audio})
	carol.say(&rtc.CallAccept{Call: one[*rtc.CallIncoming](carol).Call, Media: rtc.Audio})
	one[*rtc.CallStarted](carol)
	return carol
}
