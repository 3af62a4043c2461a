package turnsrv

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Config is all a Server needs.
type Config struct {
	// Realm is sent in challenges and is part of every key (RFC 8489 section
	// 9.2). Up to 127 bytes.
	Realm string
	// Secret makes the credentials; see package credential. At least 16 bytes.
	Secret []byte
	// Logger gets what an admin must know; never a line per packet.
	Logger *slog.Logger
	// Now is the clock that credentials and revocations are judged by.
	Now func() time.Time
	// Listeners are taken over: New and Close close them.
	Listeners []Listener
	// Relay is the range that relay ports are taken from, on every address.
	Relay PortRange
	// Policy says which peers may be reached through the relay.
	Policy Policy
	// Limits bounds what clients can use; zero fields get their default.
	Limits Limits
}

// Listener is one opened socket: exactly one of UDP and TCP is set.
type Listener struct {
	UDP *net.UDPConn
	// TCP may be any stream listener, TLS included, whose connections have
	// *net.TCPAddr addresses. Each connection says by itself what it is, so
	// that one listener may give both: the result of its method
	// Transport() string ("tcp" or "tls") if it has one; else "tls" if it has
	// ConnectionState() tls.ConnectionState, as *tls.Conn does; else "tcp".
	TCP net.Listener
	// Address is the local IP that clients of this socket relay by. For a TCP
	// listener that serves several addresses leave it zero: then each
	// connection relays by the address it came in on.
	Address netip.Addr
	// Advertised is what clients are told instead of Address, for a server
	// behind port forwarding. Zero means Address.
	Advertised netip.Addr

	opened bool
}

// PortRange is an inclusive range of UDP ports.
type PortRange struct{ Min, Max uint16 }

func (r PortRange) String() string { return fmt.Sprintf("%d-%d", r.Min, r.Max) }

func (r PortRange) size() int { return int(r.Max) - int(r.Min) + 1 }

func (r PortRange) contains(port uint16) bool { return port >= r.Min && port <= r.Max }

// Limits bounds what clients can use. Zero fields get the default named.
type Limits struct {
	// AllocationsPerSession is answered with 486 when exceeded. Default 12.
	AllocationsPerSession int
	// Allocations of all sessions together, answered with 508 when exceeded.
	// 0 means as many as there are relay ports.
	Allocations int
	// BitsPerAllocation and Bits (of all allocations together) are payload bits
	// per second in each direction; packets beyond that and a short burst are
	// dropped. 0 means no limit.
	BitsPerAllocation, Bits int64
	// AllocatesPerSource and BindingsPerSource are the requests per second that
	// one source address (IPv6: one /64) may send lastingly; a NAT hides many
	// clients behind one, so bursts of ten seconds' worth pass. Beyond it
	// Bindings and what is not authenticated are dropped, and authenticated
	// Allocates get 486. Default 20 and 100.
	AllocatesPerSource, BindingsPerSource float64
	// TCPConnections open at once, from everywhere. Default 4096.
	TCPConnections int
	// TCPConnectionsPerIP open at once from one address; a whole segment may
	// sit behind one NAT. Default 512.
	TCPConnectionsPerIP int
	// TCPFirstMessage is how long a TCP connection may take to send its first
	// valid message. Default 10 s.
	TCPFirstMessage time.Duration
	// TCPIdle is how long a TCP connection without an allocation may then be
	// silent. Default 2 min.
	TCPIdle time.Duration
	// CredentialLifetime is the longest lifetime of a credential that is
	// accepted, and how long a revocation is remembered. Default 24 h.
	CredentialLifetime time.Duration
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		value    *int
		fallback int
	}{
		{&l.AllocationsPerSession, 12},
		{&l.TCPConnections, 4096},
		{&l.TCPConnectionsPerIP, 512},
	} {
		if *f.value == 0 {
			*f.value = f.fallback
		}
	}
	for _, f := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&l.TCPFirstMessage, 10 * time.Second},
		{&l.TCPIdle, 2 * time.Minute},
		{&l.CredentialLifetime, 24 * time.Hour},
	} {
		if *f.value == 0 {
			*f.value = f.fallback
		}
	}
	for _, f := range []struct {
		value    *float64
		fallback float64
	}{
		{&l.AllocatesPerSource, 20},
		{&l.BindingsPerSource, 100},
	} {
		if *f.value == 0 {
			*f.value = f.fallback
		}
	}
	return l
}

func (l Limits) validate() error {
	if min(l.AllocationsPerSession, l.Allocations, l.TCPConnections, l.TCPConnectionsPerIP) < 0 ||
		min(l.TCPFirstMessage, l.TCPIdle, l.CredentialLifetime) < 0 ||
		min(l.BitsPerAllocation, l.Bits) < 0 || !(min(l.AllocatesPerSource, l.BindingsPerSource) >= 0) { // not a number is neither
		return errors.New("turn: limits: must not be negative")
	}
	return nil
}

const (
	maxRealm  = 127
	minSecret = 16
)

func (c Config) validate() error {
	var errs []error
	refuse := func(bad bool, sentence string) {
		if bad {
			errs = append(errs, errors.New(sentence))
		}
	}
	refuse(c.Realm == "" || len(c.Realm) > maxRealm, "turn: realm: must have 1 to 127 bytes")
	refuse(len(c.Secret) < minSecret, "turn: secret: must have at least 16 bytes")
	refuse(c.Logger == nil || c.Now == nil, "turn: logger and clock must be given")
	refuse(c.Relay.Min == 0 || c.Relay.Max < c.Relay.Min, "turn: relay_ports: must be a range MIN-MAX with 1 <= MIN <= MAX")
	errs = append(errs, c.Limits.validate())
	return errors.Join(errs...)
}

func (l Listener) validate(relay PortRange) error {
	if (l.UDP == nil) == (l.TCP == nil) {
		return errors.New("turn: listener: exactly one of UDP and TCP must be set")
	}
	if l.Advertised.IsValid() && !l.Address.IsValid() {
		return errors.New("turn: listener: an advertised address needs the local address it stands for")
	}
	if l.TCP != nil {
		return nil
	}
	local := addrPort(l.UDP.LocalAddr())
	if !l.Address.IsValid() || l.Address.IsUnspecified() || local.Addr().IsUnspecified() {
		return fmt.Errorf("turn: listener %s: a UDP socket must serve one local address, or answers leave from the wrong one", local)
	}
	if relay.contains(local.Port()) {
		return fmt.Errorf("turn: listener %s: its port lies in relay_ports %s; move one of them", local, relay)
	}
	return nil
}

func (l Listener) String() string {
	if l.UDP != nil {
		return "udp " + l.UDP.LocalAddr().String()
	}
	return "tcp " + l.TCP.Addr().String()
}

func (l Listener) close() error {
	if l.UDP != nil {
		return l.UDP.Close()
	}
	if l.TCP != nil {
		return l.TCP.Close()
	}
	return nil
}

// addrPort is the canonical form of a socket's address: IPv4 is never written
// as IPv6. It is the zero AddrPort if addr is of another kind.
func addrPort(addr net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := addr.(type) {
	case *net.UDPAddr:
		ap = a.AddrPort()
	case *net.TCPAddr:
		ap = a.AddrPort()
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
