package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"fieldphone/cmd/fieldphone/checkup"

	"github.com/google/go-cmp/cmp"
)

const probePassword = "correct horse maria"

// probed is a running server with an account, and its CA in a file.
type probed struct {
	*runner
	ca string
}

func startProbed(t *testing.T, settings ...string) *probed {
	t.Helper()
	doctorEnv(t)
	data := filepath.Join(t.TempDir(), "data")
	for _, name := range []string{"LISTEN_HTTPS_PORT", "LISTEN_HTTP_PORT", "TURN_PORT"} {
		settings = append(settings, name+"="+os.Getenv("FIELDPHONE_"+name))
	}
	p := &probed{runner: startServerOn(t, data, settings...), ca: filepath.Join(t.TempDir(), "ca.pem")}
	if code, _, stderr := fieldphone(t, probePassword+"\n", "user", "add", "maria", "--data", data); code != 0 {
		t.Fatal(stderr)
	}
	if code, _, stderr := fieldphone(t, "", "ca", "export", "--data", data, "-o", p.ca); code != 0 {
		t.Fatal(stderr)
	}
	return p
}

// probeDetail is what programs read of a probe.
type probeDetail struct {
	Client, Server string
	CASHA256       string `json:"ca_sha256"`
	Legs           []struct{ Leg, State, Target string }
	Findings       []struct {
		Code, Leg, Because string
		Openings           []struct{ Ports string }
	}
}

// run probes the server quickly.
func (p *probed) run(exit int, args ...string) (checkup.Report, probeDetail, map[string]checkup.Check) {
	p.t.Helper()
	args = append([]string{"probe", p.url, "--json", "--for", "200ms", "--turn-port", os.Getenv("FIELDPHONE_TURN_PORT")}, args...)
	code, stdout, stderr := fieldphone(p.t, probePassword+"\n", args...)
	if code != exit {
		p.t.Errorf("exit %d, want %d: %s%s", code, exit, stdout, stderr)
	}
	report, checks := decodeReport(p.t, stdout)
	var detail probeDetail
	text, err := json.Marshal(report.Detail)
	if err == nil {
		err = json.Unmarshal(text, &detail)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return report, detail, checks
}

// Ensure every leg of a healthy server is tried, and that nothing stays behind: no session,
// no allocation, nobody in the roster.
func TestProbeOfAHealthyServer(t *testing.T) {
	p := startProbed(t)
	watcher := p.dial("watcher", relayOnly)
	report, detail, checks := p.run(0, "--user", "maria", "--ca", p.ca)
	want := map[string]checkup.State{
		"server tcp": checkup.OK, "server tls": checkup.OK, "server page": checkup.OK, "server ready": checkup.OK,
		"server sign in": checkup.OK, "server segment": checkup.OK, "server clock": checkup.OK,
		"signalling websocket": checkup.OK, "signalling event stream": checkup.OK,
		"relay stun": checkup.OK, "relay turn udp": checkup.OK, "relay turn tcp": checkup.OK, "relay turn https port": checkup.OK, "relay turn tls": checkup.OK,
		"media throughput": checkup.OK, "media relay ports": checkup.OK, "media nat": checkup.Skipped,
	}
	if diff := cmp.Diff(want, states(checks, keysOf(want)...)); diff != "" || !report.OK || len(report.Checks) != len(want) {
		t.Errorf("%s%+v", diff, report)
	}
	if c := checks["media throughput"]; c.Data["loss"] != 0. || c.Data["sent"].(float64) < 30 || c.Data["kbps"].(float64) < 500 {
		t.Errorf("got %+v", c)
	}
	if detail.Client != "127.0.0.1" || detail.Server != "127.0.0.1" || len(detail.Findings) != 0 || len(detail.Legs) < 9 || len(detail.CASHA256) != 95 {
		t.Errorf("got %+v", detail)
	}
	waitForMetric(t, p.runner, "fieldphone_turn_allocations 0")
	waitForMetric(t, p.runner, "fieldphone_turn_revoked_sessions 1") // it has signed out
	for _, person := range watcher.People() {
		if person.ID == "maria" {
			t.Error("the probe was seen among the people")
		}
	}
	fingerprint := strings.ReplaceAll(detail.CASHA256, ":", "")
	if _, _, checks = p.run(0, "--user", "maria", "--ca-sha256", fingerprint); checks["server tls"].State != checkup.OK {
		t.Errorf("by fingerprint: %+v", checks["server tls"])
	}
}

// Ensure a password goes only to a server that is trusted, and that the rest is tried.
func TestProbeOfAnUntrustedServer(t *testing.T) {
	p := startProbed(t)
	report, detail, checks := p.run(1, "--user", "maria")
	want := map[string]checkup.State{
		"server tls": checkup.Warning, "server sign in": checkup.Failed, "signalling websocket": checkup.Skipped,
		"relay stun": checkup.OK, "relay turn udp": checkup.OK, "relay turn tcp": checkup.OK, "relay turn https port": checkup.OK,
	}
	if diff := cmp.Diff(want, states(checks, keysOf(want)...)); diff != "" || report.Failed != 1 {
		t.Errorf("%s%+v", diff, report)
	}
	if !strings.Contains(strings.ReplaceAll(checks["server tls"].Text, "\n", ""), detail.CASHA256) {
		t.Errorf("the fingerprint is not told: %+v", checks["server tls"])
	}
	if metrics := p.get("/metrics"); strings.Contains(metrics, `fieldphone_sign_ins_total{result="ok"} 1`) {
		t.Error("somebody signed in")
	}
	if _, _, checks = p.run(0); checks["server sign in"].State != checkup.Skipped || checks["relay turn udp"].State != checkup.OK {
		t.Errorf("without an account: %+v", checks)
	}
	other := strings.Repeat("00", 32)
	if _, _, checks = p.run(1, "--ca-sha256", other); checks["server tls"].State != checkup.Failed || checks["relay stun"].State != "" {
		t.Errorf("with another CA's fingerprint: %+v", checks)
	}
}

func TestProbeAsAGuest(t *testing.T) {
	p := startProbed(t, "REGISTRATION_GUESTS=true")
	if _, _, checks := p.run(0, "--guest", "Passer-by", "--ca", p.ca); checks["relay turn udp"].Data["sent"] != 50. {
		t.Errorf("got %+v", checks)
	}
	closed := startProbed(t, "REGISTRATION_GUESTS=false")
	if _, _, checks := closed.run(1, "--guest", "Passer-by", "--ca", closed.ca); !strings.Contains(checks["server sign in"].Hint, "no guests") {
		t.Errorf("got %+v", checks["server sign in"])
	}
}

// Ensure that a server whose UDP does not pass is told from one that is well: the leg, why,
// and the rule that mends it, with the server's address and ports.
func TestProbeWhereUDPIsDropped(t *testing.T) {
	p := startProbed(t)
	port := dropUDP(t, p)
	t.Setenv("FIELDPHONE_TURN_PORT", fmt.Sprint(port)) // the probe is told the port of the wall
	report, detail, checks := p.run(1, "--ca", p.ca)
	want := map[string]checkup.State{
		"relay stun": checkup.Failed, "relay turn udp": checkup.Failed, "relay turn tcp": checkup.OK, "relay turn https port": checkup.OK,
	}
	if diff := cmp.Diff(want, states(checks, keysOf(want)...)); diff != "" || report.Failed != 2 {
		t.Errorf("%s%+v", diff, report)
	}
	if len(detail.Findings) == 0 || detail.Findings[0].Code != "udp_blocked" || detail.Findings[0].Leg != "turn_udp" || detail.Findings[0].Because != "timeout" {
		t.Fatalf("got %+v", detail.Findings)
	}
	rules := checks["relay turn udp"].Rules
	if len(rules) == 0 || !strings.Contains(rules[0].Text, "127.0.0.1") || !strings.Contains(rules[0].Text, fmt.Sprintf("udp dport %d", port)) {
		t.Errorf("rules %+v", rules)
	}
	if hint := checks["relay stun"].Hint; !strings.Contains(hint, "turn udp") {
		t.Errorf("hint %q", hint)
	}
}

// dropUDP listens where TCP is passed on to the server's TURN port and UDP goes nowhere.
func dropUDP(t *testing.T, p *probed) (port uint16) {
	t.Helper()
	port = uint16(freePort(t))
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String()
	wall, err := net.ListenPacket("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	turn := "127.0.0.1:" + os.Getenv("FIELDPHONE_TURN_PORT")
	var passing sync.WaitGroup
	passing.Go(func() {
		for {
			here, err := ln.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", turn)
			if err != nil {
				here.Close()
				continue
			}
			for _, way := range [][2]net.Conn{{here, there}, {there, here}} {
				passing.Go(func() {
					_, _ = io.Copy(way[0], way[1])
					way[0].Close()
				})
			}
		}
	})
	t.Cleanup(func() {
		wall.Close()
		ln.Close()
		passing.Wait()
	})
	return port
}

// Ensure what is no server, and what cannot be reached, is told as such.
func TestProbeOfNothing(t *testing.T) {
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	go func() {
		for {
			conn, err := web.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.9\r\n")
			conn.Close()
		}
	}()
	for _, tt := range []struct{ name, url, check, text string }{
		{"NobodyListens", fmt.Sprintf("https://127.0.0.1:%d", freePort(t)), "server tcp", "no connection"},
		{"NoTLS", "https://" + web.Addr().String(), "server tls", "no TLS"},
		{"NoSuchName", "https://no-such-name.invalid:8443", "server name", "has no address"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, _ := fieldphone(t, "", "probe", tt.url, "--json")
			_, checks := decodeReport(t, stdout)
			if c := checks[tt.check]; code != 1 || c.State != checkup.Failed || !strings.Contains(c.Text, tt.text) {
				t.Errorf("exit %d, %+v", code, checks)
			}
		})
	}
}

func TestProbeCommandLine(t *testing.T) {
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	write(t, notPEM, "x")
	for _, tt := range []struct {
		args string
		code int
		text string
	}{
		{"probe", 2, "takes the address of a site"},
		{"probe a b", 2, "takes the address of a site"},
		{"probe http://h/", 2, "not encrypted"},
		{"probe h --user a --guest b", 2, "exclude each other"},
		{"probe h --invite x", 2, "--invite is for guests"},
		{"probe h --ca a --ca-sha256 b", 2, "exclude each other"},
		{"probe h --ca-sha256 xyz", 2, "no SHA-256"},
		{"probe h --kbps 20001", 2, "--kbps is from 1"},
		{"probe h --for 31s", 2, "--for is from"},
		{"probe h --turn-port 70000", 2, "--turn-port is from"},
		{"probe h --ca /no/such/file", 1, "no such file"},
		{"probe h --ca " + notPEM, 1, "no certificate in PEM"},
		{"probe h --user maria", 1, "no password given"},
		{"probe --help", 0, "which firewall rule mends it"},
	} {
		code, _, stderr := fieldphone(t, "", strings.Fields(tt.args)...)
		if code != tt.code || !strings.Contains(stderr, tt.text) {
			t.Errorf("%s: exit %d: %s", tt.args, code, stderr)
		}
	}
}
