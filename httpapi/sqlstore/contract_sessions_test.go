package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/sqlstore"

	"github.com/google/go-cmp/cmp"
)

func testSessions(t *testing.T, b backend) {
	store, ctx := b.open(t).Accounts(), t.Context()
	withUser(t, store, "anna", "s1")
	want := session("s1", "anna")
	got, ended, err := store.Session(ctx, "s1")
	must(t, err)
	if got != want || ended {
		t.Errorf("got %+v, %v, want %+v", got, ended, want)
	}
	want.ExpiresAt = want.ExpiresAt.Add(time.Hour)
	for _, until := range []time.Time{want.ExpiresAt, want.ExpiresAt.Add(-2 * time.Hour), want.ExpiresAt} {
		got, err := store.ExtendSession(ctx, "s1", until)
		must(t, err)
		if got != want {
			t.Errorf("extended to %v: got %+v, want %+v", until, got, want)
		}
	}
	if got, _, err = store.Session(ctx, "s1"); err != nil || got != want {
		t.Errorf("after extending: got %+v, %v, want %+v", got, err, want)
	}
	if _, _, err := store.Session(ctx, "s2"); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("unknown session: got %v", err)
	}
	if _, err := store.ExtendSession(ctx, "s2", day); !errors.Is(err, account.ErrChanged) {
		t.Errorf("extend unknown session: got %v", err)
	}
	if _, err := store.EndSession(ctx, "s2"); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("end unknown session: got %v", err)
	}
}

func testSessionNeedsUser(t *testing.T, b backend) {
	store, ctx := b.open(t).Accounts(), t.Context()
	withUser(t, store, "anna")
	withUser(t, store, "bert")
	_, err := store.SetDisabled(ctx, "bert", true)
	must(t, err)
	for _, try := range []struct{ id, user, hash string }{
		{"s1", "nobody", "hash"}, {"s2", "anna", "old hash"}, {"s3", "bert", "hash"},
	} {
		if err := store.CreateSession(ctx, session(try.id, try.user), try.hash); !errors.Is(err, account.ErrChanged) {
			t.Errorf("%+v: got %v, want ErrChanged", try, err)
		}
		if _, _, err := store.Session(ctx, try.id); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("%+v: there is a session: %v", try, err)
		}
	}
}

func testReplacePassword(t *testing.T, b backend) {
	store, ctx := b.open(t).Accounts(), t.Context()
	withUser(t, store, "anna", "a1", "a2")
	withUser(t, store, "bert", "b1")
	next := session("a3", "anna")
	_, err := store.ReplacePassword(ctx, account.PasswordChange{UserID: "anna", Hash: "new", IfHash: "not it", Next: &next})
	if !errors.Is(err, account.ErrChanged) {
		t.Errorf("with a wrong IfHash: got %v", err)
	}
	if _, hash, _ := store.User(ctx, "anna"); hash != "hash" {
		t.Errorf("the refused change wrote %q", hash)
	}
	ends, err := store.ReplacePassword(ctx, account.PasswordChange{UserID: "anna", Hash: "new", IfHash: "hash", Next: &next})
	must(t, err)
	if diff := cmp.Diff([]string{"a1", "a2"}, idsOf(ends)); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
	if _, hash, _ := store.User(ctx, "anna"); hash != "new" {
		t.Errorf("got hash %q", hash)
	}
	for id, want := range map[string]bool{"a1": true, "a2": true, "a3": false, "b1": false} {
		_, ended, err := store.Session(ctx, id)
		must(t, err)
		if ended != want {
			t.Errorf("%s: ended is %v, want %v", id, ended, want)
		}
	}
	// The administrator's way: no condition, no session.
	ends, err = store.ReplacePassword(ctx, account.PasswordChange{UserID: "anna", Hash: "newer"})
	must(t, err)
	if diff := cmp.Diff([]string{"a3"}, idsOf(ends)); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
	_, err = store.ReplacePassword(ctx, account.PasswordChange{UserID: "nobody", Hash: "new"})
	if !errors.Is(err, account.ErrNotFound) {
		t.Errorf("unknown user: got %v", err)
	}
}

func testSetDisabled(t *testing.T, b backend) {
	store, ctx := b.open(t).Accounts(), t.Context()
	withUser(t, store, "anna", "a1", "a2")
	withUser(t, store, "bert", "b1")
	ends, err := store.SetDisabled(ctx, "anna", true)
	must(t, err)
	if diff := cmp.Diff([]string{"a1", "a2"}, idsOf(ends)); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
	if got, _, _ := store.User(ctx, "anna"); !got.Disabled {
		t.Error("not disabled")
	}
	next := session("a3", "anna")
	_, err = store.ReplacePassword(ctx, account.PasswordChange{UserID: "anna", Hash: "new", IfHash: "hash", Next: &next})
	if !errors.Is(err, account.ErrChanged) {
		t.Errorf("change the password of a disabled user: got %v", err)
	}
	for _, disabled := range []bool{true, false, false} {
		ends, err := store.SetDisabled(ctx, "anna", disabled)
		must(t, err)
		if len(ends) != 0 {
			t.Errorf("disabled=%v ended %v", disabled, idsOf(ends))
		}
	}
	must(t, store.CreateSession(ctx, session("a3", "anna"), "hash"))
	if _, err := store.SetDisabled(ctx, "nobody", true); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("unknown user: got %v", err)
	}
}

func testEndOnce(t *testing.T, b backend) {
	handles := []sqlstore.Accounts{b.open(t).Accounts(), b.open(t).Accounts()}
	withUser(t, handles[0], "anna", "s1", "s2")
	const tries = 12
	got := make([][]account.EndedSession, tries)
	var wg sync.WaitGroup
	for i := range tries {
		wg.Go(func() {
			var err error
			if i%3 == 0 {
				got[i], err = handles[i%2].SetDisabled(t.Context(), "anna", true)
			} else {
				got[i], err = handles[i%2].EndSession(t.Context(), "s1")
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	all := slices.Concat(got...)
	if diff := cmp.Diff([]string{"s1", "s2"}, idsOf(all)); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
	if _, err := handles[0].ExtendSession(t.Context(), "s1", day.AddDate(1, 0, 0)); !errors.Is(err, account.ErrChanged) {
		t.Errorf("extend an ended session: got %v", err)
	}
}

// testFeedUnderLoad follows the feed through one handle while sessions end
// through two others: none may be passed over, whatever the order of commits.
func testFeedUnderLoad(t *testing.T, b backend) {
	handles := []sqlstore.Accounts{b.open(t).Accounts(), b.open(t).Accounts()}
	const users, each = 6, 8
	for u := range users {
		withUser(t, handles[0], fmt.Sprintf("u%d", u))
		for s := range each {
			id := fmt.Sprintf("u%d-s%d", u, s)
			must(t, handles[0].CreateSession(t.Context(), session(id, fmt.Sprintf("u%d", u)), "hash"))
		}
	}
	reader := b.open(t).Accounts()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	seen := make(map[string]int64)
	done := make(chan error, 1)
	go func() {
		var cursor int64
		for len(seen) < users*each {
			ends, err := reader.EndedSessions(ctx, cursor, 3)
			if err != nil {
				done <- fmt.Errorf("after %d of %d: %w", len(seen), users*each, err)
				return
			}
			for _, end := range ends {
				if end.Seq <= cursor || seen[end.ID] != 0 {
					done <- fmt.Errorf("%s with %d came after %d", end.ID, end.Seq, cursor)
					return
				}
				cursor, seen[end.ID] = end.Seq, end.Seq
			}
		}
		done <- nil
	}()
	var wg sync.WaitGroup
	for u := range users {
		wg.Go(func() {
			for s := range each / 2 {
				if _, err := handles[u%2].EndSession(ctx, fmt.Sprintf("u%d-s%d", u, s)); err != nil {
					t.Error(err)
				}
			}
			if _, err := handles[u%2].SetDisabled(ctx, fmt.Sprintf("u%d", u), true); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	must(t, <-done)
}

func testFeedPages(t *testing.T, b backend) {
	store, ctx := b.open(t).Accounts(), t.Context()
	withUser(t, store, "anna", "s1", "s2", "s3")
	withUser(t, store, "bert", "s4")
	ends, err := store.SetDisabled(ctx, "anna", true)
	must(t, err)
	page, err := store.EndedSessions(ctx, 0, 2)
	must(t, err)
	rest, err := store.EndedSessions(ctx, page[len(page)-1].Seq, 2)
	must(t, err)
	if diff := cmp.Diff(ends, append(page, rest...)); diff != "" {
		t.Errorf("feed (-ended +got):\n%s", diff)
	}
	nothing, err := store.EndedSessions(ctx, rest[len(rest)-1].Seq, 2)
	must(t, err)
	if len(nothing) != 0 {
		t.Errorf("after the last: got %v", nothing)
	}
}

// testSignInAgainstDisabling: whoever comes first, no session of a disabled
// user goes on.
func testSignInAgainstDisabling(t *testing.T, b backend) {
	first, second := b.open(t).Accounts(), b.open(t).Accounts()
	withUser(t, first, "anna")
	for round := range 10 {
		_, err := first.SetDisabled(t.Context(), "anna", false)
		must(t, err)
		id := fmt.Sprintf("s%d", round)
		var created, disabled error
		var wg sync.WaitGroup
		wg.Go(func() { created = first.CreateSession(t.Context(), session(id, "anna"), "hash") })
		wg.Go(func() { _, disabled = second.SetDisabled(t.Context(), "anna", true) })
		wg.Wait()
		must(t, disabled)
		_, ended, err := first.Session(t.Context(), id)
		switch {
		case created == nil && (err != nil || !ended):
			t.Fatalf("round %d: the session goes on: ended %v, %v", round, ended, err)
		case created != nil && (!errors.Is(created, account.ErrChanged) || !errors.Is(err, account.ErrNotFound)):
			t.Fatalf("round %d: refused with %v, session %v", round, created, err)
		}
	}
}

func testDelete(t *testing.T, b backend) {
	store, ctx := b.open(t).Accounts(), t.Context()
	withUser(t, store, "anna", "s1", "s2", "s3")
	ends, err := store.EndSession(ctx, "s1")
	must(t, err)
	_, err = store.ExtendSession(ctx, "s3", day.Add(5*time.Hour))
	must(t, err)
	n, err := store.DeleteSessions(ctx, day.Add(3*time.Hour))
	must(t, err)
	if n != 0 {
		t.Errorf("deleted %d that had not expired", n)
	}
	if n, err = store.DeleteSessions(ctx, day.Add(4*time.Hour)); err != nil || n != 2 {
		t.Errorf("got %d, %v, want 2", n, err)
	}
	if _, _, err := store.Session(ctx, "s3"); err != nil {
		t.Errorf("the extended session is gone: %v", err)
	}
	// The numbers go on where they were.
	later, err := store.EndSession(ctx, "s3")
	must(t, err)
	if later[0].Seq <= ends[0].Seq {
		t.Errorf("number %d after %d", later[0].Seq, ends[0].Seq)
	}
}
