package httpapi

import (
	"testing"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/rtc"
)

func newTestOutlet(sends int) *outlet {
	a := &App{cfg: Config{SendQueue: sends, Now: time.Now}}
	return a.newOutlet(account.Session{ExpiresAt: time.Now().Add(time.Hour)})
}

// Ensure all of a send is queued or none, by number and by bytes.
func TestOutletTakesAllOrNothing(t *testing.T) {
	o := newTestOutlet(2)
	big := make([]byte, maxQueued/2+1)
	if !o.Send(big) || o.Send(big) {
		t.Error("the bytes are not bounded")
	}
	if !o.Send([]byte("a"), []byte("b")) || o.Send([]byte("c")) {
		t.Error("the sends are not bounded")
	}
	o.Close(rtc.CloseSlow)
	var written int
	reason, ok := o.pump(func(frame []byte) bool { written += len(frame); return true }, nil)
	if written != len(big)+2 || reason != rtc.CloseSlow || !ok {
		t.Errorf("%d bytes written, %v %v", written, reason, ok)
	}
	if o.queued.Load() != 0 {
		t.Errorf("%d bytes are still counted", o.queued.Load())
	}
}
