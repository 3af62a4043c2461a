package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"fieldphone/configs"
	"fieldphone/httpapi"
	"fieldphone/httpapi/account"
	"fieldphone/httpapi/files"
	"fieldphone/httpapi/lanca"
	"fieldphone/httpapi/localname"
	"fieldphone/httpapi/people"
	"fieldphone/httpapi/segment"
	"fieldphone/httpapi/sqlstore"
	"fieldphone/rtc/announce"
	"fieldphone/rtc/chat"
	"fieldphone/rtc/hub"
	"fieldphone/rtc/presence"
	"fieldphone/turnsrv"
)

const (
	shutdownTimeout = 3 * time.Second
	helloTimeout    = 10 * time.Second
	messageRate     = 50  // signalling messages a second from one connection
	messageBurst    = 400 // a call's candidates come at once
	// garbage (percent of what is in use) may stand before it is collected. What is
	// in use is mostly held for idle clients and makes little, so that half of Go's default
	// costs next to nothing. The environment's GOGC is for those who know better.
	garbage = 50
)

func (inv *invocation) serve(ctx context.Context, args []string) error {
	fs, s := newFlags(inv, "serve")
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: serve takes no %q", errUsage, rest[0])
	}
	loaded, err := s.read(inv)
	if err != nil {
		return err
	}
	if inv.env("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	log, level := newLeveledLogger(loaded.Config.Log, inv.stderr)
	for _, warning := range loaded.Config.Warnings() {
		log.Warn("configuration", "warning", warning)
	}
	server, err := newServer(ctx, setup{loaded, func() (configs.Loaded, error) { return s.read(inv) }, terminalOf(inv.stdin), log, level})
	if err != nil {
		return err
	}
	b := server.banner()
	if b.adminCode, err = server.accounts.OfferAdmin(ctx); err != nil {
		return errors.Join(err, server.close())
	}
	b.print(inv.stdout)
	err = server.run(ctx)
	fmt.Fprintln(inv.stdout, "Fieldphone has stopped.")
	return err
}

func newLogger(cfg configs.Log, w io.Writer) *slog.Logger {
	log, _ := newLeveledLogger(cfg, w)
	return log
}

// newLeveledLogger also gives what changes the level while it is in use.
func newLeveledLogger(cfg configs.Log, w io.Writer) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	_ = level.UnmarshalText([]byte(cfg.Level)) // Validate allows only what this reads
	options := &slog.HandlerOptions{Level: level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), level
	}
	return slog.New(slog.NewTextHandler(w, options)), level
}

// setup is what a server is made of.
type setup struct {
	loaded configs.Loaded
	reload func() (configs.Loaded, error) // reads all sources of loaded again
	hungUp func() bool                    // the terminal is gone
	log    *slog.Logger
	level  *slog.LevelVar // of log
}

// server is everything that runs, in the order in which it was built.
type server struct {
	cfg       configs.Config // what it was started with; live settings are in live
	log       *slog.Logger
	node      string
	places    []place
	reachable atomic.Pointer[[]place] // as the relay last followed them
	db        *sqlstore.DB
	accounts  *account.Service
	files     *files.Service
	people    *people.Service
	presence  presence.Store
	hub       *hub.Hub
	announce  *announce.Service
	attention *attention
	chat      *chat.Service
	turn      *turnsrv.Server
	book      *peerBook
	calls     *callMetrics
	turnPort  uint16
	segments  segment.Holder
	live      *live
	watch     *watch
	cert      certificate
	ca        *lanca.Authority     // nil if a certificate is configured
	name      *localname.Responder // nil if it is switched off
	conns     *httpapi.ConnLimits
	app       *httpapi.App
	start     *httpapi.App
	https     []net.Listener
	http      []net.Listener
	closers   []func() error // closed in reverse
}

// newServer builds everything, top to bottom, so that it listens but does not
// yet answer. On error it leaves nothing open.
func newServer(ctx context.Context, setup setup) (s *server, err error) {
	cfg, log := setup.loaded.Config, setup.log
	s = &server{cfg: cfg, log: log, node: nodeName(), book: newPeerBook(time.Now)}
	s.calls, s.attention = newCallMetrics(s.segmentOf), &attention{s: s}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.places, err = findPlaces(cfg.Listen); err != nil {
		return s, fmt.Errorf("list network interfaces: %w", err)
	}
	if s.db, s.accounts, err = openAccounts(ctx, cfg, log); err != nil {
		return s, err
	}
	s.defer_(s.db.Close)
	if s.people, err = s.openPeople(ctx); err != nil {
		return s, err
	}
	s.chat = chat.New(chat.Config{
		Blocked: s.people.Blocked, DropFile: s.dropFile, Retention: cfg.Retention.Messages, Now: time.Now, Logger: log,
	}, s.db.Chats())
	if err = s.openFiles(ctx); err != nil {
		return s, err
	}
	if s.presence, err = openPresence(ctx, cfg, log); err != nil {
		return s, err
	}
	s.defer_(s.presence.Close)
	if s.hub, err = hub.New(s.hubConfig(), s.presence); err != nil {
		return s, err
	}
	s.announce = announce.New(s.announceConfig())
	s.chat.OnChange(s.hub.Deliver)
	turnSecret, err := loadSecret(cfg.TURN.Secret.Reveal(), cfg.Data, "turn.secret")
	if err != nil {
		return s, err
	}
	if err = s.openRelay(ctx, turnSecret); err != nil {
		return s, err
	}
	s.defer_(s.turn.Close)
	s.accounts.OnSessionEnded(func(ended account.Session) {
		s.turn.EndSession(ended.ID)
		s.hub.EndSession(ended.ID)
		s.book.ended(ended.ID)
	})
	if err = s.openCertificate(); err != nil {
		return s, err
	}
	if err = s.openName(); err != nil {
		return s, err
	}
	if err = s.listen(ctx); err != nil {
		return s, err
	}
	if err = s.openLive(ctx, setup); err != nil {
		return s, err
	}
	s.openWatch()
	return s, s.buildApps(turnSecret)
}

func (s *server) defer_(close func() error) { s.closers = append(s.closers, close) }

func (s *server) close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	return errors.Join(errs...)
}

// nodeName tells this server from the others of a cluster.
func nodeName() string {
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "fieldphone"
}

func (s *server) hubConfig() hub.Config {
	c := s.cfg.Signalling
	return hub.Config{
		Node: s.node, Heartbeat: c.Heartbeat, PresenceTTL: c.PresenceTTL, ResumeWindow: c.ResumeWindow,
		RingTimeout: c.RingTimeout, HelloTimeout: helloTimeout, MessageRate: messageRate, MessageBurst: messageBurst,
		Now: time.Now, Logger: s.log, Chat: s.chat, Refuses: s.people.Refuses, Admits: s.attention.admits,
		Hooks: hub.Hooks{
			OnPaired: s.book.paired, OnParted: s.book.parted, OnCandidate: s.book.signalled, OnCallConnected: s.calls.connected,
			OnCallEnded: func(over hub.CallOver) { s.hangUp(over); s.calls.over(over); s.keepCall(over) },
		},
	}
}

func (s *server) banner() banner {
	kept := "this process (one server)"
	if s.cfg.Redis.URL.IsSet() {
		kept = "Redis, shared by several servers; calls and texts stay within each"
	}
	r := s.cfg.TURN.RelayPorts
	return banner{
		policy: s.cfg.Registration.Policy, segments: s.segments.Load(), onHTTPS: s.cfg.TURN.OnHTTPSPort,
		places: s.places, name: s.cfg.MDNS.FQDN(), https: portOf(s.https), http: portOf(s.http), turn: s.turnPort,
		relayPorts: fmt.Sprintf("%d-%d", r.Min, r.Max), site: s.site(),
		database: s.db.String(), presence: kept, refused: s.cert.Refused(),
	}
}

// run answers until ctx ends or a part fails, then closes everything in
// reverse order.
func (s *server) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	serve := func(what string, part func() error) {
		wg.Go(func() {
			if err := part(); err != nil && ctx.Err() == nil {
				cancel(fmt.Errorf("%s: %w", what, err))
			}
		})
	}
	s.serveName(s.places)
	wg.Go(func() { s.chat.Run(ctx) })
	wg.Go(func() { s.hub.Run(ctx) })
	wg.Go(func() { s.announce.Run(ctx) })
	wg.Go(func() { s.cert.Run(ctx) })
	wg.Go(func() {
		if s.live.run(ctx) {
			cancel(nil)
		}
	})
	wg.Go(func() { s.watch.run(ctx) })
	wg.Go(func() { s.files.Run(ctx) })
	serve("echo", func() error { return s.serveEcho(ctx) })
	serve("people", func() error { return s.people.Run(ctx) })
	serve("attention", func() error { return s.attention.serve(ctx) })
	serve("accounts", func() error { return s.accounts.Run(ctx) })
	wg.Go(func() {
		watchPlaces(ctx, s.cfg.Listen, s.places, func(places []place, again bool) error { return s.move(ctx, places, again) })
	})
	for _, ln := range s.https {
		serve("https", func() error { return s.app.Serve(ln) })
	}
	for _, ln := range s.http {
		serve("http", func() error { return s.start.Serve(ln) })
	}
	<-ctx.Done()
	s.log.Info("stopping")
	stop, done := context.WithTimeout(context.Background(), shutdownTimeout)
	defer done()
	for _, app := range []*httpapi.App{s.app, s.start} {
		if err := app.Shutdown(stop); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			s.log.Warn("shutdown", "error", err)
		}
	}
	err := s.close()
	wg.Wait()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return errors.Join(cause, err)
	}
	return err
}

// move follows the host to other addresses: relay, certificate, ICE lists. A
// failure is logged once and tried again.
func (s *server) move(ctx context.Context, places []place, again bool) error {
	s.serveName(places)
	err := errors.Join(s.serveRelay(ctx, places), s.nameCertificate(places), s.live.takeAgain(segmentsPart))
	switch {
	case err == nil:
		s.log.Info("serving other addresses", "addresses", fmt.Sprint(addrsOf(places)))
	case !again:
		s.log.Error("cannot serve the new addresses fully; trying again", "addresses", fmt.Sprint(addrsOf(places)), "error", err)
	}
	return err
}
