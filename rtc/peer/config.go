package peer

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"time"

	"fieldphone/rtc"
)

// Config says who connects, to where, and how.
type Config struct {
	// URL is the server's origin, such as https://192.168.1.5:8443.
	URL string
	// Connect, if set, opens a Wire to a hub of this process, in place of URL and
	// Password. Such a Peer asks for no ICE servers.
	Connect func() (Wire, error)
	// TLS verifies the server, its API and its turns: addresses; nil means the
	// system's certificate authorities.
	TLS *tls.Config
	// LocalAddr is the address to connect from; the zero value lets the system
	// choose. For candidates see ICE.Address.
	LocalAddr netip.Addr

	User     string // user id
	Password string
	// Register creates the account first; one that exists is then signed in to.
	Register bool
	Name     string // for Register

	// Device names this device; empty means a fresh name.
	Device string
	ICE    ICE
	// Mirror, if not 0, sends back what arrives, that much later, in place of
	// generated sound and picture.
	Mirror time.Duration
	// Logger hears what goes wrong and, at debug level, what pion says; nil
	// discards.
	Logger *slog.Logger
}

// ICE limits the ways that calls may take.
type ICE struct {
	// RelayOnly offers relay candidates alone.
	RelayOnly bool
	// Loopback adds host candidates on loopback addresses.
	Loopback bool
	// Interface, if set, keeps the interfaces to gather on.
	Interface func(name string) bool
	// Address, if set, keeps the local addresses to gather on, also those that
	// relays are asked from.
	Address func(netip.Addr) bool
	// Sockets, if set, opens the sockets for the host candidates of one
	// connection, which closes them. Each is bound to one address.
	Sockets func() ([]net.PacketConn, error)
	// Server, if set, keeps the STUN and TURN URLs to use (RFC 7064, RFC 7065).
	Server func(url string) bool
}

func (cfg Config) validate() (*url.URL, error) {
	if cfg.Device != "" {
		if err := (&rtc.Hello{Device: cfg.Device}).Validate(); err != nil {
			return nil, fmt.Errorf("peer: Device: %w", err)
		}
	}
	if cfg.Connect != nil {
		return nil, nil
	}
	base, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("peer: URL: %w", err)
	}
	if base.Scheme != "https" && base.Scheme != "http" || base.Host == "" || base.User != nil {
		return nil, errors.New("peer: URL must be like https://HOST:PORT")
	}
	if cfg.User == "" || cfg.Password == "" {
		return nil, errors.New("peer: User and Password must be set")
	}
	if cfg.Register && cfg.Name == "" {
		return nil, errors.New("peer: Name must be set to register")
	}
	return base, nil
}
