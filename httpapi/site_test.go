package httpapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/files"
	"fieldphone/httpapi/lanca"
	"fieldphone/httpapi/onboard"
	"fieldphone/httpapi/people"
	"fieldphone/httpapi/segment"
	"fieldphone/httpapi/sqlstore"
	"fieldphone/rtc"
	"fieldphone/rtc/announce"
	"fieldphone/rtc/chat"
	"fieldphone/rtc/hub"
	"fieldphone/rtc/presence"

	"github.com/fasthttp/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp keeps two clocks for the life of the process.
		goleak.IgnoreTopFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreTopFunction("time.Sleep"),
		// and its compressors.
		goleak.IgnoreTopFunction("github.com/valyala/fasthttp/stackless.funcWorker"),
	)
}

// site is a whole HTTP side on a loopback port, with real accounts in SQLite
// and a real hub.
type site struct {
	t        *testing.T
	url      string
	addr     string
	accounts *account.Service
	log      sqlstore.AdminLog
	people   *people.Service
	limits   *ConnLimits
	client   *http.Client
	alone    bool
}

type siteOptions struct {
	listen string
	now    func() time.Time
	limits ConnLimits
	ice    ICEConfig
	path   PathConfig
	rules  account.Registration
	files  files.Config
	export []ExportPart
	onGone func(context.Context, string) error
	// alone has a goroutine read each WebSocket, as where a crew cannot.
	alone bool
}

func near(reached netip.Addr) (netip.Addr, bool) {
	if reached == netip.MustParseAddr("127.0.0.2") {
		return reached, true
	}
	return netip.MustParseAddr("10.77.1.1"), true
}

// plan finds the ways to a relay at 127.0.0.2 and 10.77.1.1.
func plan(table *segment.Table) func(segment.Visit) segment.Plan {
	relay := segment.Relay{Port: 3478, HTTPSPort: 8443, OnHTTPS: true, Near: near}
	return func(v segment.Visit) segment.Plan { return table.Plan(v, relay) }
}

func newSite(t *testing.T, change ...func(*siteOptions)) *site {
	t.Helper()
	options := siteOptions{
		listen: "127.0.0.1:0", now: time.Now, limits: ConnLimits{Max: 1000, MaxPerAddress: 500},
		ice:   ICEConfig{Secret: []byte("relay-secret-of-the-tests"), Plan: plan(new(segment.Table)), Relay: near},
		files: files.Config{MaxBytes: 8 << 20, QuotaPerUser: 16 << 20, Quota: 24 << 20, Keep: time.Hour},
	}
	for _, c := range change {
		c(&options)
	}
	log := slog.New(slog.DiscardHandler)
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	accounts, err := account.New(t.Context(), account.Config{
		SigningKey: bytes.Repeat([]byte("k"), 32), BcryptCost: 4, SessionTTL: time.Hour, Now: options.now, Registration: options.rules,
		AddressRate: account.Rate{Burst: 1000, PerMinute: 1000}, RegisterRate: account.Rate{Burst: 1000, PerMinute: 1000},
	}, db.Accounts())
	if err != nil {
		t.Fatal(err)
	}
	options.files.Dir, options.files.Now = t.TempDir(), options.now
	kept, err := files.New(t.Context(), options.files, db.Files())
	if err != nil {
		t.Fatal(err)
	}
	var everybody *people.Service // before anything runs
	blocked := func(by, who string) bool { return everybody.Blocked(by, who) }
	refuses := func(callee, caller string) rtc.EndReason { return everybody.Refuses(callee, caller) }
	chats := chat.New(chat.Config{Blocked: blocked, DropFile: kept.Forget, Now: options.now, Logger: log}, db.Chats())
	h, err := hub.New(hub.Config{
		Node: "test", Heartbeat: 5 * time.Second, PresenceTTL: 15 * time.Second, ResumeWindow: 30 * time.Second,
		RingTimeout: 45 * time.Second, HelloTimeout: 10 * time.Second, MessageRate: 50, MessageBurst: 400,
		Now: time.Now, Logger: log, Chat: chats, Refuses: refuses,
		Hooks: hub.Hooks{OnCallEnded: func(o hub.CallOver) {
			chats.EndCall(chat.Call{Call: o.Call, Caller: o.Ends[0].User, Callee: o.Ends[1].User, PastCall: rtc.PastCall{Media: o.Media, Reason: o.Reason}})
		}},
	}, presence.NewMemory(time.Now))
	if err != nil {
		t.Fatal(err)
	}
	chats.OnChange(h.Deliver)
	everybody, err = people.New(t.Context(), people.Config{
		Push: func(m *rtc.ProfileUpdate) { h.Broadcast(m) }, Now: options.now, Logger: log, OnGone: options.onGone,
	}, db.People())
	if err != nil {
		t.Fatal(err)
	}
	accounts.OnSessionEnded(func(s account.Session) { h.EndSession(s.ID) })
	ca, err := lanca.Open(lanca.Config{Dir: t.TempDir(), Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", options.listen)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, log: db.AdminLog(), addr: ln.Addr().String(), url: "https://" + ln.Addr().String(), accounts: accounts, people: everybody, limits: &options.limits, alone: options.alone}
	announcer := announce.New(announce.Config{
		Store: db.Announcements(), People: testPeople{accounts}, Line: h, Keep: 24 * time.Hour, Now: options.now, Logger: log,
	})
	app := New(Config{
		Announce: announcer, Admin: AdminConfig{Node: "test", Log: db.AdminLog()},
		SiteName: "Camp 3", Accounts: accounts, People: everybody, Hub: h, Chat: chats, Files: kept, ICE: options.ice, Path: options.path, Metrics: http.NotFoundHandler(),
		Page: fstest.MapFS{"index.html": {Data: []byte("<title>Fieldphone</title>")}, "assets/app-1.js": {Data: []byte("1")}},
		Site: func() onboard.Site { return onboard.Site{} }, StartPort: 8080,
		Ready:  []Check{{"database", db.Ping}, {"hub", h.Check}},
		Export: options.export, BodyBytes: 64 << 10, MessageBytes: 64 << 10, SendQueue: 256, Now: options.now, Logger: log,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 6)
	go func() { chats.Run(ctx); done <- nil }()
	go func() { h.Run(ctx); done <- nil }()
	go func() { announcer.Run(ctx); done <- nil }()
	go func() { done <- accounts.Run(ctx) }()
	go func() { done <- everybody.Run(ctx) }()
	accept := s.limits.Listen(ln)
	if options.alone {
		accept = ln
	}
	go func() { done <- app.Serve(tls.NewListener(accept, ca.TLSConfig())) }()
	s.client = s.newClient("")
	t.Cleanup(func() {
		cancel()
		s.client.CloseIdleConnections()
		stop, end := context.WithTimeout(context.Background(), 5*time.Second)
		defer end()
		if err := errors.Join(app.Shutdown(stop), <-done, <-done, <-done, <-done, <-done, <-done); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("stop: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// newClient makes a client that trusts the site, calling from a local address
// if one is named.
func (s *site) newClient(from string) *http.Client {
	dialer := &net.Dialer{}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DialContext: dialer.DialContext}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) code() string {
	var e errorBody
	_ = json.Unmarshal(a.body, &e)
	return e.Error.Code
}

// request makes a request; header is name, value, name, value.
func (s *site) request(method, path, body string, header ...string) *http.Request {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	return req
}

// do sends a request.
func (s *site) do(method, path, body string, header ...string) answer {
	s.t.Helper()
	resp, err := s.client.Do(s.request(method, path, body, header...))
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, text}
}

func (s *site) want(status int, a answer) answer {
	s.t.Helper()
	if a.status != status {
		s.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

const password = "correct horse battery"

// signUp creates an account and signs in; it returns the token.
func (s *site) signUp(id string) string {
	s.t.Helper()
	s.want(201, s.do("POST", "/api/v1/register", fmt.Sprintf(`{"id":%q,"name":%q,"password":%q}`, id, strings.ToUpper(id), password)))
	return s.signIn(id, password)
}

func (s *site) signIn(id, password string) string {
	s.t.Helper()
	a := s.want(200, s.do("POST", "/api/v1/login", fmt.Sprintf(`{"id":%q,"password":%q}`, id, password)))
	var grant grantBody
	if err := json.Unmarshal(a.body, &grant); err != nil || grant.Token == "" {
		s.t.Fatalf("%s: %v", a.body, err)
	}
	return grant.Token
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// socket opens a WebSocket and says hello.
func (s *site) socket(token, device string) *websocket.Conn {
	s.t.Helper()
	conn, resp, err := s.dial(bearer(token)...)
	if err != nil {
		s.t.Fatalf("dial: %v (%v)", err, resp)
	}
	frame, err := rtc.EncodeRequest(&rtc.Hello{Device: device}, "1")
	if err != nil {
		s.t.Fatal(err)
	}
	if err := conn.WriteMessage(websocket.TextMessage, frame); err != nil {
		s.t.Fatal(err)
	}
	next[*rtc.Welcome](s.t, conn)
	return conn
}

func (s *site) dial(header ...string) (*websocket.Conn, *http.Response, error) {
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, HandshakeTimeout: 5 * time.Second}
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	conn, resp, err := dialer.Dial("wss://"+s.addr+"/api/v1/ws", h)
	if err == nil {
		s.t.Cleanup(func() { conn.Close() })
	}
	return conn, resp, err
}

// soon is when to stop waiting.
func (s *site) soon() time.Time { return time.Now().Add(10 * time.Second) }

// next reads until a message of one kind comes.
func next[M rtc.Message](t *testing.T, conn *websocket.Conn) M {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			t.Fatalf("waiting for a message: %v", err)
		}
		_, msg, err := rtc.Decode(frame)
		if err != nil {
			t.Fatalf("%s: %v", frame, err)
		}
		if m, ok := msg.(M); ok {
			return m
		}
	}
}

// closeCode reads until the server closes and returns its code.
func closeCode(t *testing.T, conn *websocket.Conn) int {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		_, _, err := conn.ReadMessage()
		if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
			return closed.Code
		}
		if err != nil {
			t.Fatalf("closed without a code: %v", err)
		}
	}
}
