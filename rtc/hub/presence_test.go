package hub

import (
	"fmt"
	"testing"
	"time"

	"fieldphone/rtc"
)

func TestPresenceWithinASecond(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice := connect(t, h, "alice", "a")
		bob := connect(t, h, "bob", "b")
		time.Sleep(time.Second)
		if alice.sees("bob") != rtc.Free || bob.sees("alice") != rtc.Free {
			t.Fatalf("alice sees bob %s, bob sees alice %s", alice.sees("bob"), bob.sees("alice"))
		}
		bob.say(&rtc.Bye{})
		time.Sleep(time.Second)
		if alice.sees("bob") != rtc.Offline {
			t.Fatal("bob said bye and is still shown")
		}
	})
}

// Ensure each connection is pinged once a heartbeat, and those that came one after the
// other not all at once.
func TestHeartbeatsAreSpread(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		var clients []*client
		for i := range 10 {
			clients = append(clients, connect(t, h, fmt.Sprintf("user%d", i), "d"))
			time.Sleep(500 * time.Millisecond)
		}
		time.Sleep(55 * time.Second)
		moments := make(map[time.Time]int)
		for _, c := range clients {
			c.set(func() {
				for i, at := range c.pings {
					moments[at]++
					if i > 0 && at.Sub(c.pings[i-1]) != 5*time.Second {
						t.Errorf("%s: a ping %v after the other", c.user, at.Sub(c.pings[i-1]))
					}
				}
				if n := len(c.pings); n != 11 && n != 12 {
					t.Errorf("%s: %d pings in a minute", c.user, n)
				}
			})
		}
		for at, pings := range moments {
			if pings > 2 {
				t.Errorf("%d pings at %v", pings, at)
			}
		}
	})
}

func TestVanishedIsGoneAndBlinkIsNot(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
		time.Sleep(10 * time.Second)
		take[*rtc.PresenceUpdate](alice)
		bob.lose()
		time.Sleep(14 * time.Second)
		bob.back()
		time.Sleep(20 * time.Second)
		none[*rtc.PresenceUpdate](alice)
		if !one2(take[*rtc.Welcome](bob)).Resumed {
			t.Error("the stream was not resumed")
		}

		bob.set(func() { bob.mute = true }) // vanishes without a word, as behind a dead network
		time.Sleep(5*time.Second + 15*time.Second + 500*time.Millisecond)
		update := one[*rtc.PresenceUpdate](alice)
		if update.People[0].ID != "bob" || update.People[0].Status != rtc.Offline {
			t.Errorf("got %+v", update)
		}
		if bob.closedWith() != rtc.CloseHeartbeat {
			t.Errorf("closed with %v", bob.closedWith())
		}
	})
}

// one2 is the last of several.
func one2[M any](ms []M) M { return ms[len(ms)-1] }

func TestSignInStormIsCoalesced(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		watcher := connect(t, h, "watcher", "w")
		const crowd = 1000
		for i := range crowd {
			c := connect(t, h, fmt.Sprintf("user%d", i), "d")
			c.set(func() { c.deaf = true })
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		updates := take[*rtc.PresenceUpdate](watcher)
		people := 0
		for _, u := range updates {
			people += len(u.People)
		}
		if people < crowd || len(updates) > 10 {
			t.Errorf("%d people in %d updates", people, len(updates))
		}
		if sent := h.Stats().Sent; sent > 10*crowd {
			t.Errorf("%d frames sent for %d sign-ins", sent, crowd)
		}
	})
}

func TestAwayPeopleAreNotShownFree(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := inCall(t, h)
		alice.lose()
		time.Sleep(20 * time.Second)
		if got := bob.sees("alice"); got != rtc.Offline {
			t.Fatalf("after 20 s away alice is shown %s", got)
		}
		bob.say(&rtc.CallHangup{Call: callID})
		time.Sleep(time.Second)
		if got := bob.sees("alice"); got != rtc.Offline {
			t.Errorf("the end of the call made alice look %s", got)
		}
	})
}

func TestRenameIsSeen(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
		time.Sleep(time.Second)
		take[*rtc.PresenceUpdate](alice)
		h.Rename(rtc.User{ID: "bob", Name: "Robert"})
		time.Sleep(time.Second)
		if got := one[*rtc.PresenceUpdate](alice); got.People[0].Name != "Robert" {
			t.Errorf("got %+v", got)
		}
		bob.say(&rtc.CallInvite{Call: callID, To: "alice", Media: rtc.Audio})
		if got := one[*rtc.CallIncoming](alice); got.From.Name != "Robert" {
			t.Errorf("rings as %q", got.From.Name)
		}
	})
}
