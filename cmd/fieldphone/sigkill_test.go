package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldphone/httpapi/sqlstore"
	"fieldphone/rtc"

	"github.com/fasthttp/websocket"
)

const (
	// killRuns says how often a server is killed; without, a few times.
	killRuns     = "TEST_KILL_RUNS"
	usualKills   = 8
	killClients  = 6
	killPeople   = 3 // who write to each other, each with some of the clients
	mayPause     = 50 * time.Millisecond
	killWithin   = 400 * time.Millisecond
	resendWindow = 50
	// notStoredPause is how long a client waits while the database is away.
	notStoredPause = 100 * time.Millisecond
	writePace      = 5 * time.Millisecond // of one client, within its rate limit
)

// killer is a site that is killed again and again, and what it said that it
// stored.
type killer struct {
	t      *testing.T
	client *http.Client
	data   string
	env    []string
	tokens map[string]string

	mu      sync.Mutex
	acked   map[string]rtc.TextSent // by name
	unacked map[string]rtc.TextSend
	authors map[string]string
	next    int
}

var impatientTLS = &tls.Config{InsecureSkipVerify: true} // the certificate is not what is tested

func newKiller(t *testing.T, env ...string) *killer {
	transport := &http.Transport{TLSClientConfig: impatientTLS, DisableKeepAlives: true}
	return &killer{
		t: t, client: &http.Client{Transport: transport, Timeout: 20 * time.Second}, data: filepath.Join(t.TempDir(), "data"), env: env,
		tokens: map[string]string{}, acked: map[string]rtc.TextSent{}, unacked: map[string]rtc.TextSend{}, authors: map[string]string{},
	}
}

func (k *killer) request(v *victim, method, path, token string, body, answer any) {
	k.t.Helper()
	text, _ := json.Marshal(body)
	req, err := http.NewRequestWithContext(k.t.Context(), method, v.url+"/api/v1/"+path, bytes.NewReader(text))
	if err != nil {
		k.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := k.client.Do(req)
	if err != nil {
		k.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if resp.StatusCode == http.StatusNotFound && method == "GET" {
		return // a chat in which nothing was stored yet
	}
	if err != nil || resp.StatusCode > 299 {
		k.t.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, got, err)
	}
	if err := json.Unmarshal(got, answer); err != nil {
		k.t.Fatal(err)
	}
}

func (k *killer) signUp(v *victim) {
	for i := range killPeople {
		id := fmt.Sprintf("p%d", i)
		var ignored struct{}
		k.request(v, "POST", "register", "", map[string]string{"id": id, "name": id, "password": "a long password"}, &ignored)
	}
	k.signIn(v)
	members := []string{"p1", "p2"}
	var ignored struct{}
	k.request(v, "POST", "groups", k.tokens["p0"], map[string]any{"group": "the-group", "name": "All", "members": members}, &ignored)
}

func (k *killer) signIn(v *victim) {
	for i := range killPeople {
		id := fmt.Sprintf("p%d", i)
		var grant struct{ Token string }
		k.request(v, "POST", "login", "", map[string]string{"id": id, "password": "a long password"}, &grant)
		k.tokens[id] = grant.Token
	}
}

// open connects a device; nil if the server dies meanwhile.
func (k *killer) open(v *victim, id, device string) *websocket.Conn {
	dialer := websocket.Dialer{TLSClientConfig: impatientTLS, HandshakeTimeout: 10 * time.Second}
	conn, _, err := dialer.Dial("wss"+strings.TrimPrefix(v.url, "https")+"/api/v1/ws", http.Header{"Authorization": {"Bearer " + k.tokens[id]}})
	if err != nil {
		return nil
	}
	frame, _ := rtc.EncodeRequest(&rtc.Hello{Device: device}, "hello")
	_ = conn.WriteMessage(websocket.TextMessage, frame)
	return conn
}

// chats that one of the people writes in.
func (k *killer) chats(id string) []string {
	chats := []string{"#the-group"}
	for i := range killPeople {
		if other := fmt.Sprintf("p%d", i); other != id {
			chats = append(chats, other)
		}
	}
	return chats
}

// write sends texts from one client, several of them unanswered at a time,
// until the server dies. Those of before that were not answered come first.
func (k *killer) write(v *victim, client int) {
	id := fmt.Sprintf("p%d", client%killPeople)
	conn := k.open(v, id, fmt.Sprintf("device-%d", client))
	if conn == nil {
		return
	}
	defer conn.Close()
	window := make(chan struct{}, 8)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			_, frame, err := conn.ReadMessage()
			if err != nil {
				return
			}
			if _, msg, _ := rtc.Decode(frame); msg != nil {
				switch m := msg.(type) {
				case *rtc.TextSent:
					k.acknowledged(*m)
					<-window
				case *rtc.Error:
					if m.Code != rtc.CodeNotStored { // as while the database is away
						k.t.Errorf("refused: %v", m)
					}
					time.Sleep(notStoredPause)
					<-window
				}
			}
		}
	}()
	chats := k.chats(id)
	pace := time.NewTicker(writePace)
	defer pace.Stop()
	for n := 0; ; n++ {
		select {
		case <-done:
			return
		case window <- struct{}{}:
		}
		<-pace.C
		k.mu.Lock()
		k.next++
		send := rtc.TextSend{Message: fmt.Sprintf("message-%06d", k.next), Chat: chats[n%len(chats)], Body: fmt.Sprintf("text %d of %s", k.next, id)}
		k.unacked[send.Message], k.authors[send.Message] = send, id
		k.mu.Unlock()
		frame, _ := rtc.EncodeRequest(&send, send.Message)
		if conn.WriteMessage(websocket.TextMessage, frame) != nil {
			<-done
			return
		}
	}
}

func (k *killer) acknowledged(sent rtc.TextSent) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if before, twice := k.acked[sent.Message]; twice && before != sent {
		k.t.Errorf("%s was answered %+v and %+v", sent.Message, before, sent)
	}
	k.acked[sent.Message] = sent
	delete(k.unacked, sent.Message)
}

// resend sends again what was not answered; nothing of it may be refused.
func (k *killer) resend(v *victim) (again int) {
	for i := range killPeople {
		id := fmt.Sprintf("p%d", i)
		conn := k.open(v, id, "resending-"+id)
		if conn == nil {
			k.t.Fatal("the server cannot be reached")
		}
		k.mu.Lock()
		var mine []rtc.TextSend
		for name, send := range k.unacked {
			if k.authors[name] == id {
				mine = append(mine, send)
			}
		}
		k.mu.Unlock()
		sent := 0
		more := func() { // no more at once than the server lets one person have waiting
			if sent < len(mine) {
				frame, _ := rtc.EncodeRequest(&mine[sent], mine[sent].Message)
				_ = conn.WriteMessage(websocket.TextMessage, frame)
				sent++
				time.Sleep(time.Second / messageRate)
			}
		}
		for range resendWindow {
			more()
		}
		for left := len(mine); left > 0; {
			_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			_, frame, err := conn.ReadMessage()
			if err != nil {
				k.t.Fatal(err)
			}
			switch _, msg, _ := rtc.Decode(frame); m := msg.(type) {
			case *rtc.TextSent:
				k.acknowledged(*m)
				left--
				more()
			case *rtc.Error:
				k.t.Fatalf("refused: %v", m)
			}
		}
		conn.Close()
		again += len(mine)
	}
	return again
}

// check reads everything back: each acknowledged text once, in its place, and
// nothing that nobody sent. Repeats and gaps in pos and rev would be seen.
func (k *killer) check(v *victim) {
	k.t.Helper()
	found := map[string]int{}
	for i := range killPeople {
		id := fmt.Sprintf("p%d", i)
		for _, chat := range k.chats(id) {
			if chat < id && !rtc.IsGroup(chat) || rtc.IsGroup(chat) && i > 0 {
				continue // read by the other
			}
			since, pos := int64(0), int64(0)
			for more := true; more; {
				var page struct {
					Messages []rtc.TextMessage
					Rev      int64
					More     bool
				}
				k.request(v, "GET", fmt.Sprintf("chats/messages?limit=200&since=%d&chat=%s", since, url.QueryEscape(chat)), k.tokens[id], nil, &page)
				for _, m := range page.Messages {
					if pos++; m.Pos != pos || m.Rev != pos {
						k.t.Fatalf("in %s pos %d and rev %d come after %d", chat, m.Pos, m.Rev, pos-1)
					}
					if m.Kind == rtc.KindText {
						found[m.Message]++
						k.matches(m)
					}
				}
				since, more = page.Rev, page.More
			}
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for name := range k.acked {
		if found[name] != 1 {
			k.t.Errorf("%s was acknowledged and is there %d times", name, found[name])
		}
	}
	for name, times := range found {
		if times != 1 {
			k.t.Errorf("%s is there %d times", name, times)
		}
	}
}

func (k *killer) matches(m rtc.TextMessage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	author, known := k.authors[m.Message]
	if !known || m.From.ID != author {
		k.t.Errorf("%s is from %s, want %s", m.Message, m.From.ID, author)
	}
	if sent, ok := k.acked[m.Message]; ok && (sent.Pos != m.Pos || sent.ServerTime != m.ServerTime) {
		k.t.Errorf("%s is at %d, was acknowledged at %d", m.Message, m.Pos, sent.Pos)
	}
}

// run kills a server while clients write, again and again. Between, the site is
// whole, and what was not acknowledged can be sent again.
func (k *killer) run(t *testing.T, runs int, crash func(v *victim)) {
	v := startVictim(t, k.data, k.env...)
	k.signUp(v)
	resent := 0
	for range runs {
		var wg sync.WaitGroup
		for client := range killClients {
			wg.Go(func() { k.write(v, client) })
		}
		time.Sleep(mayPause + rand.N(killWithin)) // any moment will do
		crash(v)
		v.kill()
		wg.Wait()
		v = startVictim(t, k.data, k.env...)
		k.check(v)
		resent += k.resend(v)
		k.check(v)
	}
	v.kill()
	if len(k.acked) < 10*runs {
		t.Errorf("only %d texts in %d runs", len(k.acked), runs)
	}
	t.Logf("%d kills, %d texts acknowledged, %d of them after they were sent again", runs, len(k.acked), resent)
}

func kills(t *testing.T, usual int) int {
	if runs, err := strconv.Atoi(os.Getenv(killRuns)); err == nil {
		return runs
	}
	if testing.Short() {
		return 1
	}
	return usual
}

// Ensure that what the server acknowledged it has, and once, whenever it is
// killed.
func TestKilledServerKeepsWhatItAcknowledged(t *testing.T) {
	k := newKiller(t)
	k.run(t, kills(t, usualKills), func(*victim) {})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := sqlstore.Inspect(ctx, sqlstore.Config{Dir: k.data}); err != nil { // it runs integrity checks
		t.Error(err)
	}
}
