package presence_test

import (
	"sync"
	"testing"
	"time"

	"fieldphone/rtc/presence"
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestMemory(t *testing.T) {
	testContract(t, func(*testing.T) bench {
		c := &clock{now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
		store := presence.NewMemory(c.Now)
		return bench{
			open: func(*testing.T) presence.Store { return store },
			pass: func(_ *testing.T, d time.Duration) { c.Add(d) },
		}
	})
}

// A clock that stands, jumps or starts before 1970 must not make revisions fall.
func TestMemoryWrongClock(t *testing.T) {
	c := &clock{now: time.Unix(-5, 0)}
	store := presence.NewMemory(c.Now)
	r := newReader(store)
	r.mustRead(t)
	device := entry("alice", "phone-00")
	for _, step := range []time.Duration{0, time.Hour, -3 * time.Hour, 0, 400 * 24 * time.Hour} {
		c.Add(step)
		device.Busy = !device.Busy
		before := r.rev
		put(t, store, time.Minute, device)
		r.mustRead(t)
		if r.rev <= before {
			t.Fatalf("step %v: revision went from %d to %d", step, before, r.rev)
		}
		wantKnown(t, r, device)
	}
}

// A device that blinks is known for as long as the last put said, even when a
// shorter deadline of another device is swept in between.
func TestMemorySweepsTheEarliest(t *testing.T) {
	c := &clock{now: time.Unix(1e9, 0)}
	store := presence.NewMemory(c.Now)
	r := newReader(store)
	long, short := entry("alice", "phone-00"), entry("bob", "phone-00")
	put(t, store, 10*time.Second, long)
	put(t, store, time.Second, short)
	r.mustRead(t)
	wantKnown(t, r, long, short)
	c.Add(time.Second)
	r.mustRead(t)
	wantKnown(t, r, long)
	c.Add(9*time.Second - 1)
	r.mustRead(t)
	wantKnown(t, r, long)
	c.Add(1)
	r.mustRead(t)
	wantKnown(t, r)
}

func BenchmarkMemoryTouch(b *testing.B) {
	store := presence.NewMemory(time.Now)
	benchmarkTouch(b, store)
}
