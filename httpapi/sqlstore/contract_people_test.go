package sqlstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/people"
	"fieldphone/httpapi/sqlstore"

	"github.com/google/go-cmp/cmp"
)

func wantGone(t *testing.T, store sqlstore.Accounts, id string) {
	t.Helper()
	got, hash, err := store.User(t.Context(), id)
	must(t, err)
	if !got.Gone || got.Name != "" || got.Admin || !got.Disabled || got.Guest() || hash != "" {
		t.Errorf("%s is %+v with hash %q, want nothing but the id", id, got, hash)
	}
}

// personOf reads one person past everything else.
func personOf(t *testing.T, store sqlstore.People, id string) people.Person {
	t.Helper()
	all, err := store.Since(t.Context(), -1)
	must(t, err)
	for _, p := range all {
		if p.ID == id {
			return p
		}
	}
	t.Fatalf("nobody is %s", id)
	return people.Person{}
}

func testDeleteUser(t *testing.T, b backend) {
	db := b.open(t)
	store, profiles, ctx := db.Accounts(), db.People(), t.Context()
	withUser(t, store, "maria", "s1", "s2")
	withUser(t, store, "bert", "s3")
	line, tags := "medic", []string{"medics"}
	must(t, profiles.ChangePerson(ctx, "maria", people.Change{Line: &line, Tags: &tags, Quiet: yes()}))
	must(t, profiles.SetPicture(ctx, "maria", "v1", []byte("jpeg")))
	must(t, profiles.ChangeContact(ctx, "maria", "bert", people.ContactChange{Favourite: yes()}, 10))
	must(t, profiles.ChangeContact(ctx, "bert", "maria", people.ContactChange{Blocked: yes()}, 10))
	must(t, store.CreateInvite(ctx, account.Invite{ID: "i1", CreatedBy: "maria", CreatedAt: day, ExpiresAt: day.Add(time.Hour), Uses: 1}, "code", 10))

	if _, err := store.DeleteUser(ctx, "maria", "other hash", day); !errors.Is(err, account.ErrChanged) {
		t.Errorf("with another password: %v", err)
	}
	ends, err := store.DeleteUser(ctx, "maria", "hash", day)
	must(t, err)
	if diff := cmp.Diff([]string{"s1", "s2"}, idsOf(ends)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	wantGone(t, store, "maria")
	got := personOf(t, profiles, "maria")
	got.Rev = 0
	if diff := cmp.Diff(people.Person{ID: "maria", Disabled: true, GoneAt: day}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, _, err := profiles.Picture(ctx, "maria"); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("picture: %v", err)
	}
	if got, err := profiles.Contacts(ctx, "bert"); err != nil || len(got.Blocked) > 0 {
		t.Errorf("bert's contacts: %+v, %v", got, err)
	}
	if _, err := store.Invite(ctx, "code"); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("invite: %v", err)
	}
	// Nothing brings the id back to life.
	name := "Mallory"
	_, changed := store.ChangeUser(ctx, "maria", account.UserChange{Name: &name, Disabled: no()})
	_, enabled := store.SetDisabled(ctx, "maria", false)
	_, password := store.ReplacePassword(ctx, account.PasswordChange{UserID: "maria", Hash: "new"})
	_, again := store.DeleteUser(ctx, "maria", "", day)
	for what, err := range map[string]error{
		"change": changed, "enable": enabled, "password": password, "delete again": again,
		"profile": profiles.ChangePerson(ctx, "maria", people.Change{Name: &name}),
		"picture": profiles.SetPicture(ctx, "maria", "v2", []byte("jpeg")),
		"contact": profiles.ChangeContact(ctx, "bert", "maria", people.ContactChange{Favourite: yes()}, 10),
	} {
		if !errors.Is(err, account.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", what, err)
		}
	}
	if err := store.CreateUser(ctx, user("maria"), "hash"); !errors.Is(err, account.ErrTaken) {
		t.Errorf("the id was given again: %v", err)
	}
	wantGone(t, store, "maria")
}

func testLastAdminDeletes(t *testing.T, b backend) {
	store := b.open(t).Accounts()
	admins := []string{"a", "b", "c", "d"}
	for _, id := range admins {
		withUser(t, store, id)
		_, err := store.ChangeUser(t.Context(), id, account.UserChange{Admin: yes()})
		must(t, err)
	}
	errs := make([]error, len(admins))
	var wg sync.WaitGroup
	for i, id := range admins {
		wg.Go(func() { _, errs[i] = store.DeleteUser(t.Context(), id, "hash", day) })
	}
	wg.Wait()
	refused := 0
	for _, err := range errs {
		if errors.Is(err, account.ErrLastAdmin) {
			refused++
		} else {
			must(t, err)
		}
	}
	if has, err := store.HasAdmin(t.Context()); refused != 1 || err != nil || !has {
		t.Errorf("%d were refused, an administrator is left: %v, %v", refused, has, err)
	}
}

func testPeople(t *testing.T, b backend) {
	db, other := b.open(t), b.open(t)
	store, ctx := db.People(), t.Context()
	withUser(t, db.Accounts(), "maria")
	withUser(t, db.Accounts(), "bert")
	first, err := other.People().Since(ctx, -1)
	must(t, err)
	if len(first) != 2 || first[0].ID != "maria" || first[1].Rev <= first[0].Rev || first[0].Name != "Name of maria" {
		t.Fatalf("got %+v", first)
	}
	last := first[1].Rev
	name, line, tags := "玛丽亚", strings.Repeat("長", 80), []string{"medics", `"'<b>%_`, strings.Repeat("ß", 24)}
	must(t, store.ChangePerson(ctx, "maria", people.Change{Name: &name, Line: &line, Tags: &tags, Quiet: yes()}))
	want := people.Person{ID: "maria", Name: name, Line: line, Tags: tags, Quiet: true}
	got, err := other.People().Since(ctx, last)
	must(t, err)
	if len(got) == 1 && got[0].Rev > last {
		want.Rev, last = got[0].Rev, got[0].Rev
	}
	if diff := cmp.Diff([]people.Person{want}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// What is not named stays; none is none.
	must(t, store.ChangePerson(ctx, "maria", people.Change{Tags: new([]string)}))
	want.Tags = nil
	got, err = other.People().Since(ctx, last)
	must(t, err)
	if len(got) == 1 {
		want.Rev = got[0].Rev
	}
	if diff := cmp.Diff([]people.Person{want}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := store.ChangePerson(ctx, "nobody", people.Change{Line: &line}); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
	// What accounts do is heard of as well.
	seen := func(what, id string, do func() error) {
		t.Helper()
		all, err := store.Since(ctx, -1)
		must(t, err)
		before := all[len(all)-1].Rev
		must(t, do())
		if changed, err := store.Since(ctx, before); err != nil || len(changed) != 1 || changed[0].ID != id {
			t.Errorf("%s: heard of %+v, %v", what, changed, err)
		}
	}
	accounts := db.Accounts()
	seen("rename", "bert", func() error { _, err := accounts.RenameUser(ctx, "bert", "B"); return err })
	seen("disable", "bert", func() error { _, err := accounts.SetDisabled(ctx, "bert", true); return err })
	seen("change", "bert", func() error {
		_, err := accounts.ChangeUser(ctx, "bert", account.UserChange{Disabled: no()})
		return err
	})
	seen("first admin", "bert", func() error { _, err := accounts.MakeFirstAdmin(ctx, "bert"); return err })
	seen("guest", "g1", func() error {
		u := user("g1")
		u.GuestUntil = day.Add(time.Hour)
		return accounts.Admit(ctx, account.Admission{User: u, Now: day})
	})
	if p := personOf(t, store, "g1"); !p.GuestUntil.Equal(day.Add(time.Hour)) {
		t.Errorf("got %+v", p)
	}
	seen("guest's end", "g1", func() error { return accounts.EndGuest(ctx, "g1", day) })
	seen("guest deleted", "g1", func() error { _, err := accounts.DeleteGuests(ctx, day.Add(time.Hour)); return err })
}

// Ensure that a reader who goes on from the last revision it saw misses no
// change, whatever other handles write meanwhile.
func testRevisionsUnderLoad(t *testing.T, b backend) {
	handles := []sqlstore.People{b.open(t).People(), b.open(t).People()}
	const writers, changes = 4, 15
	for i := range writers {
		withUser(t, handles[0].Accounts, fmt.Sprint("u", i))
	}
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for n := range changes {
				line := fmt.Sprint(n)
				if err := handles[i%2].ChangePerson(t.Context(), fmt.Sprint("u", i), people.Change{Line: &line}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	lines, after := map[string]string{}, int64(-1)
	for finished := false; ; {
		changed, err := handles[1].Since(t.Context(), after)
		must(t, err)
		for _, p := range changed {
			lines[p.ID], after = p.Line, p.Rev
		}
		if finished {
			break
		}
		select {
		case <-done:
			finished = true
		default:
		}
	}
	for i := range writers {
		if got := lines[fmt.Sprint("u", i)]; got != fmt.Sprint(changes-1) {
			t.Errorf("u%d was last seen with %q", i, got)
		}
	}
}

func testPictures(t *testing.T, b backend) {
	db := b.open(t)
	store, ctx := db.People(), t.Context()
	withUser(t, db.Accounts(), "maria")
	none := func() {
		t.Helper()
		if _, _, err := store.Picture(ctx, "maria"); !errors.Is(err, account.ErrNotFound) || personOf(t, store, "maria").Picture != "" {
			t.Errorf("got %v", err)
		}
	}
	none()
	big := bytes.Repeat([]byte{0, 255, '\'', '\\'}, 50_000)
	for version, jpeg := range map[string][]byte{"v1": []byte("small"), "v2": big} {
		must(t, store.SetPicture(ctx, "maria", version, jpeg))
		got, content, err := store.Picture(ctx, "maria")
		must(t, err)
		if got != version || !bytes.Equal(content, jpeg) || personOf(t, store, "maria").Picture != version {
			t.Errorf("got %s with %d bytes, want %s with %d", got, len(content), version, len(jpeg))
		}
	}
	must(t, store.SetPicture(ctx, "maria", "", nil))
	none()
}

func testContacts(t *testing.T, b backend) {
	db := b.open(t)
	store, ctx := db.People(), t.Context()
	for _, id := range []string{"maria", "bert", "cleo", "dora"} {
		withUser(t, db.Accounts(), id)
	}
	mark := func(other string, change people.ContactChange) error {
		return store.ChangeContact(ctx, "maria", other, change, 2)
	}
	want := func(favourites, blocked []string) {
		t.Helper()
		got, err := store.Contacts(ctx, "maria")
		must(t, err)
		if diff := cmp.Diff(people.Contacts{Favourites: favourites, Blocked: blocked}, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	want([]string{}, []string{})
	must(t, mark("bert", people.ContactChange{Favourite: yes()}))
	must(t, mark("bert", people.ContactChange{Blocked: yes()}))
	must(t, mark("cleo", people.ContactChange{Blocked: yes()}))
	want([]string{"bert"}, []string{"bert", "cleo"})
	if err := mark("dora", people.ContactChange{Favourite: yes()}); !errors.Is(err, account.ErrFull) {
		t.Errorf("a contact too many: %v", err)
	}
	must(t, mark("cleo", people.ContactChange{Favourite: yes()})) // not one more
	must(t, mark("cleo", people.ContactChange{Favourite: no()}))
	blocks, err := store.Blocks(ctx)
	must(t, err)
	if diff := cmp.Diff(map[string][]string{"maria": {"bert", "cleo"}}, blocks); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if some, err := store.Blocks(ctx, "bert", "x' OR 1=1 --"); err != nil || len(some) != 0 {
		t.Errorf("got %v, %v", some, err)
	}
	must(t, mark("cleo", people.ContactChange{Blocked: no()}))
	must(t, mark("dora", people.ContactChange{Favourite: yes()})) // there is room again
	want([]string{"bert", "dora"}, []string{"bert"})
	for _, id := range []string{"nobody", ""} {
		if err := store.ChangeContact(ctx, "bert", id, people.ContactChange{Blocked: yes()}, 9); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("%q: got %v", id, err)
		}
	}
}
