package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"fieldphone/configs"
	"fieldphone/httpapi/segment"
	"fieldphone/rtc"
	"fieldphone/rtc/hub"
	"fieldphone/turnsrv"

	"github.com/google/go-cmp/cmp"
)

// portsOf is one address of which some ports of a hundred are used.
type portsOf struct{ ports []turnsrv.PortUse }

func (p *portsOf) Ports() []turnsrv.PortUse { return p.ports }

func (p *portsOf) use(used int, refused int64) {
	p.ports = []turnsrv.PortUse{{
		Address: hereOne, Range: turnsrv.PortRange{Min: 50000, Max: 50099}, Used: used, Free: 100 - used, Peak: used, Refused: refused,
	}}
}

func TestForecast(t *testing.T) {
	f := newForecaster()
	at := time.Unix(1000, 0)
	var p portsOf
	for i := range 61 { // one port more every five seconds, three for each call
		p.use(30+i, 0)
		f.observe(at.Add(time.Duration(i)*5*time.Second), p.ports, (30+i)/3)
	}
	got := f.forecast(0)
	if got.State != "tight" || got.Peak != 90 || got.PerCall < 2.9 || got.PerCall > 3.2 || got.CallsLeft != 3 {
		t.Errorf("got %+v", got)
	}
	if got.FullInS < 45 || got.FullInS > 55 { // ten more ports
		t.Errorf("full in %d s, want about 50", got.FullInS)
	}
	if got := f.forecast(91); got.CallsLeft != 0 || got.State != "tight" {
		t.Errorf("with a limit of 91: %+v", got)
	}
	if got := f.forecast(90); got.State != "full" {
		t.Errorf("with a limit of 90: %+v", got)
	}
	// A range that moves has no history.
	p.ports[0].Range.Max = 50199
	p.ports[0].Free = 110
	f.observe(at.Add(10*time.Minute), p.ports, 30)
	if got := f.forecast(0); got.FullInS != 0 || got.State != "ok" {
		t.Errorf("after the move: %+v", got)
	}
	// Fewer ports are no trend.
	for i := range 20 {
		p.use(50-i, 0)
		f.observe(at.Add(20*time.Minute+time.Duration(i)*5*time.Second), p.ports, 10)
	}
	if got := f.forecast(0); got.FullInS != 0 {
		t.Errorf("got %+v", got)
	}
}

// Ensure the log warns once before the ports run out, and not at each wavering.
func TestWarningsBeforeExhaustion(t *testing.T) {
	log := newLockedBuffer()
	var p portsOf
	now := time.Now()
	w := testWatch(&p, log, func() time.Time { return now })
	look := func(used int, refused int64) (codes string) {
		t.Helper()
		p.use(used, refused)
		now = now.Add(5 * time.Second)
		w.look(t.Context())
		for _, each := range w.Warnings() {
			codes += each.Code + " "
		}
		return strings.TrimSpace(codes)
	}
	for _, tt := range []struct {
		used    int
		refused int64
		codes   string
	}{
		{10, 0, ""},
		{79, 0, ""},
		{80, 0, "ports_tight"},
		{79, 0, "ports_tight"},
		{81, 0, "ports_tight"},
		{70, 0, "ports_tight"},
		{100, 0, "ports_full"},
		{100, 3, "ports_full refused_recently"},
		{99, 3, "ports_tight refused_recently"},
		{69, 3, "refused_recently"},
		{80, 3, "ports_tight refused_recently"},
	} {
		if got := look(tt.used, tt.refused); got != tt.codes {
			t.Errorf("%d used, %d refused: got %q, want %q", tt.used, tt.refused, got, tt.codes)
		}
	}
	var lines []string
	for line := range strings.Lines(log.String()) {
		for _, what := range []string{"running out", "all are in use", "enough again"} {
			if strings.Contains(line, what) {
				lines = append(lines, what)
			}
		}
	}
	if diff := cmp.Diff([]string{"running out", "all are in use", "enough again", "running out"}, lines); diff != "" {
		t.Errorf("-want +got:\n%s\n%s", diff, log.String())
	}
	now = now.Add(refusedWindow + time.Minute)
	if got := look(10, 3); got != "clock_suspect" { // this test has set the clock
		t.Errorf("ten minutes later: %q", got)
	}
}

func TestOtherWarnings(t *testing.T) {
	var p portsOf
	p.use(0, 0)
	now := time.Now()
	leaf := &fixedCert{from: now.Add(-time.Hour), until: now.Add(100 * 24 * time.Hour)}
	w := testWatch(&p, newLockedBuffer(), func() time.Time { return now })
	w.cert = leaf
	codes := func() string {
		w.look(t.Context())
		var out []string
		for _, each := range w.Warnings() {
			out = append(out, each.Code)
			if reason, ok := each.Params["reason"]; ok {
				out = append(out, reason.(string))
			}
		}
		return strings.Join(out, " ")
	}
	if got := codes(); got != "" {
		t.Errorf("all is well: %q", got)
	}
	broken := errors.New("broken")
	w.presence = func(context.Context) error { return broken }
	w.database = func(context.Context) error { return broken }
	if got := codes(); got != "redis_down database_down" {
		t.Errorf("got %q", got)
	}
	w.presence, w.database = nil, nil
	w.segments.Store(&segment.Table{Segments: []segment.Segment{{Name: "a", ServerAddresses: []netip.Addr{hereTwo}}}})
	if got := codes(); got != "segment_without_relay" {
		t.Errorf("got %q", got)
	}
	w.segments.Store(&segment.Table{})
	w.running = func() configs.Config {
		cfg := configs.Default()
		cfg.TURN.Peers.Mode = "any"
		return cfg
	}
	if got := codes(); got != "peers_any" {
		t.Errorf("got %q", got)
	}
	w.running = configs.Default
	leaf.until = now.Add(13 * 24 * time.Hour)
	w.caEnds = func() time.Time { return now.Add(59 * 24 * time.Hour) }
	leaf.refused = []string{"example.org"}
	if got := codes(); got != "cert_expiring ca_expiring names_refused" {
		t.Errorf("got %q", got)
	}
	leaf.until, leaf.refused, w.caEnds = now.Add(100*24*time.Hour), nil, nil
	leaf.from = now.Add(time.Hour)
	if got := codes(); got != "clock_suspect before_certificate" {
		t.Errorf("got %q", got)
	}
	leaf.from = now.Add(-time.Hour)
	people := &w.hub.(*someHub).people
	for i, offset := range []float64{-7200_000, -7199_000, 50} {
		*people = append(*people, hub.PersonView{Devices: []hub.DeviceView{{Path: &hub.PathReport{
			Legs: []rtc.Leg{{Leg: rtc.LegClock, Data: map[string]float64{"offset_ms": offset}}, {Leg: rtc.LegNAT}},
		}}}})
		want := ""
		if i == 2 { // one or two wrong clocks are the clients'
			want = "clock_suspect clients_differ"
		}
		if got := codes(); got != want {
			t.Errorf("with %d clients: %q, want %q", i+1, got, want)
		}
	}
}

func TestWallClock(t *testing.T) {
	var c wallClock
	wall := time.Unix(1_000_000, 0)
	for _, tt := range []struct{ elapsed, set, want, remembered time.Duration }{
		{0, 0, 0, 0},
		{5 * time.Second, 0, 0, 0},
		{10 * time.Second, 4 * time.Second, 0, 0}, // no more than a slow look
		{15 * time.Second, -time.Hour, -time.Hour - 4*time.Second, -time.Hour - 4*time.Second},
		{20 * time.Second, -time.Hour, 0, -time.Hour - 4*time.Second},
		{12 * time.Minute, -time.Hour, 0, 0},
	} {
		if got := c.look(wall.Add(tt.elapsed+tt.set), tt.elapsed); got != tt.want || c.jumped != tt.remembered {
			t.Errorf("after %v: got %v, remembered %v, want %v, %v", tt.elapsed, got, c.jumped, tt.want, tt.remembered)
		}
	}
}

// someHub is who is there, for a watch.
type someHub struct{ people []hub.PersonView }

func (*someHub) Stats() hub.Stats           { return hub.Stats{} }
func (h *someHub) People() []hub.PersonView { return h.people }

func testWatch(p *portsOf, log *lockedBuffer, now func() time.Time) *watch {
	return &watch{
		relay: p, hub: &someHub{},
		cert: &fixedCert{until: now().Add(1000 * time.Hour)}, segments: &segment.Holder{},
		served: func(s segment.Segment) bool { return !slices.Contains(s.ServerAddresses, hereTwo) }, running: configs.Default,
		now: now, log: slog.New(slog.NewTextHandler(log, nil)), ports: newForecaster(),
	}
}

// fixedCert is a certificate that a test chooses the life of.
type fixedCert struct {
	from, until time.Time
	refused     []string
}

func (*fixedCert) SetNames([]netip.Addr, []string) (bool, error) { return false, nil }
func (c *fixedCert) Refused() []string                           { return c.refused }
func (*fixedCert) Run(context.Context)                           {}
func (c *fixedCert) TLSConfig() *tls.Config {
	return &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return &tls.Certificate{Leaf: &x509.Certificate{NotBefore: c.from, NotAfter: c.until}}, nil
	}}
}
