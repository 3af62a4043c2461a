package desktop

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// A browser that cannot start says so within this time.
	startTime    = 4 * time.Second
	maxTailBytes = 2 << 10
)

// Window is a page in an app window of its own.
type Window struct {
	Browser Browser
	Target  Target
	Pin     string   // LeafPin; empty where this computer trusts the site anyway
	Dir     string   // for the profile, unless the browser needs it elsewhere
	Args    []string // further ones for the browser
}

// args returns the command line after the program, and the profile's folder.
func (w Window) args() (args []string, dir string) {
	root := w.Dir
	if w.Browser.Profiles != "" {
		root = w.Browser.Profiles
	}
	dir = profile(root, w.Target.Site(), w.Pin)
	args = slices.Clone(w.Browser.Command[1:])
	if w.Browser.flatpak {
		// The sandbox sees the profile's folder and nothing else of the home.
		args = slices.Insert(args, 1, "--filesystem="+dir)
	}
	args = append(args, "--app="+w.Target.URL.String(), "--user-data-dir="+dir, "--no-first-run", "--no-default-browser-check")
	if w.Pin != "" {
		// The second one leaves out a bar that says of the first that security suffers: it
		// does not, for one key that somebody compared. WebDriver gives it to every Chromium.
		args = append(args, "--ignore-certificate-errors-spki-list="+w.Pin, "--test-type")
	}
	return append(args, w.Args...), dir
}

// Open starts the browser. It returns when the browser has lived for some seconds, which is
// when it runs on by itself; with wait, when the window is closed, and then the end of ctx
// ends the browser.
func (w Window) Open(ctx context.Context, wait bool) error {
	args, dir := w.args()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the browser's profile: %w", err)
	}
	output, err := os.Create(filepath.Join(dir, "fieldphone-open.log"))
	if err != nil {
		return fmt.Errorf("the browser's profile: %w", err)
	}
	defer output.Close()
	cmd := exec.Command(w.Browser.Command[0], args...)
	cmd.Stderr = output
	cmd.SysProcAttr = apart()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", w.Browser.Name, err)
	}
	var ended error
	done := make(chan struct{})
	go func() {
		defer close(done)
		ended = cmd.Wait()
	}()
	var started <-chan time.Time
	if !wait {
		timer := time.NewTimer(startTime)
		defer timer.Stop()
		started = timer.C
	}
	select {
	case <-done:
		if ended != nil {
			return fmt.Errorf("%s has ended: %w%s", w.Browser.Name, ended, tail(output))
		}
	case <-started:
	case <-ctx.Done():
		if wait {
			_ = cmd.Process.Kill() // it may just have ended
			<-done
		}
	}
	return nil
}

// tail returns the end of what the browser said, for the error.
func tail(output *os.File) string {
	text, err := os.ReadFile(output.Name())
	if err != nil {
		return ""
	}
	if len(text) > maxTailBytes {
		text = text[len(text)-maxTailBytes:]
	}
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return ""
	}
	return "; it said:\n  " + strings.ReplaceAll(string(text), "\n", "\n  ")
}
