package turnsrv_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"fieldphone/turnsrv"
)

// call is an allocation with a channel to a peer, to see whether anything
// disturbs it.
type call struct {
	*client
	t    *testing.T
	peer *net.UDPConn
}

func (s *site) call(t *testing.T, network string) *call {
	t.Helper()
	username, password := s.login("caller", "call-"+network)
	c := &call{dial(t, network, s.at(network, addrOne), username, password), t, listenUDP(t, addrPeer)}
	c.allocate()
	c.must(c.bindChannel(0x4000, local(c.peer)))
	return c
}

func (c *call) undisturbed() {
	c.t.Helper()
	c.sendChannel(0x4000, "media")
	from := expectFrom(c.t, c.peer, "media")
	reply(c.t, c.peer, from, "media back")
	if channel, _, data := c.next(); channel != 0x4000 || data != "media back" {
		c.t.Errorf("got %x %q", channel, data)
	}
	c.must(c.request(stun.MethodRefresh, lifetime(600)))
}

// garbage is what must never be taken for a message.
func garbage(t *testing.T, c *client) [][]byte {
	t.Helper()
	whole := c.build(stun.MethodAllocate, requestUDP, lifetime(600)).Raw
	var all [][]byte
	for n := 1; n < len(whole); n++ {
		all = append(all, whole[:n])
	}
	for _, size := range []uint16{0xffff, 0xffec, 0xfffc, 3, 4, 2000} {
		p := append([]byte{}, whole...)
		binary.BigEndian.PutUint16(p[2:], size)
		all = append(all, p)
	}
	for i := 20; i+4 <= len(whole); i += 4 { // attribute lengths that do not fit
		p := append([]byte{}, whole...)
		binary.BigEndian.PutUint16(p[i+2:], 0xfff0)
		all = append(all, p)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 400 {
		p := make([]byte, 1+n)
		for i := range p {
			p[i] = byte(random.Uint32())
		}
		all = append(all, p)
	}
	return append(all, channelData(0x4123, "no such channel"), []byte{0x40, 0x00, 0xff, 0xff}, []byte{0x40}, make([]byte, 1599))
}

func TestGarbageOverUDP(t *testing.T) {
	s := startSite(t)
	live := s.call(t, "udp")
	stranger := dial(t, "udp", s.udp[addrOne], live.username, live.password)
	stranger.challenge()
	for _, c := range []*client{stranger, live.client} {
		for i, p := range garbage(t, stranger) {
			c.send(p)
			if i%64 == 0 {
				live.bind() // let the server keep up: nothing is lost
			}
		}
	}
	live.bind()
	live.indications = nil // error responses to what happened to be requests
	live.undisturbed()
	if got := s.Stats().Malformed; got < 400 {
		t.Errorf("malformed: got %d, want hundreds", got)
	}
	before := s.Stats().Oversized
	stranger.send(make([]byte, 1600))
	stranger.send(make([]byte, 9000))
	eventually(t, "oversized datagrams are counted", func() bool { return s.Stats().Oversized == before+2 })
	reply(t, live.peer, s.relayOf(t, live), string(make([]byte, 1600)))
	eventually(t, "an oversized packet of a peer is counted", func() bool { return s.Stats().Oversized == before+3 })
	live.undisturbed()
}

func (s *site) relayOf(t *testing.T, c *call) netip.AddrPort {
	t.Helper()
	c.sendChannel(0x4000, "where")
	return expectFrom(t, c.peer, "where")
}

func TestGarbageOverTCP(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) { c.Limits.TCPFirstMessage = 300 * time.Millisecond })
	live := s.call(t, "tcp")
	template := dial(t, "udp", s.udp[addrOne], live.username, live.password)
	template.challenge()
	for i, p := range garbage(t, template) {
		c := dial(t, "tcp", s.tcp[addrOne], "", "")
		if i%2 == 0 {
			c.bind() // past the first message
		}
		c.send(p)
		if c.conn.(*net.TCPConn).CloseWrite() != nil {
			continue // closed already
		}
		c.closed()
	}
	live.undisturbed()
	// A length that a 16-bit sum would wrap to an empty frame ends the
	// connection, or waits for the rest; it never spins.
	eventually(t, "only the call's connection is left", func() bool { return s.Stats().TCPConnections.Open == 1 })
}

func TestOversizedFramesOverTCP(t *testing.T) {
	s := startSite(t)
	live := s.call(t, "tcp")
	live.send(channelData(0x4000, string(make([]byte, 40000))))
	live.undisturbed()
	if got := s.Stats().Oversized; got != 1 {
		t.Errorf("oversized: got %d, want 1", got)
	}
}

func TestFramesInPieces(t *testing.T) {
	s := startSite(t)
	live := s.call(t, "tcp")
	both := append(channelData(0x4000, "one"), channelData(0x4000, "two")...)
	for _, b := range both {
		live.send([]byte{b})
	}
	expectFrom(t, live.peer, "one")
	expectFrom(t, live.peer, "two")
	live.send(both)
	expectFrom(t, live.peer, "one")
	expectFrom(t, live.peer, "two")
}

func TestFloodOfBadCredentials(t *testing.T) {
	s := startSite(t)
	live := s.call(t, "udp")
	flood := dial(t, "udp", s.udp[addrOne], live.username, "wrong")
	flood.challenge()
	for range 500 {
		if m := flood.request(stun.MethodAllocate, requestUDP); m.Type.Class != stun.ClassErrorResponse {
			t.Fatalf("got %v", m)
		}
	}
	live.undisturbed()
	// Wrong credentials from the call's own address do not touch it either.
	good := live.password
	live.password = "wrong"
	live.request(stun.MethodRefresh, lifetime(0))
	live.request(stun.MethodChannelBind, channelNumber(0x4001), peerAddress(local(live.peer)))
	live.password = good
	live.undisturbed()
	if got := s.Stats().AuthFailures.Password; got != 502 {
		t.Errorf("wrong passwords: got %d, want 502", got)
	}
	if lines := len(s.log.String()); lines > 2000 {
		t.Errorf("the flood wrote %d bytes of log:\n%.500s", lines, s.log)
	}
}

func TestResponsesAndIndicationsAreNotRequests(t *testing.T) {
	s := startSite(t)
	live := s.call(t, "udp")
	for _, class := range []stun.MessageClass{stun.ClassIndication, stun.ClassSuccessResponse, stun.ClassErrorResponse} {
		for _, method := range []stun.Method{stun.MethodBinding, stun.MethodAllocate, stun.MethodRefresh, stun.MethodData} {
			m, err := stun.Build(stun.TransactionID, stun.NewType(method, class))
			if err != nil {
				t.Fatal(err)
			}
			live.silent(m)
		}
	}
	live.silent(live.build(stun.MethodConnect))
	live.undisturbed()
}
