package account_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"fieldphone/httpapi/account"
)

func TestNormalizeID(t *testing.T) {
	for in, want := range map[string]string{
		"anna": "anna", "Anna": "anna", " anna \n": "anna", "7": "7", "a.b_c-d": "a.b_c-d",
		strings.Repeat("A", 64): strings.Repeat("a", 64),
	} {
		if got, err := account.NormalizeID(in); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", " ", ".anna", "-anna", "_anna", "an na", "anna:1", "ánna", "anna\x00", "an\nna", "a/b", "' OR 1=1 --",
		strings.Repeat("a", 65), strings.Repeat("a", 1<<20), strings.Repeat(" ", 1<<20) + "a", "\xff",
	} {
		got, err := account.NormalizeID(in)
		if account.CodeOf(err) != account.CodeInvalidID || got != "" {
			t.Errorf("%.40q: got %q, %v, want invalid_id", in, got, err)
		}
	}
}

func TestCleanName(t *testing.T) {
	for in, want := range map[string]string{
		"Anna":                          "Anna",
		"  李雷\t":                        "李雷",
		"<b>\"Anna\"</b> & 'co'":        "<b>\"Anna\"</b> & 'co'",
		"e\u0301":                       "e\u0301",
		"é":                             "é",
		"👩🏽\u200d🚒":                     "👩🏽\u200d🚒",
		"می\u200cخواهم":                 "می\u200cخواهم",
		"שלום":                          "שלום",
		strings.Repeat("長", 64):         strings.Repeat("長", 64),
		strings.Repeat("e\u0301", 64):   strings.Repeat("e\u0301", 64),
		strings.Repeat("😀", 64):         strings.Repeat("😀", 64),
		" " + strings.Repeat("x", 64):   strings.Repeat("x", 64),
		"Robert'); DROP TABLE users;--": "Robert'); DROP TABLE users;--",
	} {
		if got, err := account.CleanName(in); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "   ", "\u200d", "\u0301", "\u3000", "a\x00b", "a\nb", "a\u2028b", "a\x1b[2Jb", "a\x7fb", "a\u0085b",
		"An\u200bna", "An\u200dna", "An\u200cna", "李\u200d雷", "\ufeffAnna", "An\u00adna", "An\u2060na", "Anna\u3164", "Anna\u2800",
		"Anna\U000e0041", "👩\u200d\u200d🚒", "a\u202eb", "\u2066a", "a\u200fb", "\u061ca", "\xff", "a\xc3",
		strings.Repeat("長", 65), strings.Repeat("x", 1<<20), "a" + strings.Repeat("\u0301", 200),
	} {
		got, err := account.CleanName(in)
		if account.CodeOf(err) != account.CodeInvalidName || got != "" {
			t.Errorf("%.40q: got %q, %v, want invalid_name", in, got, err)
		}
	}
}

func TestRegister(t *testing.T) {
	site := newSite(t)
	s := site.service(t, func(c *account.Config) { c.Hasher, c.BcryptCost = nil, 4 })
	long := strings.Repeat("x", 72)
	for _, test := range []struct{ id, name, password, code, field string }{
		{"Anna ", " Anna <b> ", password, "", ""},
		{"anna", "Other", password, account.CodeIDTaken, "id"},
		{"ANNA", "Other", password, account.CodeIDTaken, "id"},
		{"an na", "Anna", password, account.CodeInvalidID, "id"},
		{"bert", "\u202e", password, account.CodeInvalidName, "name"},
		{"Guest-bert", "Bert", password, account.CodeInvalidID, "id"},
		{"bert", "Bert", "7 chars", account.CodePasswordTooShort, "password"},
		{"bert", "Bert", "ééééééé", account.CodePasswordTooShort, "password"},
		{"bert", "Bert", "éééééééé", "", ""},
		{"cleo", "Cleo", long + "x", account.CodePasswordTooLong, "password"},
		{"cleo", "Cleo", strings.Repeat("長", 24) + "x", account.CodePasswordTooLong, "password"},
		{"cleo", "Cleo", long, "", ""},
		{"dora", "Dora", strings.Repeat("長", 24), "", ""},
	} {
		user, err := s.Register(t.Context(), account.Newcomer{ID: test.id, Name: test.name, Password: test.password}, here)
		if test.code == "" {
			must(t, err)
			if user.Admin || user.Disabled || !user.CreatedAt.Equal(start) {
				t.Errorf("got %+v", user)
			}
			if _, err := s.SignIn(t.Context(), test.id, test.password, here); err != nil {
				t.Errorf("%s cannot sign in: %v", test.id, err)
			}
			continue
		}
		wantCode(t, test.id+" "+test.password, err, test.code)
		if e, ok := errors.AsType[*account.Error](err); ok && (e.Field != test.field || e.Message == "") {
			t.Errorf("%+v: got field %q, message %q", test, e.Field, e.Message)
		}
	}
	// bcrypt would compare 72 bytes of these 73 and find them right.
	_, err := s.SignIn(t.Context(), "cleo", long+"x", here)
	wantCode(t, "a byte too many", err, account.CodePasswordTooLong)
	_, err = s.ChangePassword(t.Context(), "cleo", long+"x", "new password")
	wantCode(t, "a byte too many as the present password", err, account.CodePasswordTooLong)

	got, err := s.User(t.Context(), "ANNA")
	must(t, err)
	if got.ID != "anna" || got.Name != "Anna <b>" {
		t.Errorf("got %+v", got)
	}
	got, err = s.Rename(t.Context(), "anna", " <i>Ann ")
	must(t, err)
	if again, _ := s.User(t.Context(), "anna"); got.Name != "<i>Ann" || again != got {
		t.Errorf("renamed: got %+v and %+v", got, again)
	}
	_, err = s.Rename(t.Context(), "anna", "\n")
	wantCode(t, "rename", err, account.CodeInvalidName)
	_, err = s.Rename(t.Context(), "nobody", "x")
	wantCode(t, "rename", err, account.CodeNotFound)
	_, err = s.User(t.Context(), "' OR 1=1 --")
	wantCode(t, "no user", err, account.CodeNotFound)
	admin, err := s.AddUser(t.Context(), "root", "Root", password, true)
	if err != nil || !admin.Admin {
		t.Errorf("got %+v, %v", admin, err)
	}
	users, err := s.Users(t.Context())
	must(t, err)
	var ids []string
	for _, user := range users {
		ids = append(ids, user.ID)
	}
	if want := []string{"anna", "bert", "cleo", "dora", "root"}; !slices.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
}

func TestConfigValidate(t *testing.T) {
	err := account.Config{
		SigningKey: []byte("short"), SessionTTL: 30e9, Leeway: 60e9, BcryptCost: 3, HashConcurrency: -1, HashQueue: -1,
		AddressRate: account.Rate{Burst: 1}, RegisterRate: account.Rate{PerMinute: 1}, IDRate: account.Rate{Burst: -1, PerMinute: 5}, RateKeys: -1,
		Registration: account.Registration{Policy: "maybe", GuestTTL: 1e9, MaxGuests: -1, InviteTTL: 721 * 3600e9},
		PollInterval: -1, SweepInterval: -1, EndedLimit: -1,
	}.Validate()
	want := `account: SigningKey has 5 bytes: give at least 32
account: SessionTTL is 30s: give at least 1m
account: Leeway is 1m0s: give more than 0 and less than SessionTTL (30s)
account: BcryptCost is 3: give 4 to 16
account: HashConcurrency is -1: give at least 1
account: HashQueue is -1: give at least 1
account: AddressRate is {Burst:1 PerMinute:0}: give a burst and a rate of 1 to 1000000
account: RegisterRate is {Burst:0 PerMinute:1}: give a burst and a rate of 1 to 1000000
account: IDRate is {Burst:-1 PerMinute:5}: give a burst and a rate of 1 to 1000000
account: RateKeys is -1: give at least 1
account: Registration.Policy is "maybe": give open, invite or closed
account: Registration.GuestTTL is 1s: give 1m0s to 720h0m0s
account: Registration.MaxGuests is -1: give at least 1
account: Registration.InviteTTL is 721h0m0s: give 1m0s to 720h0m0s
account: PollInterval is -1ns: give more than 0
account: SweepInterval is -1ns: give more than 0
account: EndedLimit is -1: give at least 1`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if err := (account.Config{SigningKey: signKey}).Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	if _, err := account.New(t.Context(), account.Config{}, nil); err == nil {
		t.Error("New took a configuration without a key")
	}
}
