package httpapi

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/people"

	"github.com/google/go-cmp/cmp"
)

func TestAccountsFromRegisterToSignOut(t *testing.T) {
	s := newSite(t)
	a := s.want(201, s.do("POST", "/api/v1/register", `{"id":"Maria","name":"<b>María'); DROP TABLE users;--</b>","password":"`+password+`"}`))
	want := `{"user":{"id":"maria","name":"\u003cb\u003eMaría'); DROP TABLE users;--\u003c/b\u003e","admin":false}}`
	if string(a.body) != want {
		t.Errorf("got  %s\nwant %s", a.body, want)
	}
	login := s.want(200, s.do("POST", "/api/v1/login", `{"id":"MARIA","password":"`+password+`"}`))
	cookie := login.header.Get("Set-Cookie")
	for _, part := range []string{cookieName + "=", "HttpOnly", "secure", "SameSite=Strict", "path=/"} {
		if !strings.Contains(strings.ToLower(cookie), strings.ToLower(part)) {
			t.Errorf("the cookie lacks %s: %s", part, cookie)
		}
	}
	byCookie := []string{"Cookie", strings.SplitN(cookie, ";", 2)[0]}
	s.want(200, s.do("GET", "/api/v1/me", "", byCookie...))

	token := s.signIn("maria", password)
	a = s.want(200, s.do("PATCH", "/api/v1/me", `{"name":"玛丽亚"}`, bearer(token)...))
	if !strings.Contains(string(a.body), "玛丽亚") {
		t.Errorf("got %s", a.body)
	}
	a = s.want(200, s.do("GET", "/api/v1/users", "", bearer(token)...))
	if string(a.body) != `{"users":[{"id":"maria","name":"玛丽亚","admin":false}]}` {
		t.Errorf("got %s", a.body)
	}
	a = s.want(200, s.do("POST", "/api/v1/renew", "", bearer(token)...))
	if !strings.Contains(string(a.body), `"token":`) {
		t.Errorf("got %s", a.body)
	}
	s.want(204, s.do("POST", "/api/v1/logout", "", bearer(token)...))
	if a := s.do("GET", "/api/v1/me", "", bearer(token)...); a.status != 401 || a.code() != account.CodeSessionRevoked {
		t.Errorf("after sign-out: %d %s", a.status, a.body)
	}
	s.want(200, s.do("GET", "/api/v1/me", "", byCookie...)) // another session goes on
}

func TestPasswordChangeEndsEverySession(t *testing.T) {
	s := newSite(t)
	first := s.signUp("maria")
	second := s.signIn("maria", password)
	if a := s.do("POST", "/api/v1/me/password", `{"current":"wrong wrong","new":"another password"}`, bearer(first)...); a.status != 401 {
		t.Errorf("a wrong current password: %d %s", a.status, a.body)
	}
	a := s.want(200, s.do("POST", "/api/v1/me/password", `{"current":"`+password+`","new":"another password"}`, bearer(first)...))
	for _, old := range []string{first, second} {
		s.want(401, s.do("GET", "/api/v1/me", "", bearer(old)...))
	}
	var grant grantBody
	if err := json.Unmarshal(a.body, &grant); err != nil {
		t.Fatal(err)
	}
	s.want(200, s.do("GET", "/api/v1/me", "", bearer(grant.Token)...))
	s.signIn("maria", "another password")
}

func TestBadRequests(t *testing.T) {
	s := newSite(t)
	token := s.signUp("maria")
	foreign := "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYXJpYSJ9."
	for _, tt := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		code                     string
	}{
		{"NotJSON", "POST", "/api/v1/register", `id=x`, nil, 400, "bad_request"},
		{"WrongType", "POST", "/api/v1/register", `{"id":7,"name":"x","password":"y"}`, nil, 400, "bad_request"},
		{"Array", "POST", "/api/v1/login", `[]`, nil, 400, "bad_request"},
		{"Empty", "POST", "/api/v1/login", ``, nil, 400, "bad_request"},
		{"TooLarge", "POST", "/api/v1/register", `{"id":"` + strings.Repeat("x", 70<<10) + `"}`, nil, 413, "body_too_large"},
		{"Taken", "POST", "/api/v1/register", `{"id":"maria","name":"M","password":"` + password + `"}`, nil, 409, "id_taken"},
		{"BadID", "POST", "/api/v1/register", `{"id":"a b","name":"M","password":"` + password + `"}`, nil, 422, "invalid_id"},
		{"BadName", "POST", "/api/v1/register", `{"id":"ab","name":"  ","password":"` + password + `"}`, nil, 422, "invalid_name"},
		{"ShortPassword", "POST", "/api/v1/register", `{"id":"ab","name":"M","password":"short"}`, nil, 422, "password_too_short"},
		{"LongPassword", "POST", "/api/v1/register", `{"id":"ab","name":"M","password":"` + strings.Repeat("x", 73) + `"}`, nil, 422, "password_too_long"},
		{"WrongPassword", "POST", "/api/v1/login", `{"id":"maria","password":"wrong wrong"}`, nil, 401, "wrong_credentials"},
		{"UnknownUser", "POST", "/api/v1/login", `{"id":"nobody","password":"wrong wrong"}`, nil, 401, "wrong_credentials"},
		{"NoToken", "GET", "/api/v1/me", "", nil, 401, "unauthenticated"},
		{"Garbage", "GET", "/api/v1/me", "", bearer("garbage"), 401, "unauthenticated"},
		{"AlgNone", "GET", "/api/v1/me", "", bearer(foreign), 401, "unauthenticated"},
		{"CutToken", "GET", "/api/v1/ice", "", bearer(token[:len(token)-2]), 401, "unauthenticated"},
		{"NoSuchPath", "GET", "/api/v1/nothing", "", bearer(token), 404, "not_found"},
		{"NoSuchPage", "GET", "/secret", "", nil, 404, "not_found"},
		{"Traversal", "GET", "/assets/..%2f..%2fgo.mod", "", nil, 404, "not_found"},
		{"WrongMethod", "DELETE", "/api/v1/users", "", bearer(token), 404, "not_found"},
		{"PlainGetOfSocket", "GET", "/api/v1/ws", "", bearer(token), 426, "bad_request"},
		{"ForeignOrigin", "POST", "/api/v1/login", `{}`, []string{"Origin", "https://evil.example"}, 403, "forbidden_origin"},
		{"PlainOrigin", "POST", "/api/v1/login", `{}`, []string{"Origin", "http://" + s.addr}, 403, "forbidden_origin"},
		{"NullOrigin", "POST", "/api/v1/logout", ``, []string{"Origin", "null"}, 403, "forbidden_origin"},
		{"CrossSite", "PATCH", "/api/v1/me", `{}`, []string{"Sec-Fetch-Site", "cross-site"}, 403, "forbidden_origin"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := s.do(tt.method, tt.path, tt.body, tt.header...)
			if a.status != tt.status || a.code() != tt.code {
				t.Errorf("got %d %s, want %d %s", a.status, a.body, tt.status, tt.code)
			}
		})
	}
	s.want(201, s.do("POST", "/api/v1/register", `{"id":"ab","name":"M","password":"`+password+`"}`, "Origin", s.url))
}

func TestRateLimitedSignInSaysWhen(t *testing.T) {
	s := newSite(t)
	s.signUp("maria")
	for range 30 {
		if a := s.do("POST", "/api/v1/login", `{"id":"maria","password":"wrong wrong"}`); a.status == 429 {
			if a.code() != "rate_limited" || a.header.Get("Retry-After") == "" {
				t.Errorf("got %s, Retry-After %q", a.body, a.header.Get("Retry-After"))
			}
			return
		}
	}
	t.Error("30 wrong passwords were all checked")
}

func TestPageAndHealth(t *testing.T) {
	s := newSite(t)
	a := s.want(200, s.do("GET", "/?lang=en", ""))
	if !strings.Contains(string(a.body), "<title>Fieldphone") || a.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%s %v", a.body, a.header)
	}
	if csp := a.header.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self';") || strings.Contains(csp, "unsafe") {
		t.Errorf("CSP %q", csp)
	}
	if a.header.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS would lock out those who have not installed the CA")
	}
	for _, path := range []string{"/admin", "/admin/relay", "/admin?lang=en"} {
		if b := s.want(200, s.do("GET", path, "")); string(b.body) != string(a.body) || b.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("GET %s: got %s %v, want the page", path, b.body, b.header)
		}
	}
	s.want(404, s.do("GET", "/administrator", ""))
	a = s.want(200, s.do("GET", "/assets/app-1.js", ""))
	if !strings.Contains(a.header.Get("Cache-Control"), "immutable") {
		t.Errorf("Cache-Control %q", a.header.Get("Cache-Control"))
	}
	a = s.want(404, s.do("GET", "/assets/gone.js", ""))
	if strings.Contains(a.header.Get("Cache-Control"), "immutable") {
		t.Error("browsers may keep the news that a file is missing")
	}
	s.want(200, s.do("GET", "/healthz", ""))
	a = s.want(200, s.do("GET", "/readyz", ""))
	if string(a.body) != `{"parts":{"database":"ok","hub":"ok"},"ready":true}` {
		t.Errorf("got %s", a.body)
	}
}

// Ensure that openapi.yaml and the routes name the same operations.
func TestOpenAPIMatchesTheRoutes(t *testing.T) {
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	path := ""
	for line := range strings.Lines(string(text)) {
		if m := regexp.MustCompile(`^  (/\S*):`).FindStringSubmatch(line); m != nil {
			path = m[1]
		}
		if m := regexp.MustCompile(`^    (get|post|patch|put|delete):`).FindStringSubmatch(line); m != nil && path != "" {
			documented = append(documented, strings.ToUpper(m[1])+" "+path)
		}
	}
	var routed []string
	for _, r := range New(Config{Page: os.DirFS(t.TempDir()), Metrics: nil}).fiber.GetRoutes(true) {
		if r.Method != "HEAD" && r.Path != "/" && r.Path != "/api/v1" {
			path := regexp.MustCompile(`:(\w+)`).ReplaceAllString(r.Path, "{$1}")
			routed = append(routed, r.Method+" "+strings.TrimSuffix(path, "/"))
		}
	}
	slices.Sort(documented)
	slices.Sort(routed)
	if diff := cmp.Diff(documented, slices.Compact(routed)); diff != "" {
		t.Errorf("(-documented +routed):\n%s", diff)
	}
}

func TestEveryAccountCodeHasAStatus(t *testing.T) {
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range slices.Concat(account.Codes(), people.Codes()) {
		if statusOf[code] == 0 {
			t.Errorf("%s has no status", code)
		}
		if !strings.Contains(string(text), code) {
			t.Errorf("openapi.yaml does not name %s", code)
		}
	}
}

func TestConcurrentRegistrationsOfOneID(t *testing.T) {
	s := newSite(t)
	statuses := make(chan int, 8)
	for i := range cap(statuses) {
		go func() {
			statuses <- s.do("POST", "/api/v1/register", fmt.Sprintf(`{"id":"same","name":"N%d","password":%q}`, i, password)).status
		}()
	}
	created := 0
	for range cap(statuses) {
		switch status := <-statuses; status {
		case 201:
			created++
		case 409:
		default:
			t.Errorf("status %d", status)
		}
	}
	if created != 1 {
		t.Errorf("%d were created", created)
	}
}
