// Command fieldphone is a telephone system for a network without internet:
// page, accounts, signalling and STUN/TURN in one binary.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"fieldphone/configs"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// errUsage is a command line that cannot be understood.
var errUsage = errors.New("usage")

// invocation is one run of the command, with all that it takes from outside.
type invocation struct {
	environ []string
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
}

type command struct {
	name  string
	usage string
	run   func(inv *invocation, ctx context.Context, args []string) error
}

func commands() []command {
	return []command{
		{"serve", "serve [--config FILE] [--data DIR]   run the server (the default)", (*invocation).serve},
		{"open", "open URL                            open a site as a window of Chrome, Edge or Chromium", (*invocation).open},
		{"user", "user add|passwd|disable|enable|invite|list  manage accounts", (*invocation).user},
		{"ca", "ca show|export|renew|import|backup|restore  the site's certificate authority", (*invocation).ca},
		{"poster", "poster [--ssid NAME] [-o FILE]       a page to print that leads people here", (*invocation).poster},
		{"config", "config check|print [--example]       check or show the configuration", (*invocation).config},
		{"doctor", "doctor [--json]                      look at the server of this machine, and say what to mend", (*invocation).doctor},
		{"bench", "bench relay|hub [--case NAME]        load servers side by side, and say what it costs", (*invocation).bench},
		{"probe", "probe URL [--user ID]                try every way to a server from this machine", (*invocation).probe},
	}
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	inv := &invocation{environ: os.Environ(), stdin: stdin, stdout: stdout, stderr: stderr}
	err := inv.dispatch(ctx, args)
	var problems configs.Problems
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errUnwell):
		return exitFailed
	case errors.As(err, &problems):
		fmt.Fprintf(stderr, "fieldphone: the configuration has %d problem(s):\n%s\n", len(problems), indent(err.Error()))
		return exitFailed
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "fieldphone: %v\nTry: fieldphone help\n", err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "fieldphone: %v\n", err)
	return exitFailed
}

func (inv *invocation) dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") && args[0] != "-h" && args[0] != "--help" {
		return inv.serve(ctx, args)
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(inv, ctx, args[1:])
		}
	}
	if args[0] == "help" || strings.HasPrefix(args[0], "-") {
		inv.help()
		return nil
	}
	return fmt.Errorf("%w: there is no command %q", errUsage, args[0])
}

func (inv *invocation) help() {
	fmt.Fprint(inv.stdout, "Fieldphone: a telephone system for a network without internet.\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(inv.stdout, "  fieldphone %s\n", c.usage)
	}
	fmt.Fprint(inv.stdout, `
Settings come from --config FILE, then the environment (FIELDPHONE_LISTEN_HTTPS_PORT=443
for listen.https_port), then flags. "fieldphone config print --example" shows every key.

Examples:
  fieldphone --data /var/lib/fieldphone
  FIELDPHONE_PASSWORD=... fieldphone user add maria --name "Maria" --admin
`)
}

// settings holds the flags that every command takes.
type settings struct {
	file string
	data string
}

func newFlags(inv *invocation, name string) (*flag.FlagSet, *settings) {
	fs := flag.NewFlagSet("fieldphone "+name, flag.ContinueOnError)
	fs.SetOutput(inv.stderr)
	s := &settings{}
	fs.StringVar(&s.file, "config", "", "YAML `file` with settings")
	fs.StringVar(&s.data, "data", "", "`folder` for everything that lasts (default ./data)")
	return fs, s
}

func (s *settings) load(inv *invocation) (configs.Config, error) {
	loaded, err := s.read(inv)
	return loaded.Config, err
}

func (s *settings) read(inv *invocation) (configs.Loaded, error) {
	var flags []configs.Flag
	if s.data != "" {
		flags = append(flags, configs.Flag{Key: "data", Value: s.data})
	}
	return configs.Read(s.file, inv.environ, flags...)
}

// parse reads flags that may stand before or after the other arguments.
func parse(fs *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		if fs.NArg() == 0 {
			return rest, nil
		}
		rest = append(rest, fs.Arg(0))
		args = fs.Args()[1:]
	}
}

func indent(s string) string { return "  " + strings.ReplaceAll(s, "\n", "\n  ") }
