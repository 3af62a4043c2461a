package httpapi

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/rtc"
)

func newTestOutlet(t *testing.T, sends int) (o *outlet, told *int) {
	a := &App{cfg: Config{SendQueue: sends, Now: time.Now}}
	told = new(int)
	o = a.newOutlet(account.Session{ExpiresAt: time.Now().Add(time.Hour)}, func() { *told++ }, nil)
	t.Cleanup(o.end)
	return o, told
}

// Ensure a connection that was closed is cut, once, though its client takes what
// waits ever so slowly.
func TestClosedIsCutInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cuts atomic.Int64
		a := &App{cfg: Config{SendQueue: 10, Now: time.Now}}
		o := a.newOutlet(account.Session{ExpiresAt: time.Now().Add(time.Hour)}, func() {}, func() { cuts.Add(1) })
		defer o.end()
		o.Send([]byte("a"))
		o.Close(rtc.CloseSlow)
		o.Close(rtc.CloseGoingAway)
		time.Sleep(writeWait - time.Second)
		if synctest.Wait(); cuts.Load() != 0 {
			t.Error("cut too soon")
		}
		time.Sleep(2 * time.Second)
		if synctest.Wait(); cuts.Load() != 1 {
			t.Errorf("cut %d times", cuts.Load())
		}
	})
}

// Ensure all of a send is queued or none, by number and by bytes, and that its
// writer is told once.
func TestOutletTakesAllOrNothing(t *testing.T) {
	o, told := newTestOutlet(t, 2)
	big := make([]byte, maxQueued/2+1)
	if !o.Send(big) || o.Send(big) {
		t.Error("the bytes are not bounded")
	}
	if !o.Send([]byte("a"), []byte("b")) || o.Send([]byte("c")) {
		t.Error("the sends are not bounded")
	}
	o.Close(rtc.CloseSlow)
	o.Close(rtc.CloseGoingAway)
	if !o.Send([]byte("late")) || *told != 1 {
		t.Errorf("told %d times", *told)
	}
	var written int64
	for {
		frames, reason := o.next()
		if frames == nil {
			if reason != rtc.CloseSlow {
				t.Errorf("closed with %v", reason)
			}
			break
		}
		written += bytesOf(frames)
	}
	if written != int64(len(big)+2) || o.bytes != 0 {
		t.Errorf("%d bytes written, %d are still counted", written, o.bytes)
	}
}

// Ensure the writer is told again of what comes after it has come to the end.
func TestOutletTellsAgain(t *testing.T) {
	o, told := newTestOutlet(t, 2)
	for want := 1; want < 4; want++ {
		if o.Send([]byte("a")); *told != want {
			t.Fatalf("told %d times, want %d", *told, want)
		}
		if frames, _ := o.next(); frames == nil {
			t.Fatal("nothing was queued")
		}
		if frames, _ := o.next(); frames != nil {
			t.Fatal("there was more than was queued")
		}
	}
}
