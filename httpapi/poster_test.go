package httpapi

import (
	"strings"
	"testing"
)

func TestPosterIsForAdministrators(t *testing.T) {
	s := newSite(t)
	token := s.signUp("maria")
	if a := s.do("GET", "/api/v1/poster", "", bearer(token)...); a.status != 403 || a.code() != "admins_only" {
		t.Errorf("got %d %s", a.status, a.body)
	}
	if _, err := s.accounts.AddUser(t.Context(), "chief", "Chief", password, true); err != nil {
		t.Fatal(err)
	}
	a := s.want(200, s.do("GET", "/api/v1/poster?paper=letter", "", bearer(s.signIn("chief", password))...))
	if !strings.HasPrefix(a.header.Get("Content-Type"), "image/svg+xml") || !strings.Contains(string(a.body), "http://10.77.1.1:8080/") {
		t.Errorf("%s: %.200s", a.header.Get("Content-Type"), a.body)
	}
	if csp := a.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("CSP %q", csp)
	}
}
