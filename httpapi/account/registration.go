package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Policy says who may make an account.
type Policy string

// The policies.
const (
	PolicyOpen   Policy = "open"   // everybody
	PolicyInvite Policy = "invite" // whoever has an invite
	PolicyClosed Policy = "closed" // nobody; the administrator adds users
)

// The bounds of an invite and of a guest's stay.
const (
	MaxInviteTTL  = 30 * 24 * time.Hour
	MinInviteTTL  = time.Minute
	MaxInviteUses = 500
	MaxGuestTTL   = 30 * 24 * time.Hour
	MinGuestTTL   = time.Minute
)

// Registration says who may join a site, and how. A zero value of any field
// but the booleans means its default.
type Registration struct {
	Policy Policy // default open
	// Guests lets people join who give only a name, under the same policy.
	Guests    bool
	GuestTTL  time.Duration // how long a guest's account lasts; default 24 h
	MaxGuests int           // guests at a time; default 2,000
	// UsersMayInvite lets every user invite, not only administrators. Where
	// the policy is open everybody may: the invite then opens nothing.
	UsersMayInvite bool
	InviteTTL      time.Duration // of an invite that names none; default 24 h
}

func (r Registration) withDefaults() Registration {
	setDefault(&r.Policy, PolicyOpen)
	setDefault(&r.GuestTTL, 24*time.Hour)
	setDefault(&r.MaxGuests, 2000)
	setDefault(&r.InviteTTL, 24*time.Hour)
	r.Guests = r.Guests && r.Policy != PolicyClosed
	r.UsersMayInvite = (r.UsersMayInvite || r.Policy == PolicyOpen) && r.Policy != PolicyClosed
	return r
}

func (r Registration) check(require func(ok bool, format string, args ...any)) {
	require(r.Policy == PolicyOpen || r.Policy == PolicyInvite || r.Policy == PolicyClosed,
		"Registration.Policy is %q: give open, invite or closed", r.Policy)
	require(r.GuestTTL >= MinGuestTTL && r.GuestTTL <= MaxGuestTTL,
		"Registration.GuestTTL is %v: give %v to %v", r.GuestTTL, MinGuestTTL, MaxGuestTTL)
	require(r.MaxGuests > 0, "Registration.MaxGuests is %d: give at least 1", r.MaxGuests)
	require(r.InviteTTL >= MinInviteTTL && r.InviteTTL <= MaxInviteTTL,
		"Registration.InviteTTL is %v: give %v to %v", r.InviteTTL, MinInviteTTL, MaxInviteTTL)
}

// Registration gives the rules that hold, with what follows from the policy:
// a closed site takes no guests, and on an open one every user may invite.
func (s *Service) Registration() Registration { return *s.rules.Load() }

// SetRegistration changes who may join, from now on. It refuses rules that make no sense.
func (s *Service) SetRegistration(rules Registration) error {
	rules = rules.withDefaults()
	cfg := s.cfg
	cfg.Registration = rules
	if err := cfg.Validate(); err != nil {
		return err
	}
	s.rules.Store(&rules)
	return nil
}

// mayJoin says, before any work is done, why somebody may not join.
func (s *Service) mayJoin(ctx context.Context, code string) error {
	switch {
	case s.Registration().Policy == PolicyClosed:
		return registrationClosed()
	case code != "":
		_, err := s.openInvite(ctx, code)
		return err
	case s.Registration().Policy == PolicyInvite:
		return &Error{Code: CodeInviteRequired, Field: "invite", Message: "Joining takes an invite. Ask somebody who is here for a link or QR code."}
	}
	return nil
}

func registrationClosed() *Error {
	return &Error{Code: CodeRegistrationClosed, Message: "New accounts are closed here. Ask the administrator of this site for one."}
}

// admit writes the admission, and takes a use of the invite if there is one.
// It gives ErrTaken bare.
func (s *Service) admit(ctx context.Context, admission Admission, code string) error {
	if code != "" {
		admission.InviteHash = hashCode(code)
	}
	admission.Now = s.cfg.Now()
	switch err := s.store.Admit(ctx, admission); {
	case errors.Is(err, ErrChanged):
		if _, err := s.openInvite(ctx, code); err != nil {
			return err
		}
		return inviteUsedUp() // another one came first
	case errors.Is(err, ErrFull):
		return &Error{
			Code: CodeTooManyGuests, Message: "This site has as many guests as it takes. Create an account, or ask the administrator.",
			RetryAfter: time.Minute,
		}
	default:
		return err
	}
}

// guestPrefix starts the ids of guests, and of nobody else.
const guestPrefix = "guest-"

// guestIDTries bounds the search for an id that nobody has.
const guestIDTries = 8

// Guest lets somebody at a remote address in who gives only a name: a user
// with an id of the server's choice, without a password, who is gone when
// Registration.GuestTTL is over or the session is ended. Its errors are
// invalid_name, guests_off, too_many_guests, registration_closed, the invite
// codes, rate_limited and store_unavailable.
func (s *Service) Guest(ctx context.Context, name, invite string, remote netip.Addr) (Grant, error) {
	name, err := CleanName(name)
	if err != nil {
		return Grant{}, err
	}
	now := s.cfg.Now()
	if err := s.newcomers.take(addressKey(remote), now); err != nil {
		return Grant{}, err
	}
	rules := s.Registration()
	if !rules.Guests && rules.Policy != PolicyClosed {
		return Grant{}, &Error{Code: CodeGuestsOff, Message: "This site takes no guests. Create an account."}
	}
	if err := s.mayJoin(ctx, invite); err != nil {
		return Grant{}, err
	}
	now = now.UTC().Truncate(time.Millisecond)
	user := User{Name: name, CreatedAt: now, GuestUntil: now.Add(rules.GuestTTL)}
	for range guestIDTries {
		user.ID = guestPrefix + strings.ToLower(rand.Text()[:5])
		session := s.newSession(user, now)
		switch err := s.admit(ctx, Admission{User: user, Session: &session, MaxGuests: rules.MaxGuests}, invite); {
		case errors.Is(err, ErrTaken):
			continue
		case CodeOf(err) != "":
			return Grant{}, err
		case err != nil:
			return Grant{}, storeFailure("create guest", err)
		}
		return s.grant(session, user, now)
	}
	return Grant{}, fmt.Errorf("account: no free guest id in %d tries", guestIDTries)
}
