// Package configs holds every setting of Fieldphone: what it means, its default, where it
// may come from and what makes it wrong.
//
// A value comes from the last of these that names it: [Default], the YAML file, the
// environment (FIELDPHONE_TURN_PORT for turn.port), the command line. [Load] reads them
// all and reports every mistake of every source at once.
package configs

import (
	"net/netip"
	"time"
)

// Config is the whole configuration of one server. The yaml tags are the keys that users
// write; fieldphone.example.yaml documents each of them.
type Config struct {
	// Data is the folder for everything that lasts: database, certificates, secrets.
	Data string `yaml:"data"`
	// Name is what people call this site; empty for none.
	Name string `yaml:"name"`

	Log           Log           `yaml:"log"`
	Listen        Listen        `yaml:"listen"`
	TLS           TLS           `yaml:"tls"`
	MDNS          MDNS          `yaml:"mdns"`
	Session       Session       `yaml:"session"`
	Registration  Registration  `yaml:"registration"`
	Database      Database      `yaml:"database"`
	Retention     Retention     `yaml:"retention"`
	Redis         Redis         `yaml:"redis"`
	TURN          TURN          `yaml:"turn"`
	Relay         Relay         `yaml:"relay"`
	Segments      []Segment     `yaml:"segments"`
	Signalling    Signalling    `yaml:"signalling"`
	Announcements Announcements `yaml:"announcements"`
	Limits        Limits        `yaml:"limits"`
	Files         Files         `yaml:"files"`
}

// Log says what is logged and how.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // text or json
}

// Listen says where the server can be reached.
type Listen struct {
	// Addresses are the local addresses to listen on. Empty: every usable address of
	// the host (see SkipInterfaces).
	Addresses []netip.Addr `yaml:"addresses"`
	// SkipInterfaces are path.Match patterns of interface names that are left out when
	// Addresses is empty.
	SkipInterfaces []string `yaml:"skip_interfaces"`
	HTTPSPort      int      `yaml:"https_port"` // TCP: page, API, WebSocket; 0: any free port
	HTTPPort       int      `yaml:"http_port"`  // TCP: onboarding page only; 0: any free port
}

// TLS is about the certificate of the HTTPS port.
type TLS struct {
	// Cert and Key are PEM files of a certificate that somebody else takes care of. Both
	// empty: the site's own CA issues one. They are read again when they change.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// Names are further DNS names and IP addresses for the certificate.
	Names []string `yaml:"names"`
	// NoNameConstraints makes the CA without name constraints. It counts only when the
	// CA is made.
	NoNameConstraints bool `yaml:"no_name_constraints"`
}

// Session is about signing in.
type Session struct {
	TTL        time.Duration `yaml:"ttl"`         // life of a session that is not used
	Leeway     time.Duration `yaml:"leeway"`      // clock error forgiven when a token's times are checked
	BcryptCost int           `yaml:"bcrypt_cost"` // log2 of the rounds
	// Secret signs the session tokens. Empty: made at first start and kept in Data.
	Secret Secret `yaml:"secret"`
}

// Database says where accounts and messages are kept.
type Database struct {
	DSN Secret `yaml:"dsn"` // MySQL data source name; empty: SQLite in Data
	// Sync says when a commit to SQLite is done: SyncFull or SyncNormal.
	Sync string `yaml:"sync"`
}

// The values of Database.Sync.
const (
	SyncFull   = "full"   // the disk has it, also if the power fails the next moment
	SyncNormal = "normal" // the operating system has it
)

// Retention says how long what people send is kept; 0 is for ever.
type Retention struct {
	Messages time.Duration `yaml:"messages"`
}

// Redis says where presence is kept.
type Redis struct {
	URL Secret `yaml:"url"` // redis://, rediss:// or unix://; empty: in this process
}

// Signalling is about the connection between a device and the hub.
type Signalling struct {
	Heartbeat    time.Duration `yaml:"heartbeat"`
	PresenceTTL  time.Duration `yaml:"presence_ttl"`
	ResumeWindow time.Duration `yaml:"resume_window"`
	RingTimeout  time.Duration `yaml:"ring_timeout"`
	SendQueue    int           `yaml:"send_queue"` // messages waiting for one device
}

// Limits bound what clients can ask for.
type Limits struct {
	MaxConnections              int `yaml:"max_connections"`
	MaxConnectionsPerAddress    int `yaml:"max_connections_per_address"`
	BodyBytes                   int `yaml:"body_bytes"`    // one HTTP request body
	MessageBytes                int `yaml:"message_bytes"` // one signalling message
	RegisterPerMinutePerAddress int `yaml:"register_per_minute_per_address"`
	SignInPerMinutePerAddress   int `yaml:"sign_in_per_minute_per_address"`
	SignInPerMinutePerUser      int `yaml:"sign_in_per_minute_per_user"`
}

// Default returns the configuration of a server that was told nothing.
func Default() Config {
	return Config{
		Data: "./data",
		Log:  Log{Level: "info", Format: "text"},
		Listen: Listen{
			SkipInterfaces: []string{
				"docker*", "br-*", "veth*", "virbr*", "cni*", "flannel*", "cali*", "podman*", "lxc*", "lxd*", "vmnet*",
				"vEthernet (WSL*", "vEthernet (Default*", "VMware*", "VirtualBox*",
				"tun*", "tap*", "wg*", "tailscale*", "zt*", "ppp*", "utun*", "Tailscale*", "ZeroTier*", "WireGuard*",
			},
			HTTPSPort: 8443,
			HTTPPort:  8080,
		},
		MDNS:         MDNS{Name: "fieldphone"},
		Session:      Session{TTL: 3 * time.Hour, Leeway: 2 * time.Minute, BcryptCost: 10},
		Registration: defaultRegistration(),
		Database:     Database{Sync: SyncFull},
		TURN: TURN{
			Realm:                    "fieldphone",
			Port:                     3478,
			RelayPorts:               PortRange{Min: 49160, Max: 49359},
			Peers:                    Peers{Mode: "clients"},
			MaxAllocationsPerSession: 12,
			AllocatesPerSecond:       20,
			BindingsPerSecond:        100,
			OnHTTPSPort:              true,
			MaxTCPConnections:        2000,
		},
		Relay: Relay{Path: "auto"},
		Signalling: Signalling{
			Heartbeat:    5 * time.Second,
			PresenceTTL:  15 * time.Second,
			ResumeWindow: 30 * time.Second,
			RingTimeout:  45 * time.Second,
			SendQueue:    256,
		},
		Announcements: defaultAnnouncements(),
		Limits: Limits{
			MaxConnections:              20000,
			MaxConnectionsPerAddress:    1024,
			BodyBytes:                   64 << 10,
			MessageBytes:                64 << 10,
			RegisterPerMinutePerAddress: 60,
			SignInPerMinutePerAddress:   120,
			SignInPerMinutePerUser:      10,
		},
		Files: defaultFiles(),
	}
}
