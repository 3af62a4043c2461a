package turnsrv_test

import (
	"bufio"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/pion/stun/v3"
)

// client speaks TURN by hand, over UDP or TCP, so that a test can send what a
// library would not.
type client struct {
	t                  *testing.T
	conn               net.Conn
	reader             *bufio.Reader // nil over UDP
	username, password string
	realm              string
	nonce              string
	indications        [][]byte // what came while waiting for a response
}

func dial(t *testing.T, network string, server netip.AddrPort, username, password string) *client {
	t.Helper()
	conn, err := net.Dial(network, server.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &client{t: t, conn: conn, username: username, password: password, realm: realm}
	if network == "tcp" {
		c.reader = bufio.NewReader(conn)
	}
	return c
}

// dialBoth runs a test over each transport.
func dialBoth(t *testing.T, run func(t *testing.T, network string)) {
	t.Helper()
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) { run(t, network) })
	}
}

func (s *site) at(network string, a netip.Addr) netip.AddrPort {
	if network == "tcp" {
		return s.tcp[a]
	}
	return s.udp[a]
}

func (c *client) send(p []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(p); err != nil {
		c.t.Fatal(err)
	}
}

// frame reads one datagram or frame.
func (c *client) frame(wait time.Duration) ([]byte, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return nil, err
	}
	if c.reader == nil {
		p := make([]byte, 2000)
		n, err := c.conn.Read(p)
		return p[:n], err
	}
	header, err := c.reader.Peek(4)
	if err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint16(header[2:]))
	if header[0] < 4 {
		size += 20
	} else {
		size = 4 + (size+3)&^3
	}
	p := make([]byte, size)
	_, err = io.ReadFull(c.reader, p)
	return p, err
}

func (c *client) integrity() stun.MessageIntegrity {
	sum := md5.Sum([]byte(c.username + ":" + c.realm + ":" + c.password))
	return sum[:]
}

// build makes a request, signed if a nonce is known.
func (c *client) build(method stun.Method, attrs ...stun.Setter) *stun.Message {
	c.t.Helper()
	setters := append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, attrs...)
	if c.nonce != "" {
		setters = append(setters, stun.NewUsername(c.username), stun.NewRealm(c.realm), stun.NewNonce(c.nonce), c.integrity())
	}
	m, err := stun.Build(setters...)
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

// request sends and waits for the response to it.
func (c *client) request(method stun.Method, attrs ...stun.Setter) *stun.Message {
	c.t.Helper()
	m := c.build(method, attrs...)
	c.send(m.Raw)
	return c.response(m)
}

func (c *client) response(to *stun.Message) *stun.Message {
	c.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		p, err := c.frame(time.Until(deadline))
		if err != nil {
			c.t.Fatalf("waiting for the response to %v: %v", to.Type, err)
		}
		var m stun.Message
		if p[0] > 3 || stun.Decode(p, &m) != nil || m.TransactionID != to.TransactionID {
			c.indications = append(c.indications, p)
			continue
		}
		return &m
	}
}

// silent asserts that a request is not answered before a Binding sent after it.
func (c *client) silent(m *stun.Message) {
	c.t.Helper()
	c.send(m.Raw)
	before := len(c.indications)
	c.bind()
	for _, p := range c.indications[before:] {
		c.t.Errorf("%v was answered: %x", m.Type, p)
	}
}

func (c *client) bind() netip.AddrPort {
	c.t.Helper()
	nonce := c.nonce
	c.nonce = ""
	m := c.request(stun.MethodBinding)
	c.nonce = nonce
	return c.address(m, stun.AttrXORMappedAddress)
}

func (c *client) address(m *stun.Message, attr stun.AttrType) netip.AddrPort {
	c.t.Helper()
	var a stun.XORMappedAddress
	if err := a.GetFromAs(m, attr); err != nil {
		c.t.Fatalf("%v in %v: %v", attr, m, err)
	}
	ip, _ := netip.AddrFromSlice(a.IP)
	return netip.AddrPortFrom(ip.Unmap(), uint16(a.Port))
}

// challenge learns the nonce by an unsigned Allocate.
func (c *client) challenge() {
	c.t.Helper()
	c.nonce = ""
	m := c.request(stun.MethodAllocate, requestUDP)
	c.expectChallenge(m, stun.CodeUnauthorized)
	nonce, _ := m.Get(stun.AttrNonce)
	c.nonce = string(nonce)
}

// expectChallenge asserts a 401 or 438 that lets the client try again.
func (c *client) expectChallenge(m *stun.Message, want stun.ErrorCode) {
	c.t.Helper()
	var gotRealm stun.Realm
	if err := gotRealm.GetFrom(m); err != nil || gotRealm.String() != realm || code(m) != want {
		c.t.Fatalf("got %v (%d), want a %d with the realm", m, code(m), want)
	}
	if nonce, err := m.Get(stun.AttrNonce); err != nil || len(nonce) == 0 || m.Contains(stun.AttrMessageIntegrity) {
		c.t.Fatalf("got %v, want a nonce and no signature", m)
	}
}

// tryAllocate returns the response to a signed Allocate.
func (c *client) tryAllocate(attrs ...stun.Setter) *stun.Message {
	c.t.Helper()
	if c.nonce == "" {
		c.challenge()
	}
	return c.request(stun.MethodAllocate, append([]stun.Setter{requestUDP}, attrs...)...)
}

func (c *client) allocate() netip.AddrPort {
	c.t.Helper()
	m := c.tryAllocate()
	if m.Type.Class != stun.ClassSuccessResponse {
		c.t.Fatalf("Allocate: got %v (%v)", m, code(m))
	}
	if err := c.integrity().Check(m); err != nil {
		c.t.Fatalf("Allocate: %v", err)
	}
	return c.address(m, stun.AttrXORRelayedAddress)
}

// must asserts success.
func (c *client) must(m *stun.Message) {
	c.t.Helper()
	if m.Type.Class != stun.ClassSuccessResponse {
		c.t.Fatalf("got %v (%v), want success", m, code(m))
	}
}

func (c *client) permit(peer netip.Addr) *stun.Message {
	c.t.Helper()
	return c.request(stun.MethodCreatePermission, peerAddress(netip.AddrPortFrom(peer, 0)))
}

func (c *client) bindChannel(number uint16, peer netip.AddrPort) *stun.Message {
	c.t.Helper()
	return c.request(stun.MethodChannelBind, channelNumber(number), peerAddress(peer))
}

func (c *client) indicate(peer netip.AddrPort, data string) {
	c.t.Helper()
	m, err := stun.Build(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication),
		peerAddress(peer), raw{stun.AttrData, []byte(data)})
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(m.Raw)
}

func (c *client) sendChannel(number uint16, data string) {
	c.t.Helper()
	c.send(channelData(number, data))
}

// next returns the next Data indication (channel 0) or ChannelData.
func (c *client) next() (channel uint16, from netip.AddrPort, data string) {
	c.t.Helper()
	var p []byte
	if len(c.indications) > 0 {
		p, c.indications = c.indications[0], c.indications[1:]
	} else {
		var err error
		if p, err = c.frame(patience); err != nil {
			c.t.Fatalf("waiting for data: %v", err)
		}
	}
	if p[0] >= 0x40 {
		return binary.BigEndian.Uint16(p), netip.AddrPort{}, string(p[4 : 4+binary.BigEndian.Uint16(p[2:])])
	}
	var m stun.Message
	if err := stun.Decode(p, &m); err != nil || m.Type != stun.NewType(stun.MethodData, stun.ClassIndication) {
		c.t.Fatalf("got %v, %v, want a Data indication", &m, err)
	}
	value, err := m.Get(stun.AttrData)
	if err != nil {
		c.t.Fatal(err)
	}
	return 0, c.address(&m, stun.AttrXORPeerAddress), string(value)
}

// closed asserts that the server closes the TCP connection.
func (c *client) closed() {
	c.t.Helper()
	for {
		if _, err := c.frame(patience); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				c.t.Fatal("the connection stayed open")
			}
			return
		}
	}
}

func code(m *stun.Message) stun.ErrorCode {
	var e stun.ErrorCodeAttribute
	if err := e.GetFrom(m); err != nil {
		return 0
	}
	return e.Code
}

type raw struct {
	attr  stun.AttrType
	value []byte
}

func (r raw) AddTo(m *stun.Message) error {
	m.Add(r.attr, r.value)
	return nil
}

var requestUDP = raw{stun.AttrRequestedTransport, []byte{17, 0, 0, 0}}

func lifetime(seconds uint32) raw {
	return raw{stun.AttrLifetime, binary.BigEndian.AppendUint32(nil, seconds)}
}

func channelNumber(n uint16) raw {
	return raw{stun.AttrChannelNumber, []byte{byte(n >> 8), byte(n), 0, 0}}
}

func channelData(number uint16, data string) []byte {
	p := binary.BigEndian.AppendUint16(nil, number)
	p = binary.BigEndian.AppendUint16(p, uint16(len(data)))
	p = append(p, data...)
	return append(p, make([]byte, (4-len(data)%4)%4)...)
}

// peerAddress keeps the textual form: ::ffff:127.0.0.1 goes out as IPv6.
type peerAddress netip.AddrPort

func (a peerAddress) AddTo(m *stun.Message) error {
	ap := netip.AddrPort(a)
	family, ip := byte(1), ap.Addr().AsSlice()
	if len(ip) == 16 {
		family = 2
	}
	mask := append([]byte{0x21, 0x12, 0xa4, 0x42}, m.TransactionID[:]...)
	for i := range ip {
		ip[i] ^= mask[i]
	}
	value := append([]byte{0, family}, binary.BigEndian.AppendUint16(nil, ap.Port()^0x2112)...)
	m.Add(stun.AttrXORPeerAddress, append(value, ip...))
	return nil
}
