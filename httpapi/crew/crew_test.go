package crew

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to hold in 10 s")
		}
	}
}

// Ensure work is done beside any number of workers that are held up, and that
// they go once they are not.
func TestWorkBesideWhatIsHeldUp(t *testing.T) {
	var c Crew
	held := make(chan struct{})
	var stuck sync.WaitGroup
	for range 5 * hands() {
		stuck.Add(1)
		c.Do(func() { defer stuck.Done(); <-held })
	}
	done := make(chan struct{})
	c.Do(func() { close(done) })
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("work waits for what is held up")
	}
	close(held)
	stuck.Wait()
	waitFor(t, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.busy) == 0 && c.stalled == 0 && len(c.idle) <= hands() && !c.checks
	})
	var ran sync.WaitGroup
	for range 1000 {
		ran.Add(1)
		c.Do(ran.Done)
	}
	ran.Wait()
	c.Stop()
	ran.Add(1)
	c.Do(ran.Done) // the last ones are served as well
	ran.Wait()
}

// Ensure what many ask for at once is done, all of it, once.
func TestNothingIsForgotten(t *testing.T) {
	var c Crew
	defer c.Stop()
	var done atomic.Int64
	const askers, each = 4, 5000
	var wg sync.WaitGroup
	for range askers {
		wg.Go(func() {
			for range each {
				c.Do(func() { done.Add(1) })
			}
		})
	}
	wg.Wait()
	waitFor(t, func() bool { return done.Load() == askers*each })
}
