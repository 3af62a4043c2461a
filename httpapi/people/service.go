package people

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/rtc"

	"golang.org/x/time/rate"
)

const (
	pollInterval   = 2 * time.Second        // looks for changes of other processes
	pollTimeout    = 5 * time.Second        // of one look
	updateInterval = 250 * time.Millisecond // between updates to all devices
	maxUpdate      = 200                    // people in one update
	decodeWait     = 5 * time.Second        // for a turn to decode a picture
	goneRetention  = 24 * time.Hour         // for which OnGone is told again at a start
	changesBurst   = 30                     // of one person's profile and contacts
	changesPerSec  = 0.5
	maxLimited     = 20_000 // people whose changes are counted
	exportInterval = time.Minute
)

// Config is what a service needs of the others.
type Config struct {
	// Push sends to every connected device. It must return at once.
	Push func(*rtc.ProfileUpdate)
	// OnGone is told of everybody whose account ended, so that others let go of
	// them: at least once, and again after a restart. May be nil.
	OnGone func(ctx context.Context, id string) error
	Now    func() time.Time // default: time.Now
	Logger *slog.Logger     // default: discards
}

// Service knows everybody. It is safe for concurrent use. Let [Service.Run]
// run for as long as others are to hear of changes.
type Service struct {
	cfg      Config
	store    Store
	decoding chan struct{}
	wake     chan struct{} // something is in news
	reading  sync.Mutex    // one reader of the store's changes at a time

	mu      sync.RWMutex
	rev     int64
	people  map[string]*Person // values are never changed, only replaced
	blocks  map[string]map[string]struct{}
	ends    time.Time // when the next guest's time is over; zero: nobody's
	news    map[string]struct{}
	leaving map[string]struct{} // OnGone is still to be told
	list    *List               // nil once somebody has changed

	limits  sync.Mutex
	changes map[string]*rate.Limiter
	exports map[string]time.Time
}

// New makes a service and reads everybody from the store.
func New(ctx context.Context, cfg Config, store Store) (*Service, error) {
	if cfg.Push == nil {
		return nil, errors.New("people: Config.Push is missing")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		cfg: cfg, store: store, rev: -1,
		decoding: make(chan struct{}, picturesAtOnce), wake: make(chan struct{}, 1),
		people: make(map[string]*Person), blocks: make(map[string]map[string]struct{}),
		news: make(map[string]struct{}), leaving: make(map[string]struct{}),
		changes: make(map[string]*rate.Limiter), exports: make(map[string]time.Time),
	}
	if err := s.Refresh(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	clear(s.news) // whoever connects asks for the list
	s.mu.Unlock()
	return s, nil
}

// Refresh takes in what has changed in the store, such as what account has
// just done. Whoever does not call it waits for the next look.
func (s *Service) Refresh(ctx context.Context) error {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.mu.RLock()
	after := s.rev
	s.mu.RUnlock()
	changed, err := s.store.Since(ctx, after)
	if err != nil {
		return account.StoreFailure("read people", err)
	}
	if len(changed) == 0 {
		return nil
	}
	var owners []string // all, at first
	if after >= 0 {
		for _, p := range changed {
			owners = append(owners, p.ID)
		}
	}
	blocks, err := s.store.Blocks(ctx, owners...)
	if err != nil {
		return account.StoreFailure("read blocks", err)
	}
	s.take(changed, blocks, after < 0)
	return nil
}

func (s *Service) take(changed []Person, blocks map[string][]string, first bool) {
	now := s.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range changed {
		p := &changed[i]
		old := s.people[p.ID]
		s.people[p.ID] = p
		s.rev = max(s.rev, p.Rev)
		delete(s.blocks, p.ID)
		for _, other := range blocks[p.ID] {
			if s.blocks[p.ID] == nil {
				s.blocks[p.ID] = make(map[string]struct{})
			}
			s.blocks[p.ID][other] = struct{}{}
		}
		if old == nil || !sameToOthers(old, p) {
			s.list = nil
			s.tellOf(p.ID)
		}
		if !p.GoneAt.IsZero() && (old == nil || old.GoneAt.IsZero()) && (!first || now.Sub(p.GoneAt) < goneRetention) {
			s.leaving[p.ID] = struct{}{}
		}
	}
	s.nextEnd(now)
}

func sameToOthers(a, b *Person) bool {
	return a.Name == b.Name && a.Admin == b.Admin && a.Disabled == b.Disabled && a.GuestUntil.Equal(b.GuestUntil) &&
		a.Line == b.Line && slices.Equal(a.Tags, b.Tags) && a.Picture == b.Picture && a.Quiet == b.Quiet && a.GoneAt.Equal(b.GoneAt)
}

// tellOf notes that devices are to hear of somebody. The caller holds mu.
func (s *Service) tellOf(id string) {
	s.news[id] = struct{}{}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// nextEnd finds when the list changes without anybody's doing. The caller holds mu.
func (s *Service) nextEnd(now time.Time) {
	s.ends = time.Time{}
	for _, p := range s.people {
		if end := p.GuestUntil; !end.IsZero() && now.Before(end) && (s.ends.IsZero() || end.Before(s.ends)) {
			s.ends = end
		}
	}
}

// endGuests notes the guests whose time has come.
func (s *Service) endGuests() {
	now := s.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ends.IsZero() || now.Before(s.ends) {
		return
	}
	for id, p := range s.people {
		if !p.GuestUntil.IsZero() && !p.GuestUntil.Before(s.ends) && !now.Before(p.GuestUntil) {
			s.tellOf(id)
		}
	}
	s.list = nil
	s.nextEnd(now)
}

// Run follows the store and tells devices and OnGone, until ctx is done.
func (s *Service) Run(ctx context.Context) error {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	failing := false
	wake := s.wake
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
			failing = s.poll(ctx, failing)
			s.letGo(ctx)
		case <-wake:
			s.flush()
			s.letGo(ctx)
			wake = nil // what follows waits, so that it goes out together
			pause.Reset(updateInterval)
		case <-pause.C:
			wake = s.wake
		}
	}
}

func (s *Service) poll(ctx context.Context, failedBefore bool) (failed bool) {
	bounded, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	s.endGuests()
	err := s.Refresh(bounded)
	switch {
	case ctx.Err() != nil:
	case err != nil && !failedBefore:
		s.cfg.Logger.Warn("cannot read who has changed; trying on", "error", err)
	case err == nil && failedBefore:
		s.cfg.Logger.Info("reading who has changed works again")
	}
	return err != nil
}

// flush tells every device of those who have changed.
func (s *Service) flush() {
	now := s.cfg.Now()
	s.mu.Lock()
	var changed []rtc.Profile
	for id := range s.news {
		if p := s.people[id]; !p.Disabled || !p.GoneAt.IsZero() {
			changed = append(changed, p.profile(now))
		}
	}
	clear(s.news)
	s.mu.Unlock()
	slices.SortFunc(changed, func(a, b rtc.Profile) int { return cmp.Compare(a.ID, b.ID) })
	for part := range slices.Chunk(changed, maxUpdate) {
		s.cfg.Push(&rtc.ProfileUpdate{People: part})
	}
}

// letGo tells OnGone of those who left; one for whom it fails is told again.
func (s *Service) letGo(ctx context.Context) {
	if s.cfg.OnGone == nil {
		return
	}
	s.mu.RLock()
	var ids []string
	for id := range s.leaving {
		ids = append(ids, id)
	}
	s.mu.RUnlock()
	for _, id := range ids {
		if err := s.cfg.OnGone(ctx, id); err != nil {
			s.cfg.Logger.Warn("cannot end what a deleted person was in; trying again", "user", id, "error", err)
			continue
		}
		s.mu.Lock()
		delete(s.leaving, id)
		s.mu.Unlock()
	}
}

// profile is what others see.
func (p *Person) profile(now time.Time) rtc.Profile {
	if p.over(now) {
		return rtc.Profile{ID: p.ID, Gone: true}
	}
	return rtc.Profile{ID: p.ID, Name: p.Name, Line: p.Line, Tags: p.Tags, Picture: p.Picture, Quiet: p.Quiet}
}

// mayChange slows down one person's changes, each of which everybody hears of.
func (s *Service) mayChange(id string) error {
	s.limits.Lock()
	defer s.limits.Unlock()
	limiter := s.changes[id]
	if limiter == nil {
		if len(s.changes) >= maxLimited {
			clear(s.changes)
		}
		limiter = rate.NewLimiter(changesPerSec, changesBurst)
		s.changes[id] = limiter
	}
	if !limiter.AllowN(s.cfg.Now(), 1) {
		return rateLimited(2 * time.Second)
	}
	return nil
}

// MayExport allows one export a minute.
func (s *Service) MayExport(id string) error {
	now := s.cfg.Now()
	s.limits.Lock()
	defer s.limits.Unlock()
	if last, ok := s.exports[id]; ok && now.Sub(last) < exportInterval {
		return rateLimited(exportInterval - now.Sub(last))
	}
	if len(s.exports) >= maxLimited {
		clear(s.exports)
	}
	s.exports[id] = now
	return nil
}

func rateLimited(wait time.Duration) error {
	return &account.Error{
		Code: account.CodeRateLimited, RetryAfter: wait,
		Message: fmt.Sprintf("Too many changes or downloads. Try again in %d seconds.", int((wait+time.Second-1)/time.Second)),
	}
}
