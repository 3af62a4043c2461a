package httpapi

import (
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fieldphone/httpapi/segment"
	"fieldphone/rtc"
	"fieldphone/turnsrv/credential"

	"github.com/fasthttp/websocket"
	"github.com/google/go-cmp/cmp"
)

type iceBody struct {
	ICEServers []iceServer `json:"iceServers"`
	ExpiresAt  int64       `json:"expires_at"`
}

func (s *site) iceOf(token string) iceBody {
	s.t.Helper()
	var body iceBody
	if err := json.Unmarshal(s.want(200, s.do("GET", "/api/v1/ice", "", bearer(token)...)).body, &body); err != nil {
		s.t.Fatal(err)
	}
	return body
}

// Ensure a client is given the relay at the very address by which it came.
func TestICELeadsWithTheAddressTheClientCameBy(t *testing.T) {
	s := newSite(t, func(o *siteOptions) { o.listen = "127.0.0.2:0" })
	body := s.iceOf(s.signUp("maria"))
	if diff := cmp.Diff([]string{"stun:127.0.0.2:3478"}, body.ICEServers[0].URLs); diff != "" {
		t.Error(diff)
	}
	relay := body.ICEServers[1]
	if diff := cmp.Diff([]string{"turn:127.0.0.2:3478?transport=udp", "turn:" + s.addr + "?transport=tcp", "turns:" + s.addr + "?transport=tcp"}, relay.URLs); diff != "" {
		t.Error(diff)
	}
	identity, err := credential.Parse(relay.Username)
	if err != nil || identity.Subject != "maria" || identity.Expiry.Unix() != body.ExpiresAt {
		t.Errorf("username %q: %+v %v", relay.Username, identity, err)
	}
	if want := credential.Password([]byte("relay-secret-of-the-tests"), relay.Username); relay.Credential != want {
		t.Errorf("credential %q, want %q", relay.Credential, want)
	}
	// The server's own machine came by an address without a relay.
	other := newSite(t)
	if got := other.iceOf(other.signUp("maria")).ICEServers[0].URLs; got[0] != "stun:10.77.1.1:3478" {
		t.Errorf("got %v", got)
	}
}

func TestICESegmentsOverride(t *testing.T) {
	s := newSite(t, func(o *siteOptions) {
		o.ice.Plan = plan(&segment.Table{Segments: []segment.Segment{
			{Clients: []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")}, TURNAddresses: []netip.AddrPort{netip.MustParseAddrPort("192.168.1.1:1")}},
			{Clients: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, TURNAddresses: []netip.AddrPort{netip.MustParseAddrPort("203.0.113.7:3479")}},
		}})
	})
	if got := s.iceOf(s.signUp("maria")).ICEServers[1].URLs; got[0] != "turn:203.0.113.7:3479?transport=udp" {
		t.Errorf("got %v", got)
	}
}

// Ensure a client that came by a name gets TURN over TLS by that name, that one
// whose segment allows it nothing gets an empty list, and that no Host header
// breaks the answer.
func TestICEFollowsHowTheClientCame(t *testing.T) {
	s := newSite(t, func(o *siteOptions) {
		o.ice.Plan = func(v segment.Visit) segment.Plan {
			v.Client = netip.MustParseAddr("10.77.1.9")
			return plan(new(segment.Table))(v)
		}
	})
	token := s.signUp("maria")
	for host, want := range map[string]string{
		"fieldphone.local:8443": "turns:fieldphone.local:8443?transport=tcp", "phone.lan": "turns:phone.lan:443?transport=tcp",
		"\"><script>": "turns:10.77.1.1:8443?transport=tcp", "10.9.9.9:444": "turns:10.9.9.9:444?transport=tcp",
	} {
		var body iceBody
		if err := json.Unmarshal(s.want(200, s.do("GET", "/api/v1/ice", "", append(bearer(token), "Host", host)...)).body, &body); err != nil {
			t.Fatal(err)
		}
		if urls := body.ICEServers[1].URLs; urls[len(urls)-1] != want {
			t.Errorf("by %s: got %v, want %s", host, urls, want)
		}
	}
	none := newSite(t, func(o *siteOptions) { o.ice.Plan = func(segment.Visit) segment.Plan { return segment.Plan{} } })
	if body := none.iceOf(none.signUp("maria")); body.ICEServers == nil || len(body.ICEServers) != 0 {
		t.Errorf("got %+v, want an empty list", body.ICEServers)
	}
}

func TestSocketCallBetweenTwo(t *testing.T) {
	s := newSite(t)
	alice := s.socket(s.signUp("alice"), "alice-phone")
	bob := s.socket(s.signUp("bob"), "bob-phone")
	say(t, alice, &rtc.CallInvite{Call: "call-0001", To: "bob", Media: rtc.Video})
	if got := next[*rtc.CallIncoming](t, bob); got.From.Name != "ALICE" {
		t.Errorf("got %+v", got)
	}
	say(t, bob, &rtc.CallAccept{Call: "call-0001", Media: rtc.Video})
	next[*rtc.CallStarted](t, alice)
	next[*rtc.CallStarted](t, bob)
	say(t, alice, &rtc.CallHangup{Call: "call-0001"})
	if got := next[*rtc.CallEnded](t, bob); got.Reason != rtc.EndHangup {
		t.Errorf("got %+v", got)
	}
}

func say(t *testing.T, conn *websocket.Conn, msg rtc.Message) {
	t.Helper()
	frame, err := rtc.EncodeRequest(msg, "r")
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.WriteMessage(websocket.TextMessage, frame); err != nil {
		t.Fatal(err)
	}
}

func TestSocketDoor(t *testing.T) {
	s := newSite(t)
	token := s.signUp("maria")
	for name, tt := range map[string]struct {
		header []string
		status int
	}{
		"no token":            {nil, 401},
		"bad token":           {bearer("x"), 401},
		"foreign origin":      {append(bearer(token), "Origin", "https://evil.example"), 403},
		"cookie, bad origin":  {[]string{"Cookie", cookieName + "=" + token, "Origin", "https://evil.example"}, 403},
		"cookie, own origin":  {[]string{"Cookie", cookieName + "=" + token, "Origin", s.url}, 101},
		"bearer, no origin":   {bearer(token), 101},
		"bearer, null origin": {append(bearer(token), "Origin", "null"), 403},
	} {
		t.Run(name, func(t *testing.T) {
			_, resp, err := s.dial(tt.header...)
			if resp == nil || resp.StatusCode != tt.status {
				t.Errorf("got %v %v, want %d", resp, err, tt.status)
			}
		})
	}
}

func TestSocketOfAnEndedSessionIsClosed(t *testing.T) {
	s := newSite(t)
	token := s.signUp("maria")
	phone, laptop := s.socket(token, "maria-phone"), s.socket(s.signIn("maria", password), "maria-laptop")
	s.want(204, s.do("POST", "/api/v1/logout", "", bearer(token)...))
	if got := closeCode(t, phone); got != rtc.CloseSessionEnded.Code {
		t.Errorf("closed with %d", got)
	}
	if err := s.accounts.SetDisabled(t.Context(), "maria", true); err != nil {
		t.Fatal(err)
	}
	if got := closeCode(t, laptop); got != rtc.CloseSessionEnded.Code {
		t.Errorf("closed with %d", got)
	}
}

// Ensure a socket that opens while its session ends does not outlive it.
func TestSocketThatOpensDuringSignOutIsClosed(t *testing.T) {
	s := newSite(t)
	s.signUp("maria")
	for range 30 {
		token := s.signIn("maria", password)
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.do("POST", "/api/v1/logout", "", bearer(token)...)
		}()
		conn, _, err := s.dial(bearer(token)...)
		<-done
		if err != nil {
			continue // the sign-out was first
		}
		if got := closeCode(t, conn); got != rtc.CloseSessionEnded.Code {
			t.Fatalf("closed with %d", got)
		}
	}
}

// Ensure a client that ignores the close frame is not heard any more.
func TestSignedOutSocketIsNotHeard(t *testing.T) {
	s := newSite(t)
	token := s.signUp("maria")
	bob := s.socket(s.signUp("bob"), "bob-phone")
	maria := s.socket(token, "maria-phone")
	s.want(204, s.do("POST", "/api/v1/logout", "", bearer(token)...))
	say(t, maria, &rtc.Hello{Device: "maria-ghost"})
	say(t, maria, &rtc.CallInvite{Call: "call-0001", To: "bob", Media: rtc.Video})
	if got := closeCode(t, maria); got != rtc.CloseSessionEnded.Code {
		t.Errorf("closed with %d", got)
	}
	say(t, bob, &rtc.TextSend{Message: "text-0001", Chat: "maria", Body: "x"})
	_ = bob.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		_, frame, err := bob.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		_, msg, _ := rtc.Decode(frame)
		if _, rang := msg.(*rtc.CallIncoming); rang {
			t.Fatal("a signed-out client made a phone ring")
		}
		if _, sent := msg.(*rtc.TextSent); sent {
			return
		}
	}
}

func TestSocketOfAnExpiredSessionIsClosed(t *testing.T) {
	var later atomic.Int64
	s := newSite(t, func(o *siteOptions) {
		o.now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	token := s.signUp("maria")
	later.Store(int64(time.Hour - time.Second)) // one second is left of it
	if got := closeCode(t, s.socket(token, "maria-phone")); got != rtc.CloseSessionEnded.Code {
		t.Errorf("closed with %d", got)
	}
}

func TestHostileFrames(t *testing.T) {
	s := newSite(t)
	token := s.signUp("maria")
	witness := s.socket(s.signUp("witness"), "witness-phone")

	binary := s.socket(token, "maria-phone1")
	if err := binary.WriteMessage(websocket.BinaryMessage, []byte{0, 1, 2}); err != nil {
		t.Fatal(err)
	}
	if got := closeCode(t, binary); got != rtc.CloseProtocolError.Code {
		t.Errorf("a binary frame: closed with %d", got)
	}
	large := s.socket(token, "maria-phone2")
	_ = large.WriteMessage(websocket.TextMessage, []byte(`{"type":"`+strings.Repeat("x", 70<<10)+`"}`))
	if got := closeCode(t, large); got != websocket.CloseMessageTooBig {
		t.Errorf("a frame over the limit: closed with %d", got)
	}
	garbage := s.socket(token, "maria-phone3")
	for range 200 {
		_ = garbage.WriteMessage(websocket.TextMessage, []byte(`{"type":`))
	}
	if got := closeCode(t, garbage); got != rtc.CloseProtocolError.Code {
		t.Errorf("garbage: closed with %d", got)
	}
	say(t, witness, &rtc.Pong{})
	say(t, witness, &rtc.TextSend{Message: "text-0001", Chat: "nobody", Body: "x"})
	if got := next[*rtc.Error](t, witness); got.Code != rtc.CodeNoSuchChat {
		t.Errorf("the witness was disturbed: %v", got)
	}
}

// Ensure ten thousand connections that never speak leave room for others.
func TestSilentConnections(t *testing.T) {
	s := newSite(t, func(o *siteOptions) { o.limits = ConnLimits{Max: 1000, MaxPerAddress: 200} })
	var held []net.Conn
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	for range 10_000 {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		if len(held) < 400 {
			held = append(held, c)
		} else {
			c.Close()
		}
	}
	s.client = s.newClient("127.0.0.9")
	s.want(200, s.do("GET", "/readyz", ""))
	if refused := s.limits.Refused(); refused < 5000 {
		t.Errorf("%d were refused", refused)
	}
	// A refused connection is closed at once rather than left hanging.
	last := held[len(held)-1]
	_ = last.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := last.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("a refused connection: %v, want closed", err)
	}
}

func TestConnLimitsAreGivenBack(t *testing.T) {
	s := newSite(t, func(o *siteOptions) { o.limits = ConnLimits{Max: 3, MaxPerAddress: 3} })
	for range 20 {
		client := s.newClient("")
		resp, err := client.Get(s.url + "/healthz")
		if err != nil {
			t.Fatalf("a connection was not given back: %v", err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		client.CloseIdleConnections()
		waitFor(t, func() bool {
			s.limits.mu.Lock()
			defer s.limits.mu.Unlock()
			return s.limits.total == 0
		})
	}
}

func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatal("the condition did not come true within 10 s")
		case <-tick.C:
		}
	}
}
