package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fieldphone/configs"
	"fieldphone/httpapi/lanca"
	"fieldphone/httpapi/onboard"
)

const caUsage = `fieldphone ca show
fieldphone ca export [--pem|--der|--mobileconfig] [-o FILE]
fieldphone ca renew [--new-key] [--drop-old] [--name-constraints|--no-name-constraints]
fieldphone ca import --cert FILE --key FILE [--drop-old]
fieldphone ca backup FILE
fieldphone ca restore FILE [--replace]

A running server takes a renewed, imported or restored CA over within seconds.

renew makes a certificate for another ten years with the same key and name. Devices that
trust the old one go on; those set up from now on install the new one. --new-key makes a new
key as well: the old CA vouches for the new one, so devices go on all the same. After the key
was stolen, add --drop-old: every device must then remove the old certificate and install the
new one. --no-name-constraints makes a CA for clients that refuse a limited one.

import takes over the CA of an organisation; FILE of --cert holds its certificate in PEM, and
after it those that issued it, up to the one that devices trust.

backup writes the CA with its private key, not encrypted. On another machine, restore makes
it this server: no device notices. restore keeps another CA's files aside with --replace.
`

// caFlags are all flags of the ca command.
type caFlags struct {
	pem, der, profile        bool
	output                   string
	newKey, dropOld, replace bool
	constrain, free          bool
	cert, key                string
}

func (inv *invocation) ca(_ context.Context, args []string) error {
	fs, s := newFlags(inv, "ca")
	var f caFlags
	fs.BoolVar(&f.pem, "pem", false, "PEM (the default)")
	fs.BoolVar(&f.der, "der", false, "DER")
	fs.BoolVar(&f.profile, "mobileconfig", false, "profile for Apple's devices")
	fs.StringVar(&f.output, "o", "", "`file` to write (default: standard output)")
	fs.BoolVar(&f.newKey, "new-key", false, "make a new key, too")
	fs.BoolVar(&f.dropOld, "drop-old", false, "leave devices behind that were set up before")
	fs.BoolVar(&f.constrain, "name-constraints", false, "limit the CA to local names and addresses")
	fs.BoolVar(&f.free, "no-name-constraints", false, "make a CA without limits")
	fs.BoolVar(&f.replace, "replace", false, "put another CA's files aside")
	fs.StringVar(&f.cert, "cert", "", "PEM `file` of a CA's certificate")
	fs.StringVar(&f.key, "key", "", "PEM `file` of its private key")
	fs.Usage = func() { fmt.Fprint(inv.stderr, caUsage) }
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	action, file, err := caAction(fs, rest)
	if err != nil {
		return err
	}
	cfg, err := s.load(inv)
	if err != nil {
		return err
	}
	if cfg.TLS.Cert != "" {
		fmt.Fprintln(inv.stderr, "Note: tls.cert is configured, so the server does not use this CA.")
	}
	at := caConfig(cfg)
	at.Logger = newLogger(cfg.Log, inv.stderr)
	switch action {
	case "show":
		return inv.showCA(at)
	case "export":
		return inv.exportCA(at, f)
	case "renew":
		return inv.renewCA(at, f)
	case "import":
		return inv.importCA(at, f)
	case "backup":
		return inv.backupCA(at, file)
	}
	return inv.restoreCA(cfg, at, file, f.replace)
}

// caAction checks that the flags fit what is to be done.
func caAction(fs *flag.FlagSet, rest []string) (action, file string, err error) {
	fitting := map[string][]string{
		"show": {}, "export": {"pem", "der", "mobileconfig", "o"}, "renew": {"new-key", "drop-old", "name-constraints", "no-name-constraints"},
		"import": {"cert", "key", "drop-old"}, "backup": {}, "restore": {"replace"},
	}
	if len(rest) == 0 || fitting[rest[0]] == nil {
		return "", "", fmt.Errorf("%w: ca takes show, export, renew, import, backup or restore", errUsage)
	}
	action = rest[0]
	files := 0
	if action == "backup" || action == "restore" {
		files = 1
	}
	if len(rest) != 1+files {
		return "", "", fmt.Errorf("%w: ca %s takes %d file name(s)", errUsage, action, files)
	}
	fs.Visit(func(f *flag.Flag) {
		if f.Name != "config" && f.Name != "data" && !strings.Contains(" "+strings.Join(fitting[action], " ")+" ", " "+f.Name+" ") {
			err = fmt.Errorf("%w: ca %s takes no --%s", errUsage, action, f.Name)
		}
	})
	if files == 1 {
		file = rest[1]
	}
	return action, file, err
}

func (inv *invocation) showCA(at lanca.Config) error {
	ca, err := lanca.Read(at)
	if err != nil {
		return err
	}
	describeCA(inv.stdout, ca, time.Now())
	return nil
}

func describeCA(w io.Writer, ca lanca.CA, now time.Time) {
	print := onboard.Fingerprint(ca.SHA256())
	lines := print.HexLines()
	fmt.Fprintf(w, "Name       %s\nValid      %s to %s", ca.Anchor.Subject.CommonName, ca.Anchor.NotBefore.Format(time.DateOnly), ca.Ends().Format(time.DateOnly))
	switch left := ca.Ends().Sub(now); {
	case left < 0:
		fmt.Fprint(w, " (over: fieldphone ca renew)")
	case now.Before(ca.Anchor.NotBefore):
		fmt.Fprint(w, " (not yet: is this machine's clock right?)")
	default:
		fmt.Fprintf(w, " (%d days left)", int(left.Hours()/24))
	}
	fmt.Fprintf(w, "\nKey        %s\nCompare    %s   (%d bits of the SHA-256)\nSHA-256    %s\n           %s\n",
		ca.Anchor.PublicKeyAlgorithm, print.Digits(), onboard.DigitBits, lines[0], lines[1])
	if ca.Issuer != ca.Anchor {
		fmt.Fprintf(w, "Signs by   %s, which it vouches for\n", ca.Issuer.Subject.CommonName)
	}
	switch l := ca.Limits; {
	case l.Local:
		fmt.Fprintf(w, "Limits     names that are or end in %s; addresses of local networks\n", strings.Join(l.Names, ", "))
	case len(l.Names)+len(l.Networks) > 0:
		fmt.Fprintf(w, "Limits     names: %s; networks: %s\n", orAny(l.Names), orAny(l.Networks))
	default:
		fmt.Fprint(w, "Limits     none: whoever has its key can pose as any site to devices that trust it\n")
	}
	for _, earlier := range ca.Earlier {
		fmt.Fprintf(w, "Earlier    %s, until %s: devices that trust it go on\n", onboard.FingerprintOf(earlier.Raw).Digits(), earlier.NotAfter.Format(time.DateOnly))
	}
}

func orAny(list []string) string {
	if len(list) == 0 {
		return "any"
	}
	return strings.Join(list, ", ")
}

func (inv *invocation) exportCA(at lanca.Config, f caFlags) error {
	ca, err := lanca.Read(at)
	if err != nil {
		return err
	}
	content := ca.PEM()
	switch {
	case f.der && f.profile || f.pem && (f.der || f.profile):
		return fmt.Errorf("%w: choose one of --pem, --der and --mobileconfig", errUsage)
	case f.der:
		content = ca.Anchor.Raw
	case f.profile:
		if content, err = onboard.Profile(*caForPeople(ca)); err != nil {
			return err
		}
	}
	return inv.write(f.output, content, 0o644)
}

func (inv *invocation) renewCA(at lanca.Config, f caFlags) error {
	if f.constrain && f.free {
		return fmt.Errorf("%w: --name-constraints and --no-name-constraints exclude each other", errUsage)
	}
	how := lanca.Renewal{NewKey: f.newKey, DropOld: f.dropOld}
	if f.constrain || f.free {
		how.NameConstraints = &f.constrain
	}
	ca, err := lanca.Renew(at, how)
	if err != nil {
		return err
	}
	inv.tellNewCA(ca, f.dropOld)
	return nil
}

// tellNewCA says what the admin has to do now.
func (inv *invocation) tellNewCA(ca lanca.CA, dropped bool) {
	describeCA(inv.stdout, ca, time.Now())
	fmt.Fprint(inv.stdout, "\nA running server takes it over within seconds. Print a new poster: the numbers have changed.\n")
	if dropped {
		fmt.Fprint(inv.stdout, "Every device must remove the old certificate and install this one.\n")
		return
	}
	for _, earlier := range ca.Earlier {
		fmt.Fprintf(inv.stdout, "Devices that trust the one before go on until %s; have them install this one by then.\n", earlier.NotAfter.Format(time.DateOnly))
		break
	}
}

func (inv *invocation) importCA(at lanca.Config, f caFlags) error {
	if f.cert == "" || f.key == "" {
		return fmt.Errorf("%w: ca import takes --cert FILE and --key FILE", errUsage)
	}
	cert, err := inv.read(f.cert)
	if err != nil {
		return fmt.Errorf("--cert: %w", err)
	}
	key, err := inv.read(f.key)
	if err != nil {
		return fmt.Errorf("--key: %w", err)
	}
	if info, err := os.Stat(f.key); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		fmt.Fprintf(inv.stderr, "Warning: others on this machine can read %s (mode %04o): chmod 600 it, or delete it after the import.\n", f.key, info.Mode().Perm())
	}
	ca, err := lanca.Import(at, cert, key, f.dropOld)
	if err != nil {
		return err
	}
	inv.tellNewCA(ca, f.dropOld)
	if !ca.Limits.Local {
		fmt.Fprint(inv.stdout, "This CA is not limited to local names and addresses: keep the data folder as safe as the CA itself.\n")
	}
	return nil
}

func (inv *invocation) backupCA(at lanca.Config, file string) error {
	text, err := lanca.Backup(at)
	if err != nil {
		return err
	}
	if err := inv.write(file, text, 0o600); err != nil {
		return err
	}
	fmt.Fprintln(inv.stderr, "It holds the private keys, not encrypted: keep it where only administrators can get at it.")
	return nil
}

func (inv *invocation) restoreCA(cfg configs.Config, at lanca.Config, file string, replace bool) error {
	text, err := inv.read(file)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	ca, kept, err := lanca.Restore(at, text, replace)
	for _, name := range kept {
		fmt.Fprintln(inv.stdout, "Put aside", filepath.Clean(name))
	}
	if errors.Is(err, lanca.ErrOtherCA) {
		return fmt.Errorf("nothing was changed: %w", err)
	}
	if err != nil {
		return err
	}
	describeCA(inv.stdout, ca, time.Now())
	return nil
}
