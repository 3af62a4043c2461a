package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"fieldphone/configs"
	"fieldphone/httpapi/adminlog"

	"golang.org/x/term"
)

// run reads the configuration again at each SIGHUP, until ctx ends. Windows sends none. The
// same signal says that the terminal was closed that the server was started from: then run
// returns true, for the server to stop.
func (l *live) run(ctx context.Context) (stop bool) {
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)
	for {
		select {
		case <-ctx.Done():
			return false
		case <-again:
			if l.hungUp() {
				return true
			}
			l.readAgain(ctx)
		}
	}
}

// terminalOf returns what tells later whether the terminal is gone that stdin is now; of
// anything else it never is.
func terminalOf(stdin io.Reader) (hungUp func() bool) {
	file, ok := stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return func() bool { return false }
	}
	return func() bool { return !term.IsTerminal(int(file.Fd())) }
}

// readAgain takes over what changed in the configuration file, the overlay and the secrets'
// files. Where anything in them is wrong, everything stays as it is.
func (l *live) readAgain(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next, err := l.reload()
	if err != nil {
		var problems configs.Problems
		errors.As(err, &problems)
		for _, p := range problems {
			l.log.Error("configuration not reloaded: the old one stays", "source", p.Source, "key", p.Key, "problem", p.Rule, "do", p.Fix)
		}
		if len(problems) == 0 {
			l.log.Error("configuration not reloaded: the old one stays", "error", err)
		}
		return
	}
	if _, restart := configs.Differing(l.started, next.Config); len(restart) > 0 {
		l.log.Warn("these settings take a restart of the server", "keys", restart)
		if slices.Contains(restart, "data") {
			l.log.Error("configuration not reloaded: it names another data folder, with other settings in it", "key", "data")
			return
		}
	}
	changed, _ := configs.Differing(l.loaded.Config, next.Config)
	if len(changed) == 0 {
		l.loaded = next
		l.log.Info("configuration reloaded; no live setting changed")
		return
	}
	if err := l.install(ctx, next, adminlog.Entry{Action: "settings.reload"}, false); err != nil {
		l.log.Error("configuration not reloaded: the old one stays", "error", err)
		return
	}
	l.log.Info("configuration reloaded", "changed", changed)
}
