//go:build services

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// promtool runs Prometheus' own checker, which deploy/test.sh fetches.
func promtool(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "promtool", args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestPromtoolChecksMetrics(t *testing.T) {
	metrics := liveMetrics(t)
	if out, err := promtool(t, metrics, "check", "metrics"); err != nil || out != "" {
		t.Errorf("%v\n%s", err, out)
	}
	bad := "# TYPE fieldphone_bad counter\nfieldphone_bad 1\n"
	if out, err := promtool(t, metrics+bad, "check", "metrics"); err == nil {
		t.Errorf("a counter without _total and help passes: %s", out)
	}
}

func TestPromtoolTestsAlerts(t *testing.T) {
	for _, args := range [][]string{
		{"check", "rules", "alerts.yml"},
		{"test", "rules", "alerts.test.yml"},
		{"check", "config", "--syntax-only", "prometheus.example.yml"},
	} {
		for i := range args {
			if strings.HasSuffix(args[i], ".yml") {
				args[i] = filepath.Join(monitoring, args[i])
			}
		}
		if out, err := promtool(t, "", args...); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// Ensure that each alert has a test.
func TestPromtoolTestsEveryAlert(t *testing.T) {
	rules, err := os.ReadFile(filepath.Join(monitoring, "alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile(filepath.Join(monitoring, "alerts.test.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(rules)) {
		if _, name, ok := strings.Cut(strings.TrimSpace(line), "alert: "); ok && !strings.Contains(string(tests), "alertname: "+name+"\n        exp_alerts:") {
			t.Errorf("no test sees %s fire", name)
		}
	}
}

// Ensure that Prometheus understands what the dashboard asks.
func TestPromtoolReadsTheDashboard(t *testing.T) {
	var rules strings.Builder
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	n := 0
	for _, panel := range readDashboard(t).Panels {
		for _, target := range panel.Targets {
			n++
			fmt.Fprintf(&rules, "  - record: panel:%d:%d\n    expr: %q\n", panel.ID, n, target.Expr)
		}
	}
	file := filepath.Join(t.TempDir(), "dashboard.yml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := promtool(t, "", "check", "rules", file)
	if err != nil || !strings.Contains(out, fmt.Sprintf("%d rules found", n)) {
		t.Errorf("%v\n%s", err, out)
	}
}
