// Package hub connects devices: it keeps who is attached, routes messages
// between them, and owns the state of every call. One goroutine, Run, owns all
// of that state; connections hand it work through a bounded inbox and are
// never waited for.
package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
	"fieldphone/rtc/presence"
)

// Config holds the limits of a hub. Zero fields of the time limits are errors;
// see Validate.
type Config struct {
	Node         string        // name of this running server, for presence
	Heartbeat    time.Duration // between pings; a connection is silent for at most 2.5 of them
	PresenceTTL  time.Duration // how long a device that vanished is still shown
	ResumeWindow time.Duration // how long a lost device and its calls are kept
	RingTimeout  time.Duration // how long a call rings
	HelloTimeout time.Duration // how long a connection may stay without a hello
	MessageRate  float64       // messages a second that a connection may send
	MessageBurst int           // messages that it may send at once
	Now          func() time.Time
	Logger       *slog.Logger

	// Refuses tells why a user takes no call from another one (rtc.EndQuiet,
	// rtc.EndBlocked), empty if they do; nil means that all take all. It is
	// called by the hub's goroutine and must return at once. It is not asked of
	// calls from the site's own endpoints.
	Refuses func(callee, caller string) rtc.EndReason
	Chat    Chat // nil: texts are refused
	// Admits tells whether a user may call rtc.AttentionID by a call of that name;
	// nil: nobody may. Like Refuses it must return at once.
	Admits func(call, caller string) bool
	Hooks
}

// Validate reports everything that is wrong with the configuration.
func (c Config) Validate() error {
	var errs []error
	positive := func(name string, ok bool) {
		if !ok {
			errs = append(errs, errors.New("hub: "+name+" must be set and positive"))
		}
	}
	positive("Heartbeat", c.Heartbeat > 0)
	positive("PresenceTTL", c.PresenceTTL > 0)
	positive("ResumeWindow", c.ResumeWindow > 0)
	positive("RingTimeout", c.RingTimeout > 0)
	positive("HelloTimeout", c.HelloTimeout > 0)
	positive("MessageRate", c.MessageRate > 0)
	positive("MessageBurst", c.MessageBurst > 0)
	positive("Node", c.Node != "")
	positive("Now", c.Now != nil)
	positive("Logger", c.Logger != nil)
	return errors.Join(errs...)
}

// Conn is a connection to a device, whatever the transport. Both methods
// return at once and may be called from any goroutine.
type Conn interface {
	// Send queues frames, all or none. False means that the queue is full: the
	// device does not read fast enough.
	Send(frames ...[]byte) bool
	// Close ends the connection, after what is queued where possible.
	Close(reason rtc.Close)
}

const (
	inboxLength   = 1024                   // work waiting for the hub's goroutine
	tickInterval  = 250 * time.Millisecond // of call deadlines and of presence
	beats         = 20                     // parts of a heartbeat: each connection is pinged in one
	maxDevices    = 16                     // of one user
	maxOutbox     = 1024                   // frames kept for a device to resume
	maxOutboxSize = 4 << 20                // bytes kept for a device to resume
)

// Hub is the signalling hub of one node.
type Hub struct {
	cfg   Config
	store presence.Store
	inbox chan func()
	done  chan struct{} // closed when Run has ended
	stats counters

	// Owned by the goroutine of Run:
	ports   map[*Port]struct{}
	beat    int // whose connections were pinged last
	devices map[call.Device]*device
	users   map[string]map[call.Device]*device
	calls   calls
	tests   pathTests
	links   fileLinks
	roster  roster
}

// New makes a hub; Run makes it work.
func New(cfg Config, store presence.Store) (*Hub, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Hub{
		cfg:     cfg,
		store:   store,
		inbox:   make(chan func(), inboxLength),
		done:    make(chan struct{}),
		ports:   make(map[*Port]struct{}),
		devices: make(map[call.Device]*device),
		users:   make(map[string]map[call.Device]*device),
		calls:   newCalls(),
		tests:   newPathTests(),
		links:   newFileLinks(),
		roster:  newRoster(),
	}, nil
}

// Run owns the hub's state until ctx ends, then closes every connection with
// going_away. It may be called once.
func (h *Hub) Run(ctx context.Context) {
	defer close(h.done)
	syncer := newSyncer(h.store, h.cfg.PresenceTTL, h.cfg.Logger)
	var wg sync.WaitGroup
	wg.Go(func() { syncer.run(ctx) })
	defer wg.Wait()

	tick := time.NewTicker(tickInterval)
	defer tick.Stop()
	heartbeat := time.NewTicker(max(h.cfg.Heartbeat/beats, 1))
	defer heartbeat.Stop()
	for ticks := 0; ; {
		select {
		case work := <-h.inbox:
			work()
			h.workOff()
		case <-tick.C:
			h.sweep(h.cfg.Now())
			if ticks++; ticks >= presenceTicks(len(h.ports)) && h.roster.hand(syncer) {
				ticks = 0
			}
		case <-heartbeat.C:
			h.beat = (h.beat + 1) % beats
			h.ping(h.cfg.Now())
		case changes := <-syncer.results:
			h.announce(changes)
		case <-ctx.Done():
			for p := range h.ports {
				p.shut(rtc.CloseGoingAway)
			}
			return
		}
	}
}

// workOff does some of what waits: to choose among all that may happen costs more
// than a message.
func (h *Hub) workOff() {
	for range inboxLength {
		select {
		case work := <-h.inbox:
			work()
		default:
			return
		}
	}
}

// presenceTicks is how many ticks changes of presence wait for more to share a
// message with: it goes to everybody.
func presenceTicks(connections int) int { return min(1+connections/500, 4) }

// post hands work to the hub's goroutine; false means that it has ended.
func (h *Hub) post(work func()) bool {
	select {
	case h.inbox <- work:
		h.stats.inbox.note(int64(len(h.inbox)))
		return true
	case <-h.done:
		return false
	}
}

// later is post for who may be the hub's goroutine itself, which would wait for
// itself if the inbox were full.
func (h *Hub) later(work func()) {
	select {
	case h.inbox <- work:
		h.stats.inbox.note(int64(len(h.inbox)))
	default:
		go h.post(work)
	}
}

// Check tells whether the hub's goroutine takes work.
func (h *Hub) Check(ctx context.Context) error {
	alive := make(chan struct{})
	select {
	case h.inbox <- func() { close(alive) }:
	case <-h.done:
		return errors.New("hub: stopped")
	case <-ctx.Done():
		return errors.New("hub: its inbox is full")
	}
	select {
	case <-alive:
		return nil
	case <-h.done:
		return errors.New("hub: stopped")
	case <-ctx.Done():
		return errors.New("hub: it does not answer")
	}
}

// EndSession disconnects the devices of a session for good and ends their
// calls.
func (h *Hub) EndSession(session string) {
	h.post(func() {
		for _, d := range h.devices {
			if d.session == session {
				h.drop(d, rtc.EndSessionEnded)
			}
		}
		for p := range h.ports {
			if p.session == session {
				p.shut(rtc.CloseSessionEnded)
			}
		}
	})
}

// Rename gives a user another name in presence and in calls to come.
func (h *Hub) Rename(user rtc.User) {
	h.post(func() {
		for p := range h.ports {
			if p.user.ID == user.ID {
				p.user = user
			}
		}
		for _, d := range h.users[user.ID] {
			d.user = user
			if d.port != nil {
				h.publish(d)
			}
		}
	})
}

// Broadcast sends a message to every connected device, encoded once. It is not
// numbered: a device that is away asks for what it missed when it is back.
func (h *Hub) Broadcast(msg rtc.Message) {
	frame, err := rtc.Encode(msg, 0, "")
	if err != nil {
		h.cfg.Logger.Error("hub: cannot encode", "type", msg.Type(), "error", err)
		return
	}
	h.post(func() {
		for p := range h.ports {
			if p.device != nil {
				p.sendFrame(frame)
			}
		}
	})
}

// newName makes an unguessable name for a stream.
func newName() string { return rand.Text() }
