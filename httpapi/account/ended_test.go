package account_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldphone/httpapi/account"
)

// heard collects what a service tells of ended sessions.
type heard struct {
	mu  sync.Mutex
	ids []string
}

func listen(t *testing.T, s *account.Service) *heard {
	h := &heard{}
	t.Cleanup(s.OnSessionEnded(func(session account.Session) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ids = append(h.ids, session.UserID+" "+session.ID)
	}))
	return h
}

func (h *heard) sorted() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(slices.Values(h.ids))
}

func wantList(grants ...account.Grant) []string {
	var list []string
	for _, g := range grants {
		list = append(list, g.Session.UserID+" "+g.Session.ID)
	}
	slices.Sort(list)
	return list
}

// TestEndsEverywhere ends sessions through one service, and by a command that
// never polls, and sees them end in another one within a second, each told
// once everywhere.
func TestEndsEverywhere(t *testing.T) {
	for name, test := range map[string]struct {
		end       func(ctx context.Context, s *account.Service, g account.Grant) error
		wholeUser bool
	}{
		"sign out": {func(ctx context.Context, s *account.Service, g account.Grant) error {
			return s.SignOut(ctx, g.Session.ID)
		}, false},
		"change password": {func(ctx context.Context, s *account.Service, g account.Grant) error {
			fresh, err := s.ChangePassword(ctx, g.User.ID, password, "another password")
			if err != nil {
				return err
			}
			_, err = s.Authenticate(ctx, fresh.Token)
			return err
		}, true},
		"set password": {func(ctx context.Context, s *account.Service, g account.Grant) error {
			return s.SetPassword(ctx, "ANNA", "another password")
		}, true},
		"disable": {func(ctx context.Context, s *account.Service, g account.Grant) error {
			return s.SetDisabled(ctx, "Anna", true)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			site := newSite(t)
			here, there, command := site.service(t), site.service(t), site.service(t)
			run(t, here)
			run(t, there)
			addUser(t, here, "anna")
			addUser(t, here, "bert")
			one, two, other := signIn(t, here, "anna"), signIn(t, there, "anna"), signIn(t, there, "bert")
			ended, goesOn := []account.Grant{one, two}, []account.Grant{other}
			if !test.wholeUser {
				ended, goesOn = []account.Grant{one}, []account.Grant{two, other}
			}
			heardHere, heardThere := listen(t, here), listen(t, there)

			must(t, test.end(t.Context(), here, one))
			for _, g := range ended {
				_, err := here.Authenticate(t.Context(), g.Token)
				wantCode(t, "at once, where it was ended", err, account.CodeSessionRevoked)
			}
			if got, want := heardHere.sorted(), wantList(ended...); !slices.Equal(got, want) {
				t.Errorf("told at once where it was ended: got %q, want %q", got, want)
			}
			for _, g := range ended {
				within(t, time.Second, "the end is seen elsewhere", func() bool {
					_, err := there.Authenticate(t.Context(), g.Token)
					return account.CodeOf(err) == account.CodeSessionRevoked
				})
			}
			for _, g := range goesOn {
				for _, s := range []*account.Service{here, there} {
					if _, err := s.Authenticate(t.Context(), g.Token); err != nil {
						t.Errorf("a session that was not meant: %v", err)
					}
				}
			}
			// What comes last has passed by both feeds after everything else.
			must(t, command.SignOut(t.Context(), other.Session.ID))
			want := wantList(append(ended, other)...)
			within(t, time.Second, "the command's end is told", func() bool {
				return len(heardHere.sorted()) >= len(want) && len(heardThere.sorted()) >= len(want)
			})
			for _, h := range []*heard{heardHere, heardThere} {
				if got := h.sorted(); !slices.Equal(got, want) {
					t.Errorf("told: got %q, want each once: %q", got, want)
				}
			}
			// A server that starts later knows, and tells nobody.
			later := site.service(t)
			heardLater := listen(t, later)
			for _, g := range append(ended, other) {
				_, err := later.Authenticate(t.Context(), g.Token)
				wantCode(t, "after a restart", err, account.CodeSessionRevoked)
				_, err = later.SessionExpiry(t.Context(), g.Session.ID)
				wantCode(t, "SessionExpiry", err, account.CodeSessionRevoked)
			}
			if got := heardLater.sorted(); len(got) != 0 {
				t.Errorf("told of the past: %q", got)
			}
		})
	}
}

func TestEndedIsNeverRenewed(t *testing.T) {
	site := newSite(t)
	s := site.service(t)
	other := site.service(t)
	addUser(t, s, "anna")
	first := signIn(t, s, "anna")
	site.clock.advance(2 * time.Hour)
	second, renewed, err := s.Renew(t.Context(), first.Token)
	if err != nil || !renewed {
		t.Fatalf("got %v, %v", renewed, err)
	}
	must(t, s.SignOut(t.Context(), first.Session.ID))
	must(t, s.SignOut(t.Context(), first.Session.ID))
	site.clock.advance(2 * time.Hour)
	for name, s := range map[string]*account.Service{"here": s, "where it was not heard of yet": other} {
		_, renewed, err = s.Renew(t.Context(), second.Token)
		if renewed || account.CodeOf(err) != account.CodeSessionRevoked {
			t.Errorf("%s: got %v, %v, want session_revoked", name, renewed, err)
		}
	}
	_, err = s.Authenticate(t.Context(), second.Token)
	wantCode(t, "authenticate", err, account.CodeSessionRevoked)
	wantCode(t, "end an unknown session", s.SignOut(t.Context(), "unknown"), account.CodeSessionExpired)
}

// TestMoreEndsThanRoom: what does not fit into memory is asked for.
func TestMoreEndsThanRoom(t *testing.T) {
	site := newSite(t)
	small := func(c *account.Config) { c.EndedLimit = 1 }
	s := site.service(t, small)
	addUser(t, s, "anna")
	var grants []account.Grant
	for range 4 {
		grants = append(grants, signIn(t, s, "anna"))
	}
	told := listen(t, s)
	for _, g := range grants[:3] {
		must(t, s.SignOut(t.Context(), g.Session.ID))
	}
	run(t, s)
	for name, s := range map[string]*account.Service{"here": s, "after a restart": site.service(t, small)} {
		for i, g := range grants {
			_, err := s.Authenticate(t.Context(), g.Token)
			wantCode(t, fmt.Sprint(name, i), err, []string{
				account.CodeSessionRevoked, account.CodeSessionRevoked, account.CodeSessionRevoked, "",
			}[i])
		}
	}
	must(t, site.service(t).SignOut(t.Context(), grants[3].Session.ID))
	within(t, time.Second, "the last is told", func() bool { return len(told.sorted()) >= 4 })
	if got, want := told.sorted(), wantList(grants...); !slices.Equal(got, want) {
		t.Errorf("told %q, want each once: %q", got, want)
	}
}

func TestUnsubscribe(t *testing.T) {
	site := newSite(t)
	s := site.service(t)
	addUser(t, s, "anna")
	told := 0
	cancel := s.OnSessionEnded(func(account.Session) { told++ })
	must(t, s.SignOut(t.Context(), signIn(t, s, "anna").Session.ID))
	cancel()
	cancel()
	must(t, s.SignOut(t.Context(), signIn(t, s, "anna").Session.ID))
	if told != 1 {
		t.Errorf("told %d times, want 1", told)
	}
}

// outage is a store that can be cut off.
type outage struct {
	account.Store
	mu    sync.Mutex
	down  bool
	calls int
}

func (o *outage) set(down bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.down = down
}

func (o *outage) ask() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls++
	if o.down {
		return fmt.Errorf("disk on fire: %w", account.ErrUnavailable)
	}
	return nil
}

func (o *outage) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.calls
}

func (o *outage) User(ctx context.Context, id string) (account.User, string, error) {
	if err := o.ask(); err != nil {
		return account.User{}, "", err
	}
	return o.Store.User(ctx, id)
}

func (o *outage) EndSession(ctx context.Context, id string) ([]account.EndedSession, error) {
	if err := o.ask(); err != nil {
		return nil, err
	}
	return o.Store.EndSession(ctx, id)
}

func (o *outage) EndedSessions(ctx context.Context, after int64, limit int) ([]account.EndedSession, error) {
	if err := o.ask(); err != nil {
		return nil, err
	}
	return o.Store.EndedSessions(ctx, after, limit)
}

// TestOutage: without its database the service refuses what needs one, goes on
// with what does not, and catches up afterwards.
func TestOutage(t *testing.T) {
	site := newSite(t)
	store := &outage{Store: site.store(t)}
	var log strings.Builder
	cfg := site.config()
	cfg.PollInterval = 5 * time.Millisecond
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s, err := account.New(t.Context(), cfg, store)
	must(t, err)
	addUser(t, s, "anna")
	one, two := signIn(t, s, "anna"), signIn(t, s, "anna")

	t.Run("cut off", func(t *testing.T) {
		run(t, s)
		store.set(true)
		calls := store.count()
		_, err := s.SignIn(t.Context(), "anna", password, here)
		wantCode(t, "sign in", err, account.CodeUnavailable)
		if !errors.Is(err, account.ErrUnavailable) || !strings.Contains(err.Error(), "disk on fire") {
			t.Errorf("the cause is lost: %v", err)
		}
		wantCode(t, "sign out", s.SignOut(t.Context(), one.Session.ID), account.CodeUnavailable)
		if _, err := s.Authenticate(t.Context(), one.Token); err != nil {
			t.Errorf("authenticate: %v", err)
		}
		must(t, site.service(t).SignOut(t.Context(), two.Session.ID))
		within(t, 10*time.Second, "some polls fail", func() bool { return store.count() > calls+5 })
		store.set(false)
		within(t, time.Second, "the end made meanwhile is seen", func() bool {
			_, err := s.Authenticate(t.Context(), two.Token)
			return account.CodeOf(err) == account.CodeSessionRevoked
		})
	})
	if got := strings.Count(log.String(), "cannot read which sessions were ended elsewhere"); got != 1 {
		t.Errorf("warned %d times, want once:\n%s", got, log.String())
	}
	if !strings.Contains(log.String(), "works again") {
		t.Errorf("recovery is not logged:\n%s", log.String())
	}
	store.set(true)
	if _, err := account.New(t.Context(), cfg, store); account.CodeOf(err) != account.CodeUnavailable {
		t.Errorf("start without a database: got %v", err)
	}
}

// TestAuthenticateAsksNoDatabase counts what reaches the store.
func TestAuthenticateAsksNoDatabase(t *testing.T) {
	site := newSite(t)
	store := &outage{Store: site.store(t)}
	s, err := account.New(t.Context(), site.config(), store)
	must(t, err)
	addUser(t, s, "anna")
	grant := signIn(t, s, "anna")
	store.set(true)
	calls := store.count()
	for range 100 {
		_, err := s.Authenticate(t.Context(), grant.Token)
		must(t, err)
		_, _, err = s.Renew(t.Context(), grant.Token)
		must(t, err)
	}
	if got := store.count() - calls; got != 0 {
		t.Errorf("asked the database %d times", got)
	}
}

func TestExpiredSessionsAreDeleted(t *testing.T) {
	site := newSite(t)
	s := site.service(t, func(c *account.Config) { c.SweepInterval = 5 * time.Millisecond })
	addUser(t, s, "anna")
	old := signIn(t, s, "anna")
	must(t, s.SignOut(t.Context(), old.Session.ID))
	site.clock.advance(26 * time.Hour)
	fresh := signIn(t, s, "anna")
	run(t, s)
	store := site.store(t)
	gone := func() bool {
		_, _, err := store.Session(t.Context(), old.Session.ID)
		return errors.Is(err, account.ErrNotFound)
	}
	if gone() {
		t.Error("an ended session was forgotten within a day of its expiry")
	}
	site.clock.advance(2 * time.Hour)
	within(t, 10*time.Second, "the old session is deleted", gone)
	if _, _, err := store.Session(t.Context(), fresh.Session.ID); err != nil {
		t.Errorf("the fresh session is gone: %v", err)
	}
	_, err := s.Authenticate(t.Context(), old.Token)
	wantCode(t, "the old token", err, account.CodeSessionExpired)
}

func TestCodesAreDistinct(t *testing.T) {
	codes := account.Codes()
	seen := make(map[string]bool)
	for _, code := range codes {
		if code == "" || seen[code] {
			t.Errorf("code %q is empty or there twice", code)
		}
		seen[code] = true
	}
	if len(codes) < 14 {
		t.Errorf("got %d codes", len(codes))
	}
}
