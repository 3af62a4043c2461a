package httpapi

import (
	"compress/gzip"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"fieldphone/httpapi/onboard"
)

func testCA() *onboard.CA {
	der := []byte{0x30, 1}
	return &onboard.CA{
		DER: der, Name: "Fieldphone CA 0A0B0C0D", Fingerprint: onboard.FingerprintOf(der), NotAfter: time.Date(2036, 7, 1, 0, 0, 0, 0, time.UTC),
		Names: []string{"local", "lan"}, Local: true,
	}
}

func newStartPage(t *testing.T, site func() onboard.Site) string {
	t.Helper()
	start, err := NewStart(StartConfig{HTTPSPort: 8443, Site: site, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return serveStart(t, start)
}

func serveStart(t *testing.T, start *App) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- start.Serve(ln) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := start.Shutdown(t.Context()); err != nil {
			ln.Close()
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + ln.Addr().String()
}

func withCA() onboard.Site { return onboard.Site{CA: testCA()} }

func get(t *testing.T, url, host string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestStartPage(t *testing.T) {
	url := newStartPage(t, withCA)
	for _, tt := range []struct{ name, host, header, want string }{
		{"Address", "10.77.1.1:8080", "en", `href="https://10.77.1.1:8443/"`},
		{"Name", "fieldphone.local", "en", `href="https://fieldphone.local:8443/"`},
		{"IPv6", "[fd00::1]:8080", "en", `href="https://[fd00::1]:8443/"`},
		{"NotAHost", "evil\"><script>", "en", `href="https://127.0.0.1:8443/"`},
		{"Digits", "10.77.1.1", "en", testCA().Fingerprint.Digits()},
		{"Hex", "10.77.1.1", "en", testCA().Fingerprint.Hex()[:24]},
		{"Chinese", "10.77.1.1", "zh-CN,zh;q=0.9", `<html lang="zh-CN">`},
		{"English", "10.77.1.1", "fr", `<html lang="en">`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := get(t, url+"/anything", tt.host, "Accept-Language", tt.header)
			if resp.StatusCode == http.StatusBadRequest && tt.name == "NotAHost" {
				return // refused before it reaches us
			}
			if !strings.Contains(body, tt.want) || strings.Contains(body, "<script>") {
				t.Errorf("%s is not on the page", tt.want)
			}
		})
	}
}

// Ensure what a query says is never on the page as it came.
func TestStartPageEchoesNothing(t *testing.T) {
	url := newStartPage(t, withCA)
	for _, query := range []string{"lang", "on", "with", "by", "ca", "stay"} {
		resp, body := get(t, url+"/?"+query+`=%22%3E%3Cimg+src%3Dx+onerror%3Dalert(1)%3E`, "10.77.1.1")
		if resp.StatusCode != 200 || strings.Contains(body, "<img") {
			t.Errorf("%s: status %d\n%s", query, resp.StatusCode, body)
		}
	}
	if csp := func() string { r, _ := get(t, url, "10.77.1.1"); return r.Header.Get("Content-Security-Policy") }(); strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("CSP %q", csp)
	}
}

// A page of a few kB opens at once also where many share a slow network.
func TestStartPageIsSmall(t *testing.T) {
	url := newStartPage(t, withCA)
	const most = 8 << 10
	for path, agent := range map[string]string{"/": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1", "/start.js": ""} {
		resp, body := get(t, url+path, "10.77.1.1", "Accept-Encoding", "gzip", "User-Agent", agent)
		plain, err := gzip.NewReader(strings.NewReader(body))
		if err != nil || resp.Header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s is not compressed: %v", path, err)
		}
		whole, err := io.ReadAll(plain)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes, %d compressed", path, len(whole), len(body))
		if len(body) > most {
			t.Errorf("%s has %d bytes, want at most %d", path, len(body), most)
		}
	}
}

func TestCAFiles(t *testing.T) {
	url := newStartPage(t, withCA)
	der := string(testCA().DER)
	for _, tt := range []struct{ path, contentType, disposition string }{
		{"crt", "application/x-x509-ca-cert", `attachment; filename="fieldphone-ca.crt"`},
		{"crt?open=1", "application/x-x509-ca-cert", ""},
		{"der", "application/pkix-cert", `attachment; filename="fieldphone-ca.der"`},
		{"pem", "application/x-pem-file", `attachment; filename="fieldphone-ca.pem"`},
		{"mobileconfig", "application/x-apple-aspen-config", ""},
	} {
		resp, body := get(t, url+"/fieldphone-ca."+tt.path, "10.77.1.1")
		if got := resp.Header.Get("Content-Type"); got != tt.contentType || resp.Header.Get("Content-Disposition") != tt.disposition {
			t.Errorf("%s: %q, %q", tt.path, got, resp.Header.Get("Content-Disposition"))
		}
		switch {
		case strings.HasPrefix(tt.path, "crt"), tt.path == "der":
			if body != der {
				t.Errorf("%s: %q", tt.path, body)
			}
		case tt.path == "pem":
			if block, _ := pem.Decode([]byte(body)); block == nil || string(block.Bytes) != der {
				t.Errorf("%s: %q", tt.path, body)
			}
		}
	}
}

func TestStartPageWithoutCA(t *testing.T) {
	url := newStartPage(t, func() onboard.Site { return onboard.Site{} })
	_, body := get(t, url, "phone.example.org", "Accept-Language", "en")
	if !strings.Contains(body, "There is nothing to install.") || strings.Contains(body, "fieldphone-ca") || strings.Contains(body, "Proceed to") {
		t.Errorf("the page speaks of a CA:\n%s", body)
	}
	resp, _ := get(t, url+"/fieldphone-ca.crt", "phone.example.org")
	if got := resp.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/html") {
		t.Errorf("the CA's file is %q", got)
	}
}

// Ensure a renewed CA is on the very next page.
func TestStartPageFollowsTheCA(t *testing.T) {
	first, second := *testCA(), *testCA()
	second.Fingerprint = onboard.FingerprintOf([]byte("another"))
	second.Earlier = []onboard.Fingerprint{first.Fingerprint}
	now := &first
	url := newStartPage(t, func() onboard.Site { return onboard.Site{CA: now} })
	link := "/?lang=en&ca=" + first.Fingerprint.Short()
	if _, body := get(t, url+link, "10.77.1.1"); strings.Contains(body, `role="alert"><b>`) {
		t.Error("the right code is warned of")
	}
	now = &second
	if _, body := get(t, url+link, "10.77.1.1"); !strings.Contains(body, second.Fingerprint.Digits()) || !strings.Contains(body, "before the certificate was renewed") {
		t.Error("the page does not tell of the renewal")
	}
	if _, body := get(t, url+"/?lang=en&ca=0123456789", "10.77.1.1"); !strings.Contains(body, "This code was made for another server.") {
		t.Error("the page does not tell of a code of another server")
	}
}

func TestTrustIsReadableForTheStartPageOnly(t *testing.T) {
	s := newSite(t)
	for origin, want := range map[string]bool{
		"http://127.0.0.1:8080": true, "http://127.0.0.1": true, "": false,
		"http://evil.example": false, "https://127.0.0.1": false, "null": false, "http://127.0.0.1.evil.example": false,
	} {
		a := s.want(204, s.do("GET", "/trust", "", "Origin", origin))
		if got := a.header.Get("Access-Control-Allow-Origin"); (got == origin && origin != "") != want || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%q: allowed %q, %q", origin, got, a.header.Get("Cache-Control"))
		}
	}
}
