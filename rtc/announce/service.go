package announce

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"fieldphone/rtc"
)

const (
	recent      = 50                     // announcements in a list
	gather      = 300 * time.Millisecond // in which acknowledgements are told to administrators together
	remindEvery = 30 * time.Second       // for one announcement
)

// Config is what a Service is made of.
type Config struct {
	Store  Store
	People People
	Line   Line
	// Keep is how long an announcement is shown to people who join after it.
	Keep   time.Duration
	Now    func() time.Time
	Logger *slog.Logger
}

// Service announces. Its methods are safe for concurrent use.
type Service struct {
	cfg   Config
	dirty chan struct{} // of one: something is to be told to administrators

	mu       sync.Mutex
	news     map[string]string    // by announcement, who acknowledged it last
	reminded map[string]time.Time // by announcement
}

// New makes a Service; Run tells administrators who has seen what.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, dirty: make(chan struct{}, 1), news: map[string]string{}, reminded: map[string]time.Time{}}
}

// Announce says something to everybody, or to the people with a tag, and gives it with how
// many they are. The same again changes nothing: fresh is false. ErrName, ErrBody, ErrNobody,
// ErrTaken.
func (s *Service) Announce(ctx context.Context, a Announcement) (entry Entry, fresh bool, err error) {
	if !rtc.IsName(a.Name) {
		return Entry{}, false, ErrName
	}
	if a.Body, err = cleanBody(a.Body); err != nil {
		return Entry{}, false, err
	}
	a.Attention = false
	return s.add(ctx, a)
}

// Begin notes that an attention call begins. ErrNobody.
func (s *Service) Begin(ctx context.Context, a Announcement) (entry Entry, audience []string, err error) {
	a.Body, a.Attention = "", true
	if audience, err = s.audience(ctx, a); err != nil {
		return Entry{}, nil, err
	}
	entry, _, err = s.keep(ctx, a, audience)
	return entry, audience, err
}

func (s *Service) add(ctx context.Context, a Announcement) (Entry, bool, error) {
	if before, err := s.cfg.Store.Entry(ctx, a.Name); err == nil {
		return same(before, a)
	} else if !errors.Is(err, ErrNotFound) {
		return Entry{}, false, err
	}
	audience, err := s.audience(ctx, a)
	if err != nil {
		return Entry{}, false, err
	}
	entry, fresh, err := s.keep(ctx, a, audience)
	if err != nil {
		return Entry{}, false, err
	}
	if !fresh { // sent twice at once
		return same(entry, a)
	}
	s.cfg.Line.Tell(audience, entry.Message())
	return entry, true, nil
}

func (s *Service) keep(ctx context.Context, a Announcement, audience []string) (Entry, bool, error) {
	a.At = s.cfg.Now()
	kept, fresh, err := s.cfg.Store.Add(ctx, a, audience)
	if err != nil {
		return Entry{}, false, err
	}
	return Entry{Announcement: kept, Of: len(audience)}, fresh, nil
}

// same answers a request that was carried out before.
func same(kept Entry, again Announcement) (Entry, bool, error) {
	if kept.From.ID != again.From.ID || kept.Body != again.Body || kept.Tag != again.Tag || kept.Attention != again.Attention {
		return Entry{}, false, ErrTaken
	}
	return kept, false, nil
}

// audience lists for whom it is, without who says it.
func (s *Service) audience(ctx context.Context, a Announcement) ([]string, error) {
	var users []string
	var err error
	if a.Tag == "" {
		users, err = s.cfg.People.Everybody(ctx)
	} else {
		users, err = s.cfg.People.Audience(ctx, a.Tag)
	}
	if err != nil {
		return nil, fmt.Errorf("announce: find the audience: %w", err)
	}
	slices.Sort(users)
	users = slices.DeleteFunc(slices.Compact(users), func(id string) bool { return id == a.From.ID })
	if len(users) == 0 {
		return nil, ErrNobody
	}
	return users, nil
}

// Audience lists for whom something is that is said now. ErrNobody.
func (s *Service) Audience(ctx context.Context, a Announcement) ([]string, error) {
	return s.audience(ctx, a)
}

// Reach tells how many people a tag, or everybody, are. It is no error if they are none.
func (s *Service) Reach(ctx context.Context, tag, from string) (int, error) {
	users, err := s.audience(ctx, Announcement{Tag: tag, From: rtc.User{ID: from}})
	if errors.Is(err, ErrNobody) {
		return 0, nil
	}
	return len(users), err
}

// Pending gives what a person has not acknowledged, newest first: also what was said before
// they joined, for a while.
func (s *Service) Pending(ctx context.Context, user string) ([]Announcement, error) {
	missed, err := s.cfg.Store.Missed(ctx, user, s.cfg.Now().Add(-s.cfg.Keep))
	if err != nil {
		return nil, err
	}
	for _, a := range missed {
		if a.Tag != "" {
			users, err := s.cfg.People.Audience(ctx, a.Tag)
			if err != nil {
				return nil, fmt.Errorf("announce: find the audience: %w", err)
			}
			if !slices.Contains(users, user) {
				continue
			}
		}
		if err := s.cfg.Store.Include(ctx, a.Name, user); err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		s.changed(a.Name, "")
	}
	return s.cfg.Store.Pending(ctx, user)
}

// List gives the newest announcements as a person sees them; administrators see everybody's.
func (s *Service) List(ctx context.Context, viewer string, admin bool) ([]Entry, error) {
	return s.cfg.Store.List(ctx, viewer, admin, recent)
}

// Details tells of one announcement who has seen it and who has not. ErrNotFound.
func (s *Service) Details(ctx context.Context, name string) (Entry, []Reader, []rtc.User, error) {
	entry, err := s.cfg.Store.Entry(ctx, name)
	if err != nil {
		return Entry{}, nil, nil, err
	}
	seen, missing, err := s.cfg.Store.Readers(ctx, name)
	return entry, seen, missing, err
}

// Acknowledge notes that a person has seen it, and tells their devices and the
// administrators. Once more changes nothing. ErrNotFound.
func (s *Service) Acknowledge(ctx context.Context, name, user string) error {
	first, err := s.cfg.Store.Acknowledge(ctx, name, user, s.cfg.Now())
	if err != nil || !first {
		return err
	}
	s.changed(name, user)
	if entry, err := s.cfg.Store.Entry(ctx, name); err == nil {
		s.cfg.Line.Tell([]string{user}, entry.seenBy(user))
	}
	return nil
}

// Heard notes that a person has taken an attention call, also one who came late.
func (s *Service) Heard(ctx context.Context, name, user string) error {
	if err := s.cfg.Store.Include(ctx, name, user); err != nil {
		return err
	}
	first, err := s.cfg.Store.Acknowledge(ctx, name, user, s.cfg.Now())
	if first {
		s.changed(name, user)
	}
	return err
}

// End notes that an attention call is over.
func (s *Service) End(ctx context.Context, name string) error {
	err := s.cfg.Store.End(ctx, name, s.cfg.Now())
	s.changed(name, "")
	return err
}

func (e Entry) seenBy(user string) *rtc.AnnouncementSeen {
	return &rtc.AnnouncementSeen{Announcement: e.Name, By: user, Seen: e.Seen, Of: e.Of}
}

// Remind says it again to those who have not acknowledged it, and tells how many they are.
// ErrNotFound, *EarlyError.
func (s *Service) Remind(ctx context.Context, name string) (int, error) {
	entry, err := s.cfg.Store.Entry(ctx, name)
	if err != nil {
		return 0, err
	}
	if entry.Attention {
		return 0, ErrNotFound
	}
	if err := s.mayRemind(name); err != nil {
		return 0, err
	}
	_, missing, err := s.cfg.Store.Readers(ctx, name)
	if err != nil {
		return 0, err
	}
	users := make([]string, len(missing))
	for i, user := range missing {
		users[i] = user.ID
	}
	s.cfg.Line.Tell(users, entry.Message())
	return len(users), nil
}

func (s *Service) mayRemind(name string) error {
	now := s.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for known, at := range s.reminded {
		if now.Sub(at) >= remindEvery {
			delete(s.reminded, known)
		}
	}
	if at, recently := s.reminded[name]; recently {
		return &EarlyError{Wait: remindEvery - now.Sub(at)}
	}
	s.reminded[name] = now
	return nil
}

// changed has administrators told soon.
func (s *Service) changed(name, by string) {
	s.mu.Lock()
	s.news[name] = by
	s.mu.Unlock()
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// Run tells administrators of acknowledgements until ctx ends: those of a moment together,
// because at an alarm everybody acknowledges at once.
func (s *Service) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.dirty:
		}
		s.tellAdmins(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(gather):
		}
	}
}

func (s *Service) tellAdmins(ctx context.Context) {
	s.mu.Lock()
	news := s.news
	s.news = map[string]string{}
	s.mu.Unlock()
	admins, err := s.cfg.People.Admins(ctx)
	for name, by := range news {
		var entry Entry
		if err == nil {
			entry, err = s.cfg.Store.Entry(ctx, name)
		}
		if err != nil {
			if ctx.Err() == nil {
				s.cfg.Logger.Warn("administrators are not told who has seen an announcement", "error", err)
			}
			return
		}
		if by == "" { // not an acknowledgement: the audience grew, or the call is over
			by = entry.From.ID
		}
		s.cfg.Line.Tell(admins, entry.seenBy(by))
	}
}

// cleanBody trims a text and refuses what is not for reading: control characters, and those
// that turn the direction of what follows.
func cleanBody(body string) (string, error) {
	body = strings.TrimSpace(strings.ReplaceAll(body, "\r\n", "\n"))
	unreadable := func(r rune) bool {
		turns := r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069
		return unicode.IsControl(r) && r != '\n' && r != '\t' || turns
	}
	if body == "" || len(body) > MaxBody || !utf8.ValidString(body) || strings.ContainsFunc(body, unreadable) {
		return "", ErrBody
	}
	return body, nil
}
