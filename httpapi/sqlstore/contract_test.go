package sqlstore_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/sqlstore"

	"github.com/google/go-cmp/cmp"
)

// backend gives handles on one empty database: each call of open is what
// another process would have.
type backend struct {
	open func(t *testing.T) *sqlstore.DB
}

var day = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// testContract is what every database must do.
func testContract(t *testing.T, fresh func(t *testing.T) backend) {
	for name, test := range map[string]func(t *testing.T, b backend){
		"users come back as they were":         testUsers,
		"ids are told apart":                   testIDs,
		"a name that does not fit is refused":  testStrict,
		"one of many registrations wins":       testConcurrentRegistration,
		"sessions are kept and extended":       testSessions,
		"a session needs its user as it was":   testSessionNeedsUser,
		"password change":                      testReplacePassword,
		"disabling ends sessions":              testSetDisabled,
		"an end is made once":                  testEndOnce,
		"the feed misses nothing":              testFeedUnderLoad,
		"the feed comes in pages":              testFeedPages,
		"sign-in against disabling":            testSignInAgainstDisabling,
		"expired sessions are deleted":         testDelete,
		"an invite is kept until it is over":   testInvites,
		"one of many gets the last use":        testLastUse,
		"a refused admission takes no use":     testRefusedAdmission,
		"a user has a bounded number open":     testInviteBound,
		"guests come and go":                   testGuests,
		"one of many is the first admin":       testFirstAdmin,
		"the admin log is kept":                testAdminLog,
		"an entry is undone once":              testUndoOnce,
		"a file comes and goes":                testFiles,
		"files are listed":                     testFileLists,
		"quotas hold for many at once":         testFileQuotas,
		"a user is changed as a whole":         testChangeUser,
		"one of many admins stays":             testLastAdmin,
		"all sessions of a user end":           testEndSessions,
		"a deleted user keeps only the id":     testDeleteUser,
		"one of many admins stays, deleting":   testLastAdminDeletes,
		"people change and others hear of it":  testPeople,
		"revisions miss nothing":               testRevisionsUnderLoad,
		"pictures":                             testPictures,
		"contacts":                             testContacts,
		"texts are kept as they are":           testTexts,
		"marks only grow":                      testMarks,
		"announcements are kept":               testAnnouncements,
		"newcomers see what was announced":     testAnnouncementsForNewcomers,
		"many acknowledge at once":             testManyAcknowledge,
		"groups and who is in them":            testGroups,
		"names of groups":                      testGroupNames,
		"search":                               testSearch,
		"files of messages":                    testTextFiles,
		"calls that are over":                  testCalls,
		"messages come in pages":               testPaging,
		"chats come in pages":                  testChatList,
		"a deleted account":                    testGone,
		"old messages go":                      testRetention,
		"several servers write":                testWriters,
		"another handle sees it, and restarts": testReopen,
		"many open at once":                    testOpenAtOnce,
	} {
		t.Run(name, func(t *testing.T) { test(t, fresh(t)) })
	}
}

func user(id string) account.User {
	return account.User{ID: id, Name: "Name of " + id, CreatedAt: day}
}

func session(id, userID string) account.Session {
	return account.Session{ID: id, UserID: userID, ExpiresAt: day.Add(3 * time.Hour)}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// withUser adds a user whose hash is "hash" and sessions of the user.
func withUser(t *testing.T, store sqlstore.Accounts, id string, sessions ...string) {
	t.Helper()
	must(t, store.CreateUser(t.Context(), user(id), "hash"))
	for _, s := range sessions {
		must(t, store.CreateSession(t.Context(), session(s, id), "hash"))
	}
}

func idsOf(ends []account.EndedSession) []string {
	var ids []string
	for _, end := range ends {
		ids = append(ids, end.ID)
	}
	slices.Sort(ids)
	return ids
}

func testUsers(t *testing.T, b backend) {
	store, ctx := b.open(t).Accounts(), t.Context()
	names := []string{
		`Robert'); DROP TABLE users;--`, `<script>alert("x")</script>&amp;`, `\' " \\ %_ ? :a @b`,
		"李雷", "e\u0301 é", "👩🏽‍🚒 ok", strings.Repeat("長", 64), "a\tb",
	}
	var want []account.User
	for i, name := range names {
		u := account.User{
			ID: fmt.Sprintf("u%d", i), Name: name, Admin: i%2 == 0, Disabled: i%3 == 0,
			CreatedAt: day.Add(time.Duration(i) * time.Millisecond),
		}
		must(t, store.CreateUser(ctx, u, "hash of "+u.ID))
		got, hash, err := store.User(ctx, u.ID)
		must(t, err)
		if got != u || hash != "hash of "+u.ID {
			t.Errorf("got %+v, %q, want %+v", got, hash, u)
		}
		want = append(want, u)
	}
	for i := range want {
		want[i].Name = names[(i+1)%len(names)]
		got, err := store.RenameUser(ctx, want[i].ID, want[i].Name)
		must(t, err)
		if got != want[i] {
			t.Errorf("renamed: got %+v, want %+v", got, want[i])
		}
		// The same name again is no failure.
		_, err = store.RenameUser(ctx, want[i].ID, want[i].Name)
		must(t, err)
	}
	got, err := store.Users(ctx)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	if _, _, err := store.User(ctx, "nobody"); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("unknown user: got %v", err)
	}
	if _, _, err := store.User(ctx, "u0' OR '1'='1"); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("SQL as id: got %v", err)
	}
	if _, err := store.RenameUser(ctx, "nobody", "x"); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("rename unknown user: got %v", err)
	}
}

func testIDs(t *testing.T, b backend) {
	store, ctx := b.open(t).Accounts(), t.Context()
	// Ids that a careless collation takes for one.
	ids := []string{"anna", "Anna", "ánna", "ss", "ß", "a-b", "ab", "a.b", "a_b"}
	for _, id := range ids {
		must(t, store.CreateUser(ctx, user(id), "hash"))
	}
	for _, id := range ids {
		got, _, err := store.User(ctx, id)
		must(t, err)
		if got.ID != id {
			t.Errorf("got %q, want %q", got.ID, id)
		}
		if err := store.CreateUser(ctx, user(id), "other"); !errors.Is(err, account.ErrTaken) {
			t.Errorf("%q again: got %v", id, err)
		}
	}
}

func testStrict(t *testing.T, b backend) {
	store, ctx := b.open(t).Accounts(), t.Context()
	u := user("long")
	u.Name = strings.Repeat("x", 300)
	if err := store.CreateUser(ctx, u, "hash"); err == nil {
		got, _, err := store.User(ctx, "long")
		must(t, err)
		if got.Name != u.Name {
			t.Errorf("the name was cut to %d characters", len(got.Name))
		}
	}
}

func testConcurrentRegistration(t *testing.T, b backend) {
	handles := []sqlstore.Accounts{b.open(t).Accounts(), b.open(t).Accounts()}
	const tries = 20
	errs := make([]error, tries)
	var wg sync.WaitGroup
	for i := range tries {
		wg.Go(func() {
			u := user("wanted")
			u.Name = fmt.Sprint(i)
			errs[i] = handles[i%2].CreateUser(t.Context(), u, fmt.Sprint(i))
		})
	}
	wg.Wait()
	var winners []int
	for i, err := range errs {
		if err == nil {
			winners = append(winners, i)
		} else if !errors.Is(err, account.ErrTaken) {
			t.Errorf("loser %d: got %v, want ErrTaken", i, err)
		}
	}
	if len(winners) != 1 {
		t.Fatalf("got winners %v, want one", winners)
	}
	got, hash, err := handles[0].User(t.Context(), "wanted")
	must(t, err)
	if want := fmt.Sprint(winners[0]); got.Name != want || hash != want {
		t.Errorf("kept %q, %q, want what the winner wrote: %q", got.Name, hash, want)
	}
}

func testReopen(t *testing.T, b backend) {
	db := b.open(t)
	withUser(t, db.Accounts(), "anna", "s1", "s2")
	_, err := db.Accounts().EndSession(t.Context(), "s1")
	must(t, err)
	check := func(when string) {
		t.Helper()
		other := b.open(t)
		must(t, other.Ping(t.Context()))
		got, hash, err := other.Accounts().User(t.Context(), "anna")
		must(t, err)
		if got != user("anna") || hash != "hash" {
			t.Errorf("%s: got %+v, %q", when, got, hash)
		}
		for id, want := range map[string]bool{"s1": true, "s2": false} {
			if _, ended, err := other.Accounts().Session(t.Context(), id); err != nil || ended != want {
				t.Errorf("%s: %s: ended %v, %v, want %v", when, id, ended, err, want)
			}
		}
		must(t, other.Close())
	}
	check("beside it")
	must(t, db.Close())
	check("after it")
}

func testOpenAtOnce(t *testing.T, b backend) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := b.open(t).Accounts().CreateUser(t.Context(), user(fmt.Sprint("u", i)), "hash"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	users, err := b.open(t).Accounts().Users(t.Context())
	must(t, err)
	if len(users) != 8 {
		t.Errorf("got %d users, want 8", len(users))
	}
}
