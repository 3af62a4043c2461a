package credential_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fieldphone/turnsrv/credential"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestIssueMatchesTheTURNRESTForm(t *testing.T) {
	username, password := credential.Issue([]byte("secret"), "ann", "01H", time.Unix(1700000000, 999))
	if want := "1700000000:ann.01H"; username != want {
		t.Errorf("username: got %q, want %q", username, want)
	}
	// printf 1700000000:ann.01H | openssl dgst -sha1 -hmac secret -binary | base64
	if want := "+joEJhg7X/S7Ohyk1GZm5LVI9aA="; password != want {
		t.Errorf("password: got %q, want %q", password, want)
	}
}

func TestIssuedCredentialsParseBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := credential.Identity{
			Subject:   rapid.StringMatching(`[a-z0-9._-]{1,64}`).Draw(t, "subject"),
			SessionID: rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`).Draw(t, "session"),
			Expiry:    time.Unix(rapid.Int64Range(1, 253402300799).Draw(t, "expiry"), 0),
		}
		secret := rapid.SliceOf(rapid.Byte()).Draw(t, "secret")
		username, password := credential.Issue(secret, want.Subject, want.SessionID, want.Expiry)
		got, err := credential.Parse(username)
		if err != nil {
			t.Fatalf("Parse(%q): %v", username, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("Parse(%q) (-want +got):\n%s", username, diff)
		}
		if got := credential.Password(secret, username); got != password {
			t.Fatalf("Password: got %q, want %q", got, password)
		}
		if got := credential.Password(append(secret, 1), username); got == password {
			t.Fatal("another secret gives the same password")
		}
	})
}

func TestParseRefuses(t *testing.T) {
	for _, username := range []string{
		"", ":", ".", "1:", "1:.", "1:a", "1:a.", "1:.b", "a.b", "1", "1:a.b c", "1:A.b", "1:a.b\n", "1:é.b",
		"0:a.b", "-1:a.b", "+1:a.b", "01:a.b", " 1:a.b", "1_0:a.b", "1e3:a.b", "x:a.b", "253402300800:a.b",
		"99999999999999999999:a.b", "1:a:b.c", "1::a.b",
		"1:" + strings.Repeat("a", 65) + ".b", "1:a." + strings.Repeat("b", 65),
	} {
		if id, err := credential.Parse(username); !errors.Is(err, credential.ErrMalformed) {
			t.Errorf("Parse(%q): got %+v, %v, want ErrMalformed", username, id, err)
		}
	}
}

func TestParseSplitsAtTheLastDot(t *testing.T) {
	got, err := credential.Parse("5:ann.of.green.S-1_x")
	want := credential.Identity{Subject: "ann.of.green", SessionID: "S-1_x", Expiry: time.Unix(5, 0)}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"1700000000:ann.01H", "1:a.b.c", "1:a", ":.", "01:a.b", "1:a:b.c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, username string) {
		id, err := credential.Parse(username)
		if err != nil {
			if id != (credential.Identity{}) {
				t.Fatalf("Parse(%q) failed and still gave %+v", username, id)
			}
			return
		}
		again, _ := credential.Issue(nil, id.Subject, id.SessionID, id.Expiry)
		if again != username {
			t.Fatalf("two spellings of one identity: %q and %q", username, again)
		}
		if strings.ContainsAny(id.Subject+id.SessionID, " :\r\n\x00") || strings.Contains(id.SessionID, ".") {
			t.Fatalf("Parse(%q) let through %+v", username, id)
		}
	})
}
