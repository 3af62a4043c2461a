package hub

import (
	"encoding/json"
	"testing"
	"time"

	"fieldphone/rtc"
)

// elsewhereOf is what a device was last told of its user's other devices.
func elsewhereOf(c *client) []rtc.ElsewhereCall {
	c.t.Helper()
	return one2(take[*rtc.CallElsewhere](c)).Calls
}

func TestACallIsBroughtToAnotherDevice(t *testing.T) {
	var got []string
	cfg := testConfig()
	told(&cfg, &got)
	inBubbleOf(t, cfg, func(t *testing.T, h *Hub) {
		alice, bob := inCall(t, h)
		laptop := connect(t, h, "bob", "laptop")
		list := elsewhereOf(laptop)
		if len(list) != 1 || list[0].Call != callID || list[0].Peer != (rtc.User{ID: "alice", Name: "ALICE"}) || list[0].Media != rtc.Video || list[0].Since == 0 {
			t.Fatalf("the laptop hears of %+v", list)
		}
		none[*rtc.CallElsewhere](bob)
		none[*rtc.CallElsewhere](alice)

		got = nil
		laptop.say(&rtc.CallMove{Call: callID, Media: rtc.Audio})
		one[*rtc.Ack](laptop)
		if ended := one[*rtc.CallEnded](bob); ended.Reason != rtc.EndMoved || ended.By != "bob" {
			t.Errorf("the device before hears %+v", ended)
		}
		if a, b := one[*rtc.CallStarted](alice), one[*rtc.CallStarted](laptop); a.Gen != 2 || b.Gen != 2 || b.Media != rtc.Audio || b.Role != rtc.Answerer {
			t.Errorf("alice starts %+v, the laptop %+v", a, b)
		}
		if len(got) != 1 || got[0] != "paired call-0001 session-of-alice session-of-bob" {
			t.Errorf("told %q, want that the ends are paired anew", got)
		}
		if list := elsewhereOf(laptop); len(list) != 0 {
			t.Errorf("the laptop still hears of %+v", list)
		}
		if list := elsewhereOf(bob); len(list) != 1 {
			t.Errorf("the device before hears of %+v", list)
		}
		laptop.say(&rtc.CallSignal{Call: callID, Gen: 2, Payload: json.RawMessage(`{"candidate":1}`)})
		one[*rtc.CallSignal](alice)
		take[*rtc.Ack](bob)
		bob.say(&rtc.CallHangup{Call: callID}) // in the same moment
		bob.refused(rtc.CodeNoSuchCall)
		laptop.say(&rtc.CallMove{Call: callID, Media: rtc.Audio}) // sent again
		none[*rtc.CallStarted](alice)

		bob.lose() // has no part in it any more
		time.Sleep(31 * time.Second)
		none[*rtc.CallPeer](alice)
		none[*rtc.CallEnded](alice)
		alice.say(&rtc.CallHangup{Call: callID})
		if got := one[*rtc.CallEnded](laptop).Reason; got != rtc.EndHangup {
			t.Errorf("got %s", got)
		}
		if list := h.Calls(); len(list) != 0 {
			t.Errorf("left behind %+v", list)
		}
	})
}

func TestOnlyOnesOwnRunningCallIsMoved(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		inCall(t, h)
		mallory := connect(t, h, "mallory", "m")
		none[*rtc.CallElsewhere](mallory)
		mallory.say(&rtc.CallMove{Call: callID, Media: rtc.Video})
		mallory.refused(rtc.CodeNoSuchCall)
		mallory.say(&rtc.CallMove{Call: "call-0009", Media: rtc.Video})
		mallory.refused(rtc.CodeNoSuchCall)

		// A device that is full takes no third.
		laptop := connect(t, h, "bob", "laptop")
		for i, who := range []string{"carol", "dave"} {
			c := connect(t, h, who, "x")
			id := []string{"call-0002", "call-0003"}[i]
			laptop.say(&rtc.CallInvite{Call: id, To: who, Media: rtc.Audio})
			c.say(&rtc.CallAccept{Call: id, Media: rtc.Audio})
		}
		laptop.say(&rtc.CallMove{Call: callID, Media: rtc.Video})
		laptop.refused(rtc.CodeInCall)
	})
}

// Ensure that a device that was away hears of what runs elsewhere when it is
// back, and that calls that only ring are no such calls.
func TestElsewhereAfterAnAbsence(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
		laptop := connect(t, h, "bob", "laptop")
		alice.say(&rtc.CallInvite{Call: callID, To: "bob", Media: rtc.Video})
		none[*rtc.CallElsewhere](laptop)
		laptop.lose()
		bob.say(&rtc.CallAccept{Call: callID, Media: rtc.Video})
		laptop.back()
		if list := elsewhereOf(laptop); len(list) != 1 {
			t.Errorf("hears of %+v", list)
		}
		laptop.lose()
		laptop.back()
		if list := elsewhereOf(laptop); len(list) != 1 {
			t.Errorf("hears of %+v after one more absence", list)
		}
		alice.say(&rtc.CallHangup{Call: callID})
		if list := elsewhereOf(laptop); len(list) != 0 {
			t.Errorf("hears of %+v after the end", list)
		}
		if got := one[*rtc.CallEnded](laptop).Reason; got != rtc.EndAnsweredElsewhere {
			t.Errorf("got %s", got)
		}
	})
}

func TestDeclinedOnOneDeviceIsDeclinedOnAll(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice := connect(t, h, "alice", "a")
		phone, laptop := connect(t, h, "bob", "phone"), connect(t, h, "bob", "laptop")
		alice.say(&rtc.CallInvite{Call: callID, To: "bob", Media: rtc.Video})
		phone.say(&rtc.CallDecline{Call: callID})
		for c, want := range map[*client]rtc.EndReason{alice: rtc.EndDeclined, phone: rtc.EndDeclined, laptop: rtc.EndDeclinedElsewhere} {
			if got := one[*rtc.CallEnded](c); got.Reason != want || got.By != "bob" {
				t.Errorf("%s on %s heard %+v, want %s", c.user, c.device, got, want)
			}
		}
	})
}
