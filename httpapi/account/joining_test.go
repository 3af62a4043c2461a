package account_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldphone/httpapi/account"
)

// joining gives a service with rules.
func (s *site) joining(t *testing.T, rules account.Registration) *account.Service {
	t.Helper()
	return s.service(t, func(c *account.Config) {
		c.Registration = rules
		c.SweepInterval = time.Millisecond
		c.RegisterRate = account.Rate{Burst: 1000, PerMinute: 1000}
	})
}

func register(t *testing.T, s *account.Service, id, invite string) error {
	t.Helper()
	_, err := s.Register(t.Context(), account.Newcomer{ID: id, Name: strings.ToUpper(id), Password: password, Invite: invite}, here)
	return err
}

func newInvite(t *testing.T, s *account.Service, by string, uses int, lifetime time.Duration) (account.Invite, string) {
	t.Helper()
	invite, code, err := s.NewInvite(t.Context(), by, uses, lifetime)
	must(t, err)
	return invite, code
}

func TestPolicies(t *testing.T) {
	forged := strings.Repeat("A", 26)
	for policy, want := range map[account.Policy]struct{ without, forged, guest string }{
		account.PolicyOpen:   {"", account.CodeInviteUnknown, ""},
		account.PolicyInvite: {account.CodeInviteRequired, account.CodeInviteUnknown, account.CodeInviteRequired},
		account.PolicyClosed: {account.CodeRegistrationClosed, account.CodeRegistrationClosed, account.CodeRegistrationClosed},
	} {
		t.Run(string(policy), func(t *testing.T) {
			s := newSite(t).joining(t, account.Registration{Policy: policy, Guests: true})
			wantCode(t, "without an invite", register(t, s, "anna", ""), want.without)
			for _, code := range []string{forged, strings.Repeat("x", 1<<16), "\x00'; --"} {
				wantCode(t, "forged", register(t, s, "bert", code), want.forged)
			}
			_, err := s.Guest(t.Context(), "Cleo", "", here)
			wantCode(t, "guest", err, want.guest)
			_, err = s.AddUser(t.Context(), "dora", "Dora", password, false)
			must(t, err)
		})
	}
	s := newSite(t).joining(t, account.Registration{})
	_, err := s.Guest(t.Context(), "Cleo", "", here)
	wantCode(t, "guests off", err, account.CodeGuestsOff)
}

func TestInviteFromMakingToItsEnd(t *testing.T) {
	site := newSite(t)
	s := site.joining(t, account.Registration{Policy: account.PolicyInvite, Guests: true})
	_, err := s.AddUser(t.Context(), "root", "The Root", password, true)
	must(t, err)
	invite, code := newInvite(t, s, "root", 2, time.Hour)
	if len(code) < 26 || strings.Contains(invite.ID, code) {
		t.Errorf("code %q, id %q", code, invite.ID)
	}
	got, by, err := s.LookUpInvite(t.Context(), " "+strings.ToLower(code)+"\n", here)
	if err != nil || by.Name != "The Root" || got != invite {
		t.Errorf("got %+v by %+v, %v", got, by, err)
	}
	must(t, register(t, s, "anna", code))
	wantCode(t, "an id that is taken", register(t, s, "anna", code), account.CodeIDTaken)
	if grant, err := s.Guest(t.Context(), "Bert", code, here); err != nil || !grant.User.Guest() {
		t.Errorf("got %+v, %v", grant, err)
	}
	wantCode(t, "used up", register(t, s, "cleo", code), account.CodeInviteUsedUp)

	_, short := newInvite(t, s, "root", 1, time.Minute)
	site.clock.advance(time.Minute)
	wantCode(t, "expired", register(t, s, "cleo", short), account.CodeInviteExpired)
	_, _, err = s.LookUpInvite(t.Context(), short, here)
	wantCode(t, "expired, looked up", err, account.CodeInviteExpired)

	revoked, dead := newInvite(t, s, "", 0, 0)
	if revoked.Uses != 1 || revoked.ExpiresAt.Sub(revoked.CreatedAt) != 24*time.Hour {
		t.Errorf("defaults: %+v", revoked)
	}
	must(t, s.RevokeInvite(t.Context(), "root", revoked.ID))
	wantCode(t, "revoked", register(t, s, "cleo", dead), account.CodeInviteRevoked)
	for _, code := range []string{short, dead} {
		_, err := s.Guest(t.Context(), "Cleo", code, here)
		if account.CodeOf(err) == "" {
			t.Errorf("a guest came in by %s", code)
		}
	}
	run(t, s)
	site.clock.advance(9 * 24 * time.Hour)
	within(t, 5*time.Second, "the invites are forgotten", func() bool {
		invites, err := s.Invites(t.Context(), "root")
		return err == nil && len(invites) == 0
	})
}

func TestWhoMayInvite(t *testing.T) {
	for _, rules := range []account.Registration{
		{Policy: account.PolicyOpen, Guests: true},
		{Policy: account.PolicyInvite, Guests: true},
		{Policy: account.PolicyInvite, Guests: true, UsersMayInvite: true},
	} {
		s := newSite(t).joining(t, rules)
		_, err := s.AddUser(t.Context(), "root", "Root", password, true)
		must(t, err)
		addUser(t, s, "anna")
		addUser(t, s, "bert")
		first, code := newInvite(t, s, "root", 5, 0)
		grant, err := s.Guest(t.Context(), "Guest", code, here)
		must(t, err)
		want := account.CodeNotAllowed
		if rules.Policy == account.PolicyOpen || rules.UsersMayInvite {
			want = ""
		}
		_, _, err = s.NewInvite(t.Context(), "anna", 1, 0)
		wantCode(t, "a user", err, want)
		_, _, err = s.NewInvite(t.Context(), grant.User.ID, 1, 0)
		wantCode(t, "a guest", err, account.CodeNotAllowed)
		_, _, err = s.NewInvite(t.Context(), "nobody", 1, 0)
		wantCode(t, "nobody", err, account.CodeNotFound)
		wantCode(t, "another's invite", s.RevokeInvite(t.Context(), "bert", first.ID), account.CodeNotFound)
		if invites, err := s.Invites(t.Context(), "bert"); err != nil || len(invites) != 0 {
			t.Errorf("bert sees %+v, %v", invites, err)
		}
	}
	s := newSite(t).joining(t, account.Registration{Policy: account.PolicyClosed})
	_, _, err := s.NewInvite(t.Context(), "", 1, 0)
	wantCode(t, "closed", err, account.CodeRegistrationClosed)
	s = newSite(t).joining(t, account.Registration{})
	for _, try := range []struct {
		uses     int
		lifetime time.Duration
		field    string
	}{{-1, 0, "uses"}, {501, 0, "uses"}, {1, -1, "expires_in"}, {1, time.Second, "expires_in"}, {1, 31 * 24 * time.Hour, "expires_in"}} {
		_, _, err := s.NewInvite(t.Context(), "", try.uses, try.lifetime)
		if e, ok := errors.AsType[*account.Error](err); !ok || e.Code != account.CodeInvalidInvite || e.Field != try.field {
			t.Errorf("%+v: got %v", try, err)
		}
	}
	addUser(t, s, "anna")
	for range 100 {
		newInvite(t, s, "anna", 1, 0)
	}
	_, _, err = s.NewInvite(t.Context(), "anna", 1, 0)
	wantCode(t, "too many", err, account.CodeTooManyInvites)
}

// Ensure that of many who come by an invite's last use one gets in, and the
// others are told why.
func TestRaceForTheLastUse(t *testing.T) {
	site := newSite(t)
	rules := account.Registration{Policy: account.PolicyInvite, Guests: true}
	services := []*account.Service{site.joining(t, rules), site.joining(t, rules)}
	_, code := newInvite(t, services[0], "", 1, 0)
	errs := make([]error, 12)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = services[i%2].Guest(t.Context(), "Guest", code, here) })
	}
	wg.Wait()
	in := 0
	for _, err := range errs {
		if err == nil {
			in++
		} else {
			wantCode(t, "a loser", err, account.CodeInviteUsedUp)
		}
	}
	if in != 1 {
		t.Errorf("%d got in, want 1", in)
	}
}

func TestGuestFromComingToGoing(t *testing.T) {
	site := newSite(t)
	s := site.joining(t, account.Registration{Guests: true, GuestTTL: 4 * time.Hour, MaxGuests: 2})
	grant, err := s.Guest(t.Context(), " <b>Maria ", "", here)
	must(t, err)
	user := grant.User
	if user.Name != "<b>Maria" || !user.Guest() || !strings.HasPrefix(user.ID, "guest-") || user.Admin {
		t.Errorf("got %+v", user)
	}
	if _, err := account.NormalizeID(user.ID); err != nil {
		t.Errorf("%s is no id: %v", user.ID, err)
	}
	// bcrypt takes an empty hash for a mistake of the server's.
	bcrypted := site.service(t, func(c *account.Config) { c.Hasher, c.BcryptCost = nil, 4 })
	for _, password := range []string{"", "hash of ", "correct horse"} {
		_, err := bcrypted.SignIn(t.Context(), user.ID, password, here)
		wantCode(t, "signing in as a guest", err, account.CodeWrongCredentials)
	}
	_, err = bcrypted.ChangePassword(t.Context(), user.ID, "", "new password")
	wantCode(t, "changing no password", err, account.CodeWrongCredentials)
	_, err = s.Guest(t.Context(), "\u200b", "", here)
	wantCode(t, "no name", err, account.CodeInvalidName)

	// A session in use is renewed, but never past the guest's end.
	end := user.GuestUntil
	for _, step := range []time.Duration{2 * time.Hour, 90 * time.Minute} {
		site.clock.advance(step)
		next, renewed, err := s.Renew(t.Context(), grant.Token)
		if err != nil || !renewed || next.Session.ExpiresAt.After(end) {
			t.Fatalf("after %v: %+v, %v, %v; the guest ends at %v", step, next, renewed, err, end)
		}
		grant = next
	}
	site.clock.advance(time.Hour)
	_, err = s.Authenticate(t.Context(), grant.Token)
	wantCode(t, "after the end", err, account.CodeSessionExpired)
	if users, err := s.Users(t.Context()); err != nil || len(users) != 0 {
		t.Errorf("still listed: %+v, %v", users, err)
	}

	// Room is made by going; a guest who signs out is gone.
	first, err := s.Guest(t.Context(), "One", "", here)
	must(t, err)
	_, err = s.Guest(t.Context(), "Two", "", here)
	must(t, err)
	_, err = s.Guest(t.Context(), "Three", "", here)
	wantCode(t, "a guest too many", err, account.CodeTooManyGuests)
	must(t, s.SignOut(t.Context(), first.Session.ID))
	_, err = s.Guest(t.Context(), "Three", "", here)
	must(t, err)
	if users, err := s.Users(t.Context()); err != nil || len(users) != 2 {
		t.Errorf("got %+v, %v, want two", users, err)
	}
	run(t, s)
	site.clock.advance(60 * time.Hour)
	store := site.store(t)
	within(t, 5*time.Second, "nothing of the guests is left", func() bool {
		users, err := store.Users(t.Context())
		kept := func(u account.User) bool { return !u.Gone || u.Name != "" || u.Guest() }
		return err == nil && !slices.ContainsFunc(users, kept)
	})
}

func TestFirstAdministrator(t *testing.T) {
	site := newSite(t)
	s := site.joining(t, account.Registration{Guests: true})
	from := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, n}) }
	addUser(t, s, "anna")
	addUser(t, s, "bert")
	claim := func(what, user, code string, n byte, want string) {
		t.Helper()
		got, err := s.ClaimAdmin(t.Context(), user, code, from(n))
		wantCode(t, what, err, want)
		if err == nil && !got.Admin {
			t.Errorf("%s: got %+v", what, got)
		}
	}
	claim("before there is a code", "anna", "", 1, account.CodeAdminCodeWrong)
	old, err := s.OfferAdmin(t.Context())
	must(t, err)
	code, err := s.OfferAdmin(t.Context())
	must(t, err)
	claim("an older code", "anna", old, 1, account.CodeAdminCodeWrong)
	claim("no code", "anna", "", 1, account.CodeAdminCodeWrong)
	guest, err := s.Guest(t.Context(), "Guest", "", here)
	must(t, err)
	claim("a guest", guest.User.ID, code, 2, account.CodeNotAllowed)
	for range 3 {
		claim("guessing", "anna", "guess", 3, account.CodeAdminCodeWrong)
	}
	site.clock.advance(account.AdminCodeTTL)
	claim("a day later", "anna", code, 4, account.CodeAdminCodeWrong)
	code, err = s.OfferAdmin(t.Context())
	must(t, err)
	claim("the code", "anna", strings.ToLower(code), 5, "")
	claim("the code again", "bert", code, 5, account.CodeAdminCodeWrong)
	if got, err := s.OfferAdmin(t.Context()); got != "" || err != nil {
		t.Errorf("offered again: %q, %v", got, err)
	}
	for range 5 {
		_, _ = s.ClaimAdmin(t.Context(), "bert", "guess", from(6))
	}
	claim("too many guesses", "bert", code, 6, account.CodeRateLimited)

	// An administrator who was added meanwhile comes first.
	site = newSite(t)
	s = site.joining(t, account.Registration{})
	addUser(t, s, "anna")
	code, err = s.OfferAdmin(t.Context())
	must(t, err)
	_, err = s.AddUser(t.Context(), "root", "Root", password, true)
	must(t, err)
	claim("too late", "anna", code, 1, account.CodeAdminExists)
}
