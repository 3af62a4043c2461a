package configs

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var compareAddrs = cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}, netip.Prefix{})

// write makes a file in a folder of its own and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// lines loads and returns the error's lines with the file's folder cut off.
func lines(t *testing.T, path string, environ []string, flags ...Flag) []string {
	t.Helper()
	got, err := Load(path, environ, flags...)
	if err == nil {
		t.Fatalf("Load succeeded with %+v, want an error", got)
	}
	if diff := cmp.Diff(Config{}, got, compareAddrs); diff != "" {
		t.Errorf("Load returned a configuration beside its error:\n%s", diff)
	}
	return strings.Split(strings.ReplaceAll(err.Error(), filepath.Dir(path)+"/", ""), "\n")
}

func TestNothingGivenIsTheDefault(t *testing.T) {
	got, err := Load("", []string{"HOME=/root", "FIELDPHONE_PASSWORD=x", "FIELDPHONE_TURN_PORT="})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), got, compareAddrs); diff != "" {
		t.Errorf("differs from Default (-want +got):\n%s", diff)
	}
}

func TestLaterSourcesWin(t *testing.T) {
	path := write(t, "site.yaml", `
turn: {port: 1001, realm: from-file}
listen: {https_port: 2001, http_port: 2002}
session: {ttl: 1h}
`)
	got, err := Load(path,
		[]string{"FIELDPHONE_LISTEN_HTTPS_PORT=2003", "FIELDPHONE_LISTEN_HTTP_PORT=2004"},
		Flag{Key: "listen.http_port", Value: "0"})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.TURN.Port, want.TURN.Realm = 1001, "from-file"
	want.Listen.HTTPSPort, want.Listen.HTTPPort = 2003, 0
	want.Session.TTL = time.Hour
	if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestListsFromFileAndEnvironment(t *testing.T) {
	want := Default()
	want.Listen.Addresses = []netip.Addr{netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("fd00::1")}
	want.Segments = []Segment{{
		Name:          "yard",
		Clients:       []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")},
		TURNAddresses: []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("10.20.0.1"), 0), netip.MustParseAddrPort("[fd00::1]:99")},
	}}
	file := write(t, "site.yaml", `
listen:
  addresses: [10.1.2.3, "fd00::1"]
segments:
  - name: yard
    clients: [10.20.0.0/16]
    turn_addresses: [10.20.0.1, "[fd00::1]:99"]
`)
	environ := []string{
		"FIELDPHONE_LISTEN_ADDRESSES=::ffff:10.1.2.3, fd00::1",
		`FIELDPHONE_SEGMENTS=[{name: yard, clients: [10.20.0.0/16], turn_addresses: [10.20.0.1, "[fd00::1]:99"]}]`,
	}
	for name, load := range map[string]func() (Config, error){
		"file":        func() (Config, error) { return Load(file, nil) },
		"environment": func() (Config, error) { return Load("", environ) },
	} {
		t.Run(name, func(t *testing.T) {
			got, err := load()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestSecretFromFile(t *testing.T) {
	path := write(t, "secret", "  correct-horse-battery\n")
	got, err := Load("", []string{"FIELDPHONE_TURN_SECRET_FILE=" + path})
	if err != nil {
		t.Fatal(err)
	}
	if want := "correct-horse-battery"; got.TURN.Secret.Reveal() != want {
		t.Errorf("secret is %q, want %q", got.TURN.Secret.Reveal(), want)
	}
}

func TestEveryProblemOfEverySourceAtOnce(t *testing.T) {
	path := write(t, "site.yaml", `dta: ./x
log:
  level: loud
  level: info
turn:
  port: 70000
  relay_ports: 50000-40000
  realm: *nothing_here
`)
	// An unknown anchor is a syntax error, so nothing else of that file is known.
	got := lines(t, path, []string{"FIELDPHONE_TURN_POTR=1"}, Flag{Key: "turn.port", Value: "x"})
	want := []string{
		`site.yaml:1: this is not valid YAML: a value begins with *; put it in quotes`,
		`FIELDPHONE_TURN_POTR: there is no such variable; did you mean FIELDPHONE_TURN_PORT?`,
		`command line: turn.port is "x": it must be a whole number; write digits only`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	path = write(t, "site.yaml", `dta: ./x
log:
  level: loud
  level: info
turn:
  port: 70000
  relay_ports: 50000-40000
  secret: [a, b]
listen:
  addresses: 10.0.0.1
  https_port: eight
session:
  ttl: 180
segments:
  - name: yard
    clients: [10.0.0.1/8, 10.0.0.0]
    turn_addresses: [10.0.0.1, 10.0.0.1,]
  -
limits: 12
`)
	got = lines(t, path, []string{
		"FIELDPHONE_LISTEN_HTTP_PORT=-1",
		"FIELDPHONE_REDIS_URL=http://me:hunter2@10.0.0.1",
		"FIELDPHONE_DATABASE_DSN=a",
		"FIELDPHONE_DATABASE_DSN_FILE=/nowhere",
		"FIELDPHONE_TURN_PORT_FILE=/nowhere",
		"FIELDPHONE_XYZ=1",
	}, Flag{Key: "log.color", Value: "x"})
	want = []string{
		`site.yaml:1: there is no key "dta" here; did you mean data?`,
		`site.yaml:4: log.level is set already on line 3; keep one of the two`,
		`site.yaml:8: turn.secret: it takes one value, not a list or a section; write the value after the colon`,
		`site.yaml:10: listen.addresses: it takes a list; write it like [a, b], or each item on a line after a hyphen`,
		`site.yaml:11: listen.https_port is "eight": it must be a whole number; write digits only`,
		`site.yaml:13: session.ttl is "180": it must be a duration with its unit; write it like 500ms, 45s, 2m or 3h`,
		`site.yaml:16: segments[0].clients[1] is "10.0.0.0": it must be a network in CIDR form; write it like 192.168.1.0/24 or fd00::/64`,
		`site.yaml:18: segments[1]: this item is empty; fill it in or remove it`,
		`site.yaml:19: limits: it takes keys with values; write a line like "name: value" for each`,
		`FIELDPHONE_DATABASE_DSN: database.dsn: it is set both here and by FIELDPHONE_DATABASE_DSN_FILE; unset one of the two`,
		`FIELDPHONE_TURN_PORT_FILE: only secrets are read from files; set FIELDPHONE_TURN_PORT itself`,
		`FIELDPHONE_XYZ: there is no such variable; unset it, see fieldphone config print --example for every key`,
		`command line: log.color: there is no such key; leave it out, see fieldphone config print --example for every key`,
		`site.yaml:3: log.level is "loud": it is not one of debug, info, warn, error; choose one of them`,
		`FIELDPHONE_LISTEN_HTTP_PORT: listen.http_port is -1: it must be from 0 to 65535; choose a number in there`,
		`site.yaml:6: turn.port is 70000: it must be from 0 to 65535; choose a number in there`,
		`site.yaml:7: turn.relay_ports is 50000-40000: the range is reversed; write 40000-50000`,
		`FIELDPHONE_REDIS_URL: redis.url is [redacted]: it is not the URL of a Redis server; write it like redis://:password@192.168.1.5:6379/0, or leave it empty to keep presence in this process`,
		`site.yaml:16: segments[0].clients[0] is 10.0.0.1/8: bits are set after the prefix; write 10.0.0.0/8`,
		`site.yaml:17: segments[0].turn_addresses[1] is 10.0.0.1: it is in the list twice; remove one of the two`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestUnreadableSources(t *testing.T) {
	big := write(t, "big", strings.Repeat("#", 1<<20+1))
	empty := write(t, "empty", "\n")
	for name, tt := range map[string]struct {
		path    string
		environ []string
		want    string
	}{
		"no file":        {"/nowhere/site.yaml", nil, "/nowhere/site.yaml: the configuration file cannot be read: /nowhere/site.yaml: no such file or directory; check its path and permissions"},
		"a long file":    {big, nil, big + ": the configuration file cannot be read: " + big + " is longer than 1048576 bytes; check its path and permissions"},
		"no secret file": {"", []string{"FIELDPHONE_REDIS_URL_FILE=/nowhere/url"}, "FIELDPHONE_REDIS_URL_FILE: redis.url: the file with the secret cannot be read: /nowhere/url: no such file or directory; check its path and permissions"},
		"empty secret":   {"", []string{"FIELDPHONE_REDIS_URL_FILE=" + empty}, "FIELDPHONE_REDIS_URL_FILE: redis.url: the file " + empty + " is empty; write the secret into it, or unset the variable"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(tt.path, tt.environ)
			if err == nil || err.Error() != tt.want {
				t.Errorf("error is %v, want %s", err, tt.want)
			}
		})
	}
}

func TestYAMLForms(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		"# only a comment\n":              "",
		"turn:\n  # port: 1\n":            "",
		"---\ndata: x\n":                  "",
		"data: x\n---\ndata: y\n":         "site.yaml:2: there is a second YAML document; keep one, and remove the line with three hyphens",
		"just text\n":                     `site.yaml:1: it takes keys with values; write a line like "name: value" for each`,
		"data: !!binary eA==\n":           "site.yaml:1: data: it has the YAML tag !!binary; remove the tag",
		"data: &a x\nlog: *a\n":           "site.yaml:2: log: YAML aliases are not supported; write the value out, in quotes if it begins with *",
		"turn:\n\tport: 1\n":              "site.yaml:2: this is not valid YAML: found character that cannot start any token; mend the line, or the one above it",
		"tls: {names: ['a b']}\n":         `site.yaml:1: tls.names[0] is "a b": it is neither an IP address nor a DNS name; write it like 192.168.1.10 or phone.lan`,
		"tls: {names: [1.2.3.4.5]}":       `site.yaml:1: tls.names[0] is "1.2.3.4.5": it is neither an IP address nor a DNS name; write it like 192.168.1.10 or phone.lan`,
		"tls: {no_name_constraints: yes}": `site.yaml:1: tls.no_name_constraints is "yes": it is either true or false; write one of them`,
	} {
		path := write(t, "site.yaml", text)
		_, err := Load(path, nil)
		got := ""
		if err != nil {
			got = strings.ReplaceAll(err.Error(), filepath.Dir(path)+"/", "")
		}
		if got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestProblemsCanBeTakenApart(t *testing.T) {
	_, err := Load("", []string{"FIELDPHONE_TURN_PORT=70000"})
	var p Problem
	if !errors.As(err, &p) {
		t.Fatalf("%v holds no Problem", err)
	}
	want := Problem{
		Code: "out_of_range", Source: "FIELDPHONE_TURN_PORT", Key: "turn.port", Value: "70000",
		Rule: "it must be from 0 to 65535", Fix: "choose a number in there",
	}
	if p != want {
		t.Errorf("got %+v, want %+v", p, want)
	}
}

// parse is Load without the disk, which would be most of a fuzz run.
func parse(text string) (Config, error) {
	cfg := Default()
	l := &loader{cfg: &cfg, sources: map[string]string{}}
	l.yaml([]byte(text), "", reflect.ValueOf(&cfg).Elem(), strconv.Itoa)
	l.validate()
	return cfg, l.problems.err()
}

func FuzzYAML(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		cfg, err := parse(text)
		if err != nil {
			var ps Problems
			if !errors.As(err, &ps) || len(ps) == 0 {
				t.Fatalf("error %v holds no problems", err)
			}
			return
		}
		if err := cfg.Validate(); err != nil {
			t.Fatalf("loaded, but is not valid: %v", err)
		}
		// What was loaded must come back from print, save for the secrets.
		cfg.Database.DSN, cfg.Redis, cfg.TURN.Secret = Secret{}, Redis{}, Secret{}
		printed, err := cfg.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := parse(string(printed))
		if err != nil {
			t.Fatalf("print cannot be loaded: %v\n%s", err, printed)
		}
		if diff := cmp.Diff(cfg, again, compareAddrs, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("print differs (-loaded +printed):\n%s", diff)
		}
	})
}
