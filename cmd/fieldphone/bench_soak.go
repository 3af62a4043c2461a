package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"fieldphone/cmd/fieldphone/bench"
	"fieldphone/turnsrv/turnclient"
	"fieldphone/turnsrv/wire"
)

const benchSoakUsage = `fieldphone bench soak [--for 30m] [--callers N] [--abandon N] [--every 1m] [--path PATH]
  plays calls through the relay, over UDP and TCP, which end in all sorts of ways, and prints what
  the relay holds meanwhile. At the end it waits for the last allocation to expire, and fails if
  anything is left. It takes root, for network namespaces.
`

func (inv *invocation) benchSoak(ctx context.Context, args []string) (err error) {
	fs := inv.benchFlags("soak")
	load := bench.SoakLoad{}
	fs.DurationVar(&load.Duration, "for", 30*time.Minute, "how long calls are made")
	fs.DurationVar(&load.Every, "every", time.Minute, "how often the relay is asked")
	fs.IntVar(&load.Callers, "callers", 20, "how many calls there are at a time")
	fs.IntVar(&load.Abandon, "abandon", 50, "one of so many calls goes without a word; 0: none does")
	path := fs.String("path", "auto", "how packets are forwarded: auto, kernel, user or plain")
	if rest, err := parse(fs, args); err != nil || len(rest) > 0 {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	world, err := wire.New()
	if err != nil {
		return fmt.Errorf("make network namespaces (root is needed): %w", err)
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	address := netip.AddrPortFrom(world.Server, 3478)
	cmd := world.Command(fmt.Sprintf("%s bench turn --listen %s --secret %s --path %s --accounts", self, address, benchSecret, *path))
	cmd.Stderr = inv.stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	told, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	target := bench.Target{
		Name: *path, Address: address, Network: turnclient.UDP, Secret: []byte(benchSecret), PID: cmd.Process.Pid,
	}
	if err := awaitTURN(ctx, target, world.Places); err != nil {
		return fmt.Errorf("the relay does not answer: %w", err)
	}
	accounts := json.NewDecoder(told)
	ask := func() (a bench.ServerAccount, err error) {
		if _, err = io.WriteString(in, "\n"); err == nil {
			err = accounts.Decode(&a)
		}
		return a, err
	}
	return bench.Soak(ctx, target, load, world.Places, ask, inv.stdout)
}
