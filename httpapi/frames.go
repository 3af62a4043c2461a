package httpapi

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"

	"fieldphone/httpapi/crew"
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

// frameConn is a connection of which a crew can take over the reading. From
// then on it gives one whole WebSocket message (RFC 6455, section 5) at a time,
// so that whoever reads one neither waits nor holds anything of the next.
type frameConn struct {
	secureConn
	refused bool // what comes is not read

	served  *crew.Conn // nil until served
	most    int        // bytes of a message
	begun   []byte     // of a message that is not complete
	message []byte     // that is being read
	control bool       // it is a control frame
	none    bool       // an empty message stands for what would follow
}

// serve lets a crew read from now on. False means that the connection is none
// for it.
func (c *frameConn) serve(by *crew.Crew, mostBytes int) bool {
	for under := c.NetConn(); ; {
		switch conn := under.(type) {
		case *limitedConn:
			served, err := conn.adopt(by)
			c.served, c.most = served, mostBytes
			return err == nil
		case interface{ Unwrap() net.Conn }:
			under = conn.Unwrap()
		default:
			return false
		}
	}
}

// emptyMessage is a client's frame of no text.
var emptyMessage = []byte{0x81, 0x80, 0, 0, 0, 0}

// Read implements net.Conn.
func (c *frameConn) Read(p []byte) (int, error) {
	if c.served == nil {
		return c.secureConn.Read(p)
	}
	if len(c.message) == 0 && c.control {
		// What reads the frame will not return before a message follows.
		c.message, c.control, c.none = emptyMessage, false, true
	}
	if len(c.message) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, c.message)
	c.message = c.message[n:]
	return n, nil
}

// arrive reads what has arrived, by way of the buffer, and calls receive when a
// message can be read. More tells whether something may be left, alive whether
// the connection is; it ends if receive says so.
func (c *frameConn) arrive(buffer []byte, receive func() bool) (more, alive bool) {
	for range maxArrivals {
		n, err := c.secureConn.Read(buffer)
		if n > 0 && !c.divide(buffer[:n], receive) {
			return false, false
		}
		if err != nil {
			return false, errors.Is(err, crew.ErrAgain)
		}
	}
	return true, true
}

// maxArrivals is how many reads a connection has before others have their turn.
const maxArrivals = 16

// divide takes what arrived apart into messages.
func (c *frameConn) divide(data []byte, receive func() bool) bool {
	if len(c.begun) > 0 {
		c.begun = append(c.begun, data...)
		data = c.begun
	}
	rest := data
	for {
		n := messageSize(rest, c.most)
		if n == 0 {
			break
		}
		c.message, c.control, c.none = rest[:n], rest[0]&controlFrame != 0, false
		rest = rest[n:]
		if !receive() {
			return false
		}
	}
	switch {
	case len(rest) == 0:
		c.begun = nil
	case len(rest) < len(data) || len(c.begun) == 0:
		c.begun = append([]byte(nil), rest...)
	}
	return true
}

// Parts of a frame's first two bytes.
const (
	finalFrame   = 0x80
	controlFrame = 0x08
	maskedFrame  = 0x80
)

// maxControl (bytes) is the most that a control frame may hold.
const maxControl = 125

// messageSize is how many bytes the first message of data has, or the control
// frame before it; 0 means that it is not complete. What can be no message
// of at most so many bytes is all taken for one: who reads it will say so.
func messageSize(data []byte, most int) int {
	at, payloads := 0, 0
	for len(data) <= 2*most {
		header, payload, ok := frameSize(data[at:])
		if !ok {
			return 0
		}
		control := data[at]&controlFrame != 0
		if payload > uint64(most) || control && payload > maxControl {
			return len(data)
		}
		last := data[at]&finalFrame != 0
		if !control {
			payloads += int(payload)
		}
		if payloads > most {
			return len(data)
		}
		first := at == 0
		if at += header + int(payload); at > len(data) {
			return 0
		}
		if control && first || !control && last {
			return at
		}
	}
	return len(data)
}

// frameSize reads a frame's header.
func frameSize(data []byte) (header int, payload uint64, ok bool) {
	header = 2
	if len(data) < header {
		return 0, 0, false
	}
	size := data[1] &^ maskedFrame
	switch size {
	case 126:
		header += 2
	case 127:
		header += 8
	}
	if len(data) < header {
		return 0, 0, false
	}
	switch size {
	case 126:
		payload = uint64(binary.BigEndian.Uint16(data[2:]))
	case 127:
		payload = binary.BigEndian.Uint64(data[2:])
	default:
		payload = uint64(size)
	}
	if data[1]&maskedFrame != 0 {
		header += 4
	}
	return header, payload, true
}

// Close implements net.Conn. It first takes some of what the client still sends
// of a refused request: closed at once, TCP would reset the connection, which
// may take the answer from under the client (RFC 9112, section 9.6).
func (c *frameConn) Close() error {
	if c.refused && c.SetDeadline(time.Now().Add(lingerFor)) == nil {
		_, _ = io.CopyN(io.Discard, c.secureConn, lingerBytes)
	}
	return c.secureConn.Close()
}
