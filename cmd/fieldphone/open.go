package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"fieldphone/cmd/fieldphone/desktop"
)

// opening is one `fieldphone open`.
type opening struct {
	inv    *invocation
	target desktop.Target
	known  *desktop.Known
	folder string // of the user's
	want   *desktop.Fingerprint
}

func (inv *invocation) open(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("fieldphone open", flag.ContinueOnError)
	fs.SetOutput(inv.stderr)
	fingerprint := fs.String("ca-sha256", "", "`SHA256` of the site's CA, instead of being asked; also accepts a new CA")
	program := fs.String("browser", "", "`program` to use instead of the one that is found")
	wait := fs.Bool("wait", false, "stay until the window is closed")
	var more []string
	fs.Func("browser-arg", "further `argument` for the browser; may be repeated", func(arg string) error {
		more = append(more, arg)
		return nil
	})
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return fmt.Errorf("%w: open takes the address of a site, like https://192.168.1.10:8443/", errUsage)
	}
	o := opening{inv: inv}
	if o.target, err = desktop.ParseTarget(rest[0]); err != nil {
		return err
	}
	o.want = o.target.CA
	if *fingerprint != "" {
		want, err := desktop.ParseFingerprint(*fingerprint)
		if err != nil {
			return fmt.Errorf("--ca-sha256: %w", err)
		}
		o.want = &want
	}
	system := thisSystem(inv)
	browser, err := desktop.FindBrowser(system)
	if *program != "" {
		browser, err = desktop.NamedBrowser(system, *program)
	}
	if err != nil {
		return err
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return fmt.Errorf("the folder for settings: %w", err)
	}
	o.folder = filepath.Join(config, "fieldphone")
	if o.known, err = desktop.OpenKnown(o.folder); err != nil {
		return err
	}
	pin, err := o.trust(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(inv.stdout, "Opening %s in %s.\n", o.target.Site(), browser.Name)
	return desktop.Window{Browser: browser, Target: o.target, Pin: pin, Dir: o.folder, Args: more}.Open(ctx, *wait)
}

func thisSystem(inv *invocation) desktop.System {
	home, _ := os.UserHomeDir() // without one, its places are not looked at
	return desktop.System{
		OS: runtime.GOOS, Home: home, LookPath: exec.LookPath, AppPath: desktop.AppPath,
		Env: func(name string) string {
			for _, pair := range inv.environ {
				if key, value, _ := strings.Cut(pair, "="); strings.EqualFold(key, name) {
					return value
				}
			}
			return ""
		},
		IsFile: func(path string) bool {
			info, err := os.Stat(path)
			return err == nil && !info.IsDir()
		},
	}
}

// trust finds out whether the site is the one that the person means, and returns the pin of
// its key, empty if this computer trusts it without.
func (o *opening) trust(ctx context.Context) (pin string, err error) {
	now := time.Now()
	site, err := desktop.Ask(ctx, o.target, now)
	if err != nil {
		return "", err
	}
	remembered, err := o.known.CA(o.target.Site())
	if err != nil {
		return "", err
	}
	var ca *x509.Certificate
	switch {
	case o.want != nil:
		if ca, err = site.Anchor(o.want); err != nil {
			return "", err
		}
	case remembered != nil && site.Verify(remembered) == nil:
		return site.LeafPin(), site.CheckServer(ctx, remembered)
	case site.TrustedHere():
		return "", site.CheckServer(ctx, nil)
	case remembered != nil:
		return "", o.refuse(site, remembered)
	default:
		if ca, err = site.Anchor(nil); err != nil {
			return "", err
		}
	}
	if err := site.CheckServer(ctx, ca); err != nil {
		return "", err
	}
	if o.want == nil {
		if err := o.compare(ctx, ca); err != nil {
			return "", err
		}
	}
	return site.LeafPin(), o.known.Remember(o.target.Site(), ca, now)
}

// refuse says why a known site is not opened.
func (o *opening) refuse(site *desktop.Presented, remembered *x509.Certificate) error {
	ca, err := site.Anchor(nil)
	if err != nil {
		return err
	}
	if ca.Equal(remembered) {
		return site.Verify(remembered)
	}
	return fmt.Errorf("%w: %s had\n  %s\nand now has\n  %s\n"+
		"Either its administrator made a new CA, or this is another server, or somebody is in between.\n"+
		"Ask the administrator. If the server's screen shows the second one, accept it:\n"+
		"  fieldphone open --ca-sha256 %s %s",
		desktop.ErrOtherCA, o.target.Site(), desktop.FingerprintOf(remembered), desktop.FingerprintOf(ca), desktop.FingerprintOf(ca), o.target.URL)
}

// compare asks the person, once for each CA.
func (o *opening) compare(ctx context.Context, ca *x509.Certificate) error {
	same, err := o.known.HasCA(ca)
	if err != nil {
		return err
	}
	if same != "" {
		fmt.Fprintf(o.inv.stdout, "%s has the CA of %s, which you know.\n", o.target.Site(), same)
		return nil
	}
	text := desktop.FingerprintOf(ca).String()
	fmt.Fprintf(o.inv.stdout, "This computer does not know %s yet. SHA-256 of its CA:\n\n  %s\n  %s\n\n"+
		"Compare it with the server's screen or poster. Is it the same? [y/N] ", o.target.Site(), text[:48], text[48:])
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(o.inv.stdin).ReadString('\n') // no line is no yes
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case line := <-answer:
		if line == "y" || line == "yes" {
			return nil
		}
	}
	fmt.Fprintln(o.inv.stdout)
	return errors.New("not opened, as nobody said that the CA is the same; without a person to ask, give it with --ca-sha256")
}
