package main

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fieldphone/httpapi/lanca"
)

// person is somebody at a computer with a browser, which only writes down its arguments.
type person struct {
	t       *testing.T
	program string
	opened  string
}

func newPerson(t *testing.T) *person {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	t.Setenv("HOME", dir)
	p := &person{t: t, program: filepath.Join(dir, "browser"), opened: filepath.Join(dir, "opened")}
	p.browser(`printf '%s\n' "$@" >'` + p.opened + `'`)
	return p
}

func (p *person) browser(script string) {
	if err := os.WriteFile(p.program, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		p.t.Fatal(err)
	}
}

// open runs `fieldphone open` and returns the browser's arguments, none if it did not start.
func (p *person) open(stdin string, args ...string) (opened, stdout, stderr string) {
	p.t.Helper()
	code, stdout, stderr := fieldphone(p.t, stdin, append([]string{"open", "--browser", p.program}, args...)...)
	text, _ := os.ReadFile(p.opened)
	os.Remove(p.opened)
	if (code == 0) != (len(text) > 0) {
		p.t.Errorf("exit %d, and the browser was started with %q\n%s", code, text, stderr)
	}
	return string(text), stdout, stderr
}

func (p *person) mustOpen(stdin string, args ...string) (pin, stdout string) {
	p.t.Helper()
	opened, stdout, stderr := p.open(stdin, args...)
	match := regexp.MustCompile(`--ignore-certificate-errors-spki-list=(\S+)`).FindStringSubmatch(opened)
	if match == nil {
		p.t.Fatalf("the browser got %q\n%s%s", opened, stdout, stderr)
	}
	return match[1], stdout
}

func (p *person) mustNotOpen(want, stdin string, args ...string) {
	p.t.Helper()
	if opened, stdout, stderr := p.open(stdin, args...); opened != "" || !strings.Contains(stderr, want) {
		p.t.Errorf("opened %q\n%s%s\nwant: %s", opened, stdout, stderr, want)
	}
}

// leafPin returns the pin of the key that a server really has.
func leafPin(t *testing.T, r *runner) string {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(r.url, "https://"), r.tls)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	sum := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func caOf(r *runner) string {
	lines := regexp.MustCompile(`(?:[0-9A-F]{2}:){15}[0-9A-F]{2}:?`).FindAllString(r.stdout.String(), 2)
	return strings.Join(lines, "")
}

func TestOpenPinsTheKeyOfAComparedSite(t *testing.T) {
	r, p := startServer(t), newPerson(t)
	p.mustNotOpen("nobody said that the CA is the same", "", r.url)
	p.mustNotOpen("--ca-sha256", "n\n", r.url)
	pin, stdout := p.mustOpen("y\n", r.url)
	if pin != leafPin(t, r) {
		t.Errorf("pinned %s, the server's key is %s", pin, leafPin(t, r))
	}
	if shown := strings.ReplaceAll(stdout, "\n  ", ""); !strings.Contains(shown, caOf(r)) {
		t.Errorf("the CA %s is not shown:\n%s", caOf(r), stdout)
	}
	if again, stdout := p.mustOpen("", r.url); again != pin || strings.Contains(stdout, "Compare it") {
		t.Errorf("the second time: %s", stdout)
	}
	// The same server at another of its addresses.
	elsewhere := strings.Replace(r.url, "127.0.0.1", "localhost", 1)
	if _, stdout := p.mustOpen("", elsewhere); !strings.Contains(stdout, "which you know") {
		t.Errorf("at another address: %s", stdout)
	}

	// Another server takes its place.
	port := r.url[strings.LastIndex(r.url, ":")+1:]
	was := caOf(r)
	r.wait(0)
	other := startServer(t, "LISTEN_HTTPS_PORT="+port)
	p.mustNotOpen(was, "y\n", other.url)
	p.mustNotOpen("--ca-sha256 "+caOf(other), "y\n", other.url)
	p.mustNotOpen("This is another server", "y\n", "--ca-sha256", was, other.url)
	if pin, _ := p.mustOpen("", "--ca-sha256", caOf(other), other.url); pin != leafPin(t, other) {
		t.Error("the accepted CA's server is not pinned")
	}
	p.mustOpen("", other.url)
}

func TestOpenByAPairingLink(t *testing.T) {
	r, p := startServer(t), newPerson(t)
	link := func(ca string) string {
		return "fieldphone://pair?url=" + url.QueryEscape(r.url+"/") + "&ca=" + strings.ReplaceAll(ca, ":", "")
	}
	p.mustNotOpen("This is another server", "y\n", link(strings.Repeat("00", 32)))
	p.mustOpen("", link(caOf(r)))
	p.mustOpen("", r.url)
}

// impostor serves a certificate of the test's choice, and a page of its own.
func impostor(t *testing.T, addr string, certificate tls.Certificate) string {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	server.Listener.Close()
	server.Listener = ln
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	return ln.Addr().String()
}

func newCA(t *testing.T) (*lanca.Authority, tls.Certificate) {
	t.Helper()
	ca, err := lanca.Open(lanca.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	return ca, *certificate
}

func TestOpenRefuses(t *testing.T) {
	r, p := startServer(t), newPerson(t)
	ca, certificate := newCA(t)
	_, stolen := newCA(t)
	stolen.Certificate = [][]byte{stolen.Certificate[0], ca.CACertDER()}
	alone := certificate
	alone.Certificate = certificate.Certificate[:1]
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, tt := range []struct {
		name, site string
		args       []string
		want       string
	}{
		{"NoServer", closed.Addr().String(), nil, "out of reach"},
		{"NoHTTPS", strings.TrimSuffix(strings.TrimPrefix(r.start, "http://"), "/"), nil, "does not speak HTTPS"},
		{"StartPage", r.start, nil, "is not encrypted"},
		{"AnotherProgram", impostor(t, "127.0.0.1:0", certificate), nil, "no Fieldphone server"},
		{"NoCA", impostor(t, "127.0.0.1:0", alone), nil, "shows no CA of its own"},
		{"AnotherHost", impostor(t, "127.0.0.2:0", certificate), nil, "not for 127.0.0.2"},
		// The right CA's certificate is public: showing it proves nothing.
		{"ForeignLeaf", impostor(t, "127.0.0.1:0", stolen), []string{"--ca-sha256", ca.Fingerprint()}, "does not vouch for this server"},
		{"NoFingerprint", r.url, []string{"--ca-sha256", "12:34"}, "64 digits"},
		{"NoBrowser", r.url, []string{"--browser", "/nonexistent/browser"}, "cannot be started"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p.t = t
			p.mustNotOpen(tt.want, "y\n", append(tt.args, tt.site)...)
		})
	}
	p.t = t
	p.browser("echo no display >&2; exit 3")
	p.mustNotOpen("no display", "y\n", r.url)

	sites := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "fieldphone", "sites.json")
	if err := os.WriteFile(sites, []byte(`{"x":{"ca":"AAAA"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p.mustNotOpen("sites.json is damaged", "y\n", r.url)
	t.Setenv("PATH", "")
	if code, _, stderr := fieldphone(t, "", "open", r.url); code != 1 || !strings.Contains(stderr, "no Chrome, Edge or Chromium") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
