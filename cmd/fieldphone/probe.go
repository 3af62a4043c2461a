package main

import (
	"context"
	"crypto/x509"
	"flag"
	"fmt"
	"os"
	"time"

	"fieldphone/cmd/fieldphone/desktop"
	"fieldphone/cmd/fieldphone/probe"
)

// probeTimeout bounds the whole of it; each leg has a shorter one.
const probeTimeout = 5 * time.Minute

const probeUsage = `fieldphone probe URL [--user ID | --guest NAME [--invite CODE]]
                     [--ca FILE | --ca-sha256 SHA256] [--json]

Tries every way from this machine to a server, without a browser: name, certificate, clock,
signalling, STUN, TURN over UDP, TCP, TLS and the HTTPS port, loss and throughput through the
relay, its relay ports, and how NATs on the way behave. Of what fails it says why, what to do,
and which firewall rule mends it. Most of it takes an account; the password comes from
FIELDPHONE_PASSWORD, a prompt, or standard input, and goes only to a server whose certificate
is trusted.

Exit code: 0 nothing failed (there may be warnings), 1 something failed, 2 wrong command line.

`

func (inv *invocation) probe(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("fieldphone probe", flag.ContinueOnError)
	fs.SetOutput(inv.stderr)
	s := probe.Subject{Now: time.Now}
	asJSON := fs.Bool("json", false, "write a report for programs")
	fs.StringVar(&s.User, "user", "", "account `ID` to sign in with")
	fs.StringVar(&s.Guest, "guest", "", "`name` to join by as a guest instead; the account ends with the test")
	fs.StringVar(&s.Invite, "invite", "", "`code` of an invite, for guests")
	ca := fs.String("ca", "", "PEM `file` of the site's CA")
	fingerprint := fs.String("ca-sha256", "", "`SHA256` of the site's CA, as the server shows it")
	turnPort := fs.Uint("turn-port", 3478, "`port` of STUN and TURN; asked without an account")
	fs.IntVar(&s.Kbps, "kbps", 2000, "`kbit/s` of the throughput test, at most 20000")
	fs.DurationVar(&s.Duration, "for", 3*time.Second, "how long the throughput test is, at most 30s")
	fs.Usage = func() {
		fmt.Fprint(inv.stderr, probeUsage)
		fs.PrintDefaults()
	}
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if err := checkProbe(rest, s, *ca, *fingerprint, *turnPort); err != nil {
		return err
	}
	s.TURNPort = uint16(*turnPort)
	if s.Target, err = desktop.ParseTarget(rest[0]); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	s.CA = s.Target.CA
	if *fingerprint != "" {
		want, err := desktop.ParseFingerprint(*fingerprint)
		if err != nil {
			return fmt.Errorf("%w: --ca-sha256: %w", errUsage, err)
		}
		s.CA = &want
	}
	if *ca != "" {
		if s.Roots, err = readRoots(*ca); err != nil {
			return err
		}
	}
	if s.User != "" {
		if s.Password, err = inv.readPassword(func(fd int) (string, error) { return inv.ask(fd, "Password: ") }); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return inv.tell(probe.Run(ctx, s), *asJSON)
}

func checkProbe(rest []string, s probe.Subject, ca, fingerprint string, turnPort uint) error {
	switch {
	case len(rest) != 1:
		return fmt.Errorf("%w: probe takes the address of a site, like https://192.168.1.10:8443/", errUsage)
	case s.User != "" && s.Guest != "":
		return fmt.Errorf("%w: --user and --guest exclude each other", errUsage)
	case s.Invite != "" && s.Guest == "":
		return fmt.Errorf("%w: --invite is for guests: add --guest NAME", errUsage)
	case ca != "" && fingerprint != "":
		return fmt.Errorf("%w: --ca and --ca-sha256 exclude each other", errUsage)
	case turnPort < 1 || turnPort > 65535:
		return fmt.Errorf("%w: --turn-port is from 1 to 65535", errUsage)
	case s.Kbps < 1 || s.Kbps > probe.MaxKbps:
		return fmt.Errorf("%w: --kbps is from 1 to %d", errUsage, probe.MaxKbps)
	case s.Duration < 100*time.Millisecond || s.Duration > probe.MaxDuration:
		return fmt.Errorf("%w: --for is from 100ms to %v", errUsage, probe.MaxDuration)
	}
	return nil
}

func readRoots(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--ca: %s holds no certificate in PEM; take it from the site's start page, or write it with: fieldphone ca export -o FILE", path)
	}
	return pool, nil
}
