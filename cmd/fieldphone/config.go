package main

import (
	"context"
	"fmt"

	"fieldphone/configs"
)

func (inv *invocation) config(_ context.Context, args []string) error {
	fs, s := newFlags(inv, "config")
	example := fs.Bool("example", false, "print the documented example instead")
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 || rest[0] != "check" && rest[0] != "print" {
		return fmt.Errorf("%w: config takes check or print", errUsage)
	}
	if rest[0] == "print" && *example {
		fmt.Fprint(inv.stdout, configs.Example())
		return nil
	}
	cfg, err := s.load(inv)
	if err != nil {
		return err
	}
	if rest[0] == "print" {
		text, err := cfg.YAML()
		if err != nil {
			return err
		}
		fmt.Fprint(inv.stdout, string(text))
		return nil
	}
	for _, warning := range cfg.Warnings() {
		fmt.Fprintln(inv.stdout, "warning:", warning)
	}
	fmt.Fprintln(inv.stdout, "The configuration is valid.")
	return nil
}
