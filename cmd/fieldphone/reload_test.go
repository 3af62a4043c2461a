//go:build !windows

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Ensure SIGHUP takes over what can change, names what takes a restart, and leaves all as it
// is when a file was edited into nonsense, saying where.
func TestReload(t *testing.T) {
	file := filepath.Join(t.TempDir(), "site.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("turn:\n  relay_ports: 53000-53099\n  kbps: 1000\n")
	r := startServerOn(t, filepath.Join(t.TempDir(), "data"), "--config="+file)
	root := r.admin("root")
	reload := func(expected string) {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		await(t, func() bool { return strings.Contains(r.stderr.String(), expected) })
	}
	before := root.settings()

	write("turn:\n  relay_ports: 53000-53099\n  kbps: plenty\n prot: 7\n")
	reload("this is not valid YAML")
	write("turn:\n  kbps: plenty\n  relay_ports: 53099-53000\nlog:\n  level: loud\n")
	reload(`source=` + file + `:3 key=turn.relay_ports problem="the range is reversed"`)
	for _, line := range []string{file + ":2 key=turn.kbps", file + ":5 key=log.level"} {
		if !strings.Contains(r.stderr.String(), line) {
			t.Errorf("the log lacks %s", line)
		}
	}
	if after := root.settings(); after.Revision != before.Revision || root.live(always).Ports[0].Min != 53000 {
		t.Errorf("nonsense changed something: %+v", after)
	}

	root.set(object{"limits": object{"kbps": 2000}})
	write("turn:\n  relay_ports: 54000-54099\n  kbps: 1000\n  realm: elsewhere\nlog: {level: debug}\n")
	reload(`msg="configuration reloaded"`)
	after := root.settings()
	if p := root.live(always).Ports[0]; p.Min != 54000 || after.Settings.Ports.Min != 54000 || after.Settings.Log["level"] != "debug" {
		t.Errorf("%+v, %+v", p, after.Settings)
	}
	if after.Settings.Limits["kbps"] != 2000 {
		t.Errorf("the file won over the dashboard: %v", after.Settings.Limits)
	}
	if log := r.stderr.String(); !strings.Contains(log, "take a restart") || !strings.Contains(log, "keys=[turn.realm]") || !strings.Contains(log, "level=DEBUG") {
		t.Errorf("the log:\n%s", log)
	}
	entry := root.log()[0]
	if entry.Action != "settings.reload" || entry.Admin.ID != "" || entry.After["log.level"] != "debug" {
		t.Errorf("got %+v", entry)
	}
	// An administrator who had looked before is told that it was the console.
	refused := want[refusalAnswer](t, 409, root.do("PUT", "/admin/settings", object{"revision": before.Revision, "settings": object{}}))
	if refused.Error.Code != "settings_changed" || refused.Error.By.ID != "" || refused.Error.At == 0 {
		t.Errorf("got %+v", refused)
	}

	if err := os.WriteFile(filepath.Join(r.data, "settings.yaml"), []byte("turn:\n  secret: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	reload("settings.yaml:2 key=turn.secret")
	if again := root.settings(); again.Revision != after.Revision {
		t.Errorf("got %+v", again)
	}
	r.wait(0)
	code, _, stderr := fieldphone(t, "", "serve", "--data", r.data)
	if code != 1 || !strings.Contains(stderr, "settings.yaml:2: turn.secret: this key cannot be set in settings.yaml; put it into the configuration file") {
		t.Errorf("a damaged overlay at start: exit %d, %s", code, stderr)
	}
}
