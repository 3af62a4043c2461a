package httpapi

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fieldphone/httpapi/onboard"
)

func newStartPageWithAPK(t *testing.T, apk string, site func() onboard.Site) string {
	t.Helper()
	start, err := NewStart(StartConfig{HTTPSPort: 8443, Site: site, APK: apk, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return serveStart(t, start)
}

func TestAPKIsServedWhileItIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.apk")
	url := newStartPageWithAPK(t, path, withCA)
	check := func(wantStatus int, wantLink bool) {
		t.Helper()
		if resp, _ := get(t, url+"/app.apk", "10.0.0.1:8080"); resp.StatusCode != wantStatus {
			t.Errorf("/app.apk: got %d, want %d", resp.StatusCode, wantStatus)
		}
		if _, body := get(t, url+"/app", "10.0.0.1:8080"); strings.Contains(body, `href="/app.apk"`) != wantLink {
			t.Errorf("/app links to /app.apk: got %v, want %v", !wantLink, wantLink)
		}
		for on, want := range map[string]bool{"android": wantLink, "windows": false} {
			if _, body := get(t, url+"/?on="+on, "10.0.0.1:8080"); strings.Contains(body, `href="/app?lang=en"`) != want {
				t.Errorf("the start page for %s links to /app: got %v, want %v", on, !want, want)
			}
		}
	}
	check(http.StatusNotFound, false)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	check(http.StatusNotFound, false)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("PK\x03\x04 and more "), 1000)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	check(http.StatusOK, true)

	resp, body := get(t, url+"/app.apk", "10.0.0.1:8080", "Accept-Encoding", "gzip, br")
	if body != string(content) || resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("got %d bytes, encoding %q; want the %d bytes of the file", len(body), resp.Header.Get("Content-Encoding"), len(content))
	}
	if got, want := resp.Header.Get("Content-Type"), "application/vnd.android.package-archive"; got != want {
		t.Errorf("got type %q, want %q", got, want)
	}
	if got := resp.Header.Get("Content-Disposition"); !strings.Contains(got, "fieldphone.apk") {
		t.Errorf("got disposition %q, want a file name", got)
	}
	resp, body = get(t, url+"/app.apk", "10.0.0.1:8080", "Range", "bytes=100-109")
	if resp.StatusCode != http.StatusPartialContent || body != string(content[100:110]) {
		t.Errorf("a range: got %d %q, want %q", resp.StatusCode, body, content[100:110])
	}
}

func TestAPKPagePairs(t *testing.T) {
	url := newStartPageWithAPK(t, "", withCA)
	fingerprint := onboard.FingerprintOf(testCA().DER)
	pair := func(page string) string {
		return fmt.Sprintf("fieldphone://pair?url=%s&amp;ca=%X", page, fingerprint[:])
	}
	for _, tt := range []struct{ name, host, lang, want string }{
		{"Address", "10.77.1.1:8080", "en", pair("https%3A%2F%2F10.77.1.1%3A8443%2F")},
		{"IPv6", "[fd00::1]:8080", "en", pair("https%3A%2F%2F%5Bfd00%3A%3A1%5D%3A8443%2F")},
		{"NotAHost", "evil\"><script>", "en", pair("https%3A%2F%2F127.0.0.1%3A8443%2F")},
		{"English", "10.77.1.1", "fr", `lang="en"`},
		{"Chinese", "10.77.1.1", "zh-CN,zh;q=0.9", "配对"},
		{"Fingerprint", "10.77.1.1", "en", fingerprint.HexLines()[1]},
		{"Code", "10.77.1.1", "en", `<path d="M0 0h1v1h-1z`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := get(t, url+"/app", tt.host, "Accept-Language", tt.lang)
			if resp.StatusCode == http.StatusBadRequest && tt.name == "NotAHost" {
				return // refused before it reaches us
			}
			if !strings.Contains(body, tt.want) || strings.Contains(body, "<script>") {
				t.Errorf("%s is not on the page:\n%.400s", tt.want, body)
			}
		})
	}
	without := newStartPageWithAPK(t, "", func() onboard.Site { return onboard.Site{} })
	if resp, _ := get(t, without+"/app", "10.77.1.1"); resp.Request.URL.Path != "/" {
		t.Errorf("a site without a CA: got %s, want the start page", resp.Request.URL)
	}
}
