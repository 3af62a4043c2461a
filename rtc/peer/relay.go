package peer

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/pion/stun/v3"
	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
)

const (
	relayDialTimeout  = 5 * time.Second
	relayWriteTimeout = 5 * time.Second
	stunHeader        = 20 // bytes, RFC 8489, section 5
	channelHeader     = 4  // bytes, RFC 8656, section 12.4
)

// relayNet lets pion ask relays over TCP and TLS. What such a relay relays is
// UDP all the same (RFC 8656, section 3), but pion would signal its candidates
// as TCP ones and pair them with nothing else; nor can pion be told whom to
// trust. So pion is given an address in 240.0.0.0/4, which no network routes,
// with UDP, and what it sends there goes over a stream to the relay.
type relayNet struct {
	transport.Net
	ctx    context.Context
	dialer *net.Dialer
	tls    *tls.Config

	relays map[netip.AddrPort]relayTarget // filled before the first use

	mu    sync.Mutex
	asked map[int]string // the protocol used from a local UDP port
}

type relayTarget struct {
	address string
	secure  bool
}

func newRelayNet(ctx context.Context, dialer *net.Dialer, config *tls.Config) (*relayNet, error) {
	system, err := stdnet.NewNet()
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	return &relayNet{
		Net: system, ctx: ctx, dialer: dialer, tls: config,
		relays: map[netip.AddrPort]relayTarget{}, asked: map[int]string{},
	}, nil
}

// disguise turns the URI of a relay over TCP or TLS into one that pion asks
// over UDP. Others are returned as they are.
func (n *relayNet) disguise(uri *stun.URI) *stun.URI {
	if uri.Proto != stun.ProtoTypeTCP || len(n.relays) >= 255 {
		return uri
	}
	standIn := netip.AddrPortFrom(netip.AddrFrom4([4]byte{240, 0, 0, byte(len(n.relays) + 1)}), uint16(uri.Port))
	n.relays[standIn] = relayTarget{
		address: net.JoinHostPort(uri.Host, fmt.Sprint(uri.Port)), secure: uri.Scheme == stun.SchemeTypeTURNS,
	}
	return &stun.URI{Scheme: stun.SchemeTypeTURN, Host: standIn.Addr().String(), Port: uri.Port, Proto: stun.ProtoTypeUDP}
}

// protocol is how the relay of a candidate was asked: udp, tcp or tls.
func (n *relayNet) protocol(relatedPort uint16) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if protocol, ok := n.asked[int(relatedPort)]; ok {
		return protocol
	}
	return "udp"
}

// ListenPacket implements transport.Net. Pion calls it for relays alone.
func (n *relayNet) ListenPacket(network, address string) (net.PacketConn, error) {
	conn, err := n.Net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(n.ctx)
	return &relayConn{PacketConn: conn, net: n, ctx: ctx, cancel: cancel}, nil
}

// relayConn is a UDP socket until the first packet to a stand-in address, and a
// stream to that relay from then on.
type relayConn struct {
	net.PacketConn
	net    *relayNet
	ctx    context.Context // until Close
	cancel context.CancelFunc

	mu     sync.Mutex
	stream *relayStream
}

type relayStream struct {
	net.Conn
	reader *bufio.Reader
	remote net.Addr // the stand-in
}

// WriteTo implements net.PacketConn.
func (c *relayConn) WriteTo(packet []byte, addr net.Addr) (int, error) {
	udp, ok := addr.(*net.UDPAddr)
	if !ok {
		return c.PacketConn.WriteTo(packet, addr)
	}
	standIn := udp.AddrPort()
	target, ok := c.net.relays[netip.AddrPortFrom(standIn.Addr().Unmap(), standIn.Port())]
	if !ok {
		return c.PacketConn.WriteTo(packet, addr)
	}
	stream, err := c.connect(target, addr)
	if err != nil {
		return 0, err
	}
	if err := stream.SetWriteDeadline(time.Now().Add(relayWriteTimeout)); err != nil {
		return 0, err
	}
	framed := packet
	if extra := len(packet) % 4; extra != 0 { // ChannelData is padded over TCP
		framed = append(append(make([]byte, 0, len(packet)+3), packet...), make([]byte, 4-extra)...)
	}
	if _, err := stream.Write(framed); err != nil {
		_ = stream.Close() // half a message may be out
		return 0, err
	}
	return len(packet), nil
}

// connect opens the stream, once, and wakes a reader that waits on the socket.
func (c *relayConn) connect(target relayTarget, standIn net.Addr) (*relayStream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stream != nil {
		return c.stream, nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, relayDialTimeout)
	defer cancel()
	var conn net.Conn
	var err error
	protocol := "tcp"
	if target.secure {
		protocol = "tls"
		conn, err = (&tls.Dialer{NetDialer: c.net.dialer, Config: c.net.tls}).DialContext(ctx, "tcp", target.address)
	} else {
		conn, err = c.net.dialer.DialContext(ctx, "tcp", target.address)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to relay %s: %w", target.address, err)
	}
	if udp, ok := c.LocalAddr().(*net.UDPAddr); ok {
		c.net.mu.Lock()
		c.net.asked[udp.Port] = protocol
		c.net.mu.Unlock()
	}
	c.stream = &relayStream{Conn: conn, reader: bufio.NewReader(conn), remote: standIn}
	return c.stream, c.SetReadDeadline(time.Unix(1, 0))
}

// ReadFrom implements net.PacketConn.
func (c *relayConn) ReadFrom(buf []byte) (int, net.Addr, error) {
	for {
		c.mu.Lock()
		stream := c.stream
		c.mu.Unlock()
		if stream != nil {
			n, err := stream.readMessage(buf)
			return n, stream.remote, err
		}
		n, addr, err := c.PacketConn.ReadFrom(buf)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, addr, err
		}
	}
}

// readMessage reads one STUN message or one ChannelData message with its
// padding (RFC 8489, section 6.2.2; RFC 8656, section 12.5).
func (s *relayStream) readMessage(buf []byte) (int, error) {
	if len(buf) < stunHeader {
		return 0, io.ErrShortBuffer
	}
	if _, err := io.ReadFull(s.reader, buf[:channelHeader]); err != nil {
		return 0, err
	}
	size, padding := channelHeader+int(binary.BigEndian.Uint16(buf[2:])), 0
	switch buf[0] >> 6 {
	case 0: // STUN
		size += stunHeader - channelHeader
	case 1: // ChannelData
		padding = (4 - size%4) % 4
	default:
		return 0, errors.New("the relay sent neither STUN nor ChannelData")
	}
	if size > len(buf) {
		return 0, io.ErrShortBuffer
	}
	if _, err := io.ReadFull(s.reader, buf[channelHeader:size]); err != nil {
		return 0, err
	}
	if _, err := s.reader.Discard(padding); err != nil {
		return 0, err
	}
	return size, nil
}

// Close implements net.PacketConn.
func (c *relayConn) Close() error {
	c.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stream != nil {
		_ = c.stream.Close()
	}
	return c.PacketConn.Close()
}
