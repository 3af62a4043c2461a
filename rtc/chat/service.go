// Package chat keeps conversations: messages, groups, who has received and read
// what, and who is owed what. It says what may be written and who hears of it;
// a [Store] keeps it.
//
// What changes something comes in through a bounded queue, so that whoever asks
// never waits. Those who wait together are written in one transaction, and
// answered once that is stored.
package chat

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"fieldphone/rtc"
)

const (
	queueLength = 2048                  // changes that wait
	maxPending  = 256                   // of one person
	maxBatch    = 256                   // changes in one transaction
	storeLimit  = 10 * time.Second      // for one transaction
	maxDoubtful = 4096                  // names of messages that may or may not be stored
	sweepPause  = 50 * time.Millisecond // between two batches, for others to write
	sweepBatch  = 500
	sweepEvery  = time.Hour
)

// Config is what a Service goes by.
type Config struct {
	// Blocked tells whether somebody takes nothing from somebody. It must return
	// at once. Nil: nobody blocks anybody.
	Blocked func(by, who string) bool
	// DropFile is called when no text has a file any more that its author sent:
	// it takes the file away if it is the author's own. Nil: files stay.
	DropFile func(ctx context.Context, author, file string) error
	// Retention is how long messages are kept; 0 for ever.
	Retention time.Duration
	Now       func() time.Time
	Logger    *slog.Logger
}

// Device is a device of somebody.
type Device struct {
	User   string
	Device string // empty for none, as over HTTP
}

// Change is what devices have to hear of.
type Change struct {
	Key    string
	To     []string // user ids
	Except Device   // has it from the answer
	// Message and Marks: one of them is set, without Chat.
	Message *rtc.TextMessage
	Marks   *rtc.TextMarks
}

// For gives the message as a member gets it.
func (c Change) For(viewer string) rtc.Message {
	if c.Marks != nil {
		m := *c.Marks
		m.Chat = Seen(c.Key, viewer)
		return &m
	}
	m := *c.Message
	m.Chat = Seen(c.Key, viewer)
	return &m
}

// Service is the chats of a site.
type Service struct {
	cfg     Config
	store   Store
	queue   chan op
	typing  chan typing
	dropped chan dropped
	done    chan struct{}

	mu      sync.Mutex
	pending map[string]int
	tell    func([]Change)

	// Owned by the goroutine of Run:
	failing  bool
	doubtful map[string]struct{}
}

// op is one change that somebody wants.
type op struct {
	by   string
	do   func(*batch) (outcome, error) // its error is an *rtc.Error, or the store's
	done func(answer any, err error)
}

type outcome struct {
	answer  any
	changes []Change
	dropped []dropped
	stored  string // the name under which a repeat finds it
}

// New makes a Service; Run makes it work.
func New(cfg Config, store Store) *Service {
	if cfg.Blocked == nil {
		cfg.Blocked = func(string, string) bool { return false }
	}
	if cfg.DropFile == nil {
		cfg.DropFile = func(context.Context, string, string) error { return nil }
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Service{
		cfg: cfg, store: store, queue: make(chan op, queueLength), typing: make(chan typing, typingLength),
		dropped: make(chan dropped, droppedLength),
		done:    make(chan struct{}), pending: make(map[string]int), tell: func([]Change) {},
		doubtful: make(map[string]struct{}),
	}
}

// OnChange sets who is told of what was stored, in that order, before it is
// answered. It is called by the goroutine of Run, and must be set before.
func (s *Service) OnChange(tell func([]Change)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell = tell
}

// Run writes until ctx ends. It may be called once.
func (s *Service) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(s.done)
	wg.Go(func() { s.runTyping(ctx) })
	wg.Go(func() { s.runDropped(ctx) })
	wg.Go(func() { s.sweep(ctx) })
	ops := make([]op, 0, maxBatch)
	for {
		select {
		case <-ctx.Done():
			s.refuseRest()
			return
		case first := <-s.queue:
			ops = append(ops[:0], first)
		}
		for more := true; more && len(ops) < maxBatch; {
			select {
			case next := <-s.queue:
				ops = append(ops, next)
			default:
				more = false
			}
		}
		s.carryOut(ctx, ops)
		clear(ops)
	}
}

// submit queues a change. done is called once, by another goroutine or, if the
// queue is full, at once.
func (s *Service) submit(by string, do func(*batch) (outcome, error), done func(any, error)) {
	s.mu.Lock()
	full := s.pending[by] >= maxPending
	if !full {
		s.pending[by]++
	}
	s.mu.Unlock()
	if full {
		done(nil, rtc.NewError(rtc.CodeRateLimited, "too much of this user waits to be stored; slow down"))
		return
	}
	o := op{by: by, do: do, done: func(answer any, err error) {
		s.mu.Lock()
		if s.pending[by]--; s.pending[by] <= 0 {
			delete(s.pending, by)
		}
		s.mu.Unlock()
		done(answer, err)
	}}
	select {
	case <-s.done:
		o.done(nil, notStored())
	case s.queue <- o:
		select {
		case <-s.done: // it may have come too late to be seen
			s.refuseRest()
		default:
		}
	default:
		o.done(nil, notStored())
	}
}

// refuseRest answers what nobody will carry out any more.
func (s *Service) refuseRest() {
	for {
		select {
		case o := <-s.queue:
			o.done(nil, notStored())
		default:
			return
		}
	}
}

// wait submits a change and waits for its outcome.
func (s *Service) wait(ctx context.Context, by string, do func(*batch) (outcome, error)) (any, error) {
	type result struct {
		answer any
		err    error
	}
	results := make(chan result, 1)
	s.submit(by, do, func(answer any, err error) { results <- result{answer, err} })
	select {
	case r := <-results:
		return r.answer, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func notStored() error {
	return rtc.NewError(rtc.CodeNotStored, "the server cannot keep it now; nothing was kept, try again")
}

// carryOut writes changes together. If the store refuses them together, each
// is tried alone, so that one cannot spoil the others.
func (s *Service) carryOut(ctx context.Context, ops []op) {
	outcomes, errs, err := s.write(ctx, ops)
	if err != nil && len(ops) > 1 && !errors.Is(err, ErrUnavailable) && ctx.Err() == nil {
		for i := range ops {
			s.carryOut(ctx, ops[i:i+1])
		}
		return
	}
	s.report(ctx, err)
	if err != nil {
		for i, o := range ops {
			s.doubt(outcomes[i].stored)
			o.done(nil, notStored())
		}
		return
	}
	var changes []Change
	for i := range ops {
		if errs[i] == nil {
			changes = append(changes, outcomes[i].changes...)
			s.drop(outcomes[i].dropped)
		}
		delete(s.doubtful, outcomes[i].stored)
	}
	if len(changes) > 0 {
		s.mu.Lock()
		tell := s.tell
		s.mu.Unlock()
		tell(changes)
	}
	for i, o := range ops {
		o.done(outcomes[i].answer, errs[i])
	}
}

// write is one transaction. errs are refusals of single changes, which write
// nothing.
func (s *Service) write(ctx context.Context, ops []op) (outcomes []outcome, errs []error, err error) {
	limited, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	outcomes, errs = make([]outcome, len(ops)), make([]error, len(ops))
	err = s.store.Update(limited, func(tx Tx) error {
		b := newBatch(tx, s)
		for i, o := range ops {
			outcomes[i], errs[i] = o.do(b)
			var refusal *rtc.Error
			if errs[i] != nil && !errors.As(errs[i], &refusal) {
				return errs[i]
			}
		}
		return nil
	})
	return outcomes, errs, err
}

// doubt remembers a message of a transaction that failed, since the database
// may have stored it and only the word of that was lost: a repeat is then told
// to those whom it is for.
func (s *Service) doubt(name string) {
	if name == "" {
		return
	}
	if len(s.doubtful) >= maxDoubtful {
		clear(s.doubtful)
	}
	s.doubtful[name] = struct{}{}
}

// report logs when the store begins and ceases to fail, not each failure.
func (s *Service) report(ctx context.Context, err error) {
	if ctx.Err() != nil || (err != nil) == s.failing {
		return
	}
	s.failing = err != nil
	if s.failing {
		s.cfg.Logger.Error("messages cannot be stored; senders are told to try again, calls go on", "error", err)
	} else {
		s.cfg.Logger.Info("messages are stored again")
	}
}

// sweep forgets what is older than it may be.
func (s *Service) sweep(ctx context.Context) {
	if s.cfg.Retention <= 0 {
		return
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		n, err := s.store.Sweep(ctx, s.cfg.Now().Add(-s.cfg.Retention).UnixMilli(), sweepBatch)
		if err != nil && ctx.Err() == nil {
			s.cfg.Logger.Warn("old messages cannot be deleted; trying again in an hour", "error", err)
		}
		pause := sweepEvery
		if n > 0 {
			s.cfg.Logger.Debug("old messages are deleted", "messages", n)
			pause = sweepPause
		}
		timer.Reset(pause)
	}
}
