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
	// Relay, Policy and Limits are the Settings to begin with; see Apply.
	Relay  PortRange
	Policy Policy
	Limits Limits
	// Path is how packets of a channel go through the server. PathAuto if empty.
	Path Path
	// AlternatePort is opened over UDP on each address for NAT behaviour
	// discovery (RFC 5780), while two or more addresses of one family are served
	// at the same port, and only then. 0 means the port after that one.
	AlternatePort uint16
	// Known says whether an address belongs to a client that this user's
	// session may reach, for ModeCall and ModeClients. It is asked when a client
	// names a peer, not for every packet, and must not block. Nil knows nobody:
	// then only this server's relay ports are reached.
	Known func(mode Mode, user, session string, peer netip.Addr) bool
	// Allocated is told of each allocation before its client is: whose it is,
	// and where the client speaks from. It must not block. It may be nil.
	Allocated func(user, session string, client netip.AddrPort)
}

func (c Config) settings() Settings {
	return Settings{Relay: c.Relay, Policy: c.Policy, Limits: c.Limits}
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
	// RelayBy, for a TCP listener without Address, gives the address that a
	// connection relays by from the local one that it came in on; false closes
	// the connection. Nil: the very address that it came in on.
	RelayBy func(local netip.Addr) (netip.Addr, bool)
	// Advertised is what clients are told instead of Address, for a server
	// behind port forwarding. Zero means Address. See also Server.Advertise.
	Advertised netip.Addr

	opened bool
	// more are sockets at the address of UDP, which take some of its clients.
	more []*net.UDPConn
}

// sockets are those over UDP, none of a TCP listener.
func (l Listener) sockets() []*net.UDPConn {
	if l.UDP == nil {
		return nil
	}
	return append([]*net.UDPConn{l.UDP}, l.more...)
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
	errs = append(errs, c.settings().validate(), c.Path.validate())
	return errors.Join(errs...)
}

func (l Listener) validate() error {
	if (l.UDP == nil) == (l.TCP == nil) {
		return errors.New("turn: listener: exactly one of UDP and TCP must be set")
	}
	if l.Advertised.IsValid() && !l.Address.IsValid() {
		return errors.New("turn: listener: an advertised address needs the local address it stands for")
	}
	if l.RelayBy != nil && (l.TCP == nil || l.Address.IsValid()) {
		return errors.New("turn: listener: RelayBy is for a TCP listener without Address")
	}
	if l.TCP != nil {
		return nil
	}
	local := addrPort(l.UDP.LocalAddr())
	if !l.Address.IsValid() || l.Address.IsUnspecified() || local.Addr().IsUnspecified() {
		return fmt.Errorf("turn: listener %s: a UDP socket must serve one local address, or answers leave from the wrong one", local)
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
	if l.TCP != nil {
		return l.TCP.Close()
	}
	var errs []error
	for _, conn := range l.sockets() {
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
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
