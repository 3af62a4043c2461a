package account

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Newcomer is somebody who wants an account.
type Newcomer struct {
	ID, Name, Password string
	Invite             string // the code of an invite, or empty
}

// Register makes a user for somebody at a remote address. An invite that is
// given counts, also where none is needed. Its errors are invalid_id,
// invalid_name, password_too_short, password_too_long, id_taken,
// registration_closed, the invite codes, rate_limited, busy and
// store_unavailable.
func (s *Service) Register(ctx context.Context, who Newcomer, remote netip.Addr) (User, error) {
	user, err := s.newUser(who.ID, who.Name, who.Password)
	if err != nil {
		return User{}, err
	}
	if err := s.newcomers.take(addressKey(remote), s.cfg.Now()); err != nil {
		return User{}, err
	}
	if err := s.mayJoin(ctx, who.Invite); err != nil {
		return User{}, err
	}
	return s.create(ctx, user, who.Password, func(hash string) error {
		return s.admit(ctx, Admission{User: user, Hash: hash}, who.Invite)
	})
}

// AddUser makes a user for the administrator, without rate limits. Its errors
// are those of Register otherwise.
func (s *Service) AddUser(ctx context.Context, id, name, password string, admin bool) (User, error) {
	user, err := s.newUser(id, name, password)
	if err != nil {
		return User{}, err
	}
	user.Admin = admin
	return s.create(ctx, user, password, func(hash string) error { return s.store.CreateUser(ctx, user, hash) })
}

func (s *Service) newUser(id, name, password string) (User, error) {
	id, err := NormalizeID(id)
	if err != nil {
		return User{}, err
	}
	if strings.HasPrefix(id, guestPrefix) {
		return User{}, &Error{Code: CodeInvalidID, Field: "id", Message: "User IDs that start with guest- are for guests. Choose another one."}
	}
	if name, err = CleanName(name); err != nil {
		return User{}, err
	}
	if err := checkNewPassword(password); err != nil {
		return User{}, err
	}
	return User{ID: id, Name: name, CreatedAt: s.cfg.Now().UTC().Truncate(time.Millisecond)}, nil
}

// create hashes the password and lets insert write the user.
func (s *Service) create(ctx context.Context, user User, password string, insert func(hash string) error) (User, error) {
	taken := &Error{
		Code:    CodeIDTaken,
		Field:   "id",
		Message: "This user ID is taken. Choose another one, or sign in if it is yours.",
	}
	switch _, _, err := s.store.User(ctx, user.ID); {
	case err == nil:
		return User{}, taken
	case !errors.Is(err, ErrNotFound):
		return User{}, storeFailure("look for user", err)
	}
	hash, err := s.hashes.hash(ctx, password)
	if err != nil {
		return User{}, err
	}
	switch err := insert(hash); {
	case errors.Is(err, ErrTaken):
		return User{}, taken
	case CodeOf(err) != "":
		return User{}, err
	case err != nil:
		return User{}, storeFailure("create user", err)
	}
	return user, nil
}

// SignIn opens a session for somebody at a remote address. An unknown id
// takes as long and gives the same error as a wrong password. Its errors are
// wrong_credentials, user_disabled, password_too_long, rate_limited, busy and
// store_unavailable. A successful sign-in does not count against the id.
func (s *Service) SignIn(ctx context.Context, id, password string, remote netip.Addr) (Grant, error) {
	if err := s.byAddress.take(addressKey(remote), s.cfg.Now()); err != nil {
		return Grant{}, err
	}
	if err := checkPasswordSize(password, "password"); err != nil {
		return Grant{}, err
	}
	id, err := NormalizeID(id)
	if err != nil {
		// No user can have it, which only costs the time to say so.
		if _, err := s.hashes.matches(ctx, s.decoy, password); err != nil {
			return Grant{}, err
		}
		return Grant{}, wrongCredentials("")
	}
	user, hash, err := s.checkPassword(ctx, id, password, "")
	if err != nil {
		return Grant{}, err
	}
	if user.Disabled {
		return Grant{}, userDisabled()
	}
	now := s.cfg.Now()
	session := s.newSession(user, now)
	switch err := s.store.CreateSession(ctx, session, hash); {
	case errors.Is(err, ErrChanged):
		return Grant{}, s.overtaken(ctx, user.ID)
	case err != nil:
		return Grant{}, storeFailure("create session", err)
	}
	return s.grant(session, user, now)
}

// checkPassword gives the user and the hash that the password matched. Only a
// wrong password counts against the id.
func (s *Service) checkPassword(ctx context.Context, id, password, field string) (User, string, error) {
	if err := s.byID.take(id, s.cfg.Now()); err != nil {
		return User{}, "", err
	}
	user, hash, matches, err := s.compare(ctx, id, password)
	if err != nil {
		s.byID.giveBack(id, s.cfg.Now())
		return User{}, "", err
	}
	if !matches {
		return User{}, "", wrongCredentials(field)
	}
	s.byID.giveBack(id, s.cfg.Now())
	return user, hash, nil
}

func (s *Service) compare(ctx context.Context, id, password string) (User, string, bool, error) {
	user, hash, err := s.store.User(ctx, id)
	unknown := errors.Is(err, ErrNotFound)
	if err != nil && !unknown {
		return User{}, "", false, storeFailure("look for user", err)
	}
	none := unknown || hash == "" // nobody, or a guest
	if none {
		hash = s.decoy
	}
	matches, err := s.hashes.matches(ctx, hash, password)
	return user, hash, matches && !none, err
}

// overtaken says why a user whose password was right a moment ago gets no
// session.
func (s *Service) overtaken(ctx context.Context, id string) error {
	user, _, err := s.store.User(ctx, id)
	switch {
	case err != nil && !errors.Is(err, ErrNotFound):
		return storeFailure("look for user", err)
	case user.Disabled:
		return userDisabled()
	default:
		return wrongCredentials("")
	}
}

// ChangePassword replaces a password that the user knows, ends every session
// of the user, the present one too, and gives a fresh one. Its errors are
// wrong_credentials (field "current"), password_too_short, password_too_long,
// user_disabled, not_found, rate_limited, busy and store_unavailable.
func (s *Service) ChangePassword(ctx context.Context, userID, current, password string) (Grant, error) {
	if err := checkNewPassword(password); err != nil {
		return Grant{}, err
	}
	if err := checkPasswordSize(current, "current"); err != nil {
		return Grant{}, err
	}
	user, old, err := s.checkPassword(ctx, userID, current, "current")
	if err != nil {
		return Grant{}, err
	}
	if user.Disabled {
		return Grant{}, userDisabled()
	}
	hash, err := s.hashes.hash(ctx, password)
	if err != nil {
		return Grant{}, err
	}
	now := s.cfg.Now()
	session := s.newSession(user, now)
	ends, err := s.store.ReplacePassword(ctx, PasswordChange{UserID: user.ID, Hash: hash, IfHash: old, Next: &session})
	switch {
	case errors.Is(err, ErrChanged):
		return Grant{}, s.overtaken(ctx, user.ID)
	case err != nil:
		return Grant{}, storeFailure("change password", err)
	}
	s.announce(ends)
	return s.grant(session, user, now)
}

// SetPassword replaces a password for the administrator and ends every
// session of the user. Its errors are not_found, password_too_short,
// password_too_long, busy and store_unavailable.
func (s *Service) SetPassword(ctx context.Context, userID, password string) error {
	if err := checkNewPassword(password); err != nil {
		return err
	}
	user, err := s.User(ctx, userID)
	if err != nil {
		return err
	}
	hash, err := s.hashes.hash(ctx, password)
	if err != nil {
		return err
	}
	ends, err := s.store.ReplacePassword(ctx, PasswordChange{UserID: user.ID, Hash: hash})
	if err != nil {
		return storeFailure("set password", err)
	}
	s.announce(ends)
	return nil
}

// SetDisabled shuts a user out, ending every session, or lets the user sign
// in again. Its errors are not_found and store_unavailable.
func (s *Service) SetDisabled(ctx context.Context, userID string, disabled bool) error {
	id, err := NormalizeID(userID)
	if err != nil {
		return notFound(err)
	}
	ends, err := s.store.SetDisabled(ctx, id, disabled)
	if err != nil {
		return storeFailure("disable user", err)
	}
	s.announce(ends)
	return nil
}

// Rename gives the user another name. Its errors are invalid_name, not_found
// and store_unavailable.
func (s *Service) Rename(ctx context.Context, userID, name string) (User, error) {
	name, err := CleanName(name)
	if err != nil {
		return User{}, err
	}
	if _, err := s.User(ctx, userID); err != nil {
		return User{}, err
	}
	user, err := s.store.RenameUser(ctx, userID, name)
	if err != nil {
		return User{}, storeFailure("rename user", err)
	}
	return user, nil
}

// User gives the user with this id, unless the account was deleted. Its errors are not_found and
// store_unavailable.
func (s *Service) User(ctx context.Context, id string) (User, error) {
	id, err := NormalizeID(id)
	if err != nil {
		return User{}, notFound(err)
	}
	user, _, err := s.store.User(ctx, id)
	if err == nil && user.Gone {
		err = ErrNotFound
	}
	if err != nil {
		return User{}, storeFailure("look for user", err)
	}
	return user, nil
}

// Users gives every user, also disabled ones, ordered by id. Deleted ones and
// guests whose time is over are not among them.
func (s *Service) Users(ctx context.Context) ([]User, error) {
	users, err := s.store.Users(ctx)
	if err != nil {
		return nil, storeFailure("list users", err)
	}
	now := s.cfg.Now()
	return slices.DeleteFunc(users, func(u User) bool { return u.gone(now) }), nil
}

// addressKey makes one key of one address, however it is written.
func addressKey(remote netip.Addr) string {
	return remote.Unmap().WithZone("").String()
}
