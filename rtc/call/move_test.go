package call

import (
	"errors"
	"testing"
	"time"

	"fieldphone/rtc"
)

func started(to Device) line { return line{To: to, Type: "call.started"} }

func TestMoveToAnotherDevice(t *testing.T) {
	c, _ := New(invite(bPhone, bLaptop), timing, t0)
	mustApply(t, c, Accept{By: bPhone, Media: rtc.Video}, t0)
	effects := mustApply(t, c, Move{By: bLaptop, Media: rtc.Audio}, t0.Add(time.Second))
	check(t, effects, ended(bPhone, rtc.EndMoved), started(aPhone), started(bLaptop))
	for _, e := range effects {
		if m, ok := e.Message.(*rtc.CallStarted); ok && m.Gen != 2 {
			t.Errorf("%v starts gen %d", e.To, m.Gen)
		}
		if m, ok := e.Message.(*rtc.CallStarted); ok && e.To == bLaptop && (m.Media != rtc.Audio || m.Role != rtc.Answerer || m.Peer != alice) {
			t.Errorf("starts with %+v", m)
		}
	}
	check(t, mustApply(t, c, Move{By: bLaptop, Media: rtc.Audio}, t0)) // sent again: nothing happens twice
	for _, ev := range []Event{Hangup{By: bPhone}, Rejoin{By: bPhone}, Signal{By: bPhone, Gen: 2}, Media{By: bPhone}} {
		if _, err := c.Apply(ev, t0); err == nil {
			t.Errorf("the device before may still %T", ev)
		}
	}
	check(t, mustApply(t, c, Gone{bPhone, rtc.EndLost}, t0))
	check(t, mustApply(t, c, Move{By: bPhone, Media: rtc.Video}, t0), ended(bLaptop, rtc.EndMoved), started(aPhone), started(bPhone))
	check(t, mustApply(t, c, Hangup{By: aPhone}, t0), ended(aPhone, rtc.EndHangup), ended(bPhone, rtc.EndHangup))
}

func TestTheCallerMovesToo(t *testing.T) {
	c, _ := New(invite(bPhone), timing, t0)
	mustApply(t, c, Accept{By: bPhone, Media: rtc.Video}, t0)
	check(t, mustApply(t, c, Move{By: aLaptop, Media: rtc.Video}, t0), ended(aPhone, rtc.EndMoved), started(aLaptop), started(bPhone))
	if info, ok := c.Info(aLaptop); !ok || info.Role != rtc.Offerer || info.Gen != 2 {
		t.Errorf("the call is now %+v there", info)
	}
	if _, ok := c.Info(aPhone); ok {
		t.Error("the call is still at the device before")
	}
}

// Ensure a call is brought to a device from one that is away, and that the
// device hears when it is the other end that is away.
func TestMoveWhileADeviceIsAway(t *testing.T) {
	c, _ := New(invite(bPhone), timing, t0)
	mustApply(t, c, Accept{By: bPhone, Media: rtc.Video}, t0)
	mustApply(t, c, Away{bPhone}, t0)
	mustApply(t, c, Away{aPhone}, t0)
	check(t, mustApply(t, c, Move{By: bLaptop, Media: rtc.Video}, t0),
		ended(bPhone, rtc.EndMoved), started(aPhone), started(bLaptop), line{To: bLaptop, Type: "call.peer"})
	mustApply(t, c, Back{aPhone}, t0)
	if _, waits := c.Deadline(); waits {
		t.Error("the call still waits for the device that was away")
	}
}

func TestMoveOnlyARunningCallOfOnesOwn(t *testing.T) {
	c, _ := New(invite(bPhone, bLaptop), timing, t0)
	refused := func(by Device, want rtc.Code) {
		t.Helper()
		_, err := c.Apply(Move{By: by, Media: rtc.Video}, t0)
		var refusal *rtc.Error
		if !errors.As(err, &refusal) || refusal.Code != want {
			t.Errorf("%v: got %v, want %s", by, err, want)
		}
	}
	refused(aLaptop, rtc.CodeWrongState) // rings
	refused(bLaptop, rtc.CodeWrongState)
	refused(mallory, rtc.CodeNoSuchCall)
	mustApply(t, c, Accept{By: bPhone, Media: rtc.Video}, t0)
	refused(mallory, rtc.CodeNoSuchCall)
	c = Restore(claim(bPhone, bob, "alice", rtc.Answerer), timing, t0)
	refused(bLaptop, rtc.CodeWrongState)
	refused(aPhone, rtc.CodeNoSuchCall)
}
