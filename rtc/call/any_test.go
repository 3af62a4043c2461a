package call

import (
	"testing"
	"time"

	"fieldphone/rtc"

	"pgregory.net/rapid"
)

// Ensure that, whatever happens in whatever order, every device that was told
// of a call hears of its end exactly once and nothing after it, unless the call
// is moved to it; that signals reach only the two ends, whose users stay the
// same; and that media generations only grow.
func TestAnyOrderOfEvents(t *testing.T) {
	devices := []Device{aPhone, aLaptop, bPhone, bLaptop, mallory}
	rapid.Check(t, func(t *rapid.T) {
		in := invite(rapid.SliceOfDistinct(rapid.SampledFrom([]Device{bPhone, bLaptop}), func(d Device) Device { return d }).Draw(t, "devices")...)
		if rapid.IntRange(0, 9).Draw(t, "busy") == 0 {
			in.Refused = rtc.EndBusy
		}
		now := t0
		c, effects := New(in, timing, now)
		told := make(map[Device]bool)
		ends := make(map[Device]int)
		gens := make(map[Device]int)
		ends0 := c.Ends()
		observe := func(effects []Effect) {
			for _, e := range effects {
				if ends[e.To] > 0 {
					t.Fatalf("%v hears %s after the end", e.To, e.Message.Type())
				}
				switch m := e.Message.(type) {
				case *rtc.CallEnded:
					ends[e.To]++
				case *rtc.CallStarted:
					if m.Gen <= gens[e.To] {
						t.Fatalf("gen %d after %d", m.Gen, gens[e.To])
					}
					gens[e.To] = m.Gen
				case *rtc.CallSignal, *rtc.CallMedia, *rtc.CallPeer:
					if !c.Holds(e.To) {
						t.Fatalf("%s reaches %v, which is not an end", e.Message.Type(), e.To)
					}
				}
				if e.To == mallory {
					t.Fatalf("a stranger hears %s", e.Message.Type())
				}
				told[e.To] = true
			}
		}
		observe(effects)
		for range rapid.IntRange(0, 25).Draw(t, "steps") {
			d := rapid.SampledFrom(devices).Draw(t, "device")
			ev := rapid.SampledFrom([]Event{
				Accept{By: d, Media: rtc.Video},
				Decline{d},
				Cancel{d},
				Hangup{By: d},
				Signal{By: d, Gen: 1, Payload: []byte("{}")},
				Media{By: d},
				Rejoin{By: d},
				Move{By: d, Media: rtc.Audio},
				Away{d},
				Back{d},
				Gone{d, rtc.EndLost},
				Tick{},
			}).Draw(t, "event")
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
			held := c.Holds(d)
			effects, err := c.Apply(ev, now)
			if _, moved := ev.(Move); moved && err == nil && !held {
				if !c.Holds(d) {
					t.Fatalf("the call was moved to %v and is not there", d)
				}
				delete(ends, d) // it begins there
			}
			if err != nil && len(effects) > 0 {
				t.Fatal("a refused event had effects")
			}
			observe(effects)
			for i, end := range c.Ends() {
				if end.User != ends0[i].User || end.Present && end.Device.User != end.User.ID {
					t.Fatalf("an end went to %+v", end)
				}
			}
			if _, gone := ev.(Gone); gone && ends[d] == 0 {
				delete(told, d) // it is not there to be told
			}
		}
		if !c.Over() {
			effects, _ := c.Apply(Stop{rtc.EndByAdmin}, now)
			observe(effects)
		}
		for d := range told {
			if ends[d] != 1 {
				t.Fatalf("%v was told %d times that the call ended", d, ends[d])
			}
		}
	})
}
