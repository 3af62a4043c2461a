package sqlstore_test

import (
	"errors"
	"sync"
	"testing"

	"fieldphone/httpapi/account"

	"github.com/google/go-cmp/cmp"
)

func yes() *bool { v := true; return &v }

func no() *bool { return new(bool) }

func testChangeUser(t *testing.T, b backend) {
	store := b.open(t).Accounts()
	ctx := t.Context()
	withUser(t, store, "maria", "s1", "s2")
	name := "玛丽亚"
	want := user("maria")
	want.Name, want.Admin = name, true
	changed, err := store.ChangeUser(ctx, "maria", account.UserChange{Name: &name, Admin: yes()})
	must(t, err)
	if diff := cmp.Diff(account.Changed{Before: user("maria"), After: want}, changed); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	withUser(t, store, "jose", "s3")
	changed, err = store.ChangeUser(ctx, "jose", account.UserChange{Disabled: yes()})
	must(t, err)
	if diff := cmp.Diff([]string{"s3"}, idsOf(changed.Ends)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// The same again ends nothing and is no error.
	changed, err = store.ChangeUser(ctx, "jose", account.UserChange{Disabled: yes()})
	must(t, err)
	if len(changed.Ends) > 0 || !changed.Before.Disabled {
		t.Errorf("got %+v", changed)
	}
	got, _, err := store.User(ctx, "maria")
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := store.ChangeUser(ctx, "nobody", account.UserChange{Name: &name}); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

// Ensure that administrators who all step down at once leave one.
func testLastAdmin(t *testing.T, b backend) {
	store := b.open(t).Accounts()
	ctx := t.Context()
	admins := []string{"a", "b", "c", "d"}
	for _, id := range admins {
		withUser(t, store, id)
		_, err := store.ChangeUser(ctx, id, account.UserChange{Admin: yes()})
		must(t, err)
	}
	results := make([]error, len(admins))
	var wg sync.WaitGroup
	for i, id := range admins {
		wg.Go(func() {
			change := account.UserChange{Admin: no()}
			if i%2 == 0 {
				change = account.UserChange{Disabled: yes()}
			}
			_, results[i] = store.ChangeUser(ctx, id, change)
		})
	}
	wg.Wait()
	refused := 0
	for _, err := range results {
		if errors.Is(err, account.ErrLastAdmin) {
			refused++
		} else {
			must(t, err)
		}
	}
	if refused != 1 {
		t.Errorf("%d were refused, want 1: %v", refused, results)
	}
}

func testEndSessions(t *testing.T, b backend) {
	store := b.open(t).Accounts()
	withUser(t, store, "maria", "s1", "s2")
	withUser(t, store, "jose", "s3")
	ends, err := store.EndSessions(t.Context(), "maria")
	must(t, err)
	if diff := cmp.Diff([]string{"s1", "s2"}, idsOf(ends)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := store.EndSessions(t.Context(), "nobody"); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}
