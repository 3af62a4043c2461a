package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

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
	loaded, err := s.read(inv)
	if err != nil {
		return err
	}
	cfg := loaded.Config
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
	if keys := loaded.Overlaid(); len(keys) > 0 {
		fmt.Fprintf(inv.stdout, "Set on the dashboard, and kept in %s: %s\n", filepath.Join(cfg.Data, configs.OverlayName), strings.Join(keys, ", "))
	}
	fmt.Fprintln(inv.stdout, "Can change while the server runs, on the dashboard or by SIGHUP:", strings.Join(configs.LiveKeys(), ", "))
	return nil
}
