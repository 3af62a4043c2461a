package account_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"fieldphone/httpapi/account"

	"github.com/golang-jwt/jwt/v5"
)

func TestTokens(t *testing.T) {
	site := newSite(t)
	s := site.service(t)
	addUser(t, s, "anna")
	grant := signIn(t, s, "anna")

	claims := func(change jwt.MapClaims) jwt.MapClaims {
		all := jwt.MapClaims{
			"iss": "fieldphone", "sub": "anna", "jti": grant.Session.ID,
			"iat": start.Unix(), "exp": start.Add(3 * time.Hour).Unix(),
		}
		maps.Copy(all, change)
		maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
		return all
	}
	sign := func(method jwt.SigningMethod, key any, change jwt.MapClaims) string {
		t.Helper()
		token, err := jwt.NewWithClaims(method, claims(change)).SignedString(key)
		must(t, err)
		return token
	}
	good := func(change jwt.MapClaims) string { return sign(jwt.SigningMethodHS256, signKey, change) }
	parts := strings.Split(grant.Token, ".")
	none := sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil)
	at := func(d time.Duration) int64 { return start.Add(d).Unix() }

	for name, test := range map[string]struct{ token, code string }{
		"granted":                  {grant.Token, ""},
		"made alike":               {good(nil), ""},
		"expired within leeway":    {good(jwt.MapClaims{"exp": at(-119 * time.Second)}), ""},
		"expired past leeway":      {good(jwt.MapClaims{"exp": at(-121 * time.Second)}), account.CodeSessionExpired},
		"issued within leeway":     {good(jwt.MapClaims{"iat": at(119 * time.Second)}), ""},
		"issued in the future":     {good(jwt.MapClaims{"iat": at(3 * time.Minute)}), account.CodeUnauthenticated},
		"empty":                    {"", account.CodeUnauthenticated},
		"garbage":                  {"a.b.c", account.CodeUnauthenticated},
		"long":                     {strings.Repeat("a", 1<<20), account.CodeUnauthenticated},
		"alg none":                 {none, account.CodeUnauthenticated},
		"alg none, our signature":  {none + parts[2], account.CodeUnauthenticated},
		"HS512 with our key":       {sign(jwt.SigningMethodHS512, signKey, nil), account.CodeUnauthenticated},
		"foreign key":              {sign(jwt.SigningMethodHS256, []byte(strings.Repeat("k", 32)), nil), account.CodeUnauthenticated},
		"foreign key, expired":     {sign(jwt.SigningMethodHS256, []byte("k"), jwt.MapClaims{"exp": at(-time.Hour)}), account.CodeUnauthenticated},
		"without signature":        {parts[0] + "." + parts[1] + ".", account.CodeUnauthenticated},
		"other claims":             {parts[0] + "." + strings.Split(good(jwt.MapClaims{"sub": "bert"}), ".")[1] + "." + parts[2], account.CodeUnauthenticated},
		"wrong issuer":             {good(jwt.MapClaims{"iss": "elsewhere"}), account.CodeUnauthenticated},
		"wrong issuer and expired": {good(jwt.MapClaims{"iss": "x", "exp": at(-time.Hour)}), account.CodeUnauthenticated},
		"no issuer":                {good(jwt.MapClaims{"iss": nil}), account.CodeUnauthenticated},
		"no exp":                   {good(jwt.MapClaims{"exp": nil}), account.CodeUnauthenticated},
		"no iat":                   {good(jwt.MapClaims{"iat": nil}), account.CodeUnauthenticated},
		"no jti":                   {good(jwt.MapClaims{"jti": nil}), account.CodeUnauthenticated},
		"no sub":                   {good(jwt.MapClaims{"sub": nil}), account.CodeUnauthenticated},
		"exp of a wrong type":      {good(jwt.MapClaims{"exp": "tomorrow"}), account.CodeUnauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			session, err := s.Authenticate(t.Context(), test.token)
			wantCode(t, "authenticate", err, test.code)
			if test.code == "" && (session.UserID != "anna" || session.ID != grant.Session.ID) {
				t.Errorf("got %+v", session)
			}
			if test.code != "" && session != (account.Session{}) {
				t.Errorf("refused, but got %+v", session)
			}
			if _, renewed, err := s.Renew(t.Context(), test.token); test.code != "" && (renewed || err == nil) {
				t.Errorf("renewed a refused token: %v", err)
			}
		})
	}
	got, err := s.Authenticate(t.Context(), grant.Token)
	must(t, err)
	if got != grant.Session {
		t.Errorf("got %+v, want %+v", got, grant.Session)
	}
	if want := start.Add(3 * time.Hour); !got.ExpiresAt.Equal(want) {
		t.Errorf("expires at %v, want %v", got.ExpiresAt, want)
	}
	site.clock.advance(3*time.Hour + 2*time.Minute)
	_, err = s.Authenticate(t.Context(), grant.Token)
	wantCode(t, "after its time", err, account.CodeSessionExpired)
}

func TestRenew(t *testing.T) {
	site := newSite(t)
	s := site.service(t)
	addUser(t, s, "anna")
	first := signIn(t, s, "anna")

	renew := func(token string) (account.Grant, bool) {
		t.Helper()
		grant, renewed, err := s.Renew(t.Context(), token)
		must(t, err)
		return grant, renewed
	}
	expiry := func(want time.Time) {
		t.Helper()
		got, err := s.SessionExpiry(t.Context(), first.Session.ID)
		must(t, err)
		if !got.Equal(want) {
			t.Errorf("SessionExpiry is %v, want %v", got, want)
		}
	}
	site.clock.advance(89 * time.Minute)
	if grant, renewed := renew(first.Token); renewed {
		t.Errorf("renewed before half of its life: %+v", grant)
	}
	expiry(start.Add(3 * time.Hour))
	site.clock.advance(2 * time.Minute)
	second, renewed := renew(first.Token)
	if !renewed {
		t.Fatal("not renewed past half of its life")
	}
	want := first.Session
	want.ExpiresAt = start.Add(91*time.Minute + 3*time.Hour)
	if second.Session != want || second.User != first.User || second.Token == first.Token {
		t.Errorf("got %+v, want session %+v", second, want)
	}
	expiry(want.ExpiresAt)

	// A client that goes on with the old token gets the same session on.
	site.clock.advance(time.Minute)
	again, renewed := renew(first.Token)
	if !renewed || again.Session != want {
		t.Errorf("old token again: got %+v, %v", again.Session, renewed)
	}
	// Past the first expiry, the renewed token is good and the first is not.
	site.clock.advance(100 * time.Minute)
	_, err := s.Authenticate(t.Context(), first.Token)
	wantCode(t, "first token", err, account.CodeSessionExpired)
	for _, token := range []string{second.Token, again.Token} {
		got, err := s.Authenticate(t.Context(), token)
		must(t, err)
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	// In use it goes on and on.
	token := second.Token
	for range 20 {
		grant, renewed := renew(token)
		if !renewed {
			t.Fatal("not renewed")
		}
		token = grant.Token
		site.clock.advance(100 * time.Minute)
	}
	// Left alone it ends.
	site.clock.advance(3 * time.Hour)
	_, err = s.SessionExpiry(t.Context(), first.Session.ID)
	wantCode(t, "left alone", err, account.CodeSessionExpired)
	_, err = s.SessionExpiry(t.Context(), "unknown")
	wantCode(t, "unknown session", err, account.CodeSessionExpired)
}
