package configs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestExampleIsTheDefault(t *testing.T) {
	got, err := Load(write(t, "example.yaml", Example()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), got, compareAddrs); diff != "" {
		t.Errorf("the example differs from Default (-default +example):\n%s", diff)
	}
}

func TestExampleHasEveryKeyWithAComment(t *testing.T) {
	var tree yaml.Node
	if err := yaml.Unmarshal([]byte(Example()), &tree); err != nil {
		t.Fatal(err)
	}
	comments := map[string]string{}
	var walk func(path string, n *yaml.Node)
	walk = func(path string, n *yaml.Node) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := strings.TrimPrefix(path+"."+n.Content[i].Value, ".")
			comments[name] = n.Content[i].HeadComment
			if n.Content[i+1].Kind == yaml.MappingNode {
				walk(name, n.Content[i+1])
			}
		}
	}
	walk("", tree.Content[0])
	for _, key := range Keys() {
		comment, ok := comments[key]
		if !ok {
			t.Errorf("the example has no %s", key)
		} else if comment == "" {
			t.Errorf("the example says nothing about %s", key)
		}
	}
	if got := len(Keys()); got < 30 {
		t.Errorf("Keys returns only %d keys", got)
	}
}

// Exact sentences: they are what the admin gets to read.
func TestValidate(t *testing.T) {
	type change = func(*Config)
	secret := NewSecret
	for _, tt := range []struct {
		change change
		want   string
	}{
		{func(c *Config) { c.Data = "" }, `data is "": the server needs a folder of its own; name one, like ./data`},
		{func(c *Config) { c.Log.Format = "xml" }, `log.format is "xml": it is not one of text, json; choose one of them`},
		{func(c *Config) { c.Listen.Addresses = []netip.Addr{netip.IPv4Unspecified()} }, `listen.addresses[0] is 0.0.0.0: the server answers from the very address that was asked, so it needs a single one; name an address of this machine, or leave the list empty for all of them`},
		{func(c *Config) { c.Listen.SkipInterfaces = []string{"eth["} }, `listen.skip_interfaces[0] is "eth[": it is not a pattern of interface names; write it like docker* or eth[01]`},
		{func(c *Config) { c.Listen.HTTPPort = 8443 }, `listen.http_port is 8443: listen.https_port has the same port; give each its own; the HTTPS port speaks TURN as well, by itself`},
		{func(c *Config) { c.TURN.Port = 8443 }, `turn.port is 8443: listen.https_port has the same port; give each its own; the HTTPS port speaks TURN as well, by itself`},
		{func(c *Config) { c.TURN.Port = 49200 }, `turn.relay_ports is 49160-49359: turn.port 49200 is inside the range; move one of the two`},
		{func(c *Config) { c.TURN.RelayPorts.Min = 80 }, `turn.relay_ports is 80-49359: relay ports are from 1024 to 65535; choose a range in there, like 49160-49359`},
		{func(c *Config) { c.TURN.RelayPorts.Min = 49358 }, `turn.relay_ports is 49358-49359: the range has fewer than 4 ports, and each person in a relayed call takes several; widen it, like 49160-49359`},
		{func(c *Config) { c.TURN.Realm = "" }, `turn.realm is "": a realm has from 1 to 127 characters; use a short name, like fieldphone`},
		{func(c *Config) { c.TURN.Secret = secret("hunter2") }, `turn.secret is [redacted]: it has fewer than 16 bytes and can be guessed; use a longer random one, or leave it empty to have one made`},
		{func(c *Config) { c.TURN.Secret = secret("[redacted]") }, `turn.secret is [redacted]: this is the text that stands for a secret in a printed configuration; put the secret itself here`},
		{func(c *Config) { c.TURN.MaxAllocationsPerSession = 0 }, `turn.max_allocations_per_session is 0: it must be from 1 to 1000; choose a number in there`},
		{func(c *Config) { c.TURN.Peers.Mode = "open" }, `turn.peers.mode is "open": it is not one of call, clients, cidr, any; choose one of them`},
		{func(c *Config) { c.TURN.Peers.Mode = "cidr" }, `turn.peers.allow: mode cidr permits the listed networks alone, and the list is empty; list those of your clients, like [192.168.0.0/16], or choose mode clients`},
		{func(c *Config) { c.TURN.Peers.Deny = []netip.Prefix{netip.MustParsePrefix("10.0.0.1/8")} }, `turn.peers.deny[0] is 10.0.0.1/8: bits are set after the prefix; write 10.0.0.0/8`},
		{func(c *Config) { c.TURN.MaxAllocations = -1 }, `turn.max_allocations is -1: it must be from 0 to 1000000; choose a number in there`},
		{func(c *Config) { c.TURN.KbpsPerAllocation, c.TURN.Kbps = 2000, 1000 }, `turn.kbps is 1000: it is less than turn.kbps_per_allocation 2000, of one allocation alone; raise it, or lower the other`},
		{func(c *Config) { c.TURN.AllocatesPerSecond = 0 }, `turn.allocates_per_second_per_source is 0: it must be from 1 to 1000000; choose a number in there`},
		{func(c *Config) { c.TURN.BindingsPerSecond = 0 }, `turn.bindings_per_second_per_source is 0: it must be from 1 to 1000000; choose a number in there`},
		{func(c *Config) { c.TLS.Cert = "site.pem" }, `tls.key is "": a certificate and its key belong together; name the key's file, or leave tls.cert empty to use the site's own CA`},
		{func(c *Config) { c.TLS.Key = "site.key" }, `tls.cert is "": a certificate and its key belong together; name the certificate's file, or leave tls.key empty to use the site's own CA`},
		{func(c *Config) { c.MDNS.Name = "phone.local" }, `mdns.name is "phone.local": it is not one word of letters, digits and hyphens; write it without .local, like fieldphone, or leave it empty for no name`},
		{func(c *Config) { c.MDNS.Name = "Feld Telefon" }, `mdns.name is "Feld Telefon": it is not one word of letters, digits and hyphens; write it without .local, like fieldphone, or leave it empty for no name`},
		{func(c *Config) { c.Session.BcryptCost = 3 }, `session.bcrypt_cost is 3: it must be from 4 to 15; choose a number in there`},
		{func(c *Config) { c.Session.TTL = time.Second; c.Session.Leeway = 0 }, `session.ttl is 1s: it must be from 1m to 720h; choose a time in there`},
		{func(c *Config) { c.Session.TTL = 2 * time.Minute }, `session.leeway is 2m: it must be shorter than session.ttl 2m; use a few minutes`},
		{func(c *Config) { c.Name = "a\nb" }, `name is "a\nb": it is shown in one line to everybody; use at most 64 characters and no line break`},
		{func(c *Config) { c.Registration.Policy = "maybe" }, `registration.policy is "maybe": it is not one of open, invite, closed; choose one of them`},
		{func(c *Config) { c.Registration.GuestTTL = time.Second }, `registration.guest_ttl is 1s: it must be from 1m to 720h; choose a time in there`},
		{func(c *Config) { c.Registration.MaxGuests = 0 }, `registration.max_guests is 0: it must be from 1 to 100000; choose a number in there`},
		{func(c *Config) { c.Registration.InviteTTL = 721 * time.Hour }, `registration.invite_ttl is 721h: it must be from 1m to 720h; choose a time in there`},
		{func(c *Config) { c.Database.DSN = secret("postgres://me:hunter2@db/x") }, `database.dsn is [redacted]: it is not a MySQL data source name; write it like user:password@tcp(192.168.1.5:3306)/fieldphone, or leave it empty for SQLite`},
		{func(c *Config) { c.Redis.URL = secret("redis://me:%zz@db") }, `redis.url is [redacted]: it is not the URL of a Redis server; write it like redis://:password@192.168.1.5:6379/0, or leave it empty to keep presence in this process`},
		{func(c *Config) { c.Signalling.Heartbeat = 15 * time.Second }, `signalling.heartbeat is 15s: it must be shorter than signalling.presence_ttl 15s; use a third of it, so that one lost heartbeat does no harm`},
		{func(c *Config) { c.Signalling.PresenceTTL = time.Minute }, `signalling.presence_ttl is 1m: it must be shorter than signalling.resume_window 30s; use half of it`},
		{func(c *Config) { c.Limits.MaxConnections = 100 }, `limits.max_connections_per_address is 1024: it is more than limits.max_connections 100; lower it, or raise the other`},
		{func(c *Config) { c.Limits.BodyBytes = 1 }, `limits.body_bytes is 1: it must be from 1024 to 16777216; choose a number in there`},
		{func(c *Config) { c.Files.Quota = 1 }, "files.quota is 1B: it must be from 1MB to 64TB; choose a size in there\n" +
			"files.quota_per_user is 4GB: it is more than files.quota 1B; lower it, or raise the other"},
		{func(c *Config) { c.Files.MaxBytes = 5 << 30 }, `files.max_bytes is 5GB: it is more than files.quota_per_user 4GB; lower it, or raise the other`},
		{func(c *Config) { c.Files.Keep = time.Minute }, `files.keep is 1m: it must be from 1h to 87600h; choose a time in there`},
		{func(c *Config) { c.Segments = []Segment{{}} }, "segments[0].name is \"\": a segment needs a name; use what people call this part of the network\n" +
			"segments[0].clients: a segment needs the networks of its clients; list them, like [192.168.1.0/24]"},
		{func(c *Config) {
			s := Segment{
				Name: "a", Clients: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
				TURNAddresses: []netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:1")},
			}
			c.Segments = []Segment{s, s}
		}, "segments[1].name is \"a\": segments[0] has the same name; rename one of the two\n" +
			"segments[1].clients[0] is 10.0.0.0/8: segments[0].clients[0] is the same network; remove one of the two"},
		{
			func(c *Config) {
				c.Segments = []Segment{yard(func(s *Segment) { s.Clients[0] = netip.MustParsePrefix("10.20.1.0/16") })}
			},
			"segments[0].clients[0] is 10.20.1.0/16: bits are set after the prefix; write 10.20.0.0/16",
		},
		{
			func(c *Config) {
				c.Segments = []Segment{yard(func(s *Segment) { s.ServerAddresses = []netip.Addr{netip.MustParseAddr("10.21.0.1")} })}
			},
			"segments[0].server_addresses[0] is 10.21.0.1: none of the segment's networks contains it; correct one of the two; where clients reach this address through a router, write it under turn_addresses",
		},
		{
			func(c *Config) {
				c.Segments = []Segment{yard(func(s *Segment) { s.ServerAddresses = []netip.Addr{netip.IPv4Unspecified()} })}
			},
			"segments[0].server_addresses[0] is 0.0.0.0: no client can send to this address; write an address of this server",
		},
		{
			func(c *Config) {
				c.Segments = []Segment{yard(func(s *Segment) { s.TURNAddresses = []netip.AddrPort{netip.MustParseAddrPort("224.0.0.1:1")} })}
			},
			"segments[0].turn_addresses[0] is 224.0.0.1:1: no client can send to this address; write the one that clients of this segment use for the server",
		},
		{
			func(c *Config) {
				c.Segments = []Segment{yard(func(s *Segment) { s.Transports = []string{"quic", "tls", "tls"} })}
			},
			"segments[0].transports[0] is \"quic\": it is not one of udp, tcp, https, tls; choose one of them\n" +
				"segments[0].transports[2] is \"tls\": it is in the list twice; remove one of the two",
		},
		{func(c *Config) {
			c.TURN.OnHTTPSPort = false
			c.Segments = []Segment{yard(func(s *Segment) { s.Transports = []string{"https", "tls"} })}
		}, "segments[0].transports: turn.on_https_port is false, so that no way to the relay is left; set it to true, or add udp or tcp"},
		{
			func(c *Config) { c.Segments = []Segment{yard(func(s *Segment) { s.Name = "a\nb" })} },
			`segments[0].name is "a\nb": it is shown in one line; use at most 64 characters and no line break`,
		},
		{func(c *Config) { c.Segments = make([]Segment, 201) }, "segments: there are more than 200 segments; join networks that are treated alike into one segment"},
	} {
		cfg := Default()
		tt.change(&cfg)
		err := cfg.Validate()
		if err == nil || err.Error() != tt.want {
			t.Errorf("\n got %v\nwant %s", err, tt.want)
		}
	}
}

// yard is a segment with one thing changed.
func yard(change func(*Segment)) Segment {
	s := Segment{Name: "yard", Clients: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}}
	change(&s)
	return s
}

func TestValid(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"default":   func(*Config) {},
		"any ports": func(c *Config) { c.Listen.HTTPPort, c.Listen.HTTPSPort, c.TURN.Port = 0, 0, 0 },
		"stores": func(c *Config) {
			c.Database.DSN = NewSecret("me:p@ss/w(o)rd@tcp(10.0.0.1:3306)/fieldphone?parseTime=true")
			c.Redis.URL = NewSecret("redis://:hunter2@10.0.0.1:6379/0")
		},
		"socket stores": func(c *Config) {
			c.Database.DSN = NewSecret("me@unix(/run/mysqld.sock)/fieldphone")
			c.Redis.URL = NewSecret("unix:///run/redis.sock")
		},
		"MySQL URL": func(c *Config) { c.Database.DSN = NewSecret("mysql://me:p%40ss@10.0.0.1:3306/fieldphone") },
		"segments": func(c *Config) {
			c.Segments = []Segment{
				yard(func(s *Segment) { s.ServerAddresses = []netip.Addr{netip.MustParseAddr("10.20.0.2")} }),
				// Behind a router, named so that this is no slip.
				{
					Name: "forwarded", Clients: []netip.Prefix{netip.MustParsePrefix("10.21.0.0/16")}, Transports: []string{"udp", "tls"},
					ServerAddresses: []netip.Addr{netip.MustParseAddr("10.20.0.2")}, TURNAddresses: []netip.AddrPort{netip.MustParseAddrPort("10.21.0.1:3479")},
				},
				{Name: "found by the address they came by", Clients: []netip.Prefix{netip.MustParsePrefix("10.22.0.0/16")}},
			}
		},
		"names": func(c *Config) { c.TLS.Names = []string{"Phone.lan", "10.0.0.1", "fd00::1", "host"} },
	} {
		cfg := Default()
		change(&cfg)
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWarnings(t *testing.T) {
	cfg := Default()
	if got := cfg.Warnings(); got != nil {
		t.Errorf("the default has warnings: %q", got)
	}
	cfg.Session.BcryptCost = 4
	cfg.TURN.AllowLoopbackPeers = true
	cfg.TLS.NoNameConstraints = true
	cfg.TURN.Peers.Mode = "any"
	cfg.TURN.RelayPorts = PortRange{Min: 50000, Max: 50039}
	want := []string{
		"session.bcrypt_cost is 4: under 10, stolen password hashes are cheap to guess; use 10 or more outside tests",
		"turn.allow_loopback_peers is true: every client can reach what listens on this machine's loopback alone; set it to false outside tests",
		"tls.no_name_constraints is true: whoever steals the CA's key can pose as any site to everyone who trusts it; set it to false unless a client refuses constrained CAs",
		`turn.peers.mode is "any": whoever is signed in can reach every address that this machine reaches, printers and routers included; use clients`,
		"turn.relay_ports is 50000-50039: 40 ports can be used up by fewer than four sessions; widen the range, and the firewall's",
	}
	if diff := cmp.Diff(want, cfg.Warnings()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPrintLoadsAgain(t *testing.T) {
	want := Default()
	want.TLS.Names = []string{"phone.lan", "10.0.0.1"}
	want.TURN.Realm = "123"
	want.Segments = []Segment{{
		Name: "null", Clients: []netip.Prefix{netip.MustParsePrefix("fd00::/64")},
		TURNAddresses: []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("fd00::1"), 0)},
	}}
	printed, err := want.YAML()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Load(write(t, "print.yaml", string(printed)), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
		t.Errorf("-want +got:\n%s\n%s", diff, printed)
	}
	if !regexp.MustCompile(`(?m)^  ttl: 3h$`).Match(printed) {
		t.Errorf("no line \"ttl: 3h\" in\n%s", printed)
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	cfg := Default()
	cfg.TURN.Secret = NewSecret("hunter2")
	cfg.Redis.URL = NewSecret("redis://:hunter2@10.0.0.1")
	hidden := struct{ cfg Config }{cfg}

	shown := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown["Secret "+verb] = fmt.Sprintf(verb, cfg.TURN.Secret)
		shown["Config "+verb] = fmt.Sprintf(verb, cfg)
		shown["pointer "+verb] = fmt.Sprintf(verb, &cfg)
		shown["unexported "+verb] = fmt.Sprintf(verb, hidden)
	}
	printed, err := cfg.YAML()
	if err != nil {
		t.Fatal(err)
	}
	shown["YAML"] = string(printed)
	marshalled, err := yaml.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	shown["yaml.Marshal"] = string(marshalled)
	encoded, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	shown["JSON"] = string(encoded)
	var text, asJSON bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("x", "secret", cfg.TURN.Secret, "config", cfg)
	slog.New(slog.NewJSONHandler(&asJSON, nil)).Info("x", "secret", cfg.TURN.Secret, "config", cfg)
	shown["slog text"], shown["slog JSON"] = text.String(), asJSON.String()

	for how, s := range shown {
		if strings.Contains(s, "hunter2") || strings.Contains(s, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("%s shows the secret: %s", how, s)
		}
		if !strings.Contains(s, "[redacted]") && !strings.HasPrefix(how, "unexported") {
			t.Errorf("%s does not say [redacted]: %s", how, s)
		}
	}
	if got := fmt.Sprint(Secret{}); got != "" {
		t.Errorf("a secret that is not set prints %q, want nothing", got)
	}
}
