package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/peer"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" { // see sigkill_test.go
		main()
		return
	}
	goleak.VerifyTestMain(m,
		// fasthttp keeps two clocks for the life of the process.
		goleak.IgnoreTopFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreTopFunction("time.Sleep"),
		// and its compressors.
		goleak.IgnoreTopFunction("github.com/valyala/fasthttp/stackless.funcWorker"),
	)
}

// runner is a whole server, started as by the command line.
type runner struct {
	t      *testing.T
	data   string
	url    string
	start  string
	tls    *tls.Config
	stop   context.CancelFunc
	ended  chan struct{}
	exit   int
	stdout *lockedBuffer
	stderr *lockedBuffer
}

// startServer runs `fieldphone serve` on loopback and free ports. The
// environment is how a test of the real command line configures it.
func startServer(t *testing.T, settings ...string) *runner {
	t.Helper()
	return startServerOn(t, filepath.Join(t.TempDir(), "data"), settings...)
}

func startServerOn(t *testing.T, data string, settings ...string) *runner {
	t.Helper()
	r := startUntrusted(t, data, settings...)
	r.tls = r.trust()
	return r
}

// startUntrusted takes settings as NAME=value for the environment or as
// --flag=value. It is for servers whose certificate does not come from their own CA.
func startUntrusted(t *testing.T, data string, settings ...string) *runner {
	t.Helper()
	r := &runner{t: t, data: data, ended: make(chan struct{}), stdout: newLockedBuffer(), stderr: newLockedBuffer()}
	args := []string{"--data", r.data}
	for _, pair := range append([]string{
		"LISTEN_ADDRESSES=127.0.0.1", "LISTEN_HTTPS_PORT=0", "LISTEN_HTTP_PORT=0", "TURN_PORT=0",
		"TURN_ALLOW_LOOPBACK_PEERS=true", "SESSION_BCRYPT_COST=4",
	}, settings...) {
		if strings.HasPrefix(pair, "--") {
			args = append(args, pair)
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv("FIELDPHONE_"+name, value)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() {
		defer close(r.ended)
		r.exit = run(ctx, args, strings.NewReader(""), r.stdout, r.stderr)
	}()
	t.Cleanup(func() { r.wait(0) })
	if !r.stdout.waitFor("Press Ctrl-C to stop.", r.ended) {
		t.Fatalf("the server did not start:\n%s%s", r.stdout.String(), r.stderr.String())
	}
	banner := r.stdout.String()
	r.url = strings.TrimSuffix(regexp.MustCompile(`https://127\.0\.0\.1:\d+/`).FindString(banner), "/")
	r.start = regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(banner)
	if r.url == "" || r.start == "" {
		t.Fatalf("the banner names no URL:\n%s", banner)
	}
	return r
}

// wait stops the server and checks how it ended.
func (r *runner) wait(exit int) {
	r.t.Helper()
	r.stop()
	select {
	case <-r.ended:
	case <-time.After(20 * time.Second):
		r.t.Fatal("the server did not stop within 20 s")
	}
	if r.exit != exit {
		r.t.Errorf("exit %d, want %d:\n%s", r.exit, exit, r.stderr.String())
	}
}

// trust takes the CA from the start page, as a person would.
func (r *runner) trust() *tls.Config {
	r.t.Helper()
	resp, err := http.Get(r.start + "fieldphone-ca.pem")
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	pem, err := io.ReadAll(resp.Body)
	http.DefaultClient.CloseIdleConnections()
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		r.t.Fatalf("no CA on the start page: %v\n%s", err, pem)
	}
	return &tls.Config{RootCAs: pool}
}

// dial signs a headless device up and in.
func (r *runner) dial(user string, ice peer.ICE) *peer.Peer {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	p, err := peer.Dial(ctx, peer.Config{
		URL: r.url, TLS: r.tls, User: user, Password: "correct horse " + user, Register: true, Name: strings.ToUpper(user), ICE: ice,
	})
	if err != nil {
		r.t.Fatalf("%s: %v", user, err)
	}
	r.t.Cleanup(func() { p.Close() })
	return p
}

var relayOnly = peer.ICE{RelayOnly: true, Loopback: true}

// connect makes a call between two and waits until both have media.
func connect(t *testing.T, caller, callee *peer.Peer) (out, in *peer.Call) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := caller.WaitStatus(ctx, callee.User().ID, rtc.Free); err != nil {
		t.Fatal(err)
	}
	out, err := caller.Call(ctx, callee.User().ID, rtc.Video)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case incoming := <-callee.Incoming():
		if in, err = incoming.Accept(ctx, rtc.Video); err != nil {
			t.Fatal(err)
		}
	case <-ctx.Done():
		t.Fatal("it did not ring")
	}
	flows := func(r peer.Report) bool { return r.Audio.Received.Packets > 20 && r.Video.Received.Packets > 20 }
	for _, c := range []*peer.Call{out, in} {
		if report, err := c.WaitReport(ctx, flows); err != nil {
			t.Fatalf("no media: %v (%+v)", err, report)
		}
	}
	return out, in
}

// Ensure two devices that may only use the relay hear and see each other
// through it, over UDP and over TCP, and that the call ends on both sides.
func TestRelayedCallThroughAWholeServer(t *testing.T) {
	r := startServer(t)
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			ice := relayOnly
			ice.Server = func(url string) bool {
				return strings.HasPrefix(url, "turn:") && strings.HasSuffix(url, "transport="+transport)
			}
			alice, bob := r.dial("alice-"+transport, ice), r.dial("bob-"+transport, ice)
			out, in := connect(t, alice, bob)
			for _, c := range []*peer.Call{out, in} {
				pair := c.Report().Pair
				if pair == nil || pair.Local.Type != "relay" || pair.Local.RelayProtocol != transport || pair.Local.Addr.Addr() != netip.MustParseAddr("127.0.0.1") {
					t.Errorf("pair %+v", pair)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if err := out.Hangup(ctx); err != nil {
				t.Fatal(err)
			}
			select {
			case ended := <-in.Ended():
				if ended.Reason != rtc.EndHangup {
					t.Errorf("ended with %+v", ended)
				}
			case <-ctx.Done():
				t.Error("the other side was not told")
			}
			if _, err := alice.SendText(ctx, "bob-"+transport, "hello"); err != nil {
				t.Error(err)
			}
			if text := <-bob.Texts(); text.Body != "hello" {
				t.Errorf("got %+v", text)
			}
		})
	}
	if ready := r.get("/readyz"); ready != `{"parts":{"database":"ok","hub":"ok","presence":"ok","relay":"ok"},"ready":true}` {
		t.Errorf("/readyz says %s", ready)
	}
	metrics := r.get("/metrics")
	for _, want := range []string{`fieldphone_calls_ended_total{reason="hangup"} 2`, "fieldphone_turn_allocations_created_total ", "fieldphone_texts_total 2"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

func (r *runner) get(path string, header ...string) string {
	r.t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: r.tls}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// Ensure disabling a user from another process ends that user's connection
// and relay within a second, while the call's media runs through it.
func TestDisabledUserLosesTheRelay(t *testing.T) {
	r := startServer(t)
	alice, bob := r.dial("alice", relayOnly), r.dial("bob", relayOnly)
	_, in := connect(t, alice, bob)
	if code, _, stderr := fieldphone(t, "", "user", "disable", "alice", "--data", r.data); code != 0 {
		t.Fatal(stderr)
	}
	disabled := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	select {
	case ended := <-in.Ended():
		if ended.Reason != rtc.EndSessionEnded {
			t.Errorf("ended with %+v", ended)
		}
	case <-ctx.Done():
		t.Fatal("the call went on")
	}
	if took := time.Since(disabled); took > time.Second {
		t.Errorf("it took %v", took)
	}
	<-alice.Done()
	if alice.Err() == nil {
		t.Error("alice was not told why")
	}
	if metrics := r.get("/metrics"); !strings.Contains(metrics, "fieldphone_turn_revoked_sessions 1") {
		t.Error("the relay was not told")
	}
}

// Ensure that accounts, the CA and sessions outlive a restart.
func TestRestartKeepsWhatLasts(t *testing.T) {
	r := startServer(t)
	r.dial("alice", relayOnly).Close()
	token := r.signIn("alice")
	fingerprint := r.fingerprint()
	r.wait(0)
	if !strings.Contains(r.stdout.String(), "Fieldphone has stopped.") {
		t.Error("it did not say that it stopped")
	}
	again := startServerOn(t, r.data)
	if got := again.fingerprint(); got != fingerprint {
		t.Errorf("the CA is %s, was %s", got, fingerprint)
	}
	if me := again.get("/api/v1/me", "Authorization", "Bearer "+token); !strings.Contains(me, `"name":"ALICE"`) {
		t.Errorf("the session did not last: %s", me)
	}
}

func (r *runner) fingerprint() string {
	r.t.Helper()
	lines := regexp.MustCompile(`(?m)^  ([0-9A-F]{2}:){15}[0-9A-F]{2}:?$`).FindAllString(r.stdout.String(), -1)
	if len(lines) != 2 {
		r.t.Fatalf("the banner shows no fingerprint:\n%s", r.stdout.String())
	}
	return lines[0] + lines[1]
}

func (r *runner) signIn(user string) (token string) {
	r.t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: r.tls}}
	defer client.CloseIdleConnections()
	resp, err := client.Post(r.url+"/api/v1/login", "application/json", strings.NewReader(fmt.Sprintf(`{"id":%q,"password":"correct horse %s"}`, user, user)))
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	var grant struct{ Token string }
	if err := json.NewDecoder(resp.Body).Decode(&grant); err != nil || grant.Token == "" {
		r.t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	return grant.Token
}

func TestTakenPortIsAClearError(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for name, value := range map[string]string{
		"LISTEN_ADDRESSES": "127.0.0.1", "LISTEN_HTTPS_PORT": fmt.Sprint(ln.Addr().(*net.TCPAddr).Port), "LISTEN_HTTP_PORT": "0", "TURN_PORT": "0",
	} {
		t.Setenv("FIELDPHONE_"+name, value)
	}
	code, _, stderr := fieldphone(t, "", "serve", "--data", t.TempDir())
	if code != 1 || !strings.Contains(stderr, "listen.https_port") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestRedisOutOfReachIsAClearError(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	ln.Close() // nobody listens there now
	t.Setenv("FIELDPHONE_REDIS_URL", "redis://:hunter2@"+address+"/0")
	t.Setenv("FIELDPHONE_LISTEN_ADDRESSES", "127.0.0.1")
	code, _, stderr := fieldphone(t, "", "serve", "--data", t.TempDir())
	if code != 1 || !strings.Contains(stderr, "redis.url") || strings.Contains(stderr, "hunter2") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestCertificateCoversTheAddress(t *testing.T) {
	r := startServer(t)
	conn, err := tls.Dial("tcp", strings.TrimPrefix(r.url, "https://"), r.tls)
	if err != nil {
		t.Fatalf("a device that trusts the CA: %v", err)
	}
	defer conn.Close()
	_, err = tls.Dial("tcp", strings.TrimPrefix(r.url, "https://"), &tls.Config{RootCAs: x509.NewCertPool()})
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("a device that does not: %v", err)
	}
}
