package hub

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/presence"

	"pgregory.net/rapid"
)

// tally is what one device was told of calls.
type tally struct {
	open map[string]bool // calls that it was told of and not of their end
	gens map[string]int
}

// hear takes what a device heard since the last time: nothing of a call after
// its end unless it begins there again by being moved there, gens only grow.
func (ta *tally) hear(t *rapid.T, c *client, asked map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, msg := range c.heard {
		switch m := msg.(type) {
		case *rtc.CallIncoming:
			ta.open[m.Call] = true
		case *rtc.CallRinging:
			ta.open[m.Call] = true
		case *rtc.CallStarted:
			if !ta.open[m.Call] && !asked[m.Call] {
				t.Fatalf("%s on %s starts %s, which was over there", c.user, c.device, m.Call)
			}
			if m.Gen <= ta.gens[m.Call] {
				t.Fatalf("gen %d after %d", m.Gen, ta.gens[m.Call])
			}
			ta.open[m.Call], ta.gens[m.Call] = true, m.Gen
		case *rtc.CallEnded:
			if !ta.open[m.Call] && !asked[m.Call] {
				t.Fatalf("%s on %s hears twice that %s ended: %s", c.user, c.device, m.Call, m.Reason)
			}
			delete(ta.open, m.Call)
			delete(asked, m.Call)
		}
	}
	c.heard = nil
}

// Ensure that, whatever several people with two devices each do, a device never
// has more than two calls, the indexes of the hub agree with the calls, and
// every device hears of each end once.
func TestAnythingWithTwoCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(struct{ rapid.TB }{t}, anything) // in a bubble nothing may ask for the deadline
	})
}

func anything(t *rapid.T) {
	h, err := New(testConfig(), presence.NewMemory(time.Now))
	if err != nil {
		t.Fatal(err)
	}
	defer run(h)()
	users := []string{"alice", "bob", "carol", "dave"}
	var devices []*client
	tallies, asked := map[*client]*tally{}, map[*client]map[string]bool{}
	for _, user := range users {
		for n := range 2 {
			c := &client{hub: h, user: user, device: fmt.Sprintf("%s-device-%d", user, n)}
			c.attach()
			c.hello()
			devices = append(devices, c)
			tallies[c], asked[c] = &tally{open: map[string]bool{}, gens: map[string]int{}}, map[string]bool{}
		}
	}
	calls := 0
	for range rapid.IntRange(1, 60).Draw(t, "steps") {
		c := rapid.SampledFrom(devices).Draw(t, "device")
		id := fmt.Sprintf("call-%04d", rapid.IntRange(0, max(calls, 1)).Draw(t, "call"))
		switch what := rapid.SampledFrom([]string{"invite", "invite", "accept", "accept", "accept", "move", "move", "hangup", "decline", "rejoin", "blink", "reload", "wait"}).Draw(t, "what"); what {
		case "invite":
			calls++
			id = fmt.Sprintf("call-%04d", calls)
			asked[c][id] = true
			c.say(&rtc.CallInvite{Call: id, To: rapid.SampledFrom(users).Draw(t, "to"), Media: rtc.Audio})
		case "accept":
			c.say(&rtc.CallAccept{Call: id, Media: rtc.Audio})
		case "move":
			take[*rtc.Ack](c)
			asked[c][id] = true
			c.say(&rtc.CallMove{Call: id, Media: rtc.Audio})
			if len(take[*rtc.Ack](c)) == 0 {
				delete(asked[c], id) // refused
			}
		case "hangup":
			c.say(&rtc.CallHangup{Call: id})
		case "decline":
			c.say(&rtc.CallDecline{Call: id})
		case "rejoin":
			c.say(&rtc.CallRejoin{Call: id})
		case "blink":
			c.lose()
			c.back()
		case "reload":
			c.lose()
			c.set(func() { c.stream, c.seq = "", 0 })
			c.back()
		case "wait":
			time.Sleep(time.Duration(rapid.IntRange(1, 50).Draw(t, "seconds")) * time.Second)
		}
		synctest.Wait()
		for _, each := range devices {
			tallies[each].hear(t, each, asked[each])
		}
		wrong := ""
		h.ask(func() { wrong = inconsistent(h) })
		if wrong != "" {
			t.Fatal(wrong)
		}
	}
	for _, c := range h.Calls() {
		h.EndCall(c.ID)
	}
	synctest.Wait()
	for _, each := range devices {
		tallies[each].hear(t, each, asked[each])
		if open := tallies[each].open; len(open) != 0 {
			t.Fatalf("%s on %s never hears how %v ended", each.user, each.device, open)
		}
	}
}

// inconsistent compares the hub's indexes with the calls themselves, and says
// what is wrong.
func inconsistent(h *Hub) string {
	ends := 0
	for key, held := range h.calls.held {
		if len(held) == 0 || len(held) > maxCalls {
			return fmt.Sprintf("%v has %d calls", key, len(held))
		}
		for _, c := range held {
			if !c.Holds(key) || h.calls.byID[c.ID()] != c {
				return fmt.Sprintf("%v is said to have %s", key, c.ID())
			}
		}
		ends += len(held)
	}
	for _, c := range h.calls.byID {
		ends -= len(c.Devices())
	}
	if ends != 0 || len(h.calls.kept) != len(h.calls.byID) {
		return fmt.Sprintf("%d more ends in the index than in the calls; %d kept of %d", ends, len(h.calls.kept), len(h.calls.byID))
	}
	for _, d := range h.devices {
		if d.busy != (len(h.calls.held[d.key]) > 0) {
			return fmt.Sprintf("%v is shown busy: %v", d.key, d.busy)
		}
		if want := elsewhere(d.key, h.calls.of(d.key.User)); d.port != nil && fmt.Sprint(want) != fmt.Sprint(append([]rtc.ElsewhereCall{}, d.elsewhere...)) {
			return fmt.Sprintf("%v was told of %v elsewhere, want %v", d.key, d.elsewhere, want)
		}
	}
	return ""
}
