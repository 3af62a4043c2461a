package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// benchSecret is of servers that live as long as a benchmark.
const benchSecret = "fieldphone-bench-secret"

// benchmarks are the subcommands of bench.
func benchmarks() []command {
	return []command{
		{"relay", benchRelayUsage, (*invocation).benchRelay},
		{"soak", benchSoakUsage, (*invocation).benchSoak},
		{"turn", benchTURNUsage, (*invocation).benchTURN},
		{"hub", benchHubUsage, (*invocation).benchHub},
	}
}

func (inv *invocation) bench(ctx context.Context, args []string) error {
	var names []string
	for _, c := range benchmarks() {
		if len(args) > 0 && args[0] == c.name {
			return c.run(inv, ctx, args[1:])
		}
		names = append(names, c.name)
	}
	inv.benchUsage()
	return fmt.Errorf("%w: bench takes %s", errUsage, strings.Join(names, ", "))
}

func (inv *invocation) benchUsage() {
	for _, c := range benchmarks() {
		fmt.Fprintln(inv.stderr, c.usage)
	}
}

func (inv *invocation) benchFlags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet("fieldphone bench "+name, flag.ContinueOnError)
	fs.SetOutput(inv.stderr)
	fs.Usage = func() {
		inv.benchUsage()
		fs.PrintDefaults()
	}
	return fs
}

// benchCase is one kind of load, which --case chooses by its name.
type benchCase interface{ called() string }

func caseNames[C benchCase](all []C) string {
	var names []string
	for _, c := range all {
		names = append(names, c.called())
	}
	return strings.Join(names, ",")
}

// chosenCases takes those that are named, by commas; without names all.
func chosenCases[C benchCase](all []C, names string) ([]C, error) {
	if names == "" {
		return all, nil
	}
	var chosen []C
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(c C) bool { return c.called() == name })
		if i < 0 {
			return nil, fmt.Errorf("%w: there is no case %q; choose of %s", errUsage, name, caseNames(all))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// writeReports writes them to a file, if one is named.
func writeReports[R interface{ WriteJSON(w io.Writer) error }](file string, reports []R) (err error) {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for _, r := range reports {
		if err := r.WriteJSON(f); err != nil {
			return err
		}
	}
	return nil
}
