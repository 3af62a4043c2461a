package oneport

import (
	"crypto/tls"
	"net"
	"sync"
)

// door is the net.Listener of one of the protocols.
type door struct {
	addr   net.Addr
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func newDoor(addr net.Addr) *door {
	return &door{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// hand waits until the connection is accepted; false if nobody will.
func (d *door) hand(conn net.Conn) bool {
	if conn == nil {
		return false
	}
	select {
	case d.conns <- conn:
		return true
	case <-d.closed:
		return false
	}
}

// Accept implements net.Listener.
func (d *door) Accept() (net.Conn, error) {
	select {
	case conn := <-d.conns:
		return conn, nil
	case <-d.closed:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: d.addr, Err: net.ErrClosed}
	}
}

func (d *door) shut() { d.once.Do(func() { close(d.closed) }) }

// Close implements net.Listener.
func (d *door) Close() error {
	d.shut()
	return nil
}

// Addr implements net.Listener.
func (d *door) Addr() net.Addr { return d.addr }

// begunConn gives back the byte that was read of it; from then on it is the
// connection itself.
type begunConn struct {
	net.Conn
	first  byte
	unread bool // belongs to the reader
}

// Read implements net.Conn.
func (c *begunConn) Read(p []byte) (int, error) {
	if c.unread && len(p) > 0 {
		c.unread, p[0] = false, c.first
		return 1, nil
	}
	return c.Conn.Read(p)
}

// Unwrap gives the connection as it was accepted.
func (c *begunConn) Unwrap() net.Conn { return c.Conn }

// begunTLS is the same for the inside of TLS.
type begunTLS struct {
	*tls.Conn
	first  byte
	unread bool
}

// Read implements net.Conn.
func (c *begunTLS) Read(p []byte) (int, error) {
	if c.unread && len(p) > 0 {
		c.unread, p[0] = false, c.first
		return 1, nil
	}
	return c.Conn.Read(p)
}

// turnConn is a connection to TURN.
type turnConn struct {
	net.Conn
	wire net.Conn
	over string
}

// Transport is "tcp" or "tls".
func (c turnConn) Transport() string { return c.over }

// Close ends the connection at once: a farewell within TLS would wait for a
// client that reads nothing, while its session is over.
func (c turnConn) Close() error { return c.wire.Close() }
