//go:build desktop

// These tests start the real Chromium of this machine; they need a display (xvfb-run).

package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fieldphone/httpapi/lanca"

	"github.com/fasthttp/websocket"
)

// window is a browser that `fieldphone open --wait` started, watched over its debugging port.
type window struct {
	t     *testing.T
	conn  *websocket.Conn
	calls int
}

// openWindow runs the real command line in its own process, as Chromium's parent.
func openWindow(t *testing.T, url, fingerprint string) *window {
	t.Helper()
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", home)
	ctx, cancel := context.WithCancel(context.Background())
	stderr, ended := newLockedBuffer(), make(chan int, 1)
	go func() {
		args := []string{"open", "--wait", "--ca-sha256", fingerprint, "--browser-arg=--remote-debugging-port=0"}
		for _, arg := range []string{"--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--use-fake-device-for-media-stream", "--disable-background-networking"} {
			args = append(args, "--browser-arg", arg)
		}
		ended <- run(ctx, append(args, url), strings.NewReader(""), newLockedBuffer(), stderr)
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("exit %d: %s", code, stderr.String())
		}
	})
	var port string
	waitUntil(t, "Chromium's debugging port", func() bool {
		files, _ := filepath.Glob(filepath.Join(home, "fieldphone", "window-*", "DevToolsActivePort"))
		if len(files) == 0 {
			return false
		}
		text, err := os.ReadFile(files[0])
		port, _, _ = strings.Cut(string(text), "\n")
		return err == nil && port != ""
	})
	w := &window{t: t}
	waitUntil(t, "the app window", func() bool { return w.attach(port) })
	t.Cleanup(func() { w.conn.Close() })
	return w
}

func waitUntil(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (w *window) attach(port string) bool {
	resp, err := http.Get("http://127.0.0.1:" + port + "/json/list")
	if err != nil {
		return false
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	var pages []struct{ Type, WebSocketDebuggerURL string }
	if err := json.NewDecoder(resp.Body).Decode(&pages); err != nil {
		return false
	}
	for _, page := range pages {
		if page.Type == "page" {
			w.conn, _, err = websocket.DefaultDialer.Dial(page.WebSocketDebuggerURL, nil)
			return err == nil
		}
	}
	return false
}

// command sends one command of the DevTools protocol and reads its result.
func (w *window) command(method string, params, result any) error {
	w.t.Helper()
	w.calls++
	if err := w.conn.WriteJSON(map[string]any{"id": w.calls, "method": method, "params": params}); err != nil {
		w.t.Fatal(err)
	}
	if err := w.conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		w.t.Fatal(err)
	}
	for {
		var m struct {
			ID     int
			Error  json.RawMessage
			Result json.RawMessage
		}
		if err := w.conn.ReadJSON(&m); err != nil {
			w.t.Fatalf("%s: %v", method, err)
		}
		if m.ID != w.calls {
			continue
		}
		if len(m.Error) > 0 {
			return fmt.Errorf("%s: %s", method, m.Error)
		}
		return json.Unmarshal(m.Result, result)
	}
}

// eval returns what an expression, or its promise, comes to, or why it came to nothing.
func (w *window) eval(expression string) string {
	w.t.Helper()
	var out struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	err := w.command("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true}, &out)
	if err != nil {
		return err.Error()
	}
	if len(out.ExceptionDetails) > 0 {
		return string(out.ExceptionDetails)
	}
	return fmt.Sprint(out.Result.Value)
}

const untrusted = "net::ERR_CERT_AUTHORITY_INVALID"

// navigate returns Chromium's name of what was wrong, empty if the page opened.
func (w *window) navigate(url string) string {
	w.t.Helper()
	var went struct{ ErrorText string }
	if err := w.command("Page.navigate", map[string]any{"url": url}, &went); err != nil {
		return err.Error()
	}
	return went.ErrorText
}

func TestAnInstalledChromiumOpensThePageOfAnUnknownCA(t *testing.T) {
	r := startServer(t)
	w := openWindow(t, r.url+"/?lang=en", caOf(r))
	waitUntil(t, "the page", func() bool { return w.eval(`document.querySelector("button")?.checkVisibility() ?? false`) == "true" })
	if got := w.eval("location.origin"); got != r.url {
		t.Fatalf("the window shows %s", got)
	}
	if err := w.command("Browser.grantPermissions", map[string]any{"origin": r.url, "permissions": []string{"audioCapture", "videoCapture"}}, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ what, expression, want string }{
		{"an app window", `matchMedia("(display-mode: standalone)").matches`, "true"},
		{"no bar with a warning above the page", "outerHeight - innerHeight < 45", "true"},
		{"a secure context", "isSecureContext", "true"},
		{"camera and microphone", `navigator.mediaDevices.getUserMedia({audio: true, video: true}).then((s) => s.getTracks().map((t) => t.kind + t.readyState).sort().join())`, "audiolive,videolive"},
		{"a service worker", `navigator.serviceWorker.register("/sw.js").then(() => navigator.serviceWorker.ready).then((r) => r.active !== null)`, "true"},
		{"a WebSocket", `new Promise((ok) => { const s = new WebSocket(location.origin.replace("https", "wss") + "/api/v1/ws"); s.onerror = s.onclose = s.onopen = (e) => ok(e.type) })`, "error"}, // nobody is signed in
	} {
		if got := w.eval(tt.expression); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.what, got, tt.want)
		}
	}

	// The same browser meets a server with another CA.
	ca, certificate := newCA(t)
	site := impostor(t, "127.0.0.1:0", certificate)
	if got := w.navigate("https://" + site + "/"); got != untrusted {
		t.Errorf("a server of the CA %s: %q, want %s", ca.Fingerprint(), got, untrusted)
	}

	// Another key of the same CA is not accepted either: only this server's is.
	site = impostor(t, "127.0.0.1:0", sibling(t, r))
	if got := w.navigate("https://" + site + "/"); got != untrusted {
		t.Errorf("another key of the same CA: %q, want %s", got, untrusted)
	}
}

// sibling is a certificate for another key by the CA of a running server.
func sibling(t *testing.T, r *runner) tls.Certificate {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join(r.data, "tls", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	ca, err := lanca.Open(lanca.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	return *certificate
}

func TestChromiumsReasonToEndIsTold(t *testing.T) {
	r := startServer(t)
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("DISPLAY", ":9999")
	code, _, stderr := fieldphone(t, "y\n", "open", r.url)
	if code != 1 || !strings.Contains(stderr, "has ended") || !strings.Contains(stderr, "it said") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
