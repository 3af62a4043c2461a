package account

import (
	"context"
	"errors"
)

// Delete deletes the account of a user who gives the password again, for
// good: sessions, invites and everything else that is kept beside the account
// end, and nobody gets the id again. A guest gives no password. Its errors are
// wrong_credentials (field "password"), password_too_long, last_admin,
// not_found, rate_limited, busy and store_unavailable.
func (s *Service) Delete(ctx context.Context, userID, password string) error {
	user, err := s.User(ctx, userID)
	if err != nil {
		return err
	}
	var hash string
	if !user.Guest() {
		if err := checkPasswordSize(password, "password"); err != nil {
			return err
		}
		if user, hash, err = s.checkPassword(ctx, user.ID, password, "password"); err != nil {
			return err
		}
	}
	ends, err := s.store.DeleteUser(ctx, user.ID, hash, s.cfg.Now())
	switch {
	case errors.Is(err, ErrLastAdmin):
		return lastAdmin()
	case errors.Is(err, ErrChanged):
		return wrongCredentials("password")
	case err != nil:
		return storeFailure("delete user", err)
	}
	s.announce(ends)
	return nil
}
