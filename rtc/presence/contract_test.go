package presence_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"fieldphone/rtc/presence"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is one empty store as a test sees it.
type bench struct {
	open func(t *testing.T) presence.Store // one more handle on the same data
	pass func(t *testing.T, d time.Duration)
}

const ttl = 300 * time.Millisecond

// testContract holds what every implementation of Store must do.
func testContract(t *testing.T, newBench func(t *testing.T) bench) {
	for name, test := range map[string]func(*testing.T, bench){
		"put, since, remove":          testPutSinceRemove,
		"an unchanged put":            testUnchangedPut,
		"a deadline passes":           testDeadline,
		"a blink":                     testBlink,
		"devices of one user":         testDevices,
		"a key twice in one put":      testRepeatedKey,
		"writers and readers at once": testConverge,
		"too old a revision":          testTooOld,
		"a revision of another life":  testForeignRevision,
		"two thousand entries":        testMany,
		"bad input":                   testBadInput,
	} {
		t.Run(name, func(t *testing.T) { test(t, newBench(t)) })
	}
}

// reader follows a store as the hub does.
type reader struct {
	store presence.Store
	rev   uint64
	known map[presence.Key]presence.Entry
}

func newReader(store presence.Store) *reader {
	return &reader{store: store, known: map[presence.Key]presence.Entry{}}
}

// read applies what changed since the last read and returns it.
func (r *reader) read() (presence.Changes, error) {
	changes, err := r.store.Since(context.Background(), r.rev)
	if err != nil {
		return changes, err
	}
	if changes.Rev < r.rev && !changes.Full {
		return changes, fmt.Errorf("revision went from %d to %d", r.rev, changes.Rev)
	}
	if changes.Full {
		clear(r.known)
	}
	for _, item := range changes.Items {
		key := presence.Key{User: item.User, Device: item.Device}
		if item.Gone {
			delete(r.known, key)
		} else {
			r.known[key] = item.Entry
		}
	}
	r.rev = changes.Rev
	return changes, nil
}

func (r *reader) mustRead(t *testing.T) presence.Changes {
	t.Helper()
	changes, err := r.read()
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func entry(user, device string) presence.Entry {
	return presence.Entry{User: user, Device: device, Name: "Name of " + user, Node: "n1"}
}

func put(t *testing.T, store presence.Store, ttl time.Duration, entries ...presence.Entry) {
	t.Helper()
	if err := store.Put(t.Context(), entries, ttl); err != nil {
		t.Fatal(err)
	}
}

func wantKnown(t *testing.T, r *reader, want ...presence.Entry) {
	t.Helper()
	entries := map[presence.Key]presence.Entry{}
	for _, e := range want {
		entries[presence.Key{User: e.User, Device: e.Device}] = e
	}
	if diff := cmp.Diff(entries, r.known); diff != "" {
		t.Fatalf("known entries (-want +got):\n%s", diff)
	}
}

func testPutSinceRemove(t *testing.T, b bench) {
	store := b.open(t)
	r := newReader(b.open(t))
	if first := r.mustRead(t); !first.Full || len(first.Items) != 0 || first.Rev == 0 {
		t.Fatalf("empty store: got %+v, want Full, no items and a revision", first)
	}
	alice, bob := entry("alice", "phone-00"), entry("bob", "phone-00")
	put(t, store, time.Minute, alice, bob)
	if c := r.mustRead(t); c.Full || len(c.Items) != 2 {
		t.Fatalf("after put: got %+v, want two changes", c)
	}
	wantKnown(t, r, alice, bob)

	alice.Busy = true
	put(t, store, time.Minute, alice)
	if c := r.mustRead(t); c.Full || !cmp.Equal(c.Items, []presence.Change{{Entry: alice}}) {
		t.Fatalf("after busy: got %+v, want alice alone", c)
	}
	unknown := presence.Key{User: "carol", Device: "phone-00"}
	if err := store.Remove(t.Context(), []presence.Key{{User: "bob", Device: "phone-00"}, unknown}); err != nil {
		t.Fatal(err)
	}
	if c := r.mustRead(t); len(c.Items) != 1 || !c.Items[0].Gone || c.Items[0].User != "bob" || c.Items[0].Device != "phone-00" {
		t.Fatalf("after remove: got %+v, want bob's device gone", c)
	}
	wantKnown(t, r, alice)
	if c := r.mustRead(t); c.Full || len(c.Items) != 0 {
		t.Fatalf("nothing happened: got %+v, want no changes", c)
	}
	late := newReader(store)
	late.mustRead(t)
	wantKnown(t, late, alice)
	if err := store.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func testUnchangedPut(t *testing.T, b bench) {
	store := b.open(t)
	r := newReader(store)
	alice := entry("alice", "phone-00")
	put(t, store, time.Minute, alice)
	before := r.mustRead(t).Rev
	put(t, store, time.Minute, alice)
	if c := r.mustRead(t); c.Full || len(c.Items) != 0 || c.Rev != before {
		t.Fatalf("got %+v, want revision %d and no changes", c, before)
	}
}

func testDeadline(t *testing.T, b bench) {
	store := b.open(t)
	readers := []*reader{newReader(store), newReader(b.open(t)), newReader(b.open(t))}
	bob := entry("bob", "phone-00")
	put(t, store, ttl, entry("alice", "phone-00"))
	put(t, store, time.Minute, bob)
	for _, r := range readers {
		r.mustRead(t)
		if len(r.known) != 2 {
			t.Fatalf("before the deadline: got %v, want alice and bob", r.known)
		}
	}
	b.pass(t, ttl)
	for i, r := range readers {
		c := r.mustRead(t)
		if c.Full || len(c.Items) != 1 || !c.Items[0].Gone || c.Items[0].User != "alice" {
			t.Fatalf("reader %d: got %+v, want alice gone", i, c)
		}
		if c := r.mustRead(t); c.Full || len(c.Items) != 0 {
			t.Fatalf("reader %d: got %+v after alice went, want nothing more", i, c)
		}
		wantKnown(t, r, bob)
	}
	put(t, store, time.Minute, entry("alice", "phone-00"))
	if c := readers[0].mustRead(t); len(c.Items) != 1 || c.Items[0].Gone {
		t.Fatalf("after she came back: got %+v, want alice", c)
	}
}

func testBlink(t *testing.T, b bench) {
	store := b.open(t)
	r := newReader(store)
	alice := entry("alice", "phone-00")
	put(t, store, ttl, alice)
	r.mustRead(t)
	for range 5 {
		b.pass(t, ttl/2)
		if c := r.mustRead(t); c.Full || len(c.Items) != 0 {
			t.Fatalf("during the blink: got %+v, want no changes", c)
		}
		put(t, store, ttl, alice)
	}
	wantKnown(t, r, alice)
}

func testDevices(t *testing.T, b bench) {
	store := b.open(t)
	r := newReader(store)
	r.mustRead(t)
	entries := []presence.Entry{
		entry("alice", "phone-00"), entry("alice", "laptop-0"), entry("alice/laptop-0", "x"),
		entry("alice", "a/b"), entry("alice/a", "b"), entry("王 %2F", "\"\\\x00\n"),
	}
	entries[1].Busy = true
	put(t, store, time.Minute, entries...)
	r.mustRead(t)
	wantKnown(t, r, entries...)
	if err := store.Remove(t.Context(), []presence.Key{{User: "alice", Device: "phone-00"}}); err != nil {
		t.Fatal(err)
	}
	r.mustRead(t)
	wantKnown(t, r, entries[1:]...)
}

func testRepeatedKey(t *testing.T, b bench) {
	store := b.open(t)
	r := newReader(store)
	first, last := entry("alice", "phone-00"), entry("alice", "phone-00")
	last.Busy = true
	put(t, store, time.Minute, first, last)
	r.mustRead(t)
	wantKnown(t, r, last)
}

func testConverge(t *testing.T, b bench) {
	const writers, readers, rounds = 6, 3, 150
	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	errs := make(chan error, writers+readers)
	for w := range writers {
		store := b.open(t)
		writing.Go(func() { errs <- writeAtRandom(store, uint64(w), rounds) })
	}
	followers := make([]*reader, readers)
	for i := range followers {
		followers[i] = newReader(b.open(t))
		reading.Go(func() {
			for {
				if _, err := followers[i].read(); err != nil {
					errs <- err
					return
				}
				select {
				case <-done:
					_, err := followers[i].read()
					errs <- err
					return
				default:
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	truth := newReader(b.open(t))
	truth.mustRead(t)
	if len(truth.known) == 0 {
		t.Fatal("nothing is left to compare")
	}
	for i, f := range followers {
		if diff := cmp.Diff(truth.known, f.known); diff != "" {
			t.Fatalf("reader %d (-want +got):\n%s", i, diff)
		}
	}
}

// writeAtRandom changes devices that other writers change as well.
func writeAtRandom(store presence.Store, seed uint64, rounds int) error {
	random := rand.New(rand.NewPCG(seed, 1))
	for range rounds {
		var err error
		if e := entry(fmt.Sprint("u", random.IntN(8)), fmt.Sprint("device-", random.IntN(3))); random.IntN(3) == 0 {
			err = store.Remove(context.Background(), []presence.Key{{User: e.User, Device: e.Device}})
		} else {
			e.Busy = random.IntN(2) == 0
			err = store.Put(context.Background(), []presence.Entry{e}, time.Minute)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func testTooOld(t *testing.T, b bench) {
	store := b.open(t)
	r := newReader(store)
	put(t, store, time.Minute, entry("alice", "phone-00"))
	r.mustRead(t)
	// alice goes among more changes than any log keeps, and their entries as well
	if err := store.Remove(t.Context(), []presence.Key{{User: "alice", Device: "phone-00"}}); err != nil {
		t.Fatal(err)
	}
	bob := entry("bob", "phone-00")
	put(t, store, time.Minute, bob)
	for i := range 20 {
		var keys []presence.Key
		var crowd []presence.Entry
		for j := range 500 {
			e := entry(fmt.Sprint("u", i, "-", j), "phone-00")
			crowd = append(crowd, e)
			keys = append(keys, presence.Key{User: e.User, Device: e.Device})
		}
		put(t, store, time.Minute, crowd...)
		if err := store.Remove(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
	}
	if c := r.mustRead(t); !c.Full {
		t.Fatalf("got %d changes, want everything", len(c.Items))
	}
	wantKnown(t, r, bob)
	if c := r.mustRead(t); c.Full {
		t.Fatalf("after everything: got %+v, want no changes", c)
	}
}

func testForeignRevision(t *testing.T, b bench) {
	store := b.open(t)
	alice := entry("alice", "phone-00")
	put(t, store, time.Minute, alice)
	current := newReader(store).mustRead(t).Rev
	for _, rev := range []uint64{0, 1, current + 1, 1 << 53, math.MaxUint64} {
		c, err := store.Since(t.Context(), rev)
		if err != nil {
			t.Fatal(err)
		}
		if !c.Full || c.Rev != current || !cmp.Equal(c.Items, []presence.Change{{Entry: alice}}) {
			t.Errorf("since %d: got %+v, want everything at %d", rev, c, current)
		}
	}
}

func testMany(t *testing.T, b bench) {
	const count, manyTTL = 2000, 2 * time.Second
	store := b.open(t)
	r := newReader(b.open(t))
	r.mustRead(t)
	crowd := make([]presence.Entry, count)
	for i := range crowd {
		crowd[i] = entry(fmt.Sprint("user-", i), "phone-00")
	}
	put(t, store, manyTTL, crowd...)
	if c := r.mustRead(t); c.Full || len(c.Items) != count {
		t.Fatalf("got %d changes (full %v), want %d", len(c.Items), c.Full, count)
	}
	wantKnown(t, r, crowd...)
	put(t, store, manyTTL, crowd...)
	if c := r.mustRead(t); len(c.Items) != 0 {
		t.Fatalf("touched: got %d changes, want none", len(c.Items))
	}
	crowd[7].Busy = true
	put(t, store, manyTTL, crowd...)
	if c := r.mustRead(t); !cmp.Equal(c.Items, []presence.Change{{Entry: crowd[7]}}) {
		t.Fatalf("one busy: got %+v, want that one", c.Items)
	}
	b.pass(t, manyTTL)
	if c := r.mustRead(t); len(c.Items) != count {
		t.Fatalf("deadline passed: got %d changes, want %d gone", len(c.Items), count)
	}
	wantKnown(t, r)
}

func testBadInput(t *testing.T, b bench) {
	store := b.open(t)
	good := []presence.Entry{entry("alice", "phone-00")}
	for name, err := range map[string]error{
		"no ttl":       store.Put(t.Context(), good, 0),
		"negative ttl": store.Put(t.Context(), good, -time.Second),
		"endless ttl":  store.Put(t.Context(), good, presence.MaxTTL+1),
		"no user":      store.Put(t.Context(), []presence.Entry{entry("", "phone-00")}, time.Second),
		"no device":    store.Put(t.Context(), []presence.Entry{entry("alice", "")}, time.Second),
	} {
		if err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := store.Put(over, good, time.Second); !errors.Is(err, context.Canceled) {
		t.Errorf("put with a cancelled context: got %v", err)
	}
	if _, err := store.Since(over, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("since with a cancelled context: got %v", err)
	}
	r := newReader(store)
	r.mustRead(t)
	wantKnown(t, r)
	if err := store.Put(t.Context(), nil, time.Second); err != nil {
		t.Errorf("put of nothing: got %v", err)
	}
}
