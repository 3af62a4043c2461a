package turnsrv

import (
	"bufio"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v3"
)

// udpSocket is a listener's UDP socket.
type udpSocket struct {
	conn      *net.UDPConn
	counters  *counters
	localAddr net.Addr
	clients   map[netip.AddrPort]*net.UDPAddr
	upward    *upward // nil on the plain path
}

func newUDPSocket(conn *net.UDPConn, c *counters) *udpSocket {
	return &udpSocket{
		conn: conn, counters: c, localAddr: conn.LocalAddr(),
		clients: make(map[netip.AddrPort]*net.UDPAddr),
	}
}

// forwardFor makes the socket forward what belongs to channels.
func (u *udpSocket) forwardFor(e *endpoint) error {
	up, err := newUpward(u.conn)
	if err != nil {
		return err
	}
	up.endpoint = e
	e.direct, u.upward = up.socket, up
	return nil
}

// receive reads one datagram.
func (u *udpSocket) receive(p []byte) (int, netip.AddrPort, error) {
	if u.upward == nil {
		n, from, err := u.conn.ReadFromUDPAddrPort(p)
		return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), err
	}
	packet, from, err := u.upward.next()
	return copy(p, packet), from, err
}

// read outlives errors that concern one packet: some systems report an
// oversized datagram, or an earlier packet that found nobody, as one.
func (u *udpSocket) read(p []byte) (int, netip.AddrPort, error) {
	for failures := 0; ; {
		n, from, err := u.receive(p)
		switch {
		case errors.Is(err, errNudged):
			return 0, netip.AddrPort{}, err
		case err != nil:
			if failures++; errors.Is(err, net.ErrClosed) || failures > maxReadFailures {
				return 0, netip.AddrPort{}, err
			}
		case n == len(p):
			u.counters.oversized.Add(1)
		default:
			return n, from, nil
		}
	}
}

func (u *udpSocket) write(p []byte, to netip.AddrPort) error {
	if u.upward != nil {
		return u.upward.socket.Send(p, to)
	}
	_, err := u.conn.WriteToUDPAddrPort(p, to)
	return err
}

func (u *udpSocket) close() {
	_ = u.conn.Close()
	if u.upward != nil {
		u.upward.close()
	}
}

func (u *udpSocket) local() net.Addr           { return u.localAddr }
func (u *udpSocket) transport() transport      { return overUDP }
func (u *udpSocket) traffic() *trafficCounters { return &u.counters.udp }

// address is called by the reader alone; without the cache every packet would
// make a new *net.UDPAddr.
func (u *udpSocket) address(client netip.AddrPort) net.Addr {
	addr, known := u.clients[client]
	if !known {
		if len(u.clients) >= maxClientAddrs {
			clear(u.clients)
		}
		addr = net.UDPAddrFromAddrPort(client)
		u.clients[client] = addr
	}
	return addr
}

// frameBuffer (bytes) holds the largest frame that is relayed.
const frameBuffer = 2048

// writePatience is how long a client may take to read what is sent to it; the
// deadline is moved on at half of that, not on every packet.
const writePatience = 20 * time.Second

var errNotTURN = errors.New("turn: neither STUN nor ChannelData on this connection")

// tcpSocket is one client's TCP connection. It finds the frames by itself: each
// STUN message and each ChannelData, the latter padded to a multiple of four
// (RFC 8656 section 12.5).
type tcpSocket struct {
	conn     net.Conn
	via      transport
	reader   *bufio.Reader
	counters *counters
	remote   netip.AddrPort
	idle     time.Duration
	// inUse reports whether the connection has an allocation; then silence is
	// no reason to close it.
	inUse func() bool

	frames  uint64 // since start
	checked uint64 // frames when the deadline was last set
	skip    int    // rest of an oversized frame

	armed atomic.Int64 // when the write deadline was last moved, Unix nanoseconds

	outbox outbox
}

func newTCPSocket(conn net.Conn, remote netip.AddrPort, c *counters, idle time.Duration) *tcpSocket {
	return &tcpSocket{
		conn: conn, via: transportOf(conn), reader: bufio.NewReaderSize(conn, frameBuffer),
		counters: c, remote: remote, idle: idle,
	}
}

// awaitFirst waits for a whole, valid STUN message, without consuming it.
func (t *tcpSocket) awaitFirst(patience time.Duration) error {
	if err := t.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	size, err := t.peekFrame()
	if err != nil {
		return err
	}
	frame, err := t.reader.Peek(size)
	if err != nil {
		return err
	}
	var m stun.Message
	if size < stunHeader || stun.Decode(frame, &m) != nil {
		return errNotTURN
	}
	return t.conn.SetReadDeadline(time.Now().Add(t.idle))
}

// peekFrame waits for a frame's header and returns its whole size. Every
// frame has at least four bytes of header.
func (t *tcpSocket) peekFrame() (int, error) {
	header, err := t.reader.Peek(headerSize)
	if err != nil {
		return 0, err
	}
	switch size := frameSize(header); {
	case header[0]&0xc0 == 0x40:
		return size, nil
	case header[0] < 4 && size%4 == 0:
		if header, err = t.reader.Peek(stunHeader); err != nil {
			return 0, err
		}
		if stun.IsMessage(header) {
			return size, nil
		}
	}
	return 0, errNotTURN
}

// frameSize is the whole size of the frame that begins so, if it is one.
func frameSize(header []byte) int {
	size := int(binary.BigEndian.Uint16(header[2:]))
	if header[0]&0xc0 == 0x40 {
		return headerSize + (size+3)&^3
	}
	return stunHeader + size
}

func (t *tcpSocket) read(p []byte) (int, netip.AddrPort, error) {
	for {
		n, err := t.next(p)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && t.stillWanted():
			continue
		case errors.Is(err, errNotTURN):
			t.counters.malformed.Add(1)
			return 0, t.remote, err
		case err != nil:
			return 0, t.remote, err
		case n > 0:
			t.frames++
			return n, t.remote, nil
		}
	}
}

// next consumes whole frames only, so that it can be called again after a
// deadline. It returns 0 for one that was skipped.
func (t *tcpSocket) next(p []byte) (int, error) {
	for t.skip > 0 {
		n, err := t.reader.Discard(min(t.skip, frameBuffer))
		t.skip -= n
		if err != nil {
			return 0, err
		}
	}
	size, err := t.peekFrame()
	if err != nil {
		return 0, err
	}
	// pion/turn takes a full buffer for a truncated packet.
	if size >= len(p) || size > frameBuffer {
		t.counters.oversized.Add(1)
		t.skip = size
		return 0, nil
	}
	frame, err := t.reader.Peek(size)
	if err != nil {
		return 0, err
	}
	copy(p, frame)
	_, err = t.reader.Discard(size)
	return size, err
}

// stillWanted is asked after each idle period, and starts the next.
func (t *tcpSocket) stillWanted() bool {
	if t.frames == t.checked && !t.inUse() {
		t.counters.tcpIdle.Add(1)
		return false
	}
	t.checked = t.frames
	return t.conn.SetReadDeadline(time.Now().Add(t.idle)) == nil
}

// write closes the connection when it fails: half a frame may have been sent.
func (t *tcpSocket) write(p []byte, _ netip.AddrPort) error {
	now := time.Now()
	if armed := t.armed.Load(); now.UnixNano()-armed > int64(writePatience/2) && t.armed.CompareAndSwap(armed, now.UnixNano()) {
		if err := t.conn.SetWriteDeadline(now.Add(writePatience)); err != nil {
			return err
		}
	}
	_, err := t.conn.Write(p)
	if err != nil {
		t.conn.Close()
	}
	return err
}

// close does not wait for a client that reads nothing: over TLS a goodbye would
// be sent first, with five seconds' patience, while others are to be ended too.
func (t *tcpSocket) close() {
	if c, ok := t.conn.(interface{ NetConn() net.Conn }); ok {
		c.NetConn().Close()
	}
	t.conn.Close()
}

func (t *tcpSocket) local() net.Addr      { return t.conn.LocalAddr() }
func (t *tcpSocket) transport() transport { return t.via }

func (t *tcpSocket) traffic() *trafficCounters {
	if t.via == overTLS {
		return &t.counters.tls
	}
	return &t.counters.tcp
}

func (t *tcpSocket) address(netip.AddrPort) net.Addr { return t.conn.RemoteAddr() }
