package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"fieldphone/configs"

	"golang.org/x/sys/unix"
)

// openTerminal makes a terminal of its own; closing its window hangs it up.
func openTerminal(t *testing.T) (window, terminal *os.File) {
	t.Helper()
	window, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { window.Close() })
	if err := unix.IoctlSetPointerInt(int(window.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(window.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return window, terminal
}

// Ensure that SIGHUP reloads while the terminal is there, and stops the server when its window
// was closed: the same signal says both.
func TestClosedTerminalStopsTheServer(t *testing.T) {
	window, terminal := openTerminal(t)
	log := newLockedBuffer()
	l := &live{hungUp: terminalOf(terminal), log: slog.New(slog.NewTextHandler(log, nil))}
	reloads := make(chan struct{}, 1)
	l.reload = func() (configs.Loaded, error) { reloads <- struct{}{}; return configs.Loaded{}, os.ErrInvalid }
	stopped := make(chan bool, 1)
	// Until run listens the signal would end the test.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	defer signal.Stop(signals)
	go func() { stopped <- l.run(t.Context()) }()
	hangUp := func() {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	await(t, func() bool { // run may not listen yet
		hangUp()
		select {
		case <-reloads:
			return true
		case <-time.After(50 * time.Millisecond):
			return false
		}
	})
	if err := window.Close(); err != nil {
		t.Fatal(err)
	}
	hangUp()
	select {
	case stop := <-stopped:
		if !stop {
			t.Error("run ended without a word")
		}
	case <-reloads:
		t.Error("it reloaded")
	case <-time.After(10 * time.Second):
		t.Error("the server goes on without its terminal")
	}
	if terminalOf(strings.NewReader(""))() {
		t.Error("what never was a terminal cannot be gone")
	}
}
