package httpapi

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"fieldphone/rtc"
)

// eventClient is a device on server-sent events.
type eventClient struct {
	s      *site
	token  string
	stream string
	lines  *bufio.Scanner
}

func (s *site) eventClient(token, device string) *eventClient {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+"/api/v1/events", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	client := s.newClient("")
	client.Timeout = 0
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	c := &eventClient{s: s, token: token, lines: bufio.NewScanner(resp.Body)}
	event, data := c.next()
	var open struct{ Stream string }
	if err := json.Unmarshal([]byte(data), &open); err != nil || event != "stream" || open.Stream == "" {
		s.t.Fatalf("%s %s: %v", event, data, err)
	}
	c.stream = open.Stream
	c.say(&rtc.Hello{Device: device})
	return c
}

// next reads one event; the data of each fits on a line.
func (c *eventClient) next() (event, data string) {
	c.s.t.Helper()
	for c.lines.Scan() {
		switch name, value, _ := strings.Cut(c.lines.Text(), ": "); name {
		case "event":
			event = value
		case "data":
			data = value
		case "":
			return event, data
		}
	}
	c.s.t.Fatalf("the stream ended: %v", c.lines.Err())
	return "", ""
}

func (c *eventClient) say(msgs ...rtc.Message) {
	c.s.t.Helper()
	var body strings.Builder
	for _, msg := range msgs {
		frame, err := rtc.EncodeRequest(msg, "r")
		if err != nil {
			c.s.t.Fatal(err)
		}
		body.Write(frame)
		body.WriteByte('\n')
	}
	for {
		a := c.s.do("POST", "/api/v1/events/"+c.stream, body.String(), bearer(c.token)...)
		if a.status != http.StatusConflict { // it opens just now
			c.s.want(204, a)
			return
		}
	}
}

func nextEvent[M rtc.Message](c *eventClient) M {
	c.s.t.Helper()
	for {
		event, data := c.next()
		if event != "" {
			c.s.t.Fatalf("%s %s", event, data)
		}
		_, msg, err := rtc.Decode([]byte(data))
		if err != nil {
			c.s.t.Fatalf("%s: %v", data, err)
		}
		if m, ok := msg.(M); ok {
			return m
		}
	}
}

// Ensure a device on events and one on a WebSocket call each other.
func TestEventsCall(t *testing.T) {
	s := newSite(t)
	alice := s.eventClient(s.signUp("alice"), "alice-phone")
	nextEvent[*rtc.Welcome](alice)
	bob := s.socket(s.signUp("bob"), "bob-phone")
	alice.say(&rtc.Pong{}, &rtc.CallInvite{Call: "call-0001", To: "bob", Media: rtc.Video})
	next[*rtc.CallIncoming](t, bob)
	say(t, bob, &rtc.CallAccept{Call: "call-0001", Media: rtc.Video})
	if got := nextEvent[*rtc.CallStarted](alice); got.Role != rtc.Offerer {
		t.Errorf("got %+v", got)
	}
	sdp := json.RawMessage(`{"description":{"type":"offer","sdp":"a=x\r\na=y\r\n"}}`)
	alice.say(&rtc.CallSignal{Call: "call-0001", Gen: 1, Payload: sdp})
	if got := next[*rtc.CallSignal](t, bob); string(got.Payload) != string(sdp) {
		t.Errorf("got %s", got.Payload)
	}
	say(t, bob, &rtc.CallSignal{Call: "call-0001", Gen: 1, Payload: sdp})
	if got := nextEvent[*rtc.CallSignal](alice); string(got.Payload) != string(sdp) {
		t.Errorf("got %s", got.Payload)
	}
	say(t, bob, &rtc.CallHangup{Call: "call-0001"})
	if got := nextEvent[*rtc.CallEnded](alice); got.Reason != rtc.EndHangup {
		t.Errorf("got %+v", got)
	}
}

func TestEventsDoor(t *testing.T) {
	s := newSite(t)
	token := s.signUp("alice")
	alice := s.eventClient(token, "alice-phone")
	nextEvent[*rtc.Welcome](alice)
	bye := `{"type":"bye","id":"1"}`
	for name, tt := range map[string]struct {
		stream string
		header []string
		status int
	}{
		"another user's session": {alice.stream, bearer(s.signUp("mallory")), 404},
		"another session":        {alice.stream, bearer(s.signIn("alice", password)), 404},
		"no session":             {alice.stream, nil, 401},
		"unknown stream":         {"nothing", bearer(token), 404},
		"foreign origin":         {alice.stream, append(bearer(token), "Origin", "https://evil.example"), 403},
	} {
		t.Run(name, func(t *testing.T) {
			s.want(tt.status, s.do("POST", "/api/v1/events/"+tt.stream, bye, tt.header...))
		})
	}
	s.want(204, s.do("POST", "/api/v1/events/"+alice.stream, "garbage\n\n{}\n", bearer(token)...))
	if got := nextEvent[*rtc.Error](alice); got.Code != rtc.CodeBadJSON {
		t.Errorf("got %v", got)
	}
	s.want(204, s.do("POST", "/api/v1/logout", "", bearer(token)...))
	for {
		event, data := alice.next()
		if event == "end" {
			if data != `{"code":4500,"reason":"session_ended"}` {
				t.Errorf("got %s", data)
			}
			return
		}
	}
}
