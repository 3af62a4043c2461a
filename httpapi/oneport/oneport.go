// Package oneport lets one TCP port speak HTTPS and TURN, so that a firewall
// with a single open port lets page, signalling and media through. It tells
// them apart by the first byte: a TLS handshake begins with 0x16 (RFC 8446
// section 5.1), a STUN message with 0x00 to 0x03 (RFC 8489 section 5); a
// connection to TURN never begins with ChannelData. Within TLS it goes by ALPN
// (RFC 7443), and without by the first byte again: no HTTP method begins so.
package oneport

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Config is all a Port needs.
type Config struct {
	TLS *tls.Config // of HTTPS and TURN alike; http/1.1 and stun.turn are its ALPN names
	// Patience is how long a connection may take until it is told what it is:
	// first byte, handshake and, without ALPN, first byte within TLS. Default 10 s.
	Patience time.Duration
	Logger   *slog.Logger
}

const (
	defaultPatience = 10 * time.Second
	// acceptPause is how long the port rests when the system has no more
	// connections to give.
	acceptPause = 50 * time.Millisecond
	alpnHTTP    = "http/1.1"
	alpnTURN    = "stun.turn"
)

// Port is a listener and what it hands out.
type Port struct {
	listener net.Listener
	config   Config
	https    *door
	turn     *door

	mu      sync.Mutex
	closed  bool
	sorting map[net.Conn]struct{} // not told apart yet
	running sync.WaitGroup
}

// New takes ln over and begins to tell its connections apart. Closing either
// of what HTTPS and TURN return closes the connections for it alone; Close
// closes everything.
func New(ln net.Listener, config Config) *Port {
	if config.Patience == 0 {
		config.Patience = defaultPatience
	}
	p := &Port{
		listener: ln, config: config, sorting: make(map[net.Conn]struct{}),
		https: newDoor(ln.Addr()), turn: newDoor(ln.Addr()),
	}
	p.running.Go(p.accept)
	return p
}

// HTTPS gives the connections that speak HTTPS, with the handshake done. Each
// is a *tls.Conn or has its methods Handshake and ConnectionState.
func (p *Port) HTTPS() net.Listener { return p.https }

// TURN gives the connections that speak TURN. Their method Transport says over
// what: "tcp" or "tls".
func (p *Port) TURN() net.Listener { return p.turn }

// Close closes the port and each connection that was not handed out, and waits
// until nothing is left running.
func (p *Port) Close() error {
	p.mu.Lock()
	p.closed = true
	for conn := range p.sorting {
		conn.Close()
	}
	p.mu.Unlock()
	err := p.listener.Close()
	p.https.shut()
	p.turn.shut()
	p.running.Wait()
	return err
}

// accept never waits for a client: each connection is told apart by itself.
func (p *Port) accept() {
	var warned time.Time
	for {
		conn, err := p.listener.Accept()
		if err == nil {
			p.take(conn)
			continue
		}
		if errors.Is(err, net.ErrClosed) || p.isClosed() {
			p.https.shut()
			p.turn.shut()
			return
		}
		if now := time.Now(); now.Sub(warned) > time.Minute {
			warned = now
			p.config.Logger.Warn("cannot accept connections; raise the limit of open files", "address", p.listener.Addr().String(), "error", err)
		}
		<-time.After(acceptPause)
	}
}

func (p *Port) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

func (p *Port) take(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		conn.Close()
		return
	}
	p.sorting[conn] = struct{}{}
	p.running.Go(func() {
		to, told := p.tell(conn)
		p.mu.Lock()
		delete(p.sorting, conn)
		p.mu.Unlock()
		if to == nil || !to.hand(told) {
			conn.Close()
		}
	})
}

// tell finds out what a connection speaks. It returns nil for what it cannot
// know within the time given.
func (p *Port) tell(conn net.Conn) (*door, net.Conn) {
	if conn.SetDeadline(time.Now().Add(p.config.Patience)) != nil {
		return nil, nil
	}
	first, err := readByte(conn)
	if err != nil {
		return nil, nil
	}
	begun := &begunConn{Conn: conn, first: first, unread: true}
	switch {
	case isSTUN(first):
		return p.turn, ready(conn, turnConn{begun, conn, "tcp"})
	case first == recordHandshake:
		return p.tellTLS(conn, begun)
	}
	return nil, nil
}

func (p *Port) tellTLS(conn net.Conn, begun net.Conn) (*door, net.Conn) {
	secure := tls.Server(begun, p.config.TLS)
	if secure.Handshake() != nil {
		return nil, nil
	}
	switch secure.ConnectionState().NegotiatedProtocol {
	case alpnHTTP:
		return p.https, ready(conn, secure)
	case alpnTURN:
		return p.turn, ready(conn, turnConn{secure, conn, "tls"})
	}
	first, err := readByte(secure)
	if err != nil {
		return nil, nil
	}
	again := &begunTLS{Conn: secure, first: first, unread: true}
	if isSTUN(first) {
		return p.turn, ready(conn, turnConn{again, conn, "tls"})
	}
	return p.https, ready(conn, again)
}

// ready takes the deadline away: from here on the connection has the ones of
// who serves it.
func ready(conn, told net.Conn) net.Conn {
	if conn.SetDeadline(time.Time{}) != nil {
		return nil
	}
	return told
}

const recordHandshake = 0x16

func isSTUN(first byte) bool { return first < 4 }

func readByte(conn net.Conn) (byte, error) {
	var one [1]byte
	for {
		n, err := conn.Read(one[:])
		if n == 1 {
			return one[0], nil
		}
		if err != nil {
			return 0, err
		}
	}
}
