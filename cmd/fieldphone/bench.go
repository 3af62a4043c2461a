package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
)

// benchSecret is of servers that live as long as a benchmark.
const benchSecret = "fieldphone-bench-secret"

// benchmarks are the subcommands of bench.
func benchmarks() []command {
	return []command{
		{"relay", benchRelayUsage, (*invocation).benchRelay},
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
