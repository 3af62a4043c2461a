package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fieldphone runs one command line as the shell would.
func fieldphone(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("turn:\n  prot: 1\nlog:\n  level: loud\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	for _, tt := range []struct {
		name   string
		args   []string
		stdin  string
		code   int
		stdout string
		stderr string
	}{
		{"UnknownCommand", []string{"bogus"}, "", 2, "", `there is no command "bogus"`},
		{"Help", []string{"help"}, "", 0, "fieldphone user add|passwd", ""},
		{"HelpFlag", []string{"--help"}, "", 0, "fieldphone config check|print", ""},
		{"UnknownFlag", []string{"serve", "--nope"}, "", 2, "", "Try: fieldphone help"},
		{"ServeTakesNothing", []string{"serve", "now"}, "", 2, "", `serve takes no "now"`},
		{"ConfigCheck", []string{"config", "check"}, "", 0, "by SIGHUP: turn.relay_ports, ", ""},
		{"ConfigPrint", []string{"config", "print"}, "", 0, "https_port: 8443", ""},
		{"ConfigExample", []string{"config", "print", "--example"}, "", 0, "# ", ""},
		{"ConfigWithoutVerb", []string{"config"}, "", 2, "", "config takes check or print"},
		{"EveryProblemAtOnce", []string{"config", "check", "--config", bad}, "", 1, "", "2 problem(s)"},
		{"MissingFile", []string{"serve", "--config", filepath.Join(dir, "none.yaml")}, "", 1, "", "none.yaml"},
		{"UserWithoutVerb", []string{"user"}, "", 2, "", "user takes add"},
		{"UserAddNoPassword", []string{"user", "add", "maria", "--data", data}, "", 1, "", "no password given"},
		{"UserAddShort", []string{"user", "add", "maria", "--data", data}, "short\n", 1, "", "8 characters"},
		{"UserAdd", []string{"user", "add", "maria", "--name", "María", "--admin", "--data", data}, "correct horse\n", 0, "maria: added", ""},
		{"UserAddAgain", []string{"user", "--data", data, "add", "maria"}, "correct horse\n", 1, "", "taken"},
		{"UserDisable", []string{"user", "disable", "maria", "--data", data}, "", 0, "maria: disabled", ""},
		{"UserList", []string{"user", "list", "--data", data}, "", 0, "María", ""},
		{"UserInvite", []string{"user", "invite", "--uses", "3", "--for", "2h", "--url", "https://10.1.2.3:8443", "--data", data}, "", 0, "https://10.1.2.3:8443/#join=", ""},
		{"UserInviteTooMany", []string{"user", "invite", "--uses", "501", "--url", "https://h/", "--data", data}, "", 1, "", "1 to 500 people"},
		{"UserInviteTooLong", []string{"user", "invite", "--for", "721h", "--url", "https://h/", "--data", data}, "", 1, "", "one minute to 30 days"},
		{"UserInviteNone", []string{"user", "invite", "--uses", "0", "--data", data}, "", 2, "", "--uses is at least 1"},
		{"UserInvitePlainURL", []string{"user", "invite", "--url", "http://h/", "--data", data}, "", 2, "", "--url is the page's address"},
		{"UserInviteWho", []string{"user", "invite", "maria", "--data", data}, "", 2, "", "user cannot"},
		{"UserEnable", []string{"user", "enable", "maria", "--data", data}, "", 0, "maria: enabled", ""},
		{"UserPasswd", []string{"user", "passwd", "maria", "--data", data}, "another horse\n", 0, "maria: password changed", ""},
		{"UserPasswdUnknown", []string{"user", "passwd", "nobody", "--data", data}, "another horse\n", 1, "", "fieldphone: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := fieldphone(t, tt.stdin, tt.args...)
			if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("exit %d, want %d\nstdout: %s\nwant:   %s\nstderr: %s\nwant:   %s", code, tt.code, stdout, tt.stdout, stderr, tt.stderr)
			}
		})
	}
}

func TestPasswordFromTheEnvironment(t *testing.T) {
	t.Setenv("FIELDPHONE_PASSWORD", "correct horse")
	if code, stdout, stderr := fieldphone(t, "", "user", "add", "maria", "--data", t.TempDir()); code != 0 {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
}

func TestSecretsAreKeptAndNotShown(t *testing.T) {
	dir := t.TempDir()
	first, err := loadSecret("", dir, "turn.secret")
	if err != nil {
		t.Fatal(err)
	}
	again, err := loadSecret("", dir, "turn.secret")
	if err != nil || !bytes.Equal(first, again) || len(first) != secretBytes {
		t.Errorf("%x, then %x (%v)", first, again, err)
	}
	path := filepath.Join(dir, "turn.secret")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("not hex\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadSecret("", dir, "turn.secret"); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a damaged file: %v", err)
	}
	if got, err := loadSecret("configured", dir, "turn.secret"); err != nil || string(got) != "configured" {
		t.Errorf("%q %v", got, err)
	}
}
