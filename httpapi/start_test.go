package httpapi

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
)

func newStartPage(t *testing.T) string {
	t.Helper()
	start, err := NewStart(StartConfig{
		HTTPSPort: 8443, CACertDER: []byte{0x30, 1}, CACertPEM: []byte("PEM"), Fingerprint: "AB:CD", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
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
	url := newStartPage(t)
	for _, tt := range []struct{ name, host, header, want string }{
		{"Address", "10.77.1.1:8080", "en", `href="https://10.77.1.1:8443/"`},
		{"Name", "fieldphone.local", "en", `href="https://fieldphone.local:8443/"`},
		{"IPv6", "[fd00::1]:8080", "en", `href="https://[fd00::1]:8443/"`},
		{"NotAHost", "evil\"><script>", "en", `href="https://127.0.0.1:8443/"`},
		{"Fingerprint", "10.77.1.1", "en", `<code>AB:CD</code>`},
		{"Chinese", "10.77.1.1", "zh-CN,zh;q=0.9", `lang="zh-CN"`},
		{"English", "10.77.1.1", "fr", `lang="en"`},
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
	resp, body := get(t, url+"/fieldphone-ca.crt", "10.77.1.1")
	if resp.Header.Get("Content-Type") != "application/x-x509-ca-cert" || body != "\x30\x01" {
		t.Errorf("%q %q", resp.Header.Get("Content-Type"), body)
	}
}
