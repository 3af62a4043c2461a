package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

const (
	// inviteRetention is how long an invite is remembered past its expiry, so
	// that it is said to have expired and not to be forged.
	inviteRetention = 7 * 24 * time.Hour
	maxOpenInvites  = 100 // of one user
	inviteListLimit = 500
	maxCodeBytes    = 64
)

// Invite lets a number of people join. Its code is known to those alone who
// were given it: the store has the code's hash.
type Invite struct {
	ID        string // names it in lists; opens nothing
	CreatedBy string // a user's id; empty for the server's console
	CreatedAt time.Time
	ExpiresAt time.Time // UTC, whole milliseconds
	Uses      int       // how many may join by it
	Used      int       // how many did
	Revoked   bool
}

// Check gives nil for an invite that can be used, else an [*Error] with
// invite_revoked, invite_used_up or invite_expired.
func (i Invite) Check(now time.Time) error {
	switch {
	case i.Revoked:
		return &Error{Code: CodeInviteRevoked, Field: "invite", Message: "This invite was taken back. Ask for a new one."}
	case i.Used >= i.Uses:
		return inviteUsedUp()
	case !now.Before(i.ExpiresAt):
		return &Error{Code: CodeInviteExpired, Field: "invite", Message: "This invite has expired. Ask for a new one."}
	}
	return nil
}

func inviteUsedUp() *Error {
	return &Error{Code: CodeInviteUsedUp, Field: "invite", Message: "This invite has been used already. Ask for a new one."}
}

// newCode makes a code of 130 random bits, which nobody can guess, in letters
// and digits that survive being read out.
func newCode() string { return rand.Text() }

// hashCode gives what the store keeps of a code. A plain hash does: there is
// nothing to guess. Looking it up tells nothing by its time, as whoever asks
// does not choose the hash.
func hashCode(code string) string {
	sum := sha256.Sum256([]byte(strings.ToUpper(strings.TrimSpace(code))))
	return hex.EncodeToString(sum[:])
}

// openInvite gives the invite with this code if it can be used.
func (s *Service) openInvite(ctx context.Context, code string) (Invite, error) {
	unknown := &Error{Code: CodeInviteUnknown, Field: "invite", Message: "This invite is not one of this site. Check that the link is whole, or ask for a new one."}
	if len(code) > maxCodeBytes {
		return Invite{}, unknown
	}
	invite, err := s.store.Invite(ctx, hashCode(code))
	switch {
	case errors.Is(err, ErrNotFound):
		return Invite{}, unknown
	case err != nil:
		return Invite{}, storeFailure("read invite", err)
	}
	return invite, invite.Check(s.cfg.Now())
}

// LookUpInvite tells somebody at a remote address, who has a code, of the
// invite, and who made it (a user with only an ID if nobody knows). Its
// errors are invite_unknown, invite_expired, invite_used_up, invite_revoked,
// rate_limited and store_unavailable.
func (s *Service) LookUpInvite(ctx context.Context, code string, remote netip.Addr) (Invite, User, error) {
	if err := s.lookups.take(addressKey(remote), s.cfg.Now()); err != nil {
		return Invite{}, User{}, err
	}
	invite, err := s.openInvite(ctx, code)
	if err != nil || invite.CreatedBy == "" {
		return invite, User{}, err
	}
	by, _, err := s.store.User(ctx, invite.CreatedBy)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Invite{}, User{}, storeFailure("look for user", err)
	}
	return invite, by, nil
}

// NewInvite makes an invite and gives its code, which nobody can ask for
// later. An empty creator is the server's console. Zero uses means one, zero
// lifetime Registration.InviteTTL. Its errors are not_allowed,
// registration_closed, invalid_invite (fields uses and expires_in),
// too_many_invites and store_unavailable.
func (s *Service) NewInvite(ctx context.Context, creator string, uses int, lifetime time.Duration) (Invite, string, error) {
	setDefault(&uses, 1)
	setDefault(&lifetime, s.Registration().InviteTTL)
	if uses < 1 || uses > MaxInviteUses {
		return Invite{}, "", &Error{Code: CodeInvalidInvite, Field: "uses", Message: fmt.Sprintf("An invite is for 1 to %d people.", MaxInviteUses)}
	}
	if lifetime < MinInviteTTL || lifetime > MaxInviteTTL {
		return Invite{}, "", &Error{Code: CodeInvalidInvite, Field: "expires_in", Message: "An invite lasts from one minute to 30 days."}
	}
	if s.Registration().Policy == PolicyClosed {
		return Invite{}, "", registrationClosed()
	}
	if creator != "" {
		if err := s.mayInvite(ctx, creator); err != nil {
			return Invite{}, "", err
		}
	}
	now := s.cfg.Now().UTC().Truncate(time.Millisecond)
	code := newCode()
	invite := Invite{ID: rand.Text(), CreatedBy: creator, CreatedAt: now, ExpiresAt: now.Add(lifetime).Truncate(time.Millisecond), Uses: uses}
	switch err := s.store.CreateInvite(ctx, invite, hashCode(code), maxOpenInvites); {
	case errors.Is(err, ErrFull):
		return Invite{}, "", &Error{
			Code: CodeTooManyInvites, Message: fmt.Sprintf("You have %d open invites. Revoke some first.", maxOpenInvites),
		}
	case err != nil:
		return Invite{}, "", storeFailure("create invite", err)
	}
	return invite, code, nil
}

func (s *Service) mayInvite(ctx context.Context, id string) error {
	user, err := s.User(ctx, id)
	if err != nil {
		return err
	}
	if user.Guest() || !user.Admin && !s.Registration().UsersMayInvite {
		return &Error{Code: CodeNotAllowed, Message: "You may not invite here. Ask an administrator of this site."}
	}
	return nil
}

// Invites gives the newest invites that the viewer made, or all of them to an
// administrator, also those that are over. Its errors are not_found and
// store_unavailable.
func (s *Service) Invites(ctx context.Context, viewer string) ([]Invite, error) {
	owner, err := s.inviteOwner(ctx, viewer)
	if err != nil {
		return nil, err
	}
	invites, err := s.store.Invites(ctx, owner, inviteListLimit)
	if err != nil {
		return nil, storeFailure("list invites", err)
	}
	return invites, nil
}

// RevokeInvite takes back an invite of the viewer's own, or any if the viewer
// is an administrator. Its errors are not_found and store_unavailable.
func (s *Service) RevokeInvite(ctx context.Context, viewer, id string) error {
	owner, err := s.inviteOwner(ctx, viewer)
	if err != nil {
		return err
	}
	switch err := s.store.RevokeInvite(ctx, id, owner); {
	case errors.Is(err, ErrNotFound):
		return &Error{Code: CodeNotFound, Field: "id", Message: "There is no such invite.", cause: err}
	case err != nil:
		return storeFailure("revoke invite", err)
	}
	return nil
}

// inviteOwner is whose invites the viewer may see; empty for everybody's.
func (s *Service) inviteOwner(ctx context.Context, viewer string) (string, error) {
	user, err := s.User(ctx, viewer)
	if err != nil {
		return "", err
	}
	if user.Admin {
		return "", nil
	}
	return user.ID, nil
}
