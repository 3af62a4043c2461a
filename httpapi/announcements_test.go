package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/rtc"

	"github.com/fasthttp/websocket"
	"github.com/google/go-cmp/cmp"
)

// testPeople are the accounts of a site; those whose id begins with medic have that tag.
type testPeople struct{ accounts *account.Service }

func (p testPeople) Everybody(ctx context.Context) ([]string, error) {
	return p.those(ctx, func(u account.User) bool { return !u.Disabled })
}

func (p testPeople) Admins(ctx context.Context) ([]string, error) {
	return p.those(ctx, func(u account.User) bool { return u.Admin })
}

func (p testPeople) Audience(ctx context.Context, tag string) ([]string, error) {
	return p.those(ctx, func(u account.User) bool { return tag == "medic" && strings.HasPrefix(u.ID, "medic") })
}

func (p testPeople) those(ctx context.Context, wanted func(account.User) bool) (ids []string, err error) {
	users, err := p.accounts.Users(ctx)
	for _, u := range users {
		if wanted(u) {
			ids = append(ids, u.ID)
		}
	}
	return ids, err
}

type announcementAnswer struct {
	rtc.Announcement
	Acknowledged bool
	Seen, Of     *int
}

func (s *site) announcementsOf(token, query string) []announcementAnswer {
	s.t.Helper()
	var body struct{ Announcements []announcementAnswer }
	if err := json.Unmarshal(s.want(200, s.do("GET", "/api/v1/announcements"+query, "", bearer(token)...)).body, &body); err != nil {
		s.t.Fatal(err)
	}
	return body.Announcements
}

func (s *site) announce(token, name, text, tag string) answer {
	body, err := json.Marshal(map[string]string{"announcement": name, "body": text, "tag": tag})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.do("POST", "/api/v1/announcements", string(body), bearer(token)...)
}

// Ensure that an announcement reaches everybody at once, also somebody in a call, waits for
// those who are not there, and is over for all devices of a person when one has seen it.
func TestAnnouncementReachesEverybodyUntilTheyHaveSeenIt(t *testing.T) {
	s := newSite(t)
	boss, anna, bo := s.admin("boss"), s.signUp("anna"), s.signUp("bo")
	line := s.socket(boss, "boss-desk")
	phone, tablet, other := s.socket(anna, "anna-phone"), s.socket(anna, "anna-tablet"), s.socket(bo, "bo-phone")
	say(t, phone, &rtc.CallInvite{Call: "call-0001", To: "bo", Media: rtc.Audio})
	next[*rtc.CallIncoming](t, other)
	say(t, other, &rtc.CallAccept{Call: "call-0001", Media: rtc.Audio})
	next[*rtc.CallStarted](t, other)

	s.want(201, s.announce(boss, "alarm-0001", "  Leave the north tents.\r\nNow.  ", ""))
	for _, conn := range []*websocket.Conn{phone, tablet, other} {
		got := next[*rtc.Announcement](t, conn)
		want := rtc.Announcement{Announcement: "alarm-0001", From: rtc.User{ID: "boss", Name: "BOSS"}, Body: "Leave the north tents.\nNow.", ServerTime: got.ServerTime}
		if diff := cmp.Diff(want, *got); diff != "" {
			t.Error(diff)
		}
	}
	a := s.want(200, s.announce(boss, "alarm-0001", "Leave the north tents.\nNow.", ""))
	if string(a.body) != `{"announcement":"alarm-0001","of":2}` {
		t.Errorf("the same again: %s", a.body)
	}
	if a := s.announce(boss, "alarm-0001", "Stay.", ""); a.status != 409 || a.code() != "bad_request" {
		t.Errorf("another of that name: %d %s", a.status, a.body)
	}

	s.want(204, s.do("POST", "/api/v1/announcements/alarm-0001/ack", "{}", bearer(anna)...))
	s.want(204, s.do("POST", "/api/v1/announcements/alarm-0001/ack", "{}", bearer(anna)...))
	want := rtc.AnnouncementSeen{Announcement: "alarm-0001", By: "anna", Seen: 1, Of: 2}
	for name, conn := range map[string]*websocket.Conn{"own device": tablet, "administrator": line} {
		if got := next[*rtc.AnnouncementSeen](t, conn); *got != want {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	if got := s.announcementsOf(anna, "?pending=1"); len(got) != 0 {
		t.Errorf("it waits for who has seen it: %+v", got)
	}
	got := s.announcementsOf(bo, "?pending=1")
	if len(got) != 1 || got[0].Announcement.Announcement != "alarm-0001" || got[0].Acknowledged || got[0].Seen != nil {
		t.Errorf("got %+v", got)
	}
	if got := s.announcementsOf(anna, ""); len(got) != 1 || !got[0].Acknowledged || got[0].Seen != nil {
		t.Errorf("got %+v", got)
	}
	if got := s.announcementsOf(boss, ""); len(got) != 1 || !got[0].Acknowledged || *got[0].Seen != 1 || *got[0].Of != 2 {
		t.Errorf("got %+v", got)
	}
	var details struct {
		Seen []struct {
			ID, Name string
			At       int64
		}
		Missing []struct{ ID, Name string }
	}
	if err := json.Unmarshal(s.want(200, s.do("GET", "/api/v1/announcements/alarm-0001", "", bearer(boss)...)).body, &details); err != nil {
		t.Fatal(err)
	}
	if len(details.Seen) != 1 || details.Seen[0].Name != "ANNA" || details.Seen[0].At == 0 || len(details.Missing) != 1 || details.Missing[0].ID != "bo" {
		t.Errorf("got %+v", details)
	}
	entries, err := s.log.Entries(t.Context(), 0, 10)
	if err != nil || len(entries) != 1 || entries[0].Action != "announcement.make" || entries[0].Admin.ID != "boss" || entries[0].Target != "*" {
		t.Errorf("the log has %+v, %v", entries, err)
	}
}

// Ensure that reminding reaches those alone who have not seen it, and not every second.
func TestRemindThoseWhoHaveNotSeenIt(t *testing.T) {
	s := newSite(t)
	boss, anna, bo := s.admin("boss"), s.signUp("anna"), s.signUp("bo")
	seen, missing := s.socket(anna, "anna-phone"), s.socket(bo, "bo-phone")
	s.want(201, s.announce(boss, "alarm-0001", "x", ""))
	next[*rtc.Announcement](t, seen)
	next[*rtc.Announcement](t, missing)
	s.want(204, s.do("POST", "/api/v1/announcements/alarm-0001/ack", "{}", bearer(anna)...))
	a := s.want(200, s.do("POST", "/api/v1/announcements/alarm-0001/remind", "{}", bearer(boss)...))
	if string(a.body) != `{"people":1}` {
		t.Errorf("got %s", a.body)
	}
	next[*rtc.Announcement](t, missing)
	a = s.do("POST", "/api/v1/announcements/alarm-0001/remind", "{}", bearer(boss)...)
	if a.status != 429 || a.code() != "rate_limited" || a.header.Get("Retry-After") == "" {
		t.Errorf("again at once: %d %s, after %q", a.status, a.body, a.header.Get("Retry-After"))
	}
	s.want(201, s.announce(boss, "alarm-0002", "y", ""))
	if got := next[*rtc.Announcement](t, seen); got.Announcement != "alarm-0002" {
		t.Errorf("who has seen it was reminded: %+v", got)
	}
}

// Ensure that a tag's people alone are told, and newcomers for a day.
func TestAnnouncementsForATagAndForNewcomers(t *testing.T) {
	var ahead atomic.Int64
	s := newSite(t, func(o *siteOptions) { o.now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) } })
	boss, anna, medic := s.admin("boss"), s.signUp("anna"), s.signUp("medic1")
	if a := s.want(200, s.do("GET", "/api/v1/announcements/reach?tag=medic", "", bearer(boss)...)); string(a.body) != `{"people":1}` {
		t.Errorf("got %s", a.body)
	}
	s.want(201, s.announce(boss, "medics-0001", "To tent 4.", "medic"))
	s.want(201, s.announce(boss, "all-0001", "Water at noon.", ""))
	names := func(token string) (names []string) {
		for _, a := range s.announcementsOf(token, "?pending=1") {
			names = append(names, a.Announcement.Announcement)
		}
		return names
	}
	late, lateMedic := s.signUp("late"), s.signUp("medic2")
	for who, tt := range map[string]struct {
		token string
		want  []string
	}{
		"somebody":          {anna, []string{"all-0001"}},
		"with the tag":      {medic, []string{"all-0001", "medics-0001"}},
		"newcomer":          {late, []string{"all-0001"}},
		"newcomer with tag": {lateMedic, []string{"all-0001", "medics-0001"}},
		"who announced":     {boss, nil},
	} {
		if got := names(tt.token); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", who, got, tt.want)
		}
	}
	s.want(404, s.do("POST", "/api/v1/announcements/medics-0001/ack", "{}", bearer(anna)...))
	s.want(204, s.do("POST", "/api/v1/announcements/all-0001/ack", "{}", bearer(late)...))
	if got := s.announcementsOf(boss, "")[0]; *got.Seen != 1 || *got.Of != 4 {
		t.Errorf("%d of %d have seen it, want 1 of 4", *got.Seen, *got.Of)
	}
	if a := s.announce(boss, "nobody-0001", "x", "pilots"); a.status != 409 || a.code() != "no_audience" {
		t.Errorf("a tag that nobody has: %d %s", a.status, a.body)
	}
	ahead.Store(int64(25 * time.Hour))
	if got := names(s.signUp("later")); len(got) != 0 {
		t.Errorf("a newcomer a day later is shown %v", got)
	}
}

func TestAnnouncementDoor(t *testing.T) {
	s := newSite(t)
	boss, anna := s.admin("boss"), s.signUp("anna")
	s.want(201, s.announce(boss, "alarm-0001", strings.Repeat("é", 1000), ""))
	for _, tt := range []struct{ method, path, body string }{
		{"POST", "", `{"announcement":"alarm-0002","body":"x"}`},
		{"GET", "/reach", ""},
		{"GET", "/alarm-0001", ""},
		{"POST", "/alarm-0001/remind", "{}"},
	} {
		path := "/api/v1/announcements" + tt.path
		if a := s.do(tt.method, path, tt.body, bearer(anna)...); a.status != 403 || a.code() != "admin_required" {
			t.Errorf("%s %s by a user: %d %s", tt.method, path, a.status, a.body)
		}
		if a := s.do(tt.method, path, tt.body); a.status != 401 {
			t.Errorf("%s %s by nobody: %d", tt.method, path, a.status)
		}
	}
	for name, tt := range map[string]struct {
		name, body, code string
	}{
		"no name":      {"", "x", "bad_request"},
		"short name":   {"x", "x", "bad_request"},
		"odd name":     {"alarm/../0002", "x", "bad_request"},
		"no text":      {"alarm-0002", " \n ", "invalid_text"},
		"long text":    {"alarm-0002", strings.Repeat("é", 1001), "invalid_text"},
		"bell":         {"alarm-0002", "ring\a", "invalid_text"},
		"turned words": {"alarm-0002", "do \u202eton\u202c go", "invalid_text"},
	} {
		if a := s.announce(boss, tt.name, tt.body, ""); a.code() != tt.code || a.status >= 500 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	for _, path := range []string{"/no-such-name", "/no-such-name/ack", "/no-such-name/remind"} {
		method := map[bool]string{true: "GET", false: "POST"}[path == "/no-such-name"]
		s.want(404, s.do(method, "/api/v1/announcements"+path, "{}", bearer(boss)...))
	}
	if got := s.announcementsOf(anna, "?pending=1"); len(got) != 1 {
		t.Errorf("got %d", len(got))
	}
}

// Ensure that administrators hear of a crowd's acknowledgements without being flooded.
func TestACrowdAcknowledges(t *testing.T) {
	s := newSite(t)
	boss := s.admin("boss")
	const crowd = 40
	var tokens []string
	for i := range crowd {
		tokens = append(tokens, s.signUp(fmt.Sprint("p", i)))
	}
	line := s.socket(boss, "boss-desk")
	s.want(201, s.announce(boss, "alarm-0001", "x", ""))
	for _, token := range tokens {
		s.want(204, s.do("POST", "/api/v1/announcements/alarm-0001/ack", "{}", bearer(token)...))
	}
	told, last := 0, 0
	for last < crowd {
		got := next[*rtc.AnnouncementSeen](t, line)
		if got.Seen < last || got.Of != crowd {
			t.Fatalf("after %d of %d: %+v", last, crowd, got)
		}
		told, last = told+1, got.Seen
	}
	if told > crowd/2 {
		t.Errorf("%d messages for %d people", told, crowd)
	}
}
