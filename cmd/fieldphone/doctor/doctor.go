// Package doctor looks at a server on its own machine, whether it runs or not: its
// settings, files, ports, addresses, certificate, stores, its machine, and whether its relay
// relays. It changes nothing and asks a running server instead of disturbing it.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fieldphone/cmd/fieldphone/checkup"
	"fieldphone/configs"
	"fieldphone/httpapi/lanca"
	"fieldphone/httpapi/segment"
)

// Subject is the server that is looked at.
type Subject struct {
	Config   configs.Config
	Problem  error  // why Config is not usable; then only the rest is looked at
	Source   string // the configuration file, empty for none
	Table    *segment.Table
	Places   []segment.Place
	CA       lanca.Config
	Addrs    []netip.Addr // that the certificate should cover
	Names    []string     // the same
	Now      func() time.Time
	Progress func(group string) // told of each group; may be nil
}

// The groups of checks.
const (
	groupConfig      = "configuration"
	groupData        = "data"
	groupMachine     = "machine"
	groupNetwork     = "network"
	groupCertificate = "certificate"
	groupDatabase    = "database"
	groupRedis       = "redis"
	groupServer      = "server"
	groupRelay       = "relay"
)

// exam is one run.
type exam struct {
	Subject
	report  *checkup.Report
	group   string
	running *running // nil if no server of this data folder answers
	sockets sockets
	after   []func() error // ends what was lent
}

// Examine looks at everything. It ends when ctx does, with what was found until then.
func Examine(ctx context.Context, s Subject) *checkup.Report {
	e := &exam{Subject: s, report: &checkup.Report{Command: "doctor", Target: absolute(s.Config.Data), At: s.Now()}}
	defer func() {
		for _, end := range e.after {
			_ = end() // nobody else uses it
		}
	}()
	if s.Problem == nil {
		e.detect(ctx)
	}
	for _, part := range []struct {
		group string
		look  func(context.Context)
		needs bool // a usable configuration
	}{
		{groupConfig, e.settings, false},
		{groupMachine, e.machine, false},
		{groupData, e.data, true},
		{groupDatabase, e.database, true},
		{groupRedis, e.redis, true},
		{groupNetwork, e.network, true},
		{groupServer, e.server, true},
		{groupCertificate, e.certificate, true},
		{groupRelay, e.relay, true},
	} {
		if part.needs && s.Problem != nil || ctx.Err() != nil {
			continue
		}
		if s.Progress != nil {
			s.Progress(part.group)
		}
		e.group = part.group
		part.look(ctx)
	}
	e.report.Finish(s.Now())
	return e.report
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func (e *exam) add(c checkup.Check) {
	c.Group = e.group
	e.report.Add(c)
}

func (e *exam) ok(name, format string, args ...any) {
	e.add(checkup.Check{Name: name, State: checkup.OK, Text: fmt.Sprintf(format, args...)})
}

func (e *exam) skip(name, format string, args ...any) {
	e.add(checkup.Check{Name: name, State: checkup.Skipped, Text: fmt.Sprintf(format, args...)})
}

func (e *exam) warn(name, hint, format string, args ...any) {
	e.add(checkup.Check{Name: name, State: checkup.Warning, Text: fmt.Sprintf(format, args...), Hint: hint})
}

func (e *exam) fail(name, hint, format string, args ...any) {
	e.add(checkup.Check{Name: name, State: checkup.Failed, Text: fmt.Sprintf(format, args...), Hint: hint})
}

// settings tells of every problem of the configuration.
func (e *exam) settings(context.Context) {
	source := "defaults, environment and flags"
	if e.Source != "" {
		source = e.Source + ", environment and flags"
	}
	var problems configs.Problems
	switch {
	case e.Problem == nil:
		e.ok("settings", "no problem in %s", source)
	case errors.As(e.Problem, &problems):
		for _, p := range problems {
			hint := p.Fix
			p.Fix = ""
			e.fail("settings", sentence(hint), "%s", strings.TrimSuffix(p.Error(), "; "))
		}
		return
	default:
		e.fail("settings", "Mend the file, or name another with --config.", "%v", e.Problem)
		return
	}
	for _, warning := range e.Config.Warnings() {
		text, hint, _ := strings.Cut(warning, "; ")
		e.warn("settings", sentence(hint), "%s", text)
	}
}

// sentence makes one of words that continue another.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// relayAddresses are those that the relay serves: IPv4.
func (e *exam) relayAddresses() []netip.Addr {
	var addrs []netip.Addr
	for _, p := range e.Places {
		if a := p.Prefix.Addr(); a.Is4() && !slices.Contains(addrs, a) {
			addrs = append(addrs, a)
		}
	}
	return addrs
}
