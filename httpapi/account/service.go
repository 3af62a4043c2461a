package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// feedPage is how many ended sessions are read at once.
const feedPage = 500

// pollTimeout bounds one read of the feed, so that a database that hangs is
// noticed.
const pollTimeout = 5 * time.Second

// Service is the one that signs in. It is safe for concurrent use. Let
// [Service.Run] run for as long as tokens are accepted.
type Service struct {
	cfg       Config
	store     Store
	hashes    *hashQueue
	tokens    *tokens
	byAddress *rateLimiter
	newcomers *rateLimiter // by address
	byID      *rateLimiter
	lookups   *rateLimiter // of invites, by address
	claims    *rateLimiter // of the first administrator's place, by address
	ended     *endedSet
	offer     adminOffer
	rules     atomic.Pointer[Registration]
	decoy     string // hash that nobody's password matches
}

// New makes a Service and reads the ends of sessions so far from the store.
func New(ctx context.Context, cfg Config, store Store) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	s := &Service{
		cfg:       cfg,
		store:     store,
		hashes:    newHashQueue(cfg.Hasher, cfg.HashConcurrency, cfg.HashQueue),
		tokens:    newTokens(cfg),
		byAddress: newRateLimiter(cfg.AddressRate, cfg.RateKeys),
		newcomers: newRateLimiter(cfg.RegisterRate, cfg.RateKeys),
		byID:      newRateLimiter(cfg.IDRate, cfg.RateKeys),
		lookups:   newRateLimiter(cfg.RegisterRate, cfg.RateKeys),
		claims:    newRateLimiter(Rate{Burst: claimsPerMinute, PerMinute: claimsPerMinute}, cfg.RateKeys),
		ended:     newEndedSet(cfg.EndedLimit),
	}
	s.rules.Store(&cfg.Registration)
	var err error
	if s.decoy, err = s.hashes.hash(ctx, rand.Text()); err != nil {
		return nil, err
	}
	if _, err := s.readFeed(ctx); err != nil {
		return nil, storeFailure("read ended sessions", err)
	}
	return s, nil
}

// Run hears of sessions that other processes end, and deletes expired ones,
// until ctx is done. While the database does not answer it goes on with what
// it knows and tries again.
func (s *Service) Run(ctx context.Context) error {
	poll := time.NewTicker(s.cfg.PollInterval)
	defer poll.Stop()
	sweep := time.NewTicker(s.cfg.SweepInterval)
	defer sweep.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
			failing = s.poll(ctx, failing)
		case <-sweep.C:
			s.sweep(ctx)
		}
	}
}

func (s *Service) poll(ctx context.Context, failedBefore bool) (failed bool) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	fresh, err := s.readFeed(ctx)
	s.ended.tell(fresh)
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil && !failedBefore:
		s.cfg.Logger.Warn("cannot read which sessions were ended elsewhere; trying on", "error", err)
	case err == nil && failedBefore:
		s.cfg.Logger.Info("reading which sessions were ended elsewhere works again")
	}
	return err != nil
}

// readFeed gives the sessions that were not known to have ended, also when it
// fails half way.
func (s *Service) readFeed(ctx context.Context) ([]Session, error) {
	var fresh []Session
	for {
		page, err := s.store.EndedSessions(ctx, s.ended.position(), feedPage)
		if err != nil {
			return fresh, err
		}
		fresh = append(fresh, s.ended.addFeed(page)...)
		if len(page) < feedPage {
			return fresh, nil
		}
	}
}

// sweep forgets what is over. Guests go after their sessions: an ended
// session must be remembered for as long as its token may come back.
func (s *Service) sweep(ctx context.Context) {
	now := s.cfg.Now()
	s.ended.forget(now)
	for _, old := range []struct {
		what   string
		remove func(context.Context, time.Time) (int64, error)
		before time.Time
	}{
		{"sessions", s.store.DeleteSessions, now.Add(-endedRetention)},
		{"guests", s.store.DeleteGuests, now},
		{"invites", s.store.DeleteInvites, now.Add(-inviteRetention)},
	} {
		n, err := old.remove(ctx, old.before)
		switch {
		case err != nil && ctx.Err() == nil:
			s.cfg.Logger.Warn("cannot delete what has expired; trying again later", "what", old.what, "error", err)
		case n > 0:
			s.cfg.Logger.Debug("deleted what has expired", "what", old.what, "count", n)
		}
	}
}

// OnSessionEnded has tell called once for each session that ends before its
// time while this Service lives, whichever process ended it. tell is called
// by the goroutine that ends the session, before that call returns, or by
// Run: it must be quick and must not call the Service. Expiry is not told;
// see [Service.SessionExpiry]. Call cancel to stop it.
func (s *Service) OnSessionEnded(tell func(Session)) (cancel func()) {
	return s.ended.subscribe(tell)
}

// Authenticate checks a token and gives its session. It asks no database
// unless there are more ended sessions than Config.EndedLimit. Its errors are
// unauthenticated, session_expired and session_revoked.
func (s *Service) Authenticate(ctx context.Context, token string) (Session, error) {
	session, _, err := s.verify(ctx, token)
	return session, err
}

func (s *Service) verify(ctx context.Context, token string) (Session, time.Time, error) {
	session, issuedAt, err := s.tokens.verify(token)
	if err != nil {
		return Session{}, time.Time{}, err
	}
	ended, sure := s.ended.has(session.ID, s.cfg.Now())
	if !sure {
		if _, err := s.running(ctx, session.ID); err != nil {
			return Session{}, time.Time{}, err
		}
	}
	if ended {
		return Session{}, time.Time{}, sessionRevoked()
	}
	return session, issuedAt, nil
}

// Renew gives a new token for the same session, with the same jti and a later
// exp, once the given token is past half of its life; before that it gives
// false and asks no database. The given token stays good until its own exp.
// Besides the errors of Authenticate it may give store_unavailable.
func (s *Service) Renew(ctx context.Context, token string) (Grant, bool, error) {
	session, issuedAt, err := s.verify(ctx, token)
	if err != nil {
		return Grant{}, false, err
	}
	now := s.cfg.Now()
	if now.Before(issuedAt.Add(session.ExpiresAt.Sub(issuedAt) / 2)) {
		return Grant{}, false, nil
	}
	session, err = s.running(ctx, session.ID)
	if err != nil {
		return Grant{}, false, err
	}
	user, _, err := s.store.User(ctx, session.UserID)
	if err != nil {
		return Grant{}, false, storeFailure("renew session", err)
	}
	if until := s.expiry(user, now); session.ExpiresAt.Sub(now) < s.cfg.SessionTTL/2 && until.After(session.ExpiresAt) {
		session, err = s.extend(ctx, session.ID, until)
		if err != nil {
			return Grant{}, false, err
		}
	}
	grant, err := s.grant(session, user, now)
	return grant, err == nil, err
}

func (s *Service) extend(ctx context.Context, id string, until time.Time) (Session, error) {
	session, err := s.store.ExtendSession(ctx, id, until)
	if errors.Is(err, ErrChanged) {
		return Session{}, sessionRevoked()
	}
	if err != nil {
		return Session{}, storeFailure("extend session", err)
	}
	return session, nil
}

// SessionExpiry asks the store when the session ends, so that a long
// connection can ask, when the expiry that it knows has come, whether the
// session was renewed meanwhile. Its errors are session_expired,
// session_revoked and store_unavailable.
func (s *Service) SessionExpiry(ctx context.Context, sessionID string) (time.Time, error) {
	session, err := s.running(ctx, sessionID)
	return session.ExpiresAt, err
}

// running gives the session as the store has it, if it goes on.
func (s *Service) running(ctx context.Context, id string) (Session, error) {
	session, ended, err := s.store.Session(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return Session{}, sessionExpired(err)
	case err != nil:
		return Session{}, storeFailure("read session", err)
	case ended:
		return Session{}, sessionRevoked()
	case !s.cfg.Now().Before(session.ExpiresAt.Add(s.cfg.Leeway)):
		return Session{}, sessionExpired(nil)
	}
	return session, nil
}

// SignOut ends the session, and with it the account of a guest, whom nothing
// can sign in again. Ending a session that has ended is no error;
// session_expired says that there is no such session any more.
func (s *Service) SignOut(ctx context.Context, sessionID string) error {
	ends, err := s.store.EndSession(ctx, sessionID)
	if errors.Is(err, ErrNotFound) {
		return sessionExpired(err)
	}
	if err != nil {
		return storeFailure("end session", err)
	}
	s.announce(ends)
	for _, end := range ends {
		if err := s.store.EndGuest(ctx, end.UserID, s.cfg.Now()); err != nil {
			return storeFailure("end guest", err)
		}
	}
	return nil
}

func (s *Service) announce(ends []EndedSession) {
	s.ended.tell(s.ended.addOwn(ends))
}

// HashLoad gives how many passwords are being hashed and how many wait for
// that at the moment, for the operator's graphs.
func (s *Service) HashLoad() (running, waiting int) { return s.hashes.load() }

func (s *Service) newSession(user User, now time.Time) Session {
	return Session{ID: rand.Text(), UserID: user.ID, ExpiresAt: s.expiry(user, now)}
}

// expiry is when a session ends that is used now; a guest's never outlives
// the guest.
func (s *Service) expiry(user User, now time.Time) time.Time {
	until := now.Add(s.cfg.SessionTTL)
	if user.Guest() && user.GuestUntil.Before(until) {
		until = user.GuestUntil
	}
	return until.UTC().Truncate(time.Second)
}

func (s *Service) grant(session Session, user User, now time.Time) (Grant, error) {
	token, err := s.tokens.sign(session, now)
	if err != nil {
		return Grant{}, fmt.Errorf("session of %s: %w", user.ID, err)
	}
	return Grant{Token: token, Session: session, User: user}, nil
}
