package sqlstore_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldphone/httpapi/sqlstore"
	"fieldphone/rtc"
	"fieldphone/rtc/announce"

	"github.com/google/go-cmp/cmp"
)

func said(name string, at time.Time) announce.Announcement {
	return announce.Announcement{
		Name: name, From: rtc.User{ID: "boss", Name: "Bóss 老板"}, Body: "Wasser \n'; DROP TABLE users;-- 水 " + strings.Repeat("é", 900), At: at,
	}
}

func withPeople(t *testing.T, db *sqlstore.DB, ids ...string) {
	t.Helper()
	for _, id := range ids {
		must(t, db.Accounts().CreateUser(t.Context(), user(id), "hash"))
	}
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: -want +got:\n%s", what, diff)
	}
}

func testAnnouncements(t *testing.T, b backend) {
	db, ctx := b.open(t), t.Context()
	withPeople(t, db, "anna", "Anna", "bo")
	store := db.Announcements()
	first, second := said("first-name", day), said("second-name", day.Add(time.Minute))
	second.Tag, second.Body = "medics 医", "x"
	for _, a := range []announce.Announcement{first, second} {
		kept, fresh, err := store.Add(ctx, a, []string{"anna", "bo", "gone"})
		must(t, err)
		same(t, "kept", a, kept)
		if !fresh {
			t.Error("it is not fresh")
		}
	}
	kept, fresh, err := store.Add(ctx, said("first-name", day.Add(time.Hour)), []string{"Anna"})
	must(t, err)
	same(t, "again", first, kept)
	if fresh {
		t.Error("the same again is fresh")
	}
	pending, err := store.Pending(ctx, "anna")
	must(t, err)
	same(t, "pending", []announce.Announcement{second, first}, pending)
	if pending, err = store.Pending(ctx, "Anna"); err != nil || len(pending) != 0 {
		t.Errorf("another's id with other letters: %v, %v", pending, err)
	}

	at := day.Add(2 * time.Minute)
	for i, want := range []bool{true, false} {
		if got, err := store.Acknowledge(ctx, "first-name", "anna", at.Add(time.Duration(i)*time.Hour)); err != nil || got != want {
			t.Errorf("acknowledge %d: %v, %v", i, got, err)
		}
	}
	for _, who := range []string{"Anna", "nobody"} {
		if _, err := store.Acknowledge(ctx, "first-name", who, at); !errors.Is(err, announce.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", who, err)
		}
	}
	if _, err := store.Acknowledge(ctx, "no-such-name", "anna", at); !errors.Is(err, announce.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	entry, err := b.open(t).Announcements().Entry(ctx, "first-name")
	must(t, err)
	same(t, "entry; who has no account any more does not count", announce.Entry{Announcement: first, Seen: 1, Of: 2}, entry)
	seen, missing, err := store.Readers(ctx, "first-name")
	must(t, err)
	same(t, "seen", []announce.Reader{{User: rtc.User{ID: "anna", Name: "Name of anna"}, At: at}}, seen)
	same(t, "missing", []rtc.User{{ID: "bo", Name: "Name of bo"}}, missing)

	list, err := store.List(ctx, "anna", false, 10)
	must(t, err)
	same(t, "list", []announce.Entry{{Announcement: second, Of: 2, Mine: true}, {Announcement: first, Seen: 1, Of: 2, Mine: true, SeenAt: at}}, list)
	if list, err = store.List(ctx, "Anna", false, 10); err != nil || len(list) != 0 {
		t.Errorf("of somebody else: %v, %v", list, err)
	}
	if list, err = store.List(ctx, "boss", true, 1); err != nil || len(list) != 1 || list[0].Name != second.Name || list[0].Mine {
		t.Errorf("of an administrator: %v, %v", list, err)
	}
	if _, err := store.Entry(ctx, "no-such-name"); !errors.Is(err, announce.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func testAnnouncementsForNewcomers(t *testing.T, b backend) {
	db, ctx := b.open(t), t.Context()
	store := db.Announcements()
	spoken := said("spoken-name", day.Add(2*time.Minute))
	spoken.Attention, spoken.Body = true, ""
	for _, a := range []announce.Announcement{said("older-name", day), said("newer-name", day.Add(time.Minute)), spoken} {
		_, _, err := store.Add(ctx, a, []string{"anna"})
		must(t, err)
	}
	withPeople(t, db, "late", "boss")
	missed, err := store.Missed(ctx, "late", day.Add(time.Second))
	must(t, err)
	same(t, "missed", []announce.Announcement{said("newer-name", day.Add(time.Minute))}, missed)
	for _, who := range []string{"boss", "anna"} {
		if missed, err := store.Missed(ctx, who, day); err != nil || len(missed) != 0 {
			t.Errorf("%s missed %v, %v", who, missed, err)
		}
	}
	var wg sync.WaitGroup
	for range 8 { // as from many tabs
		wg.Go(func() { must(t, store.Include(ctx, "newer-name", "late")) })
	}
	wg.Wait()
	if err := store.Include(ctx, "no-such-name", "late"); !errors.Is(err, announce.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	pending, err := store.Pending(ctx, "late")
	must(t, err)
	same(t, "pending", []announce.Announcement{said("newer-name", day.Add(time.Minute))}, pending)
	must(t, store.Include(ctx, "spoken-name", "late"))
	if pending, err = store.Pending(ctx, "late"); err != nil || len(pending) != 1 {
		t.Errorf("a spoken one waits for an acknowledgement: %v, %v", pending, err)
	}
	must(t, store.End(ctx, "spoken-name", day.Add(time.Hour)))
	must(t, store.End(ctx, "spoken-name", day.Add(2*time.Hour)))
	entry, err := store.Entry(ctx, "spoken-name")
	must(t, err)
	if !entry.Ended.Equal(day.Add(time.Hour)) || !entry.Attention {
		t.Errorf("got %+v", entry)
	}
}

// Ensure that a site of thousands is told at once, that everybody acknowledges at once, and
// that each counts once.
func testManyAcknowledge(t *testing.T, b backend) {
	db, ctx := b.open(t), t.Context()
	store := db.Announcements()
	var everybody []string
	for i := range 2 * 1203 {
		everybody = append(everybody, fmt.Sprintf("user-%04d", i))
	}
	withPeople(t, db, everybody[:40]...)
	_, _, err := store.Add(ctx, said("alarm-name", day), everybody)
	must(t, err)
	var firsts [40]int
	var wg sync.WaitGroup
	for i := range 80 {
		wg.Go(func() {
			first, err := store.Acknowledge(ctx, "alarm-name", everybody[i%40], day.Add(time.Second))
			if err != nil {
				t.Error(err)
			}
			if first && i < 40 {
				firsts[i]++
			} else if first {
				firsts[i-40]--
			}
		})
	}
	wg.Wait()
	for i, n := range firsts {
		if n == 0 {
			t.Errorf("person %d was first never, or twice", i)
		}
	}
	entry, err := store.Entry(ctx, "alarm-name")
	must(t, err)
	if entry.Seen != 40 || entry.Of != 40 {
		t.Errorf("%d of %d have seen it, want 40 of the 40 who have an account", entry.Seen, entry.Of)
	}
}
