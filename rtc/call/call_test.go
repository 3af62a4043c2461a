package call

import (
	"errors"
	"testing"
	"time"

	"fieldphone/rtc"

	"github.com/google/go-cmp/cmp"
)

var (
	alice   = rtc.User{ID: "alice", Name: "Alice"}
	bob     = rtc.User{ID: "bob", Name: "Bob"}
	aPhone  = Device{"alice", "a-phone-01"}
	aLaptop = Device{"alice", "a-laptop-1"}
	bPhone  = Device{"bob", "b-phone-01"}
	bLaptop = Device{"bob", "b-laptop-1"}
	mallory = Device{"mallory", "m-phone-01"}

	timing = Timing{Ring: 45 * time.Second, Resume: 30 * time.Second}
	t0     = time.UnixMilli(1_790_000_000_000)
)

func invite(devices ...Device) Invite {
	return Invite{ID: "c-00000001", Caller: alice, Device: aPhone, Callee: bob, Media: rtc.Video, Devices: devices}
}

// line is an effect in short: who hears what.
type line struct {
	To     Device
	Type   rtc.Type
	Reason rtc.EndReason
}

func lines(effects []Effect) map[line]int {
	got := make(map[line]int)
	for _, e := range effects {
		l := line{To: e.To, Type: e.Message.Type()}
		if ended, ok := e.Message.(*rtc.CallEnded); ok {
			l.Reason = ended.Reason
		}
		got[l]++
	}
	return got
}

func said(ls ...line) map[line]int {
	want := make(map[line]int)
	for _, l := range ls {
		want[l]++
	}
	return want
}

func ended(to Device, reason rtc.EndReason) line { return line{to, "call.ended", reason} }

func mustApply(t *testing.T, c *Call, ev Event, now time.Time) []Effect {
	t.Helper()
	effects, err := c.Apply(ev, now)
	if err != nil {
		t.Fatalf("Apply(%#v): %v", ev, err)
	}
	return effects
}

func check(t *testing.T, got []Effect, want ...line) {
	t.Helper()
	if diff := cmp.Diff(said(want...), lines(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEndsAtOnce(t *testing.T) {
	c, effects := New(invite(), timing, t0)
	check(t, effects, ended(aPhone, rtc.EndUnreachable))
	if !c.Over() {
		t.Error("not over")
	}
	in := invite(bPhone)
	for _, reason := range []rtc.EndReason{rtc.EndBusy, rtc.EndQuiet, rtc.EndBlocked} {
		in.Refused = reason
		c, effects = New(in, timing, t0)
		check(t, effects, ended(aPhone, reason))
		if got, by := c.Ending(); !c.Over() || got != reason || by != "bob" {
			t.Errorf("ended %s by %q, want %s by bob", got, by, reason)
		}
	}
}

func TestRingsBesideAnotherCall(t *testing.T) {
	in := invite(bPhone)
	for _, waiting := range []bool{false, true} {
		in.Waiting = waiting
		_, effects := New(in, timing, t0)
		if got := effects[0].Message.(*rtc.CallRinging).Waiting; got != waiting {
			t.Errorf("the caller hears waiting %v, want %v", got, waiting)
		}
	}
	c, _ := New(in, timing, t0)
	if !c.Engages("alice") || c.Engages("bob") {
		t.Error("while it rings it is the caller who has a call, not the callee")
	}
	mustApply(t, c, Accept{By: bPhone, Media: rtc.Video}, t0)
	if !c.Engages("bob") || c.Engages("carol") {
		t.Error("bob has answered and no call, or a stranger has one")
	}
}

func TestFirstAcceptWins(t *testing.T) {
	c, effects := New(invite(bPhone, bLaptop), timing, t0)
	check(t, effects, line{To: aPhone, Type: "call.ringing"}, line{To: bPhone, Type: "call.incoming"}, line{To: bLaptop, Type: "call.incoming"})
	check(t, mustApply(t, c, Accept{By: bLaptop, Media: rtc.Video}, t0.Add(time.Second)),
		line{To: aPhone, Type: "call.started"}, line{To: bLaptop, Type: "call.started"}, ended(bPhone, rtc.EndAnsweredElsewhere))
	if _, err := c.Apply(Accept{By: bPhone, Media: rtc.Video}, t0.Add(time.Second)); err == nil {
		t.Error("the second device accepted too")
	}
	check(t, mustApply(t, c, Accept{By: bLaptop, Media: rtc.Video}, t0.Add(time.Second))) // sent again: nothing happens twice
	check(t, mustApply(t, c, Hangup{By: bLaptop}, t0.Add(time.Minute)), ended(aPhone, rtc.EndHangup), ended(bLaptop, rtc.EndHangup))
}

func TestDeclineIsForAllDevices(t *testing.T) {
	c, _ := New(invite(bPhone, bLaptop), timing, t0)
	check(t, mustApply(t, c, Decline{bPhone}, t0),
		ended(aPhone, rtc.EndDeclined), ended(bPhone, rtc.EndDeclined), ended(bLaptop, rtc.EndDeclinedElsewhere))
}

func TestCancelAndTimeout(t *testing.T) {
	c, _ := New(invite(bPhone), timing, t0)
	check(t, mustApply(t, c, Cancel{aPhone}, t0), ended(aPhone, rtc.EndCancelled), ended(bPhone, rtc.EndCancelled))

	c, _ = New(invite(bPhone), timing, t0)
	check(t, mustApply(t, c, Tick{}, t0.Add(timing.Ring-1)))
	if d, ok := c.Deadline(); !ok || !d.Equal(t0.Add(timing.Ring)) {
		t.Errorf("deadline %v %v", d, ok)
	}
	check(t, mustApply(t, c, Tick{}, t0.Add(timing.Ring)), ended(aPhone, rtc.EndTimeout), ended(bPhone, rtc.EndTimeout))
}

func TestLostAndResumed(t *testing.T) {
	c, _ := New(invite(bPhone), timing, t0)
	mustApply(t, c, Accept{By: bPhone, Media: rtc.Video}, t0)
	check(t, mustApply(t, c, Away{bPhone}, t0.Add(time.Second)), line{To: aPhone, Type: "call.peer"})
	check(t, mustApply(t, c, Tick{}, t0.Add(30*time.Second)))
	check(t, mustApply(t, c, Back{bPhone}, t0.Add(30*time.Second)), line{To: aPhone, Type: "call.peer"})
	check(t, mustApply(t, c, Tick{}, t0.Add(time.Hour)))
	check(t, mustApply(t, c, Away{aPhone}, t0.Add(time.Hour)), line{To: bPhone, Type: "call.peer"})
	check(t, mustApply(t, c, Tick{}, t0.Add(time.Hour+timing.Resume)), ended(aPhone, rtc.EndLost), ended(bPhone, rtc.EndLost))
}

func TestRejoinStartsMediaAnewAndDropsOldSignals(t *testing.T) {
	c, _ := New(invite(bPhone), timing, t0)
	mustApply(t, c, Accept{By: bPhone, Media: rtc.Video}, t0)
	check(t, mustApply(t, c, Rejoin{By: aPhone}, t0), line{To: aPhone, Type: "call.started"}, line{To: bPhone, Type: "call.started"})
	check(t, mustApply(t, c, Rejoin{By: aPhone, Gen: 1}, t0)) // sent again: nothing happens twice
	check(t, mustApply(t, c, Signal{By: bPhone, Gen: 1, Payload: []byte("{}")}, t0))
	check(t, mustApply(t, c, Signal{By: bPhone, Gen: 2, Payload: []byte("{}")}, t0), line{To: aPhone, Type: "call.signal"})
}

func TestStrangersAndOtherDevicesAreRefused(t *testing.T) {
	c, _ := New(invite(bPhone, bLaptop), timing, t0)
	mustApply(t, c, Accept{By: bPhone, Media: rtc.Video}, t0)
	for _, by := range []Device{mallory, aLaptop, bLaptop} {
		for _, ev := range []Event{
			Accept{By: by, Media: rtc.Video}, Decline{by}, Cancel{by}, Hangup{By: by}, Signal{By: by, Gen: 1}, Media{By: by}, Rejoin{By: by},
		} {
			_, err := c.Apply(ev, t0)
			var refusal *rtc.Error
			if !errors.As(err, &refusal) {
				t.Errorf("%#v: got %v, want a refusal", ev, err)
			}
		}
		if effects := mustApply(t, c, Gone{by, rtc.EndLost}, t0); len(effects) != 0 {
			t.Errorf("a stranger's leaving said %v", effects)
		}
	}
	if c.Over() {
		t.Error("a stranger ended the call")
	}
}

// Ensure each side is told its own media, also when it comes back.
func TestEachSideKeepsItsMedia(t *testing.T) {
	c, _ := New(invite(bPhone), timing, t0)
	for _, e := range mustApply(t, c, Accept{By: bPhone, Media: rtc.Audio}, t0) {
		want := map[Device]rtc.Media{aPhone: rtc.Video, bPhone: rtc.Audio}[e.To]
		if started, ok := e.Message.(*rtc.CallStarted); ok && started.Media != want {
			t.Errorf("%v starts with %s, want %s", e.To, started.Media, want)
		}
	}
	if info, _ := c.Info(bPhone); info.Media != rtc.Audio {
		t.Errorf("the callee comes back with %s", info.Media)
	}
	if info, _ := c.Info(aPhone); info.Media != rtc.Video {
		t.Errorf("the caller comes back with %s", info.Media)
	}
}

// Ensure a claim makes only the one who claims busy.
func TestAClaimOccupiesOnlyTheClaimer(t *testing.T) {
	c := Restore(claim(bPhone, bob, "alice", rtc.Answerer), timing, t0)
	if !c.Occupies("bob") || c.Occupies("alice") || c.Occupies("mallory") {
		t.Error("alice is busy by bob's word alone, or bob is not")
	}
	mustApply(t, c, Join{claim(aPhone, alice, "bob", rtc.Offerer)}, t0)
	if !c.Occupies("alice") {
		t.Error("alice is in the call and not busy")
	}
}

func TestArrivalWhileRinging(t *testing.T) {
	c, _ := New(invite(bPhone), timing, t0)
	check(t, mustApply(t, c, Back{bLaptop}, t0), line{To: bLaptop, Type: "call.incoming"})
	check(t, mustApply(t, c, Back{mallory}, t0))
	check(t, mustApply(t, c, Gone{bPhone, rtc.EndLost}, t0))
	check(t, mustApply(t, c, Back{bPhone}, t0), line{To: bPhone, Type: "call.incoming"})
	check(t, mustApply(t, c, Gone{bPhone, rtc.EndLost}, t0))
	check(t, mustApply(t, c, Gone{bLaptop, rtc.EndLost}, t0), ended(aPhone, rtc.EndUnreachable))
}

func claim(by Device, user rtc.User, peer string, role rtc.Role) Claim {
	return Claim{By: by, User: user, Running: rtc.RunningCall{Call: "c-00000001", Peer: peer, Role: role, Gen: 2, Media: rtc.Audio}}
}

func TestRestore(t *testing.T) {
	c := Restore(claim(bPhone, bob, "alice", rtc.Answerer), timing, t0)
	for name, bad := range map[string]Claim{
		"same role":      claim(aPhone, alice, "bob", rtc.Answerer),
		"wrong peer":     claim(aPhone, alice, "carol", rtc.Offerer),
		"stranger":       claim(mallory, rtc.User{ID: "mallory"}, "bob", rtc.Offerer),
		"oneself, twice": claim(bLaptop, bob, "alice", rtc.Answerer),
	} {
		if c.Matches(bad) {
			t.Errorf("%s: matched", name)
		}
		if _, err := c.Apply(Join{bad}, t0); err == nil {
			t.Errorf("%s: joined", name)
		}
	}
	check(t, mustApply(t, c, Join{claim(aPhone, alice, "bob", rtc.Offerer)}, t0), line{To: bPhone, Type: "call.peer"})
	check(t, mustApply(t, c, Signal{By: aPhone, Gen: 2, Payload: []byte("{}")}, t0), line{To: bPhone, Type: "call.signal"})
	check(t, mustApply(t, c, Hangup{By: aPhone}, t0), ended(aPhone, rtc.EndHangup), ended(bPhone, rtc.EndHangup))

	lonely := Restore(claim(bPhone, bob, "alice", rtc.Answerer), timing, t0)
	check(t, mustApply(t, lonely, Tick{}, t0.Add(timing.Resume)), ended(bPhone, rtc.EndLost))
}
