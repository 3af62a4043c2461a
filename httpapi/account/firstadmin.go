package account

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// AdminCodeTTL is how long the code for the first administrator is good.
const AdminCodeTTL = 24 * time.Hour

// claimsPerMinute bounds tries of the code from one remote address.
const claimsPerMinute = 5

// adminOffer is the code that makes the first administrator, kept in this
// process alone and only as a hash.
type adminOffer struct {
	mu    sync.Mutex
	hash  [sha256.Size]byte
	until time.Time // zero: no offer
}

// OfferAdmin makes a fresh code for [Service.ClaimAdmin], to be shown on the
// server's console, if there is no administrator; else it gives "". An older
// code is good no more. Its error is store_unavailable.
func (s *Service) OfferAdmin(ctx context.Context) (code string, err error) {
	exists, err := s.store.HasAdmin(ctx)
	if err != nil {
		return "", storeFailure("look for an administrator", err)
	}
	s.offer.mu.Lock()
	defer s.offer.mu.Unlock()
	s.offer.until = time.Time{}
	if exists {
		return "", nil
	}
	code = newCode()
	s.offer.hash = sha256.Sum256([]byte(code))
	s.offer.until = s.cfg.Now().Add(AdminCodeTTL)
	return code, nil
}

// ClaimAdmin makes the user, at a remote address, the first administrator for
// the code of OfferAdmin, once. Its errors are admin_code_wrong,
// admin_exists, not_allowed (a guest), not_found, rate_limited and
// store_unavailable.
func (s *Service) ClaimAdmin(ctx context.Context, userID, code string, remote netip.Addr) (User, error) {
	now := s.cfg.Now()
	if err := s.claims.take(addressKey(remote), now); err != nil {
		return User{}, err
	}
	user, err := s.User(ctx, userID)
	if err != nil {
		return User{}, err
	}
	if user.Guest() {
		return User{}, &Error{Code: CodeNotAllowed, Message: "A guest cannot be an administrator. Create an account first, then open the link again."}
	}
	s.offer.mu.Lock()
	defer s.offer.mu.Unlock()
	if !s.offer.matches(code, now) {
		return User{}, &Error{
			Code: CodeAdminCodeWrong, Field: "code",
			Message: "This code is wrong, used or expired. The server prints a new one when it starts and has no administrator.",
		}
	}
	user, err = s.store.MakeFirstAdmin(ctx, user.ID)
	switch {
	case errors.Is(err, ErrChanged):
		s.offer.until = time.Time{}
		return User{}, &Error{Code: CodeAdminExists, Message: "This site has an administrator already."}
	case err != nil:
		return User{}, storeFailure("make administrator", err)
	}
	s.offer.until = time.Time{}
	return user, nil
}

func (o *adminOffer) matches(code string, now time.Time) bool {
	hash := sha256.Sum256([]byte(strings.ToUpper(strings.TrimSpace(code))))
	return subtle.ConstantTimeCompare(hash[:], o.hash[:]) == 1 && now.Before(o.until)
}
