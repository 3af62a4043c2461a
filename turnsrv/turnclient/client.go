// Package turnclient is a STUN and TURN client (RFC 8489, RFC 8656) for finding out
// what works between here and a server, and what does not: it keeps the error code of each
// refusal, asks nothing by itself, and has one channel, which is all that a test needs.
package turnclient

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

// Network is how a client speaks to the server.
type Network string

// The transports between client and server (RFC 8656 section 3.1).
const (
	UDP Network = "udp"
	TCP Network = "tcp"
	TLS Network = "tls"
)

// Target is where to reach a server, and how.
type Target struct {
	Network Network
	Address netip.AddrPort
	TLS     *tls.Config // for TLS; its ServerName must be set
	Local   netip.Addr  // to speak from; the zero value lets the system choose
}

// String is like 10.77.1.2:3478/udp.
func (t Target) String() string { return fmt.Sprintf("%s/%s", t.Address, t.Network) }

// Error is a refusal by the server.
type Error struct {
	Method string
	Code   int // RFC 8489 section 14.8, RFC 8656 section 18.4
	Reason string
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("turn: %s was refused with %d %s", e.Method, e.Code, e.Reason)
}

// ErrNoAnswer means that the server was silent until the wait was over.
var ErrNoAnswer = errors.New("turn: no answer")

const (
	maxFrame   = 2048    // bytes of one message that is read
	readBuffer = 1 << 20 // bytes, so that a busy machine is not taken for a bad path
	streamWait = 5 * time.Second
	firstRTO   = 250 * time.Millisecond // then doubled (RFC 8489 section 6.2.1)
	tries      = 4

	// Channel is the number of the one channel: the first of RFC 8656 section 12.
	Channel = 0x4000
)

// Client is one 5-tuple. Requests are made by one goroutine at a time; Send may be called
// by another than Receive.
type Client struct {
	target Target
	conn   net.Conn
	stream *bufio.Reader // nil over UDP
	buffer []byte

	username, password, realm, nonce string

	allocated bool
	waiting   [][]byte // channel data that came before it was asked for
}

// Dial connects, over TLS with a handshake. Nothing is asked of the server yet.
func Dial(ctx context.Context, target Target) (*Client, error) {
	dialer := &net.Dialer{}
	network := "tcp"
	if target.Network == UDP {
		network = "udp"
	}
	if target.Local.IsValid() {
		if network == "udp" {
			dialer.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(target.Local, 0))
		} else {
			dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(target.Local, 0))
		}
	}
	conn, err := dialer.DialContext(ctx, network, target.Address.String())
	if err != nil {
		return nil, fmt.Errorf("turn: connect to %s: %w", target, err)
	}
	if target.Network == TLS {
		secure := tls.Client(conn, target.TLS)
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, fmt.Errorf("turn: TLS with %s: %w", target, err)
		}
		conn = secure
	}
	if udp, ok := conn.(*net.UDPConn); ok {
		_ = udp.SetReadBuffer(readBuffer) // as far as the kernel grants it
	}
	c := &Client{target: target, conn: conn, buffer: make([]byte, maxFrame)}
	if target.Network != UDP {
		c.stream = bufio.NewReaderSize(conn, maxFrame)
	}
	return c, nil
}

// SignIn sets the credential for all that follows.
func (c *Client) SignIn(username, password string) { c.username, c.password = username, password }

// Local is the address that this client speaks from.
func (c *Client) Local() netip.AddrPort {
	ap, err := netip.ParseAddrPort(c.conn.LocalAddr().String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// Stream tells whether the server is reached over TCP or TLS.
func (c *Client) Stream() bool { return c.stream != nil }

// Conn is the socket beneath, for those who make frames by themselves. It is not
// to be used beside Send and Receive.
func (c *Client) Conn() net.Conn { return c.conn }

// Close ends the connection. An allocation that was not released ends by itself: at once
// over TCP and TLS, after its lifetime over UDP.
func (c *Client) Close() error { return c.conn.Close() }

// frame reads one STUN message or ChannelData. It is valid until the next call.
func (c *Client) frame(deadline time.Time) ([]byte, error) {
	if err := c.conn.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	if c.stream == nil {
		n, err := c.conn.Read(c.buffer)
		return c.buffer[:n], err
	}
	head, err := c.stream.Peek(4)
	if err != nil {
		return nil, err
	}
	size := 4 + int(binary.BigEndian.Uint16(head[2:]))
	if head[0] < 0x40 {
		size += 16 // the rest of a STUN header
	} else {
		size = (size + 3) &^ 3 // RFC 8656 section 12.5
	}
	if size > maxFrame {
		return nil, fmt.Errorf("turn: a frame of %d bytes from %s: this is no TURN server", size, c.target)
	}
	frame, err := c.stream.Peek(size) // half a frame stays for the next call
	if err != nil {
		return nil, err
	}
	_, err = c.stream.Discard(size)
	return frame, err
}

// isChannelData tells ChannelData from STUN by the first byte (RFC 8656 section 12).
func isChannelData(frame []byte) bool { return len(frame) >= 4 && frame[0] >= 0x40 && frame[0] < 0x50 }

func payload(frame []byte) []byte {
	return frame[4:min(len(frame), 4+int(binary.BigEndian.Uint16(frame[2:])))]
}

// Send sends one datagram to the peer of BindChannel.
func (c *Client) Send(data []byte) error {
	frame := binary.BigEndian.AppendUint16(make([]byte, 0, len(data)+8), Channel)
	frame = binary.BigEndian.AppendUint16(frame, uint16(len(data)))
	frame = append(frame, data...)
	if c.stream != nil {
		frame = append(frame, make([]byte, (4-len(data)%4)%4)...)
	}
	_, err := c.conn.Write(frame)
	return err
}

// Receive returns the next datagram from the peer of BindChannel, or an error that is a
// timeout when the deadline is over. It is valid until the next call.
func (c *Client) Receive(deadline time.Time) ([]byte, error) {
	if len(c.waiting) > 0 {
		data := c.waiting[0]
		c.waiting = c.waiting[1:]
		return data, nil
	}
	for {
		frame, err := c.frame(deadline)
		if err != nil {
			return nil, err
		}
		if isChannelData(frame) {
			return payload(frame), nil
		}
	}
}

func addressIn(m *stun.Message, attribute stun.AttrType) (netip.AddrPort, error) {
	var a stun.XORMappedAddress
	if err := a.GetFromAs(m, attribute); err != nil {
		return netip.AddrPort{}, fmt.Errorf("turn: an answer without %v: %w", attribute, err)
	}
	ip, _ := netip.AddrFromSlice(a.IP)
	return netip.AddrPortFrom(ip.Unmap(), uint16(a.Port)), nil
}
