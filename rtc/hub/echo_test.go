package hub

import (
	"fmt"
	"testing"
	"time"

	"fieldphone/rtc"
)

func TestEchoTakesACallOnEachDevice(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		echoes := []*client{connect(t, h, rtc.EchoID, "echo1"), connect(t, h, rtc.EchoID, "echo2")}
		invite := func(n int) *client {
			c := connect(t, h, fmt.Sprintf("user%d", n), "d")
			c.say(&rtc.CallInvite{Call: fmt.Sprintf("call-%04d", n), To: rtc.EchoID, Media: rtc.Video})
			return c
		}
		var callers []*client
		for n := range echoes {
			callers = append(callers, invite(n))
		}
		for _, echo := range echoes {
			rung := one[*rtc.CallIncoming](echo)
			echo.say(&rtc.CallAccept{Call: rung.Call, Media: rtc.Video})
		}
		for _, c := range callers {
			if got := one[*rtc.CallStarted](c); got.Peer.ID != rtc.EchoID {
				t.Errorf("%s is in a call with %s", c.user, got.Peer.ID)
			}
		}
		time.Sleep(time.Second)
		if got := callers[0].sees(rtc.EchoID); got != rtc.Free {
			t.Errorf("the echo in calls is shown %s", got)
		}
		if ended := one[*rtc.CallEnded](invite(2)); ended.Reason != rtc.EndBusy {
			t.Errorf("one more caller than devices heard %s, want busy", ended.Reason)
		}
		time.Sleep(time.Second)
		if people := h.Stats().PeopleNow; people != 3 {
			t.Errorf("%d people, want the callers alone", people)
		}
		for _, view := range h.People() {
			if view.User.ID == rtc.EchoID {
				t.Error("the echo is listed as a person")
			}
		}
	})
}
