package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"fieldphone/rtc"

	"github.com/fasthttp/websocket"
)

// write sends a text and waits until it is stored.
func write(t *testing.T, conn *websocket.Conn, name, chat, body string) *rtc.TextSent {
	t.Helper()
	say(t, conn, &rtc.TextSend{Message: name, Chat: chat, Body: body})
	return next[*rtc.TextSent](t, conn)
}

// fetch reads a page.
func fetch[T any](s *site, token, path string) T {
	s.t.Helper()
	var got T
	if err := json.Unmarshal(s.want(200, s.do("GET", "/api/v1/"+path, "", bearer(token)...)).body, &got); err != nil {
		s.t.Fatalf("%s: %v", path, err)
	}
	return got
}

func bodies(page messagesBody) string {
	var all []string
	for _, m := range page.Messages {
		all = append(all, m.Body)
	}
	return strings.Join(all, " ")
}

func TestChatPages(t *testing.T) {
	s := newSite(t)
	maria, jose := s.signUp("maria"), s.signUp("jose")
	s.signUp("anna")
	phone := s.socket(maria, "maria-phone")
	for i := range 5 {
		write(t, phone, fmt.Sprintf("message-%d", i), "jose", fmt.Sprintf("t%d", i))
	}
	write(t, phone, "message-9", "anna", "hello")

	type chats struct {
		Chats []chatBody
		More  bool
	}
	list := fetch[chats](s, maria, "chats?limit=1")
	if len(list.Chats) != 1 || !list.More || list.Chats[0].Chat != "anna" || list.Chats[0].Last.Body != "hello" {
		t.Errorf("the newest chat: %+v", list)
	}
	list = fetch[chats](s, maria, fmt.Sprintf("chats?before=%d", list.Chats[0].At))
	if len(list.Chats) != 1 || list.More || list.Chats[0].Name != "JOSE" || list.Chats[0].Unread != 0 || list.Chats[0].Pos != 5 {
		t.Errorf("the chat before: %+v", list)
	}
	if got := fetch[chats](s, jose, "chats").Chats; len(got) != 1 || got[0].Chat != "maria" || got[0].Unread != 5 {
		t.Errorf("jose sees %+v", got)
	}

	newest := fetch[messagesBody](s, jose, "chats/messages?chat=maria&limit=2")
	if bodies(newest) != "t3 t4" || !newest.More || newest.Messages[0].Chat != "maria" {
		t.Errorf("the newest page: %+v", newest)
	}
	older := fetch[messagesBody](s, jose, fmt.Sprintf("chats/messages?chat=maria&limit=9&before=%d", newest.Messages[0].Pos))
	if bodies(older) != "t0 t1 t2" || older.More {
		t.Errorf("the page before: %+v", older)
	}
	say(t, phone, &rtc.TextEdit{Message: "message-1", Chat: "jose", Body: "better"})
	next[*rtc.TextMessage](t, phone)
	changed := fetch[messagesBody](s, jose, "chats/messages?chat=maria&since=5")
	if bodies(changed) != "better" || changed.Rev == nil || *changed.Rev != 6 {
		t.Errorf("what has changed: %+v", changed)
	}
	marks := fetch[struct{ Marks []rtc.TextMarks }](s, maria, "chats/marks?chat=jose").Marks
	if len(marks) != 2 || marks[0].User != "maria" || marks[1].User != "jose" {
		t.Errorf("marks: %+v", marks)
	}
}

func TestSearchDoor(t *testing.T) {
	s := newSite(t)
	maria, jose, anna := s.signUp("maria"), s.signUp("jose"), s.signUp("anna")
	phone := s.socket(maria, "maria-phone")
	write(t, phone, "message-1", "jose", "100% of the 水泵 works")
	write(t, phone, "message-2", "anna", "the pump works")
	for query, want := range map[string]string{
		"works": "the pump works 100% of the 水泵 works", "水泵": "100% of the 水泵 works", "0%": "100% of the 水泵 works",
		"o_": "", "zzz": "",
	} {
		if got := fetch[messagesBody](s, maria, "chats/search?q="+url.QueryEscape(query)); bodies(got) != want {
			t.Errorf("%s: %q, want %q", query, bodies(got), want)
		}
	}
	if got := fetch[messagesBody](s, maria, "chats/search?q=works&chat=anna"); bodies(got) != "the pump works" {
		t.Errorf("in one chat: %q", bodies(got))
	}
	if got := fetch[messagesBody](s, jose, "chats/search?q=pump"); bodies(got) != "" {
		t.Errorf("jose finds what is not his: %q", bodies(got))
	}
	if a := s.do("GET", "/api/v1/chats/search?q=works&chat=jose", "", bearer(anna)...); a.status != 404 || a.code() != "no_such_chat" {
		t.Errorf("in a chat that there is not: %d %s", a.status, a.body)
	}
}

func TestBadChatRequests(t *testing.T) {
	s := newSite(t)
	maria, jose := s.signUp("maria"), s.signUp("jose")
	s.want(201, s.do("POST", "/api/v1/groups", `{"group":"group-001","name":"Medics","members":["maria"]}`, bearer(jose)...))
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "chats?limit=-1", "", 400, "bad_request"},
		{"GET", "chats?before=soon", "", 400, "bad_request"},
		{"GET", "calls?before=1e9", "", 400, "bad_request"},
		{"GET", "chats/messages", "", 404, "no_such_chat"},
		{"GET", "chats/messages?chat=maria", "", 404, "no_such_chat"}, // with oneself
		{"GET", "chats/messages?chat=nobody", "", 404, "no_such_chat"},
		{"GET", "chats/messages?chat=jose/anna", "", 404, "no_such_chat"},
		{"GET", "chats/messages?chat=%23group-002", "", 404, "no_such_chat"},
		{"GET", "chats/marks?chat=%23group-002", "", 404, "no_such_chat"},
		{"GET", "chats/search?q=x", "", 422, "bad_data"},
		{"GET", "chats/search?q=" + strings.Repeat("x", 101), "", 422, "bad_data"},
		{"GET", "chats/search?q=%ff%fe", "", 422, "bad_data"},
		{"POST", "groups", `{"group":"x","name":"Medics"}`, 422, "bad_data"},
		{"POST", "groups", `{"group":"group-003","name":"` + strings.Repeat("x", 10_000) + `"}`, 422, "bad_data"},
		{"POST", "groups", `{`, 400, "bad_request"},
		{"PATCH", "groups/group-001", `{"name":"Mine"}`, 403, "not_allowed"},
		{"PATCH", "groups/group-001", `{"remove":["jose"]}`, 403, "not_allowed"},
		{"GET", "groups/group-002", "", 404, "no_such_chat"},
		{"PUT", "calls/seen", `{"at":0}`, 422, "bad_data"},
		{"PUT", "calls/seen", `{"at":"now"}`, 400, "bad_request"},
	} {
		a := s.do(c.method, "/api/v1/"+c.path, c.body, bearer(maria)...)
		if a.status != c.status || a.code() != c.code {
			t.Errorf("%s %.60s %.60s: %d %s, want %d %s", c.method, c.path, c.body, a.status, a.body, c.status, c.code)
		}
	}
	for _, path := range []string{"chats", "chats/messages?chat=jose", "chats/search?q=xx", "chats/marks?chat=jose", "groups/group-001", "calls"} {
		s.want(401, s.do("GET", "/api/v1/"+path, ""))
	}
}

// Ensure nobody reads a group that they are not in, and who left it only up to then.
func TestAnothersGroupIsClosed(t *testing.T) {
	s := newSite(t)
	maria, jose, anna := s.signUp("maria"), s.signUp("jose"), s.signUp("anna")
	s.want(201, s.do("POST", "/api/v1/groups", `{"group":"group-001","name":"Medics","members":["jose"]}`, bearer(maria)...))
	phone := s.socket(maria, "maria-phone")
	write(t, phone, "message-1", "#group-001", "before")
	for _, path := range []string{"chats/messages?chat=%23group-001", "chats/messages?chat=%23group-001&since=0", "chats/marks?chat=%23group-001", "chats/search?q=before&chat=%23group-001", "groups/group-001"} {
		if a := s.do("GET", "/api/v1/"+path, "", bearer(anna)...); a.status != 404 || a.code() != "no_such_chat" {
			t.Errorf("anna: %s: %d %s", path, a.status, a.body)
		}
	}
	a := s.do("PATCH", "/api/v1/groups/group-001", `{"add":["anna"]}`, bearer(anna)...)
	if a.status != 404 || a.code() != "no_such_chat" {
		t.Errorf("anna adds herself: %d %s", a.status, a.body)
	}
	outsider := s.socket(anna, "anna-phone")
	say(t, outsider, &rtc.TextSend{Message: "message-2", Chat: "#group-001", Body: "let me in"})
	if got := next[*rtc.Error](t, outsider); got.Code != rtc.CodeNoSuchChat {
		t.Errorf("anna writes: %+v", got)
	}
	s.want(200, s.do("PATCH", "/api/v1/groups/group-001", `{"remove":["jose"]}`, bearer(jose)...))
	write(t, phone, "message-3", "#group-001", "after")
	if got := bodies(fetch[messagesBody](s, jose, "chats/messages?chat=%23group-001")); !strings.Contains(got, "before") || strings.Contains(got, "after") {
		t.Errorf("jose, who has left, reads %q", got)
	}
}

// Ensure who is blocked reaches the other neither by call nor by text, and
// nothing tells them more than that.
func TestBlockedFromCallsAndTexts(t *testing.T) {
	s := newSite(t)
	maria, jose := s.signUp("maria"), s.signUp("jose")
	hers, his := s.socket(maria, "maria-phone"), s.socket(jose, "jose-phone")
	write(t, his, "message-1", "maria", "first")
	next[*rtc.TextMessage](t, hers)
	s.want(200, s.do("PUT", "/api/v1/me/contacts/jose", `{"blocked":true}`, bearer(maria)...))

	say(t, his, &rtc.TextSend{Message: "message-2", Chat: "maria", Body: "second"})
	if got := next[*rtc.Error](t, his); got.Code != rtc.CodeBlocked {
		t.Errorf("a text: %+v", got)
	}
	say(t, his, &rtc.TextEdit{Message: "message-1", Chat: "maria", Body: "changed"})
	if got := next[*rtc.Error](t, his); got.Code != rtc.CodeBlocked {
		t.Errorf("an edit: %+v", got)
	}
	say(t, his, &rtc.CallInvite{Call: "call-0001", To: "maria", Media: rtc.Audio})
	if got := next[*rtc.CallEnded](t, his); got.Reason != rtc.EndBlocked {
		t.Errorf("a call: %+v", got)
	}
	// What she gets next is of later, so none of it came.
	s.want(200, s.do("PUT", "/api/v1/me/contacts/jose", `{"blocked":false}`, bearer(maria)...))
	write(t, his, "message-3", "maria", "third")
	_ = hers.SetReadDeadline(s.soon())
	for {
		_, frame, err := hers.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		_, msg, err := rtc.Decode(frame)
		if err != nil {
			t.Fatal(err)
		}
		switch m := msg.(type) {
		case *rtc.CallIncoming:
			t.Fatal("the call of a blocked person rings")
		case *rtc.TextMessage:
			if m.Body != "third" {
				t.Fatalf("got %q", m.Body)
			}
			if got := bodies(fetch[messagesBody](s, maria, "chats/messages?chat=jose")); got != "first third" {
				t.Errorf("the chat is %q", got)
			}
			return
		}
	}
}

// Ensure that what was seen on one device is seen on all of that person's, and
// on nobody else's.
func TestMissedCallsAreSeenEverywhere(t *testing.T) {
	s := newSite(t)
	maria, jose := s.signUp("maria"), s.signUp("jose")
	his := s.socket(jose, "jose-phone")
	say(t, his, &rtc.CallInvite{Call: "call-0001", To: "maria", Media: rtc.Audio})
	next[*rtc.CallEnded](t, his) // she has no device on
	type page struct {
		Calls []pastCallBody
		Seen  int64
	}
	tablet := s.socket(maria, "maria-tablet")
	write(t, his, "message-1", "maria", "call me") // once it is stored, the call is
	list := fetch[page](s, maria, "calls")
	if len(list.Calls) != 1 || list.Seen != 0 || list.Calls[0].Reason != rtc.EndUnreachable {
		t.Fatalf("got %+v", list)
	}
	at := list.Calls[0].ServerTime
	s.want(204, s.do("PUT", "/api/v1/calls/seen", fmt.Sprintf(`{"at":%d}`, at), bearer(maria)...))
	if got := next[*rtc.CallsSeen](t, tablet); got.At != at {
		t.Errorf("the other device hears %+v, want %d", got, at)
	}
	s.want(204, s.do("PUT", "/api/v1/calls/seen", `{"at":1}`, bearer(maria)...))
	if got := fetch[page](s, maria, "calls").Seen; got != at {
		t.Errorf("seen up to %d, want %d", got, at)
	}
	if got := fetch[page](s, jose, "calls").Seen; got != 0 {
		t.Errorf("jose has seen up to %d", got)
	}
	// A clock that is wrong does not hide what is yet to come.
	s.want(204, s.do("PUT", "/api/v1/calls/seen", `{"at":99999999999999}`, bearer(maria)...))
	if got := next[*rtc.CallsSeen](t, tablet); got.At > s.soon().UnixMilli() {
		t.Errorf("seen up to %d", got.At)
	}
}

// Ensure that a text which is deleted takes its file along at once, but neither
// one that another text still has, nor one of somebody else.
func TestDeletedTextTakesItsFileAlong(t *testing.T) {
	var mayRead func(context.Context, string, string) (bool, error)
	s := newSite(t, func(o *siteOptions) {
		o.files.MayRead = func(ctx context.Context, user, file string) (bool, error) { return mayRead(ctx, user, file) }
	})
	mayRead = readers("jose file-0001", "jose file-0002", "maria file-0003")
	maria, jose := s.signUp("maria"), s.signUp("jose")
	s.upload(maria, "file-0001", "jose", "text/plain", []byte("one"))
	s.upload(maria, "file-0002", "jose", "text/plain", []byte("two"))
	s.upload(jose, "file-0003", "maria", "text/plain", []byte("three"))
	hers := s.socket(maria, "maria-phone")
	send := func(message, file string) {
		say(t, hers, &rtc.TextSend{Message: message, Chat: "jose", File: &rtc.File{File: file, Kind: "file", Name: "x.txt", Type: "text/plain", Size: 3}})
		next[*rtc.TextSent](t, hers)
	}
	drop := func(message string) {
		say(t, hers, &rtc.TextDelete{Message: message, Chat: "jose"})
		next[*rtc.Ack](t, hers)
	}
	status := func(token, file string) int {
		return s.do("GET", "/api/v1/files/"+file, "", bearer(token)...).status
	}
	send("message-1", "file-0001")
	send("message-2", "file-0001") // the same again
	send("message-3", "file-0002")
	send("message-4", "file-0003") // his, under her text
	drop("message-1")
	drop("message-4")
	drop("message-3") // files go in this order
	for until := s.soon(); status(jose, "file-0002") != 410; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("the file of a deleted text is still there: %d", status(jose, "file-0002"))
		}
	}
	if got := status(jose, "file-0001"); got != 200 {
		t.Errorf("a file that another text has: %d", got)
	}
	if got := status(jose, "file-0003"); got != 200 {
		t.Errorf("a file of somebody else: %d", got)
	}
	drop("message-2")
	for until := s.soon(); status(maria, "file-0001") != 410; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the file of the last text is still there")
		}
	}
}
