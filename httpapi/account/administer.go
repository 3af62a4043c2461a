package account

import (
	"context"
	"errors"
)

// ChangeUser changes a user for an administrator, all of it or nothing, and
// ends every session of a user who is disabled by it. Its errors are
// invalid_name, not_found, not_allowed (a guest as administrator), last_admin
// and store_unavailable.
func (s *Service) ChangeUser(ctx context.Context, userID string, change UserChange) (before, after User, err error) {
	user, err := s.User(ctx, userID)
	if err != nil {
		return User{}, User{}, err
	}
	if change.Name != nil {
		name, err := CleanName(*change.Name)
		if err != nil {
			return User{}, User{}, err
		}
		change.Name = &name
	}
	if user.Guest() && change.Admin != nil && *change.Admin {
		return User{}, User{}, &Error{Code: CodeNotAllowed, Field: "admin", Message: "A guest cannot be an administrator. Have the person create an account first."}
	}
	changed, err := s.store.ChangeUser(ctx, user.ID, change)
	switch {
	case errors.Is(err, ErrLastAdmin):
		return User{}, User{}, lastAdmin()
	case err != nil:
		return User{}, User{}, storeFailure("change user", err)
	}
	s.announce(changed.Ends)
	return changed.Before, changed.After, nil
}

// SignOutEverywhere ends every session of a user, and with them the account
// of a guest, and says how many. Its errors are not_found and
// store_unavailable.
func (s *Service) SignOutEverywhere(ctx context.Context, userID string) (ended int, err error) {
	user, err := s.User(ctx, userID)
	if err != nil {
		return 0, err
	}
	ends, err := s.store.EndSessions(ctx, user.ID)
	if err != nil {
		return 0, storeFailure("end sessions", err)
	}
	s.announce(ends)
	if user.Guest() {
		if err := s.store.EndGuest(ctx, user.ID, s.cfg.Now()); err != nil {
			return len(ends), storeFailure("end guest", err)
		}
	}
	return len(ends), nil
}

func lastAdmin() *Error {
	return &Error{Code: CodeLastAdmin, Message: "This is the last administrator. Make somebody else an administrator first."}
}
