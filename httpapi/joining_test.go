package httpapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/rtc"
)

func withRules(rules account.Registration) func(*siteOptions) {
	return func(o *siteOptions) { o.rules = rules }
}

// admin adds an administrator and signs in.
func (s *site) admin(id string) string {
	s.t.Helper()
	if _, err := s.accounts.AddUser(s.t.Context(), id, strings.ToUpper(id), password, true); err != nil {
		s.t.Fatal(err)
	}
	return s.signIn(id, password)
}

type madeInvite struct {
	Invite inviteBody `json:"invite"`
	Code   string     `json:"code"`
}

func (s *site) invite(token, body string) madeInvite {
	s.t.Helper()
	var made madeInvite
	a := s.want(201, s.do("POST", "/api/v1/invites", body, bearer(token)...))
	if err := json.Unmarshal(a.body, &made); err != nil || made.Code == "" {
		s.t.Fatalf("%s: %v", a.body, err)
	}
	return made
}

func TestSiteTellsWhatItOffers(t *testing.T) {
	for want, rules := range map[string]account.Registration{
		`{"guests":false,"name":"Camp 3","policy":"open","users_may_invite":true}`:    {},
		`{"guests":true,"name":"Camp 3","policy":"invite","users_may_invite":false}`:  {Policy: account.PolicyInvite, Guests: true},
		`{"guests":false,"name":"Camp 3","policy":"closed","users_may_invite":false}`: {Policy: account.PolicyClosed, Guests: true, UsersMayInvite: true},
	} {
		s := newSite(t, withRules(rules))
		if a := s.want(200, s.do("GET", "/api/v1/site", "")); string(a.body) != want {
			t.Errorf("got %s, want %s", a.body, want)
		}
	}
}

func TestJoiningByInvite(t *testing.T) {
	now := time.Now()
	s := newSite(t, withRules(account.Registration{Policy: account.PolicyInvite, Guests: true}), func(o *siteOptions) {
		o.now = func() time.Time { return now }
	})
	root := s.admin("root")
	made := s.invite(root, `{"uses":2,"expires_in":3600}`)
	if made.Invite.Uses != 2 || made.Invite.State != "open" || made.Invite.CreatedBy != "root" || made.Invite.ExpiresAt != now.Unix()+3600 {
		t.Errorf("got %+v", made.Invite)
	}
	check := s.want(200, s.do("POST", "/api/v1/invites/check", fmt.Sprintf(`{"invite":%q}`, made.Code)))
	if want := fmt.Sprintf(`{"expires_at":%d,"invited_by":"ROOT","uses_left":2}`, now.Unix()+3600); string(check.body) != want {
		t.Errorf("got %s, want %s", check.body, want)
	}
	join := func(id, code string) answer {
		t.Helper()
		return s.do("POST", "/api/v1/register", fmt.Sprintf(`{"id":%q,"name":"N","password":%q,"invite":%q}`, id, password, code))
	}
	s.want(201, join("maria", made.Code))
	maria := s.signIn("maria", password)
	guest := s.want(200, s.do("POST", "/api/v1/guest", fmt.Sprintf(`{"name":"Bert","invite":%q}`, made.Code)))
	if cookie := guest.header.Get("Set-Cookie"); !strings.HasPrefix(cookie, cookieName+"=") || !strings.Contains(string(guest.body), `"guest":true`) {
		t.Errorf("got %s, %s", guest.body, cookie)
	}
	short, revoked := s.invite(root, `{"expires_in":60}`), s.invite(root, `{}`)
	s.want(204, s.do("DELETE", "/api/v1/invites/"+revoked.Invite.ID, "", bearer(root)...))
	now = now.Add(time.Minute)
	for _, tt := range []struct {
		what, code string
		status     int
		want       string
	}{
		{"none", "", 403, account.CodeInviteRequired},
		{"forged", strings.Repeat("A", 26), 403, account.CodeInviteUnknown},
		{"long", strings.Repeat("A", 10_000), 403, account.CodeInviteUnknown},
		{"used up", made.Code, 410, account.CodeInviteUsedUp},
		{"expired", short.Code, 410, account.CodeInviteExpired},
		{"revoked", revoked.Code, 410, account.CodeInviteRevoked},
	} {
		for how, a := range map[string]answer{
			"register": join("cleo", tt.code),
			"guest":    s.do("POST", "/api/v1/guest", fmt.Sprintf(`{"name":"Cleo","invite":%q}`, tt.code)),
		} {
			if a.status != tt.status || a.code() != tt.want || !strings.Contains(string(a.body), `"field":"invite"`) {
				t.Errorf("%s, %s: got %d %s, want %d %s", how, tt.what, a.status, a.body, tt.status, tt.want)
			}
		}
	}
	var list struct{ Invites []inviteBody }
	if err := json.Unmarshal(s.want(200, s.do("GET", "/api/v1/invites", "", bearer(root)...)).body, &list); err != nil {
		t.Fatal(err)
	}
	states := map[string]string{}
	for _, i := range list.Invites {
		states[i.ID] = i.State
	}
	if states[made.Invite.ID] != "used_up" || states[short.Invite.ID] != "expired" || states[revoked.Invite.ID] != "revoked" || len(states) != 3 {
		t.Errorf("got %v", list.Invites)
	}
	if a := s.do("GET", "/api/v1/invites", "", bearer(root)...); strings.Contains(string(a.body), made.Code) {
		t.Error("the list tells codes")
	}
	if a := s.want(200, s.do("GET", "/api/v1/invites", "", bearer(maria)...)); string(a.body) != `{"invites":[]}` {
		t.Errorf("maria sees %s", a.body)
	}
	if a := s.do("DELETE", "/api/v1/invites/"+made.Invite.ID, "", bearer(maria)...); a.status != 404 {
		t.Errorf("maria revokes another's invite: %d %s", a.status, a.body)
	}
	if a := s.do("POST", "/api/v1/invites", `{}`, bearer(maria)...); a.status != 403 || a.code() != account.CodeNotAllowed {
		t.Errorf("maria invites: %d %s", a.status, a.body)
	}
}

func TestBadInviteRequests(t *testing.T) {
	s := newSite(t)
	token := s.signUp("maria")
	for _, tt := range []struct {
		method, path, body string
		header             []string
		status             int
		code               string
	}{
		{"POST", "/api/v1/invites", `{}`, nil, 401, "unauthenticated"},
		{"GET", "/api/v1/invites", ``, nil, 401, "unauthenticated"},
		{"POST", "/api/v1/admin/claim", `{}`, nil, 401, "unauthenticated"},
		{"POST", "/api/v1/invites", `{"uses":-1}`, bearer(token), 422, "invalid_invite"},
		{"POST", "/api/v1/invites", `{"uses":501}`, bearer(token), 422, "invalid_invite"},
		{"POST", "/api/v1/invites", `{"uses":1e99}`, bearer(token), 400, "bad_request"},
		{"POST", "/api/v1/invites", `{"expires_in":59}`, bearer(token), 422, "invalid_invite"},
		{"POST", "/api/v1/invites", `{"expires_in":2592001}`, bearer(token), 422, "invalid_invite"},
		{"POST", "/api/v1/invites", `{"expires_in":18446744073}`, bearer(token), 422, "invalid_invite"},
		{"POST", "/api/v1/invites", `{"expires_in":9223372036854775807}`, bearer(token), 422, "invalid_invite"},
		{"POST", "/api/v1/invites", `{"expires_in":-9223372036854775808}`, bearer(token), 422, "invalid_invite"},
		{"POST", "/api/v1/invites", `{}`, append(bearer(token), "Origin", "https://evil.example"), 403, "forbidden_origin"},
		{"DELETE", "/api/v1/invites/nothing", ``, bearer(token), 404, "not_found"},
		{"DELETE", "/api/v1/invites/' OR 1=1 --", ``, bearer(token), 404, "not_found"},
		{"POST", "/api/v1/invites/check", `[]`, nil, 400, "bad_request"},
		{"POST", "/api/v1/invites/check", `{"invite":""}`, nil, 403, "invite_unknown"},
		{"POST", "/api/v1/guest", `{"name":""}`, nil, 422, "invalid_name"},
		{"POST", "/api/v1/guest", `{"name":"M"}`, nil, 403, "guests_off"},
		{"POST", "/api/v1/guest", `{"name":7}`, nil, 400, "bad_request"},
		{"POST", "/api/v1/guest", `{"name":"M"}`, []string{"Sec-Fetch-Site", "cross-site"}, 403, "forbidden_origin"},
		{"POST", "/api/v1/register", `{"id":"guest-1","name":"M","password":"` + password + `"}`, nil, 422, "invalid_id"},
		{"POST", "/api/v1/admin/claim", `{"code":""}`, bearer(token), 403, "admin_code_wrong"},
	} {
		if a := s.do(tt.method, strings.ReplaceAll(tt.path, " ", "%20"), tt.body, tt.header...); a.status != tt.status || a.code() != tt.code {
			t.Errorf("%s %s %s: got %d %s, want %d %s", tt.method, tt.path, tt.body, a.status, a.body, tt.status, tt.code)
		}
	}
}

// Ensure a guest can do what brings them here, call and be called, and is
// gone with the session.
func TestGuestCallsAndGoes(t *testing.T) {
	s := newSite(t, withRules(account.Registration{Guests: true}))
	maria := s.signUp("maria")
	var grant grantBody
	if err := json.Unmarshal(s.want(200, s.do("POST", "/api/v1/guest", `{"name":"Bert"}`)).body, &grant); err != nil {
		t.Fatal(err)
	}
	guest := grant.User.ID
	a := s.want(200, s.do("GET", "/api/v1/users", "", bearer(maria)...))
	if want := fmt.Sprintf(`{"users":[{"id":%q,"name":"Bert","admin":false,"guest":true},{"id":"maria","name":"MARIA","admin":false}]}`, guest); string(a.body) != want {
		t.Errorf("got %s, want %s", a.body, want)
	}
	s.iceOf(grant.Token)
	theirs, hers := s.socket(grant.Token, "guest-phone"), s.socket(maria, "maria-phone")
	say(t, theirs, &rtc.CallInvite{Call: "call-0001", To: "maria", Media: rtc.Video})
	if got := next[*rtc.CallIncoming](t, hers); got.From.ID != guest || got.From.Name != "Bert" {
		t.Errorf("got %+v", got)
	}
	s.want(204, s.do("POST", "/api/v1/logout", "", bearer(grant.Token)...))
	if code := closeCode(t, theirs); code != rtc.CloseSessionEnded.Code {
		t.Errorf("closed with %d", code)
	}
	if a := s.want(200, s.do("GET", "/api/v1/users", "", bearer(maria)...)); strings.Contains(string(a.body), guest) {
		t.Errorf("still listed: %s", a.body)
	}
	s.want(401, s.do("GET", "/api/v1/me", "", bearer(grant.Token)...))
}

func TestClaimingTheAdministratorsPlace(t *testing.T) {
	s := newSite(t)
	maria, bert := s.signUp("maria"), s.signUp("bert")
	code, err := s.accounts.OfferAdmin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	claim := func(token, code string) answer {
		return s.do("POST", "/api/v1/admin/claim", fmt.Sprintf(`{"code":%q}`, code), bearer(token)...)
	}
	if a := claim(bert, "forged"); a.status != 403 || a.code() != account.CodeAdminCodeWrong {
		t.Errorf("forged: %d %s", a.status, a.body)
	}
	if a := s.want(200, claim(maria, code)); string(a.body) != `{"id":"maria","name":"MARIA","admin":true}` {
		t.Errorf("got %s", a.body)
	}
	s.want(403, claim(bert, code))
	for range 5 {
		if a := claim(bert, "guess"); a.status == 429 && a.header.Get("Retry-After") != "" {
			return
		}
	}
	t.Error("guesses are not limited")
}
