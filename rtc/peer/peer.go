// Package peer is a headless endpoint: it signs in, speaks the protocol of
// package rtc over a WebSocket (or to a hub of its own process), calls and
// answers, sends generated sound and picture or what it gets, and reports what
// arrived and over which way. It serves the echo contact, end-to-end tests,
// self-tests of a site and measurements.
package peer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"fieldphone/rtc"
)

const (
	incomingQueue = 16   // calls that ring and were not taken from Incoming
	textQueue     = 256  // texts not taken from Texts
	maxWaiting    = 1024 // requests not answered yet
	byeTimeout    = 2 * time.Second
)

// ErrClosed is the error of a Peer on which Close was called.
var ErrClosed = errors.New("peer: closed")

// Peer is one signed-in device. It connects again by itself, and takes up its
// stream and its calls, until Close or until the server refuses it for good.
// Its methods are safe for concurrent use.
type Peer struct {
	cfg     Config
	log     *slog.Logger
	network network
	line    line
	device  string

	ctx    context.Context // the Peer's life
	cancel context.CancelFunc
	wg     sync.WaitGroup // everything that Dial and its followers started
	done   chan struct{}  // closed when the signalling has ended for good

	incoming chan *Incoming
	texts    chan rtc.TextMessage

	sending sync.Mutex // taken before mu where both are
	wire    Wire       // nil while there is none
	waiting []*request // not answered yet, oldest first
	nextID  uint64

	mu        sync.Mutex
	closing   bool
	user      rtc.User
	stream    string
	lastSeq   uint64
	heartbeat time.Duration
	calls     map[string]*Call
	people    map[string]rtc.Person
	changed   broadcast // people changed
	err       error     // why done was closed
}

// Dial registers if asked to, signs in, connects and says hello. The context
// bounds Dial alone; the Peer lives until Close.
func Dial(ctx context.Context, cfg Config) (*Peer, error) {
	base, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	logger := cfg.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	logger = logger.With("user", cfg.User)
	net := newNetwork(cfg)
	var way line = inProcess{cfg.Connect}
	if cfg.Connect == nil {
		way = newAPI(cfg, base, net, logger)
	}
	device := cfg.Device
	if device == "" {
		device = rand.Text()
	}
	p := &Peer{
		cfg: cfg, log: logger, network: net, line: way, device: device,
		done: make(chan struct{}), incoming: make(chan *Incoming, incomingQueue), texts: make(chan rtc.TextMessage, textQueue),
		calls: map[string]*Call{}, people: map[string]rtc.Person{},
	}
	p.ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := p.begin(ctx); err != nil {
		p.cancel()
		p.wg.Wait()
		p.line.close()
		return nil, err
	}
	return p, nil
}

func (p *Peer) begin(ctx context.Context) error {
	if err := p.line.begin(ctx); err != nil {
		return err
	}
	wire, err := p.connect(ctx)
	if err != nil {
		return err
	}
	p.wg.Go(func() { p.run(wire) })
	p.wg.Go(func() { p.line.keep(p.ctx) })
	return nil
}

// User is who the server says this is.
func (p *Peer) User() rtc.User {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.user
}

// Device is the name of this device.
func (p *Peer) Device() string { return p.device }

// Done is closed when the Peer will not connect again; Err then says why.
func (p *Peer) Done() <-chan struct{} { return p.done }

// Err is nil while the Peer lives, ErrClosed after Close, or why the server
// refused it for good.
func (p *Peer) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Incoming are the calls that ring here. It is closed when the Peer is done. A
// call that finds 16 others unread is declined.
func (p *Peer) Incoming() <-chan *Incoming { return p.incoming }

// Texts are the texts to this user, and those from the user's other devices. It
// is closed when the Peer is done. When 256 are unread, further ones are dropped.
func (p *Peer) Texts() <-chan rtc.TextMessage { return p.texts }

// SendText sends a text under a fresh name and waits until the server has taken
// it. An error that is an *rtc.Error is the server's answer.
func (p *Peer) SendText(ctx context.Context, to, body string) (rtc.TextSent, error) {
	return p.SendTextNamed(ctx, rand.Text(), to, body)
}

// SendTextNamed is SendText under a name of the sender's: a text that is sent
// again under its name is there once.
func (p *Peer) SendTextNamed(ctx context.Context, name, to, body string) (rtc.TextSent, error) {
	answer, err := p.request(ctx, &rtc.TextSend{Message: name, Chat: to, Body: body})
	if err != nil {
		return rtc.TextSent{}, err
	}
	sent, ok := answer.(*rtc.TextSent)
	if !ok {
		return rtc.TextSent{}, fmt.Errorf("peer: text.send was answered by %s", answer.Type())
	}
	return *sent, nil
}

// People are those connected now, by id.
func (p *Peer) People() []rtc.Person {
	p.mu.Lock()
	defer p.mu.Unlock()
	people := make([]rtc.Person, 0, len(p.people))
	for _, person := range p.people {
		people = append(people, person)
	}
	slices.SortFunc(people, func(a, b rtc.Person) int { return strings.Compare(a.ID, b.ID) })
	return people
}

// WaitStatus waits until a person has a status.
func (p *Peer) WaitStatus(ctx context.Context, user string, want rtc.Status) error {
	for {
		p.mu.Lock()
		person, connected := p.people[user]
		changed := p.changed.wait()
		p.mu.Unlock()
		got := person.Status
		if !connected {
			got = rtc.Offline
		}
		if got == want {
			return nil
		}
		select {
		case <-changed:
		case <-p.done:
			return p.Err()
		case <-ctx.Done():
			return fmt.Errorf("peer: %s is %s, not %s: %w", user, got, want, ctx.Err())
		}
	}
}

// Close says bye, which ends this device's calls, and lets go of everything.
func (p *Peer) Close() error {
	p.mu.Lock()
	again := p.closing
	p.closing = true
	p.mu.Unlock()
	if !again {
		ctx, cancel := context.WithTimeout(p.ctx, byeTimeout)
		if _, err := p.request(ctx, &rtc.Bye{}); err != nil {
			p.log.Debug("peer: bye was not answered", "error", err)
		}
		cancel()
		p.cancel()
	}
	p.wg.Wait()
	p.line.close()
	return nil
}

func (p *Peer) isClosing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closing
}

// broadcast wakes everybody who waits for a change. Its owner's lock guards it.
type broadcast struct{ ch chan struct{} }

// wait returns a channel that the next notify closes.
func (b *broadcast) wait() <-chan struct{} {
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

func (b *broadcast) notify() {
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}
