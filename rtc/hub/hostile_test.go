package hub

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"fieldphone/rtc"
)

func TestStrangersCannotTouchACall(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := inCall(t, h)
		mallory := connect(t, h, "mallory", "m")
		other := connect(t, h, "bob", "other")
		for _, c := range []*client{mallory, other} {
			for _, msg := range []rtc.Message{
				&rtc.CallSignal{Call: callID, Gen: 1, Payload: json.RawMessage(`{}`)}, &rtc.CallHangup{Call: callID},
				&rtc.CallAccept{Call: callID, Media: rtc.Video}, &rtc.CallRejoin{Call: callID}, &rtc.CallCancel{Call: callID},
				&rtc.CallDecline{Call: callID}, &rtc.CallMedia{Call: callID},
			} {
				c.say(msg)
				c.refused(rtc.CodeNoSuchCall)
			}
			c.say(&rtc.CallInvite{Call: callID, To: "alice", Media: rtc.Video})
			c.refused(rtc.CodeBadData)
		}
		none[*rtc.CallSignal](alice)
		none[*rtc.CallEnded](bob)
	})
}

func TestSlowDeviceIsDisconnectedNotWaitedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
		bob.set(func() { bob.room = 0 })
		alice.say(&rtc.TextSend{Message: "text-0001", Chat: "bob", Body: "hi"})
		one[*rtc.TextSent](alice)
		synctest.Wait()
		if bob.closedWith() != rtc.CloseSlow {
			t.Fatalf("closed with %v", bob.closedWith())
		}
		bob.lose()
		bob.back()
		one[*rtc.TextMessage](bob)
	})
}

func TestConnectionsThatMisbehave(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		silent := &client{t: t, hub: h, user: "alice", device: "a-00000000"}
		silent.attach()
		silent.say(&rtc.CallInvite{Call: callID, To: "bob", Media: rtc.Video})
		silent.refused(rtc.CodeHelloExpected)
		time.Sleep(11 * time.Second)
		if silent.closedWith() != rtc.CloseHelloExpected {
			t.Errorf("a connection without hello: %v", silent.closedWith())
		}

		loud := connect(t, h, "loud", "l")
		for range 1000 {
			loud.port.Receive([]byte("garbage"))
		}
		synctest.Wait()
		if loud.closedWith() != rtc.CloseProtocolError {
			t.Errorf("a connection that sends garbage: %v", loud.closedWith())
		}

		flood := connect(t, h, "flood", "f")
		for range 1000 {
			flood.port.Receive([]byte(`{"type":"pong","data":{"seq":0}}`))
		}
		synctest.Wait()
		if flood.closedWith() != rtc.CloseProtocolError {
			t.Errorf("a flood: %v", flood.closedWith())
		}
		forger := connect(t, h, "forger", "f")
		forger.say(&rtc.CallStarted{Call: callID})
		forger.refused(rtc.CodeUnknownType)
	})
}

// Ensure a claim to a call with somebody makes nobody else's calls to them
// busy, and that a call which is over is not restored.
// Ensure that after one lost frame no later one is sent, and that the resume
// brings all of them; also more than a send queue takes at once.
func TestNothingAfterTheSessionEnded(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
		h.EndSession("session-of-alice")
		synctest.Wait()
		alice.hello() // ignores the close frame
		alice.say(&rtc.CallInvite{Call: callID, To: "bob", Media: rtc.Video})
		none[*rtc.CallIncoming](bob)
		if n := h.Stats().DevicesNow; n != 1 {
			t.Errorf("%d devices, want bob's alone", n)
		}
	})
}

func TestAnEvictedDeviceIsNotInACall(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := inCall(t, h)
		for i := range 2 * maxDevices {
			connect(t, h, "alice", fmt.Sprintf("d%d", i))
		}
		none[*rtc.CallEnded](bob)
		if alice.closedWith() != (rtc.Close{}) {
			t.Errorf("the device in the call was closed with %v", alice.closedWith())
		}
	})
}

func TestDevicesOfOneUserAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		for i := range 3 * maxDevices {
			connect(t, h, "alice", fmt.Sprintf("d%d", i))
		}
		if n := h.Stats().DevicesNow; n != maxDevices {
			t.Errorf("%d devices", n)
		}
	})
}
