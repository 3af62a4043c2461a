package httpapi

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"fieldphone/rtc"

	"github.com/fasthttp/websocket"
)

// rawFrame is a client's frame of text, masked with nothing.
func rawFrame(t *testing.T, msg rtc.Message, id string) []byte {
	t.Helper()
	text, err := rtc.EncodeRequest(msg, id)
	if err != nil {
		t.Fatal(err)
	}
	frame := []byte{0x81, 0x80 | byte(len(text))}
	if len(text) > 125 {
		frame = binary.BigEndian.AppendUint16([]byte{0x81, 0x80 | 126}, uint16(len(text)))
	}
	return append(append(frame, 0, 0, 0, 0), text...)
}

// answerTo reads until the answer to a request comes.
func answerTo(t *testing.T, conn *websocket.Conn, id string) rtc.Type {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			t.Fatalf("waiting for the answer to %s: %v", id, err)
		}
		if env, _, _ := rtc.Decode(frame); env.Re == id {
			return env.Type
		}
	}
}

// Ensure messages are heard however the client cuts them into pieces: many at
// once, one byte after the other, in fragments, with pings between them.
func TestSocketHearsHoweverItIsCut(t *testing.T) { served(t, hearsHoweverItIsCut) }

// served runs a test with a crew that reads WebSockets, and with a goroutine for each.
func served(t *testing.T, test func(*testing.T, *site)) {
	for name, alone := range map[string]bool{"crew": false, "alone": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newSite(t, func(o *siteOptions) { o.alone = alone }))
		})
	}
}

func hearsHoweverItIsCut(t *testing.T, s *site) {
	conn := s.socket(s.signUp("maria"), "maria-phone")
	write := func(bytes []byte) {
		t.Helper()
		if _, err := conn.NetConn().Write(bytes); err != nil {
			t.Fatal(err)
		}
	}
	lost := &rtc.TextSend{Message: "text-0001", Chat: "nobody", Body: strings.Repeat("x", 300)}
	var together []byte
	for i := range 70 {
		together = append(together, rawFrame(t, lost, fmt.Sprintf("together-%d", i))...)
	}
	write(together)
	for i := range 70 {
		answerTo(t, conn, fmt.Sprintf("together-%d", i))
	}
	for _, b := range rawFrame(t, lost, "bytes") {
		write([]byte{b})
	}
	answerTo(t, conn, "bytes")

	whole := rawFrame(t, &rtc.TextSend{Message: "text-0002", Chat: "nobody", Body: "x"}, "fragments")
	text := whole[6:]
	write(append([]byte{0x01, 0x80 | 10, 0, 0, 0, 0}, text[:10]...))                 // its beginning
	write([]byte{0x89, 0x80 | 2, 0, 0, 0, 0, 'h', 'i'})                              // a ping
	write(append([]byte{0x80, 0x80 | byte(len(text)-10), 0, 0, 0, 0}, text[10:]...)) // its end
	var ponged bool
	conn.SetPongHandler(func(data string) error { ponged = data == "hi"; return nil })
	answerTo(t, conn, "fragments")
	if !ponged {
		t.Error("a ping within a message was not answered")
	}
}

// Ensure a client that does not wait for the upgrade is refused: what it sent is
// in a buffer that serves somebody else next.
func TestSocketOfAnImpatientClientIsClosed(t *testing.T) {
	s := newSite(t)
	token := s.signUp("maria")
	conn, err := tls.Dial("tcp", s.addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := "GET /api/v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer " + token + "\r\n\r\n"
	if _, err := conn.Write(append([]byte(request), rawFrame(t, &rtc.Hello{Device: "maria-phone"}, "1")...)); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	reader := bufio.NewReader(conn)
	if resp, err := http.ReadResponse(reader, nil); err != nil || resp.StatusCode != 101 {
		t.Fatalf("got %v %v", resp, err)
	}
	if b, err := reader.ReadByte(); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("got %#x %v, want the end", b, err)
	}
	s.socket(token, "maria-phone") // who waits is served
}

// Ensure a client that does not read is given up, and nobody waits for it.
func TestClientThatDoesNotReadHoldsUpNobody(t *testing.T) { served(t, unreadHoldsUpNobody) }

func unreadHoldsUpNobody(t *testing.T, s *site) {
	alice, deaf := s.socket(s.signUp("alice"), "alice-phone"), s.socket(s.signUp("deaf"), "deaf-phone1")
	carol, dave := s.socket(s.signUp("carol"), "carol-phone"), s.socket(s.signUp("dave"), "dave-phone1")
	callUp := func(call, to string, from, at *websocket.Conn) {
		say(t, from, &rtc.CallInvite{Call: call, To: to, Media: rtc.Audio})
		next[*rtc.CallIncoming](t, at)
		say(t, at, &rtc.CallAccept{Call: call, Media: rtc.Audio})
		next[*rtc.CallStarted](t, from)
		next[*rtc.CallStarted](t, at)
	}
	callUp("call-0001", "deaf", alice, deaf)
	callUp("call-0002", "dave", carol, dave)
	large := json.RawMessage(`{"description":{"sdp":"` + strings.Repeat("x", 50_000) + `"}}`)
	alive := func(conns ...*websocket.Conn) { // however slow this machine is
		for _, conn := range conns {
			say(t, conn, &rtc.Pong{})
		}
	}
	for i := range 390 { // 20 MB, more than any buffer
		if i%30 == 0 {
			alive(carol, dave)
		}
		say(t, alice, &rtc.CallSignal{Call: "call-0001", Gen: 1, Payload: large})
	}
	for i := range 20 {
		alive(alice, dave)
		began := time.Now()
		say(t, carol, &rtc.CallSignal{Call: "call-0002", Gen: 1, Payload: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i))})
		next[*rtc.CallSignal](t, dave)
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("a message took %v beside a client that does not read", took)
		}
	}
	next[*rtc.CallPeer](t, alice) // the deaf end is away
}

// Ensure what is no message of a client ends its connection, as the RFC has it,
// whatever it is cut into.
func TestSocketEndsWhatIsNoMessage(t *testing.T) { served(t, endsWhatIsNoMessage) }

func endsWhatIsNoMessage(t *testing.T, s *site) {
	token := s.signUp("maria")
	large := func(opcode, size byte, length ...byte) []byte {
		return append(append([]byte{opcode, size}, length...), 1, 2, 3, 4, 'x', 'y', 'z')
	}
	var fragments []byte
	for range 40_000 {
		fragments = append(fragments, 0, 0x80, 0, 0, 0, 0)
	}
	for name, tt := range map[string]struct {
		frame []byte
		code  int // of the close frame; 0: none need come
	}{
		"not masked":            {[]byte{0x81, 0x02, '{', '}'}, websocket.CloseProtocolError},
		"too large":             {large(0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 1), websocket.CloseMessageTooBig},
		"larger than there is":  {large(0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), websocket.CloseMessageTooBig},
		"a negative size":       {large(0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 1), 0},
		"large control":         {large(0x89, 0xfe, 0, 126), websocket.CloseProtocolError},
		"control in fragments":  {[]byte{0x09, 0x80, 0, 0, 0, 0}, websocket.CloseProtocolError},
		"no such opcode":        {[]byte{0x83, 0x80, 0, 0, 0, 0}, websocket.CloseProtocolError},
		"continues nothing":     {[]byte{0x80, 0x80, 0, 0, 0, 0}, websocket.CloseProtocolError},
		"compressed":            {[]byte{0xc1, 0x80, 0, 0, 0, 0}, websocket.CloseProtocolError},
		"endless fragments":     {append([]byte{0x01, 0x80, 0, 0, 0, 0}, fragments...), 0},
		"binary":                {[]byte{0x82, 0x80, 0, 0, 0, 0}, rtc.CloseProtocolError.Code},
		"a close with a reason": {append([]byte{0x88, 0x82, 0, 0, 0, 0}, 0x03, 0xe8), websocket.CloseNormalClosure},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "endless fragments" && s.alone {
				t.Skip("each is read as it comes, and nothing is kept")
			}
			conn := s.socket(token, "maria-phone")
			for i := 0; i < len(tt.frame); i += 1000 {
				if _, err := conn.NetConn().Write(tt.frame[i:min(i+1000, len(tt.frame))]); err != nil {
					break // it is over
				}
			}
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			for {
				_, _, err := conn.ReadMessage()
				if err == nil {
					continue
				}
				var closed *websocket.CloseError
				if strings.Contains(err.Error(), "timeout") || tt.code != 0 && (!errors.As(err, &closed) || closed.Code != tt.code) {
					t.Errorf("got %v, want it closed with %d", err, tt.code)
				}
				break
			}
		})
	}
	answerable := s.socket(token, "maria-phone")
	say(t, answerable, &rtc.Pong{})
	if err := answerable.WriteControl(websocket.PingMessage, []byte("hi"), time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	ponged := make(chan string, 1)
	answerable.SetPongHandler(func(data string) error { ponged <- data; return errors.New("enough") })
	_ = answerable.SetReadDeadline(time.Now().Add(10 * time.Second))
	for len(ponged) == 0 {
		if _, _, err := answerable.ReadMessage(); err != nil && len(ponged) == 0 {
			t.Fatal(err)
		}
	}
}
