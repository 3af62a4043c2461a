package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"fieldphone/configs"
	"fieldphone/httpapi"
	"fieldphone/httpapi/account"
	"fieldphone/httpapi/lanca"
	"fieldphone/httpapi/localname"
	"fieldphone/httpapi/sqlstore"
	"fieldphone/rtc/hub"
	"fieldphone/rtc/presence"
	"fieldphone/turnsrv"
	"fieldphone/web"
)

const (
	shutdownTimeout = 3 * time.Second
	helloTimeout    = 10 * time.Second
	messageRate     = 50  // signalling messages a second from one connection
	messageBurst    = 400 // a call's candidates come at once
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
	cfg, err := s.load(inv)
	if err != nil {
		return err
	}
	log := newLogger(cfg.Log, inv.stderr)
	for _, warning := range cfg.Warnings() {
		log.Warn("configuration", "warning", warning)
	}
	server, err := newServer(ctx, cfg, log)
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
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.Level)) // Validate allows only what this reads
	options := &slog.HandlerOptions{Level: level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// server is everything that runs, in the order in which it was built.
type server struct {
	cfg      configs.Config
	log      *slog.Logger
	places   []place
	relays   atomic.Pointer[[]netip.Addr]
	db       *sqlstore.DB
	accounts *account.Service
	presence presence.Store
	hub      *hub.Hub
	turn     *turnsrv.Server
	turnPort uint16
	cert     certificate
	ca       *lanca.Authority     // nil if a certificate is configured
	name     *localname.Responder // nil if it is switched off
	conns    *httpapi.ConnLimits
	app      *httpapi.App
	start    *httpapi.App
	https    []net.Listener
	http     []net.Listener
	closers  []func() error // closed in reverse
}

// newServer builds everything, top to bottom, so that it listens but does not
// yet answer. On error it leaves nothing open.
func newServer(ctx context.Context, cfg configs.Config, log *slog.Logger) (s *server, err error) {
	s = &server{cfg: cfg, log: log}
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
	if s.presence, err = openPresence(ctx, cfg, log); err != nil {
		return s, err
	}
	s.defer_(s.presence.Close)
	if s.hub, err = hub.New(s.hubConfig(), s.presence); err != nil {
		return s, err
	}
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

// openAccounts opens what both the server and the user command need.
func openAccounts(ctx context.Context, cfg configs.Config, log *slog.Logger) (*sqlstore.DB, *account.Service, error) {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, nil, fmt.Errorf("data folder: %w; set data or --data to a folder that can be written", err)
	}
	key, err := loadSecret(cfg.Session.Secret.Reveal(), cfg.Data, "session.secret")
	if err != nil {
		return nil, nil, err
	}
	db, err := sqlstore.Open(ctx, sqlstore.Config{DSN: cfg.Database.DSN.Reveal(), Dir: cfg.Data, Logger: log})
	if err != nil {
		return nil, nil, err
	}
	accounts, err := account.New(ctx, account.Config{
		SigningKey: key, SessionTTL: cfg.Session.TTL, Leeway: cfg.Session.Leeway, BcryptCost: cfg.Session.BcryptCost,
		AddressRate: perMinute(cfg.Limits.SignInPerMinutePerAddress), IDRate: perMinute(cfg.Limits.SignInPerMinutePerUser),
		RegisterRate: perMinute(cfg.Limits.RegisterPerMinutePerAddress), Registration: registration(cfg.Registration),
		Logger: log,
	}, db.Accounts())
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, accounts, nil
}

func perMinute(n int) account.Rate { return account.Rate{Burst: n, PerMinute: n} }

func openPresence(ctx context.Context, cfg configs.Config, log *slog.Logger) (presence.Store, error) {
	if url := cfg.Redis.URL.Reveal(); url != "" {
		return presence.NewRedis(ctx, presence.Config{URL: url, Logger: log})
	}
	return presence.NewMemory(time.Now), nil
}

func (s *server) hubConfig() hub.Config {
	node, err := os.Hostname()
	if err != nil || node == "" {
		node = "fieldphone"
	}
	c := s.cfg.Signalling
	return hub.Config{
		Node: node, Heartbeat: c.Heartbeat, PresenceTTL: c.PresenceTTL, ResumeWindow: c.ResumeWindow,
		RingTimeout: c.RingTimeout, HelloTimeout: helloTimeout, MessageRate: messageRate, MessageBurst: messageBurst,
		Now: time.Now, Logger: s.log,
	}
}

// openRelay starts the STUN/TURN server on every address of the host.
func (s *server) openRelay(ctx context.Context, secret []byte) error {
	c := s.cfg.TURN
	s.turnPort = uint16(c.Port)
	var err error
	s.turn, err = turnsrv.New(turnsrv.Config{
		Realm: c.Realm, Secret: secret, Logger: s.log, Now: time.Now,
		Relay:  turnsrv.PortRange{Min: uint16(c.RelayPorts.Min), Max: uint16(c.RelayPorts.Max)},
		Policy: turnsrv.Policy{AllowLoopback: c.AllowLoopbackPeers},
		Limits: turnsrv.Limits{
			AllocationsPerSession: c.MaxAllocationsPerSession, TCPConnections: c.MaxTCPConnections,
			CredentialLifetime: s.cfg.Session.TTL + s.cfg.Session.Leeway, // a credential ends with its session
		},
	})
	if err != nil {
		return err
	}
	return s.serveRelay(ctx, s.places)
}

// serveRelay makes the relay listen on the addresses that there are now.
func (s *server) serveRelay(ctx context.Context, places []place) error {
	addrs := relayAddrs(places)
	if s.turnPort == 0 && len(addrs) > 0 {
		first, err := turnsrv.Open(ctx, addrs[:1], 0)
		if err != nil {
			return err
		}
		s.turnPort = first[0].UDP.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		if err := s.turn.Add(first...); err != nil {
			return err
		}
	}
	s.relays.Store(&addrs)
	return s.turn.SetAddresses(ctx, addrs, s.turnPort)
}

// checkRelay asks the relay by its own sockets whether it answers.
func (s *server) checkRelay(ctx context.Context) error {
	for _, addr := range *s.relays.Load() {
		if _, err := turnsrv.Probe(ctx, netip.AddrPortFrom(addr, s.turnPort)); err != nil {
			return err
		}
	}
	return nil
}

// nameCertificate puts every name and address of this host into the leaf.
func (s *server) nameCertificate(places []place) error {
	addrs := append(addrsOf(places), netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback())
	names := []string{"localhost"}
	if name := s.cfg.MDNS.FQDN(); name != "" {
		names = append(names, name)
	}
	if hostName, err := os.Hostname(); err == nil {
		names = append(names, hostName, hostName+".local")
	}
	for _, name := range s.cfg.TLS.Names {
		if addr, err := netip.ParseAddr(name); err == nil {
			addrs = append(addrs, addr)
		} else {
			names = append(names, name)
		}
	}
	_, err := s.cert.SetNames(addrs, names)
	return err
}

// listen opens the TCP ports: on the addresses named in the configuration, or
// on all, so that addresses that come later are served as well.
func (s *server) listen(ctx context.Context) error {
	c := s.cfg
	s.conns = &httpapi.ConnLimits{Max: c.Limits.MaxConnections, MaxPerAddress: c.Limits.MaxConnectionsPerAddress}
	hosts := []string{""}
	if len(c.Listen.Addresses) > 0 {
		hosts = nil
		for _, addr := range c.Listen.Addresses {
			hosts = append(hosts, addr.String())
		}
	}
	for _, host := range hosts {
		https, err := s.listenTCP(ctx, host, c.Listen.HTTPSPort, "listen.https_port")
		if err != nil {
			return err
		}
		s.https = append(s.https, https)
		plain, err := s.listenTCP(ctx, host, c.Listen.HTTPPort, "listen.http_port")
		if err != nil {
			return err
		}
		s.http = append(s.http, plain)
	}
	return nil
}

func (s *server) listenTCP(ctx context.Context, host string, port int, key string) (net.Listener, error) {
	var config net.ListenConfig
	ln, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, fmt.Sprint(port)))
	if err != nil {
		return nil, fmt.Errorf("%w; choose another %s, or stop what uses it", err, key)
	}
	s.defer_(func() error {
		if err := ln.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return s.conns.Listen(ln), nil
}

func portOf(listeners []net.Listener) uint16 {
	return listeners[0].Addr().(*net.TCPAddr).AddrPort().Port()
}

func (s *server) buildApps(turnSecret []byte) error {
	page, err := web.Dist()
	if err != nil {
		return err
	}
	s.app = httpapi.New(httpapi.Config{
		SiteName: s.cfg.Name, Accounts: s.accounts, Hub: s.hub, Page: page,
		ICE: httpapi.ICEConfig{
			Secret: turnSecret, Port: s.turnPort, Segments: segments(s.cfg, s.turnPort),
			Addresses: func() []netip.Addr { return *s.relays.Load() },
		},
		Metrics: newMetrics(collector{turn: s.turn.Stats, hub: s.hub.Stats, conns: s.conns}),
		Ready: []httpapi.Check{
			{Name: "database", Ask: s.db.Ping}, {Name: "presence", Ask: s.presence.Ping}, {Name: "hub", Ask: s.hub.Check}, {Name: "relay", Ask: s.checkRelay},
		},
		BodyBytes: s.cfg.Limits.BodyBytes, MessageBytes: s.cfg.Limits.MessageBytes, SendQueue: s.cfg.Signalling.SendQueue,
		Now: time.Now, Logger: s.log,
	})
	s.start, err = httpapi.NewStart(httpapi.StartConfig{
		HTTPSPort: portOf(s.https), Site: s.site, Logger: s.log,
	})
	return err
}

func segments(cfg configs.Config, port uint16) []httpapi.Segment {
	var out []httpapi.Segment
	for _, segment := range cfg.Segments {
		var addrs []netip.AddrPort
		for _, addr := range segment.TURNAddresses {
			if addr.Port() == 0 {
				addr = netip.AddrPortFrom(addr.Addr(), port)
			}
			addrs = append(addrs, addr)
		}
		out = append(out, httpapi.Segment{Clients: segment.Clients, Addresses: addrs})
	}
	return out
}

func (s *server) banner() banner {
	kept := "this process (one server)"
	if s.cfg.Redis.URL.IsSet() {
		kept = "Redis"
	}
	r := s.cfg.TURN.RelayPorts
	return banner{
		policy: s.cfg.Registration.Policy,
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
	wg.Go(func() { s.hub.Run(ctx) })
	wg.Go(func() { s.cert.Run(ctx) })
	serve("accounts", func() error { return s.accounts.Run(ctx) })
	wg.Go(func() { watchPlaces(ctx, s.cfg.Listen, s.places, func(places []place) { s.move(ctx, places) }) })
	for _, ln := range s.https {
		serve("https", func() error { return s.app.Serve(tlsListener(ln, s.cert)) })
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

// move follows the host to other addresses: relay, certificate, ICE lists.
func (s *server) move(ctx context.Context, places []place) {
	s.log.Info("addresses changed", "addresses", fmt.Sprint(addrsOf(places)))
	s.serveName(places)
	if err := errors.Join(s.serveRelay(ctx, places), s.nameCertificate(places)); err != nil {
		s.log.Error("cannot serve the new addresses fully; they are tried again at the next change", "error", err)
	}
}
