// Package probe tries every way from this machine to a server, as a browser would need it,
// and says which leg fails first, why, and what a firewall must let through.
package probe

import (
	"context"
	"crypto/x509"
	"fmt"
	"math"
	"net/netip"
	"time"

	"fieldphone/cmd/fieldphone/checkup"
	"fieldphone/cmd/fieldphone/desktop"
	"fieldphone/httpapi/pathtest"
	"fieldphone/rtc"
)

// Subject is what to probe, and as whom.
type Subject struct {
	Target desktop.Target
	Roots  *x509.CertPool       // trusted beside this machine's own; nil for none
	CA     *desktop.Fingerprint // of the CA that the server must have; nil if it is not known

	User, Password string // an account; empty for none
	Guest          string // a name to join by as a guest; empty for none
	Invite         string // the code of an invite, for guests where it takes one

	TURNPort uint16        // asked without an account, which tells the true ones
	Kbps     int           // kbit/s of the throughput test, at most MaxKbps
	Duration time.Duration // of it, at most MaxDuration

	Now func() time.Time
}

// The bounds of the throughput test: a test must not take a site's network.
const (
	MaxKbps     = 20_000
	MaxDuration = 30 * time.Second
)

// The groups of checks.
const (
	groupServer = "server"
	groupSignal = "signalling"
	groupRelay  = "relay"
	groupMedia  = "media"
)

// Detail is what the report has for programs beside the checks.
type Detail struct {
	Segment  string             `json:"segment"`
	Client   string             `json:"client"`    // as the server sees it
	Server   string             `json:"server"`    // that was reached
	CASHA256 string             `json:"ca_sha256"` // of the CA that the server shows
	Legs     []rtc.Leg          `json:"legs"`
	Findings []pathtest.Finding `json:"findings"`
}

// run is one probe.
type run struct {
	Subject
	report *checkup.Report
	detail *Detail
	steps  []step

	api  *api           // once the server's certificate is judged
	plan *pathtest.Plan // once signed in
	at   netip.AddrPort // of the server's HTTPS port
}

// step is one thing that was tried: a leg, whose check follows from all of them together,
// or a check that stands for itself.
type step struct {
	group, name string
	leg         rtc.Leg
	text        string // what people read of the leg
	hint        string // instead of that of the leg's finding

	check *checkup.Check
}

// Run probes until everything was tried, or ctx ends.
func Run(ctx context.Context, s Subject) *checkup.Report {
	s.Kbps, s.Duration = min(max(s.Kbps, 1), MaxKbps), min(s.Duration, MaxDuration)
	detail := &Detail{Legs: []rtc.Leg{}, Findings: []pathtest.Finding{}}
	r := &run{Subject: s, detail: detail, report: &checkup.Report{
		Command: "probe", Target: s.Target.URL.String(), At: s.Now(), Detail: detail,
	}}
	r.probe(ctx)
	if err := ctx.Err(); err != nil {
		r.fail(groupServer, "time", "Try again; if it is slow each time, test a part: without --user.", "not everything was tried: %v", err)
	}
	r.judge()
	r.report.Finish(s.Now())
	return r.report
}

func (r *run) probe(ctx context.Context) {
	if !r.resolve(ctx) || !r.connect(ctx) || !r.trust(ctx) {
		return
	}
	defer r.api.close()
	if !r.http(ctx) {
		return
	}
	if r.signIn(ctx) {
		defer r.api.signOut(ctx)
		r.learn(ctx)
	}
	r.clock()
	r.signalling(ctx)
	r.relay(ctx)
}

// A leg that takes longer than this makes calls that begin late.
const slowLeg = 3 * time.Second

// add keeps a leg for the report.
func (r *run) add(s step) {
	r.steps = append(r.steps, s)
	r.detail.Legs = append(r.detail.Legs, s.leg)
}

// tell keeps a check that needs no leg.
func (r *run) tell(group, name string, state checkup.State, hint, format string, args ...any) {
	r.steps = append(r.steps, step{check: &checkup.Check{
		Group: group, Name: name, State: state, Hint: hint, Text: fmt.Sprintf(format, args...),
	}})
}

// leg is one that was tried for so long.
func leg(name rtc.LegName, target string, took time.Duration, code rtc.LegCode) rtc.Leg {
	l := rtc.Leg{Leg: name, State: rtc.LegOK, Target: target, MS: milliseconds(took), Code: code}
	switch {
	case code != "":
		l.State = rtc.LegFailed
	case took > slowLeg:
		l.State, l.Code = rtc.LegSlow, rtc.LegTooSlow
	}
	return l
}

// milliseconds with one decimal, as legs carry them.
func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d.Microseconds())/100) / 10
}

func round(n float64, digits int) float64 {
	unit := math.Pow10(digits)
	return math.Round(n*unit) / unit
}

func (r *run) ok(group, name, format string, args ...any) {
	r.tell(group, name, checkup.OK, "", format, args...)
}

func (r *run) skip(group, name, format string, args ...any) {
	r.tell(group, name, checkup.Skipped, "", format, args...)
}

func (r *run) warn(group, name, hint, format string, args ...any) {
	r.tell(group, name, checkup.Warning, hint, format, args...)
}

func (r *run) fail(group, name, hint, format string, args ...any) {
	r.tell(group, name, checkup.Failed, hint, format, args...)
}
