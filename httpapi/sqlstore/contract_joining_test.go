package sqlstore_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/sqlstore"

	"github.com/google/go-cmp/cmp"
)

func invite(id, by string, uses int) account.Invite {
	return account.Invite{ID: id, CreatedBy: by, CreatedAt: day, ExpiresAt: day.Add(time.Hour), Uses: uses}
}

func withInvite(t *testing.T, store sqlstore.Accounts, i account.Invite) {
	t.Helper()
	must(t, store.CreateInvite(t.Context(), i, "hash of "+i.ID, 100))
}

func testInvites(t *testing.T, b backend) {
	store, ctx := b.open(t).Accounts(), t.Context()
	withUser(t, store, "anna")
	withUser(t, store, "bert")
	hers, his, console := invite("i1", "anna", 2), invite("i2", "bert", 500), invite("i3", "", 1)
	his.CreatedAt, console.CreatedAt = day.Add(time.Millisecond), day.Add(2*time.Millisecond)
	for _, i := range []account.Invite{hers, his, console} {
		withInvite(t, store, i)
		got, err := store.Invite(ctx, "hash of "+i.ID)
		must(t, err)
		if got != i {
			t.Errorf("got %+v, want %+v", got, i)
		}
	}
	if _, err := store.Invite(ctx, "hash of another"); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("unknown invite: got %v", err)
	}
	list := func(by string, limit int) []account.Invite {
		t.Helper()
		got, err := store.Invites(ctx, by, limit)
		must(t, err)
		return got
	}
	if diff := cmp.Diff([]account.Invite{console, his, hers}, list("", 10)); diff != "" {
		t.Errorf("everybody's (-want +got):\n%s", diff)
	}
	if got := list("", 1); len(got) != 1 || got[0] != console {
		t.Errorf("the newest: got %+v", got)
	}
	if diff := cmp.Diff([]account.Invite{hers}, list("anna", 10)); diff != "" {
		t.Errorf("hers (-want +got):\n%s", diff)
	}
	for _, try := range [][2]string{{"i1", "bert"}, {"i9", ""}, {"i3", "anna"}} {
		if err := store.RevokeInvite(ctx, try[0], try[1]); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("revoke %v: got %v, want ErrNotFound", try, err)
		}
	}
	must(t, store.RevokeInvite(ctx, "i1", "anna"))
	must(t, store.RevokeInvite(ctx, "i1", "")) // again is no failure
	_, err := store.SetDisabled(ctx, "bert", true)
	must(t, err)
	for id, want := range map[string]bool{"i1": true, "i2": true, "i3": false} {
		if got, err := store.Invite(ctx, "hash of "+id); err != nil || got.Revoked != want {
			t.Errorf("%s: revoked %v, %v, want %v", id, got.Revoked, err, want)
		}
	}
	for _, i := range []account.Invite{invite("i4", "bert", 1), invite("i5", "nobody", 1)} {
		if err := store.CreateInvite(ctx, i, i.ID, 100); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("an invite by %s: got %v, want ErrNotFound", i.CreatedBy, err)
		}
	}
	late := invite("i6", "anna", 1)
	late.ExpiresAt = day.Add(2 * time.Hour)
	withInvite(t, store, late)
	if n, err := store.DeleteInvites(ctx, late.ExpiresAt); err != nil || n != 3 {
		t.Errorf("deleted %d, %v, want 3", n, err)
	}
	if got := list("", 10); len(got) != 1 || got[0] != late {
		t.Errorf("left: got %+v", got)
	}
}

func testLastUse(t *testing.T, b backend) {
	handles := []sqlstore.Accounts{b.open(t).Accounts(), b.open(t).Accounts()}
	const uses, tries = 3, 16
	withInvite(t, handles[0], invite("i1", "", uses))
	errs := make([]error, tries)
	var wg sync.WaitGroup
	for i := range tries {
		wg.Go(func() {
			errs[i] = handles[i%2].Admit(t.Context(), account.Admission{
				User: user(fmt.Sprint("u", i)), Hash: "hash", InviteHash: "hash of i1", Now: day,
			})
		})
	}
	wg.Wait()
	in := 0
	for i, err := range errs {
		if err == nil {
			in++
		} else if !errors.Is(err, account.ErrChanged) {
			t.Errorf("loser %d: got %v, want ErrChanged", i, err)
		}
	}
	users, err := handles[0].Users(t.Context())
	must(t, err)
	got, err := handles[0].Invite(t.Context(), "hash of i1")
	must(t, err)
	if in != uses || len(users) != uses || got.Used != uses {
		t.Errorf("%d were let in, there are %d users, %d uses are counted; want %d of each", in, len(users), got.Used, uses)
	}
}

func testRefusedAdmission(t *testing.T, b backend) {
	store, ctx := b.open(t).Accounts(), t.Context()
	withUser(t, store, "anna", "s1")
	withInvite(t, store, invite("i1", "", 1))
	withInvite(t, store, invite("i2", "", 1))
	must(t, store.RevokeInvite(ctx, "i2", ""))
	taken := session("s1", "bert")
	for name, try := range map[string]struct {
		admission account.Admission
		want      error
	}{
		"id taken":       {account.Admission{User: user("anna"), InviteHash: "hash of i1", Now: day}, account.ErrTaken},
		"session taken":  {account.Admission{User: user("bert"), InviteHash: "hash of i1", Now: day, Session: &taken}, account.ErrTaken},
		"unknown invite": {account.Admission{User: user("bert"), InviteHash: "hash of i9", Now: day}, account.ErrChanged},
		"revoked":        {account.Admission{User: user("bert"), InviteHash: "hash of i2", Now: day}, account.ErrChanged},
		"expired":        {account.Admission{User: user("bert"), InviteHash: "hash of i1", Now: day.Add(time.Hour)}, account.ErrChanged},
	} {
		if err := store.Admit(ctx, try.admission); !errors.Is(err, try.want) {
			t.Errorf("%s: got %v, want %v", name, err, try.want)
		}
	}
	if _, _, err := store.User(ctx, "bert"); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("a refused admission left a user: %v", err)
	}
	if got, err := store.Invite(ctx, "hash of i1"); err != nil || got.Used != 0 {
		t.Errorf("refused admissions took %d uses, %v", got.Used, err)
	}
}

func testInviteBound(t *testing.T, b backend) {
	handles := []sqlstore.Accounts{b.open(t).Accounts(), b.open(t).Accounts()}
	store, ctx := handles[0], t.Context()
	withUser(t, store, "anna")
	old := invite("old", "anna", 1)
	old.ExpiresAt = day
	withInvite(t, store, old) // over, and not counted
	errs := make([]error, 6)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			in := invite(fmt.Sprint("i", i), "anna", 1)
			errs[i] = handles[i%2].CreateInvite(ctx, in, "hash of "+in.ID, 2)
		})
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else if !errors.Is(err, account.ErrFull) {
			t.Errorf("got %v, want ErrFull", err)
		}
	}
	if made != 2 {
		t.Errorf("made %d, want 2", made)
	}
}

func testGuests(t *testing.T, b backend) {
	store, ctx := b.open(t).Accounts(), t.Context()
	withUser(t, store, "anna", "a1")
	until := day.Add(24 * time.Hour)
	admit := func(id string) error {
		u, s := user(id), session("s-"+id, id)
		u.GuestUntil = until
		return store.Admit(ctx, account.Admission{User: u, Session: &s, Now: day, MaxGuests: 2})
	}
	must(t, admit("g1"))
	must(t, admit("g2"))
	if err := admit("g3"); !errors.Is(err, account.ErrFull) {
		t.Errorf("a guest too many: got %v, want ErrFull", err)
	}
	got, hash, err := store.User(ctx, "g1")
	must(t, err)
	want := user("g1")
	want.GuestUntil = until
	if got != want || hash != "" {
		t.Errorf("got %+v, %q, want %+v", got, hash, want)
	}
	if users, err := store.Users(ctx); err != nil || len(users) != 3 || users[1] != want || users[0] != user("anna") {
		t.Errorf("got %+v, %v", users, err)
	}
	must(t, store.EndGuest(ctx, "g1", day))
	must(t, store.EndGuest(ctx, "g1", until)) // never later
	must(t, store.EndGuest(ctx, "anna", day)) // no guest
	if got, _, err := store.User(ctx, "g1"); err != nil || !got.GuestUntil.Equal(day) {
		t.Errorf("ended: got %+v, %v", got, err)
	}
	must(t, admit("g3")) // there is room again
	remove := func(at time.Time, want int64) {
		t.Helper()
		if n, err := store.DeleteGuests(ctx, at); err != nil || n != want {
			t.Errorf("deleted %d, %v, want %d", n, err, want)
		}
	}
	remove(day.Add(time.Hour), 0) // g1's session is still kept
	_, err = store.DeleteSessions(ctx, day.Add(100*time.Hour))
	must(t, err)
	remove(day.Add(time.Hour), 1)
	wantGone(t, store, "g1")
	remove(until.Add(time.Millisecond), 2)
	wantGone(t, store, "g3")
	if users, err := store.Users(ctx); err != nil || len(users) != 4 || users[0] != user("anna") {
		t.Errorf("left %+v, %v, want anna and ids that stay taken", users, err)
	}
	if err := store.CreateUser(ctx, user("g1"), "hash"); !errors.Is(err, account.ErrTaken) {
		t.Errorf("a guest's id given again: %v", err)
	}
}

func testFirstAdmin(t *testing.T, b backend) {
	handles := []sqlstore.Accounts{b.open(t).Accounts(), b.open(t).Accounts()}
	store, ctx := handles[0], t.Context()
	has := func(want bool) {
		t.Helper()
		if got, err := store.HasAdmin(ctx); err != nil || got != want {
			t.Errorf("HasAdmin: got %v, %v, want %v", got, err, want)
		}
	}
	has(false)
	if _, err := store.MakeFirstAdmin(ctx, "nobody"); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("unknown user: got %v", err)
	}
	errs := make([]error, 8)
	for i := range errs {
		withUser(t, store, fmt.Sprint("u", i))
	}
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			var got account.User
			got, errs[i] = handles[i%2].MakeFirstAdmin(ctx, fmt.Sprint("u", i))
			if errs[i] == nil && !got.Admin {
				t.Errorf("got %+v", got)
			}
		})
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else if !errors.Is(err, account.ErrChanged) {
			t.Errorf("got %v, want ErrChanged", err)
		}
	}
	if made != 1 {
		t.Errorf("%d were made, want 1", made)
	}
	has(true)
}
