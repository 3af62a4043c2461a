package peer_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"fieldphone/rtc"
)

const fakeHeartbeat = 200 * time.Millisecond

// fake is a server that follows PROTOCOL.md as far as these tests need: one
// device for each user, every device numbered and resumable.
type fake struct {
	t    *testing.T
	http *httptest.Server
	wg   sync.WaitGroup

	mu        sync.Mutex
	passwords map[string]string
	devices   map[string]*fakeDevice // by user
	calls     map[string]*fakeCall
	hellos    map[string][]rtc.Hello
	hangups   []rtc.CallHangup
	texts     map[string]bool
	iceAsked  int
	mute      bool // never answer a hello
	offers    []rtc.CallSignal
	nominated map[string]string // by user: the candidate type that they said is theirs
}

type fakeDevice struct {
	user   string
	conn   *websocket.Conn
	stream string
	seq    uint64
	outbox [][]byte
}

type fakeCall struct {
	caller, callee string
	media          rtc.Media
	gen            int
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{
		t: t, passwords: map[string]string{}, devices: map[string]*fakeDevice{}, calls: map[string]*fakeCall{},
		hellos: map[string][]rtc.Hello{}, texts: map[string]bool{},
		nominated: map[string]string{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/register", f.register)
	mux.HandleFunc("POST /api/v1/login", f.login)
	mux.HandleFunc("GET /api/v1/ice", f.ice)
	mux.HandleFunc("GET /api/v1/ws", f.ws)
	f.http = httptest.NewTLSServer(mux)
	t.Cleanup(func() {
		f.mu.Lock()
		for _, d := range f.devices {
			d.cut()
		}
		f.mu.Unlock()
		f.http.Close()
		f.wg.Wait()
	})
	return f
}

// trust is a TLS configuration that knows the fake's certificate.
func (f *fake) trust() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(f.http.Certificate())
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, code string) {
	answer(w, status, map[string]any{"error": map[string]string{"code": code, "message": "refused"}})
}

type credentials struct{ ID, Name, Password string }

func (f *fake) register(w http.ResponseWriter, r *http.Request) {
	var c credentials
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
		refuse(w, http.StatusBadRequest, "bad_request")
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.passwords[c.ID] != "" {
		refuse(w, http.StatusConflict, "id_taken")
		return
	}
	f.passwords[c.ID] = c.Password
	answer(w, http.StatusCreated, map[string]any{"user": map[string]any{"id": c.ID, "name": c.Name}})
}

func (f *fake) login(w http.ResponseWriter, r *http.Request) {
	var c credentials
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
		refuse(w, http.StatusBadRequest, "bad_request")
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.Password == "" || f.passwords[c.ID] != c.Password {
		refuse(w, http.StatusUnauthorized, "wrong_credentials")
		return
	}
	answer(w, http.StatusOK, map[string]any{"token": "token-of-" + c.ID, "expires_at": time.Now().Add(time.Hour).Unix()})
}

// userOf is empty, and the request answered, when nobody is signed in.
func (f *fake) userOf(w http.ResponseWriter, r *http.Request) string {
	var user string
	if n, _ := fmt.Sscanf(r.Header.Get("Authorization"), "Bearer token-of-%s", &user); n != 1 {
		refuse(w, http.StatusUnauthorized, "unauthenticated")
	}
	return user
}

func (f *fake) ice(w http.ResponseWriter, r *http.Request) {
	if f.userOf(w, r) == "" {
		return
	}
	f.mu.Lock()
	f.iceAsked++
	f.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"iceServers": []any{}, "expires_at": time.Now().Add(time.Hour).Unix()})
}

func (f *fake) ws(w http.ResponseWriter, r *http.Request) {
	user := f.userOf(w, r)
	if user == "" {
		return
	}
	f.wg.Add(1)
	defer f.wg.Done()
	upgrader := websocket.Upgrader{}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	d := f.greet(conn, user)
	if d == nil {
		return
	}
	stop := make(chan struct{})
	f.wg.Go(func() { f.beat(d, conn, stop) })
	defer close(stop)
	for {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			break
		}
		env, msg, err := rtc.Decode(frame)
		if err != nil {
			f.t.Errorf("%s sent %s: %v", user, frame, err)
			continue
		}
		f.mu.Lock()
		f.handle(d, env, msg)
		f.mu.Unlock()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if d.conn == conn {
		d.conn = nil
	}
}

func (f *fake) greet(conn *websocket.Conn, user string) *fakeDevice {
	_, frame, err := conn.ReadMessage()
	if err != nil {
		return nil
	}
	env, msg, err := rtc.Decode(frame)
	hello, ok := msg.(*rtc.Hello)
	if err != nil || !ok {
		f.t.Errorf("%s began with %s", user, frame)
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mute {
		return &fakeDevice{user: user, conn: conn}
	}
	f.hellos[user] = append(f.hellos[user], *hello)
	d := f.devices[user]
	resumed := d != nil && d.stream == hello.Stream
	if !resumed {
		d = &fakeDevice{user: user, stream: fmt.Sprintf("stream-%s-%d", user, len(f.hellos[user]))}
		f.devices[user] = d
	}
	d.conn = conn
	infos := []rtc.CallInfo{}
	for id, c := range f.calls {
		if c.caller == user || c.callee == user {
			infos = append(infos, rtc.CallInfo{
				Call: id, Peer: f.user(c.other(user)), Role: c.role(user), State: rtc.StateActive, Gen: c.gen, Media: c.media,
			})
		}
	}
	d.write(&rtc.Welcome{
		User: f.user(user), Device: hello.Device, Stream: d.stream, Resumed: resumed, ServerTime: time.Now().UnixMilli(),
		HeartbeatMS: fakeHeartbeat.Milliseconds(), ResumeMS: 30000, Calls: infos,
	}, 0, env.ID)
	if resumed {
		for _, frame := range d.outbox { // more than it lacks, which must do no harm
			_ = conn.WriteMessage(websocket.TextMessage, frame)
		}
	}
	f.showPeople()
	return d
}

func (f *fake) beat(d *fakeDevice, conn *websocket.Conn, stop chan struct{}) {
	tick := time.NewTicker(fakeHeartbeat)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		f.mu.Lock()
		if d.conn == conn && !f.mute {
			d.write(&rtc.Ping{ServerTime: time.Now().UnixMilli()}, 0, "")
		}
		f.mu.Unlock()
	}
}

func (f *fake) user(id string) rtc.User { return rtc.User{ID: id, Name: "Name of " + id} }

func (f *fake) showPeople() {
	var people []rtc.Person
	for id := range f.devices {
		people = append(people, rtc.Person{ID: id, Name: "Name of " + id, Status: rtc.Free})
	}
	for _, d := range f.devices {
		d.write(&rtc.PresenceSnapshot{People: people}, 0, "")
	}
}

func (d *fakeDevice) write(msg rtc.Message, seq uint64, re string) {
	frame, err := rtc.Encode(msg, seq, re)
	if err != nil {
		return
	}
	if seq > 0 {
		d.outbox = append(d.outbox, frame)
	}
	if d.conn != nil {
		_ = d.conn.WriteMessage(websocket.TextMessage, frame)
	}
}

func (d *fakeDevice) cut() {
	if d.conn != nil {
		_ = d.conn.NetConn().Close()
	}
}

// send numbers a message to a user; it is kept for a resume.
func (f *fake) send(user string, msg rtc.Message) {
	if d := f.devices[user]; d != nil {
		d.seq++
		d.write(msg, d.seq, "")
	}
}

// handle carries out a message, with mu held.
func (f *fake) handle(d *fakeDevice, env rtc.Envelope, msg rtc.Message) {
	answer := rtc.Message(&rtc.Ack{})
	var then func()
	switch m := msg.(type) {
	case *rtc.Pong:
		return
	case *rtc.Bye:
		delete(f.devices, d.user)
		then = f.showPeople
	case *rtc.TextSend:
		answer, then = f.text(d, m)
	case *rtc.CallInvite:
		then = func() { f.invite(d, m) }
	default:
		answer, then = f.onCall(d, msg)
	}
	if env.ID != "" {
		d.write(answer, 0, env.ID)
	}
	if then != nil {
		then()
	}
}

func (f *fake) text(d *fakeDevice, m *rtc.TextSend) (rtc.Message, func()) {
	if f.devices[m.Chat] == nil {
		return rtc.NewError(rtc.CodeOffline, "not connected"), nil
	}
	sent := &rtc.TextSent{Message: m.Message, ServerTime: time.Now().UnixMilli()}
	if f.texts[m.Message] {
		return sent, nil
	}
	f.texts[m.Message] = true
	return sent, func() {
		f.send(m.Chat, &rtc.TextMessage{Message: m.Message, From: f.user(d.user), Chat: d.user, Kind: rtc.KindText, Body: m.Body})
	}
}
