package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"fieldphone/configs"
	"fieldphone/httpapi"
	"fieldphone/httpapi/segment"
	"fieldphone/rtc"
	"fieldphone/rtc/hub"
	"fieldphone/turnsrv"
)

const (
	watchEvery   = 5 * time.Second
	watchTimeout = 3 * time.Second
	leafWarning  = 14 * 24 * time.Hour // it should have been renewed by then
	caWarning    = 60 * 24 * time.Hour
	clockJump    = 5 * time.Second  // more than that between two looks is no drift
	clockMemory  = 10 * time.Minute // that a jump is told of
	clientsOff   = time.Minute      // by which clients differ from the server
	clientsFew   = 3                // one wrong clock is the client's
)

// watch looks at the server every few seconds: for the warnings and the forecast of the
// dashboard, and to warn in the log before relay ports run out.
type watch struct {
	relay interface{ Ports() []turnsrv.PortUse }
	hub   interface {
		Stats() hub.Stats
		People() []hub.PersonView
	}
	presence func(context.Context) error // nil without Redis
	database func(context.Context) error
	cert     certificate
	caEnds   func() time.Time // nil without a CA of our own
	segments *segment.Holder
	served   func(segment.Segment) bool // the relay is at one of its addresses
	running  func() configs.Config
	now      func() time.Time
	log      *slog.Logger

	mu       sync.Mutex
	ports    *forecaster
	warnings []httpapi.Warning
	first    time.Time // of the looks; carries the monotonic clock
	clock    wallClock
}

var _ httpapi.Watch = (*watch)(nil)

// Forecast implements httpapi.Watch.
func (w *watch) Forecast() httpapi.Forecast {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ports.forecast(w.running().TURN.MaxAllocations)
}

// Warnings implements httpapi.Watch.
func (w *watch) Warnings() []httpapi.Warning {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.warnings)
}

func (w *watch) run(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		w.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *watch) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	redis, database := w.ask(ctx, w.presence), w.ask(ctx, w.database)
	if ctx.Err() != nil && redis != nil {
		return // the server stops
	}
	ports, calls := w.relay.Ports(), int(w.hub.Stats().CallsNow)
	clients := w.clientClocks()
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	if w.first.IsZero() {
		w.first = time.Now()
	}
	if jump := w.clock.look(now, time.Since(w.first)); jump != 0 {
		w.log.Warn("the server's clock was set", "by", jump.Round(time.Second).String(), "do", "check that it is right: sessions and certificates depend on it")
	}
	for _, c := range w.ports.observe(now, ports, calls) {
		w.tellCrossing(c)
	}
	found := w.portWarnings()
	found = append(found, w.clockWarnings(now, clients)...)
	found = append(found, w.certWarnings(now)...)
	if redis != nil {
		found = append(found, warning("redis_down"))
	}
	if database != nil {
		found = append(found, warning("database_down"))
	}
	for _, s := range w.segments.Load().Segments {
		if !w.served(s) {
			found = append(found, warning("segment_without_relay", "segment", s.Name))
		}
	}
	if w.running().TURN.Peers.Mode == "any" {
		found = append(found, warning("peers_any"))
	}
	w.warnings = found
}

func (w *watch) ask(ctx context.Context, ping func(context.Context) error) error {
	if ping == nil {
		return nil
	}
	return ping(ctx)
}

// warning takes parameters as name, value, name, value.
func warning(code string, params ...any) httpapi.Warning {
	return httpapi.Warning(effect(code, params...))
}

// tellCrossing warns in the log once when ports become tight or full, and says when there
// are enough again.
func (w *watch) tellCrossing(c crossing) {
	p := c.ports
	attrs := []any{"address", p.Address, "relay_ports", p.Range.String(), "used", p.Used, "free", p.Free}
	switch {
	case c.after == "ok":
		w.log.Info("relay ports: there are enough again", attrs...)
	case c.after == "full":
		w.log.Warn("relay ports: all are in use, new calls cannot be relayed", append(attrs, "do", "widen turn.relay_ports on the dashboard, and in the firewall")...)
	case c.before == "ok":
		attrs = append(attrs, "calls_left", int(float64(p.Free)/w.ports.perCall))
		w.log.Warn("relay ports: they are running out", append(attrs, "do", "widen turn.relay_ports on the dashboard, and in the firewall")...)
	}
}

func (w *watch) portWarnings() (found []httpapi.Warning) {
	for address, a := range w.ports.byAddress {
		switch a.state {
		case "tight":
			found = append(found, warning("ports_tight", "address", address, "free", a.now.Free, "used", a.now.Used))
		case "full":
			found = append(found, warning("ports_full", "address", address, "used", a.now.Used))
		}
		if n := a.refusedLately(); n > 0 {
			found = append(found, warning("refused_recently", "address", address, "count", n, "minutes", int(refusedWindow.Minutes())))
		}
	}
	slices.SortFunc(found, func(a, b httpapi.Warning) int {
		return slices.Compare([]string{a.Code, fmt.Sprint(a.Params["address"])}, []string{b.Code, fmt.Sprint(b.Params["address"])})
	})
	return found
}

// clientClocks is by how much the clients' clocks, in the middle, differ from the server's,
// by their path tests; 0 where too few say so.
func (w *watch) clientClocks() time.Duration {
	var offsets []float64
	for _, p := range w.hub.People() {
		for _, d := range p.Devices {
			if d.Path == nil {
				continue
			}
			for _, leg := range d.Path.Legs {
				if offset, ok := leg.Data["offset_ms"]; ok && leg.Leg == rtc.LegClock {
					offsets = append(offsets, offset)
				}
			}
		}
	}
	if len(offsets) < clientsFew {
		return 0
	}
	slices.Sort(offsets)
	return time.Duration(offsets[len(offsets)/2] * float64(time.Millisecond))
}

// wallClock notices when the clock of the wall is set, by one that only counts.
type wallClock struct {
	offset   time.Duration // from the counting clock to the wall's
	known    bool
	jumped   time.Duration
	jumpedAt time.Duration // by the counting clock
}

// look returns by how much the clock was set since the last look, 0 for not.
func (c *wallClock) look(wall time.Time, elapsed time.Duration) (jump time.Duration) {
	offset := time.Duration(wall.UnixNano()) - elapsed
	if c.known && (offset-c.offset).Abs() > clockJump {
		jump = offset - c.offset
		c.jumped, c.jumpedAt = jump, elapsed
	}
	if c.jumped != 0 && elapsed-c.jumpedAt > clockMemory {
		c.jumped = 0
	}
	c.offset, c.known = offset, true
	return jump
}

// clockWarnings: a clock that was set, that is before the certificate was made, or that most
// clients contradict.
func (w *watch) clockWarnings(now time.Time, clients time.Duration) (found []httpapi.Warning) {
	if w.clock.jumped != 0 {
		found = append(found, warning("clock_suspect", "reason", "jumped", "seconds", int(w.clock.jumped.Seconds())))
	}
	if leaf := w.leaf(); leaf != nil && leaf.Leaf != nil && now.Before(leaf.Leaf.NotBefore) {
		found = append(found, warning("clock_suspect", "reason", "before_certificate"))
	}
	if clients.Abs() > clientsOff {
		found = append(found, warning("clock_suspect", "reason", "clients_differ", "seconds", int(clients.Seconds())))
	}
	return found
}

func (w *watch) certWarnings(now time.Time) (found []httpapi.Warning) {
	soon := func(code string, ends time.Time, within time.Duration) {
		if left := ends.Sub(now); left < within {
			found = append(found, warning(code, "days", int(left.Hours()/24), "at", ends.UnixMilli()))
		}
	}
	if leaf := w.leaf(); leaf != nil && leaf.Leaf != nil {
		soon("cert_expiring", leaf.Leaf.NotAfter, leafWarning)
	}
	if w.caEnds != nil {
		soon("ca_expiring", w.caEnds(), caWarning)
	}
	if names := w.cert.Refused(); len(names) > 0 {
		found = append(found, warning("names_refused", "names", fmt.Sprint(names)))
	}
	return found
}

func (w *watch) leaf() *tls.Certificate {
	leaf, err := w.cert.TLSConfig().GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		return nil
	}
	return leaf
}
