package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"fieldphone/cmd/fieldphone/checkup"
	"fieldphone/cmd/fieldphone/doctor"
	"fieldphone/configs"
	"fieldphone/httpapi/segment"

	"golang.org/x/term"
)

// doctorTimeout bounds the whole of it; each check has a shorter one.
const doctorTimeout = 2 * time.Minute

// errUnwell means that checks failed, which the report has told already.
var errUnwell = errors.New("checks failed")

const doctorUsage = `fieldphone doctor [--json] [--config FILE] [--data DIR]

Looks at the server of this machine, whether it runs or not, and says what to do about each
thing that is wrong. Give it the settings that the server has. It changes nothing. As root it
sees more: who holds a port, and the packet filter.

Exit code: 0 nothing failed (there may be warnings), 1 something failed, 2 wrong command line.

`

func (inv *invocation) doctor(ctx context.Context, args []string) error {
	fs, s := newFlags(inv, "doctor")
	asJSON := fs.Bool("json", false, "write a report for programs")
	fs.Usage = func() {
		fmt.Fprint(inv.stderr, doctorUsage)
		fs.PrintDefaults()
	}
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: doctor takes no %q", errUsage, rest[0])
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	subject, err := s.subject(inv)
	if err != nil {
		return err
	}
	return inv.tell(doctor.Examine(ctx, subject), *asJSON)
}

// subject is the server that the settings describe.
func (s *settings) subject(inv *invocation) (doctor.Subject, error) {
	cfg, problem := s.load(inv)
	if problem != nil {
		cfg = configs.Default()
		if s.data != "" {
			cfg.Data = s.data
		}
	}
	interfaces, err := hostInterfaces()
	if err != nil {
		return doctor.Subject{}, fmt.Errorf("list network interfaces: %w", err)
	}
	rules := addressRules(cfg.Listen)
	places, _ := rules.Places(interfaces)
	var known []place
	for _, p := range places {
		known = append(known, place{Addr: p.Prefix.Addr(), Interface: p.Interface})
	}
	addrs, names := certificateNames(cfg, known)
	return doctor.Subject{
		Config: cfg, Problem: problem, Source: s.file, Now: time.Now, CA: caConfig(cfg), Addrs: addrs, Names: names,
		Places: places, Table: segment.Build(configuredSegments(cfg), interfaces, rules),
	}, nil
}

// tell writes a report, and turns failures into the exit code.
func (inv *invocation) tell(report *checkup.Report, asJSON bool) error {
	if asJSON {
		if err := report.JSON(inv.stdout); err != nil {
			return err
		}
	} else {
		report.Text(inv.stdout, checkup.Style{Colour: inv.isTerminal(inv.stdout)})
	}
	if !report.OK {
		return errUnwell
	}
	return nil
}

// isTerminal tells whether people see w, who want colours (https://no-color.org).
func (inv *invocation) isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) && inv.env("NO_COLOR") == "" && inv.env("TERM") != "dumb"
}

// env is a variable of the environment.
func (inv *invocation) env(name string) string {
	for _, pair := range inv.environ {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}
