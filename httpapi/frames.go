package httpapi

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// How long, and for how many bytes, the rest of a refused request is taken.
const (
	lingerFor   = 2 * time.Second
	lingerBytes = 8 * maxBody
)

// frameListener makes connections within TLS frameConns.
type frameListener struct{ net.Listener }

// secureConn is a *tls.Conn or what looks like one.
type secureConn interface {
	net.Conn
	Handshake() error
	ConnectionState() tls.ConnectionState
	NetConn() net.Conn
}

// Accept implements net.Listener.
func (l frameListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if secure, ok := conn.(secureConn); ok {
		return &frameConn{secureConn: secure}, nil
	}
	return conn, err
}

// frameConn is a connection that can be waited for without anybody in the
// middle of a read, whose stack would be held meanwhile. From framed on it
// gives no more than the rest of a WebSocket frame at a time (RFC 6455, section
// 5.2), so that nothing of the next one is in a reader's buffer when a message
// has been read. Its methods, but for those of deadlines, are for one goroutine
// at a time.
type frameConn struct {
	secureConn
	isFramed bool
	header   [14]byte // of the frame that is being read
	got      int      // bytes of it
	left     uint64   // bytes of the frame's payload
	peeked   [1]byte
	holds    bool // peeked is to be read yet
	refused  bool // what comes is not read

	mu       sync.Mutex
	deadline time.Time // of reads
	peeking  bool
}

// framed says that frames follow.
func (c *frameConn) framed() { c.isFramed = true }

// Read implements net.Conn.
func (c *frameConn) Read(p []byte) (int, error) {
	if !c.isFramed || len(p) == 0 {
		return c.read(p)
	}
	if c.left > 0 {
		n, err := c.read(p[:min(uint64(len(p)), c.left)])
		c.left -= uint64(n)
		return n, err
	}
	size := c.headerSize()
	n, err := c.read(p[:min(len(p), size-c.got)])
	copy(c.header[c.got:], p[:n])
	c.got += n
	if c.got >= 2 && c.got == c.headerSize() {
		c.left, c.got = payloadSize(c.header), 0
	}
	return n, err
}

// headerSize is as much of the header as is known to come.
func (c *frameConn) headerSize() int {
	size := 2
	if c.got < 2 {
		return size
	}
	switch c.header[1] & 0x7f {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if c.header[1]&0x80 != 0 {
		size += 4
	}
	return size
}

func payloadSize(header [14]byte) uint64 {
	switch size := header[1] & 0x7f; size {
	case 126:
		return uint64(binary.BigEndian.Uint16(header[2:]))
	case 127:
		return binary.BigEndian.Uint64(header[2:])
	default:
		return uint64(size)
	}
}

func (c *frameConn) read(p []byte) (int, error) {
	if c.holds && len(p) > 0 {
		c.holds, p[0] = false, c.peeked[0]
		return 1, nil
	}
	return c.secureConn.Read(p)
}

// Close implements net.Conn. It first takes some of what the client still sends
// of a refused request: closed at once, TCP would reset the connection, which
// may take the answer from under the client (RFC 9112, section 9.6).
func (c *frameConn) Close() error {
	if c.refused && c.SetDeadline(time.Now().Add(lingerFor)) == nil {
		_, _ = io.CopyN(io.Discard, c, lingerBytes)
	}
	return c.secureConn.Close()
}

// SetReadDeadline implements net.Conn.
func (c *frameConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	if c.peeking {
		return nil
	}
	return c.secureConn.SetReadDeadline(t)
}

// SetDeadline implements net.Conn.
func (c *frameConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// arrived tells whether a read would return without the network.
func (c *frameConn) arrived() bool {
	if c.holds {
		return true
	}
	c.peek(true)
	n, err := c.secureConn.Read(c.peeked[:])
	c.peek(false)
	c.holds = n == 1
	return c.holds || err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// peek makes reads fail that would wait, or lets them wait again.
func (c *frameConn) peek(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.peeking = on
	if on {
		_ = c.secureConn.SetReadDeadline(time.Unix(1, 0))
	} else {
		_ = c.secureConn.SetReadDeadline(c.deadline)
	}
}

// wire is the connection below TLS as the system knows it; nil where it cannot
// be waited for.
func (c *frameConn) wire() syscall.RawConn {
	raw, ok := c.NetConn().(syscall.Conn)
	if !ok || !canAwait {
		return nil
	}
	wire, err := raw.SyscallConn()
	if err != nil {
		return nil
	}
	return wire
}
