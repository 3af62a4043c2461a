package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"fieldphone/cmd/fieldphone/checkup"

	"github.com/google/go-cmp/cmp"
)

// freePort is a port of loopback that nobody holds, over TCP and UDP.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := ln.Addr().(*net.TCPAddr).Port
		conn, err := net.ListenPacket("udp", ln.Addr().String())
		ln.Close()
		if err == nil {
			conn.Close()
			if port < 49160 || port > 49359 { // the relay ports
				return port
			}
		}
	}
	t.Fatal("no port is free")
	return 0
}

// doctorEnv configures a server on loopback for the doctor, as for startServer.
func doctorEnv(t *testing.T) (https, turn int) {
	t.Helper()
	https, turn = freePort(t), freePort(t)
	for name, value := range map[string]string{
		"LISTEN_ADDRESSES": "127.0.0.1", "LISTEN_HTTPS_PORT": fmt.Sprint(https), "LISTEN_HTTP_PORT": fmt.Sprint(freePort(t)),
		"TURN_PORT": fmt.Sprint(turn), "TURN_ALLOW_LOOPBACK_PEERS": "true", "SESSION_BCRYPT_COST": "10",
	} {
		t.Setenv("FIELDPHONE_"+name, value)
	}
	return https, turn
}

// startConfigured runs a server with what doctorEnv has set.
func startConfigured(t *testing.T, data string) *runner {
	t.Helper()
	var settings []string
	for _, name := range []string{"LISTEN_HTTPS_PORT", "LISTEN_HTTP_PORT", "TURN_PORT"} {
		settings = append(settings, name+"="+os.Getenv("FIELDPHONE_"+name))
	}
	return startServerOn(t, data, settings...)
}

// examine runs the doctor, and returns the checks by group and name.
func examine(t *testing.T, exit int, args ...string) (checkup.Report, map[string]checkup.Check) {
	t.Helper()
	code, stdout, stderr := fieldphone(t, "", append([]string{"doctor", "--json"}, args...)...)
	if code != exit {
		t.Errorf("exit %d, want %d: %s%s", code, exit, stdout, stderr)
	}
	return decodeReport(t, stdout)
}

func decodeReport(t *testing.T, text string) (checkup.Report, map[string]checkup.Check) {
	t.Helper()
	var report checkup.Report
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	checks := make(map[string]checkup.Check)
	worth := map[checkup.State]int{checkup.Skipped: 0, checkup.OK: 1, checkup.Warning: 2, checkup.Failed: 3}
	for _, c := range report.Checks {
		if (c.State == checkup.Failed || c.State == checkup.Warning) && c.Hint == "" {
			t.Errorf("%s %s has no hint: %s", c.Group, c.Name, c.Text)
		}
		if before, ok := checks[c.Group+" "+c.Name]; !ok || worth[c.State] > worth[before.State] {
			checks[c.Group+" "+c.Name] = c
		}
	}
	return report, checks
}

// states picks the states of some checks.
func states(checks map[string]checkup.Check, names ...string) map[string]checkup.State {
	found := make(map[string]checkup.State)
	for _, name := range names {
		found[name] = checks[name].State
	}
	return found
}

// Ensure the doctor finds a server well before its first start, while it runs, and after,
// and that looking neither makes anything nor disturbs it.
func TestDoctorOfAHealthyServer(t *testing.T) {
	doctorEnv(t)
	data := filepath.Join(t.TempDir(), "data")
	report, checks := examine(t, 0, "--data", data)
	want := map[string]checkup.State{
		"configuration settings": checkup.Warning, // loopback peers are allowed
		"data folder":            checkup.OK, "database answers": checkup.OK, "redis answers": checkup.Skipped,
		"network https port": checkup.OK, "network turn port": checkup.OK, "network address": checkup.OK,
		"server running": checkup.Skipped, "certificate ca": checkup.Skipped, "relay loop udp": checkup.OK, "relay loop tcp": checkup.OK,
	}
	if diff := cmp.Diff(want, states(checks, keysOf(want)...)); diff != "" || !report.OK || report.Failed != 0 {
		t.Errorf("before the first start: %s%+v", diff, report)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("the doctor made the data folder")
	}

	r := startConfigured(t, data)
	report, checks = examine(t, 0, "--data", data)
	want["server running"], want["certificate ca"] = checkup.OK, checkup.OK
	for _, name := range []string{"server ready", "certificate certificate", "certificate names", "data turn.secret", "database schema"} {
		want[name] = checkup.OK
	}
	if diff := cmp.Diff(want, states(checks, keysOf(want)...)); diff != "" || !report.OK {
		t.Errorf("while it runs: %s%+v", diff, report)
	}
	if c := checks["network https port"]; !strings.Contains(c.Text, "held by the running server") {
		t.Errorf("got %+v", c)
	}
	if c := checks["relay loop udp"]; c.Data["received"] != 100. || c.Data["sent"] != 100. {
		t.Errorf("got %+v", c)
	}
	secret, err := os.ReadFile(filepath.Join(data, "turn.secret"))
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := json.Marshal(report); strings.Contains(string(text), strings.TrimSpace(string(secret))) {
		t.Error("the report holds the secret")
	}
	waitForMetric(t, r, "fieldphone_turn_allocations 0")
	r.wait(0)
	if _, checks = examine(t, 0, "--data", data); checks["server running"].State != checkup.Skipped || checks["relay loop udp"].State != checkup.OK {
		t.Errorf("after it stopped: %+v", checks)
	}
}

// waitForMetric waits until the doctor's own allocations are gone.
func waitForMetric(t *testing.T, r *runner, line string) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(r.get("/metrics"), "\n"+line+"\n") {
		select {
		case <-deadline:
			t.Fatalf("/metrics has no line %s:\n%s", line, strings.Join(regexp.MustCompile(`(?m)^fieldphone_turn_alloc.*$`).FindAllString(r.get("/metrics"), -1), "\n"))
		case <-tick.C:
		}
	}
}

func keysOf[V any](m map[string]V) (keys []string) {
	for key := range m {
		keys = append(keys, key)
	}
	return keys
}

// Ensure the text has one hint for each failure and fits 80 columns.
func TestDoctorText(t *testing.T) {
	https, _ := doctorEnv(t)
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", https))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	code, stdout, stderr := fieldphone(t, "", "doctor", "--data", filepath.Join(t.TempDir(), "data"))
	if code != 1 || stderr != "" {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if !regexp.MustCompile(`(?m)^  FAILED   https port +\d+/tcp is held by \S+ \(pid \d+\)$`).MatchString(stdout) ||
		!strings.Contains(stdout, "or choose another\n") && !strings.Contains(stdout, "listen.https_port.") {
		t.Errorf("got:\n%s", stdout)
	}
	if strings.Contains(stdout, "\x1b") {
		t.Error("colour without a terminal")
	}
	for line := range strings.Lines(stdout) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 && !strings.Contains(line, "/") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// Ensure that each broken set-up is told from the others, with what to do.
func TestDoctorOfBrokenSetups(t *testing.T) {
	for _, tt := range []struct {
		name, check, text, hint string
		brake                   func(t *testing.T, data string, https, turn int)
	}{
		{"DatabaseOutOfReach", "database answers", "127.0.0.1:1/site", "database.dsn", func(t *testing.T, _ string, _, _ int) {
			t.Setenv("FIELDPHONE_DATABASE_DSN", "maria:hunter2@tcp(127.0.0.1:1)/site")
		}},
		{"DamagedDatabase", "database answers", "fieldphone.db", "backup", func(t *testing.T, data string, _, _ int) {
			write(t, filepath.Join(data, "fieldphone.db"), strings.Repeat("garbage ", 999))
		}},
		{"RedisDown", "redis answers", "127.0.0.1:1 is out of reach", "Start Redis", func(t *testing.T, _ string, _, _ int) {
			t.Setenv("FIELDPHONE_REDIS_URL", "redis://:hunter2@127.0.0.1:1/0")
		}},
		{"DamagedSecret", "data turn.secret", "damaged", "backup", func(t *testing.T, data string, _, _ int) {
			write(t, filepath.Join(data, "turn.secret"), "not hex\n")
		}},
		{"DamagedCA", "certificate ca", "ca.pem", "", func(t *testing.T, data string, _, _ int) {
			write(t, filepath.Join(data, "tls", "ca.pem"), "not a certificate\n")
		}},
		{"NoSuchCertificate", "certificate files", "no-such.pem", "tls.cert", func(t *testing.T, data string, _, _ int) {
			t.Setenv("FIELDPHONE_TLS_CERT", filepath.Join(data, "no-such.pem"))
			t.Setenv("FIELDPHONE_TLS_KEY", filepath.Join(data, "no-such.key"))
		}},
		{"TURNPortTaken", "network turn port", "/udp is held by", "turn.port", func(t *testing.T, _ string, _, turn int) {
			conn, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", turn))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
		}},
		{"AddressOfAnother", "network https port", "cannot assign", "listen.addresses", func(t *testing.T, _ string, _, _ int) {
			t.Setenv("FIELDPHONE_LISTEN_ADDRESSES", "203.0.113.9")
		}},
		{"FolderIsAFile", "configuration settings", "not a directory", "Check its path", func(t *testing.T, data string, _, _ int) { write(t, data, "x") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			https, turn := doctorEnv(t)
			data := filepath.Join(t.TempDir(), "data")
			tt.brake(t, data, https, turn)
			report, checks := examine(t, 1, "--data", data)
			c := checks[tt.check]
			if c.State != checkup.Failed || !strings.Contains(c.Text, tt.text) || !strings.Contains(c.Hint, tt.hint) {
				t.Errorf("%s: %+v", tt.check, c)
			}
			if text, _ := json.Marshal(report); strings.Contains(string(text), "hunter2") {
				t.Errorf("the report holds a password: %s", text)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Ensure every mistake in the settings is told at once, and that the machine is still
// looked at.
func TestDoctorOfBadSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.yaml")
	write(t, path, "turn:\n  prot: 1\nlog:\n  level: loud\n")
	report, checks := examine(t, 1, "--config", path)
	problems := 0
	for _, c := range report.Checks {
		if c.Group == "configuration" && c.State == checkup.Failed {
			problems++
		}
	}
	if problems != 2 || checks["machine clock"].State != checkup.OK || checks["database answers"].State != "" {
		t.Errorf("%d problems: %+v", problems, report)
	}
	for _, args := range [][]string{{"doctor", "now"}, {"doctor", "--nope"}} {
		if code, _, _ := fieldphone(t, "", args...); code != 2 {
			t.Errorf("%v: exit %d", args, code)
		}
	}
}

// Ensure the doctor does not take another server for that of its data folder, and says so
// when that server's secret is another.
func TestDoctorOfAnotherServer(t *testing.T) {
	doctorEnv(t)
	data := filepath.Join(t.TempDir(), "data")
	startConfigured(t, data)
	_, checks := examine(t, 1, "--data", filepath.Join(t.TempDir(), "other"))
	if c := checks["server running"]; c.State != checkup.Failed || !strings.Contains(c.Text, "another Fieldphone") {
		t.Errorf("got %+v", c)
	}
	if c := checks["relay loop"]; c.State != checkup.Skipped {
		t.Errorf("got %+v", c)
	}
	t.Setenv("FIELDPHONE_TURN_SECRET", "another secret than that of the running server")
	_, checks = examine(t, 1, "--data", data)
	if c := checks["relay loop udp"]; c.State != checkup.Failed || !strings.Contains(c.Text, "401") || !strings.Contains(c.Hint, "another secret") {
		t.Errorf("got %+v", c)
	}
}
