package turnsrv_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"fieldphone/turnsrv"
	"fieldphone/turnsrv/credential"
	"fieldphone/turnsrv/wire"
)

const (
	atOnce   = 60 * time.Millisecond // for what should not come
	inTheEnd = 3 * time.Second       // for what comes on another path
)

var paths = []turnsrv.Path{turnsrv.PathPlain, turnsrv.PathUser, turnsrv.PathKernel}

// side is one relay with its clients and peers.
type side struct {
	t       *testing.T
	path    turnsrv.Path
	world   *wire.World
	server  netip.AddrPort
	ask     io.Writer
	tell    *json.Decoder
	clients []*client
	relayed []netip.AddrPort
	peers   []*net.UDPConn
	serial  int
}

func (s *side) account() (a account) {
	s.t.Helper()
	if _, err := io.WriteString(s.ask, "\n"); err != nil {
		s.t.Fatal(err)
	}
	if err := s.tell.Decode(&a); err != nil {
		s.t.Fatal(err)
	}
	return a
}

func startSide(t *testing.T, world *wire.World, p relayProcess) *side {
	t.Helper()
	p.Address = world.Server
	s := &side{t: t, path: p.Path, world: world, server: netip.AddrPortFrom(p.Address, p.Port)}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	what, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	cmd := world.Command(self)
	cmd.Env = append(os.Environ(), serverEnv+"="+string(what))
	cmd.Stderr = os.Stderr
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	s.ask, s.tell = in, json.NewDecoder(out)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the relay on the path %s: %v", p.Path, err)
		}
	})
	if got := s.account().Path; got != p.Path {
		t.Fatalf("the relay takes the path %s, want %s", got, p.Path)
	}
	return s
}

// begin brings new clients and peers.
func (s *side) begin(clients, peers int) {
	s.t.Helper()
	s.end()
	for range clients {
		s.clients, s.relayed = append(s.clients, nil), append(s.relayed, netip.AddrPort{})
		s.enter(len(s.clients) - 1)
	}
	for range peers {
		var conn *net.UDPConn
		s.must(s.world.Peer(func() (err error) {
			conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(s.world.PeerAddress, 0)))
			return err
		}))
		s.peers = append(s.peers, conn)
	}
}

func (s *side) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// dial makes a client's socket.
func (s *side) dial() (conn *net.UDPConn) {
	s.t.Helper()
	s.must(s.world.Client(func() (err error) {
		conn, err = net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(s.world.ClientAddress, 0)), net.UDPAddrFromAddrPort(s.server))
		return err
	}))
	return conn
}

// enter makes a client's allocation.
func (s *side) enter(i int) {
	s.t.Helper()
	s.serial++
	c := &client{t: s.t, realm: realm, conn: s.dial()}
	c.username, c.password = credential.Issue(secret, "ada", fmt.Sprintf("s%d", s.serial), time.Now().Add(time.Hour))
	s.clients[i], s.relayed[i] = c, c.allocate()
}

func (s *side) end() {
	for _, c := range s.clients {
		c.must(c.request(stun.MethodRefresh, lifetime(0)))
		c.conn.Close()
	}
	for _, p := range s.peers {
		p.Close()
	}
	s.clients, s.relayed, s.peers = nil, nil, nil
}

// target is a peer, or a client's relay port, after the peers.
func (s *side) target(n int) netip.AddrPort {
	if n < len(s.peers) {
		return local(s.peers[n])
	}
	return s.relayed[n-len(s.peers)]
}

// name says who an address is, the same on every side.
func (s *side) name(a netip.AddrPort) string {
	for n := range len(s.peers) + len(s.relayed) {
		if s.target(n) == a {
			return fmt.Sprintf("target %d", n)
		}
	}
	return "a stranger"
}

// arrival waits for a payload at a client or peer and says how it came; empty
// if it did not.
func (s *side) arrival(at int, payload string, wait time.Duration) string {
	s.t.Helper()
	deadline := time.Now().Add(wait)
	for {
		how, got := s.next(at, time.Until(deadline))
		if how == "" || got == payload {
			return how
		}
	}
}

// next is the next payload at a client or peer, and how it came; empty if none
// did.
func (s *side) next(at int, wait time.Duration) (how, payload string) {
	s.t.Helper()
	if at < len(s.peers) {
		buffer := make([]byte, 4000)
		s.must(s.peers[at].SetReadDeadline(time.Now().Add(wait)))
		n, from, err := s.peers[at].ReadFromUDPAddrPort(buffer)
		if err != nil {
			return "", ""
		}
		return "from " + s.name(from), string(buffer[:n])
	}
	c := s.clients[at-len(s.peers)]
	var p []byte
	if len(c.indications) > 0 {
		p, c.indications = c.indications[0], c.indications[1:]
	} else {
		var err error
		if p, err = c.frame(wait); err != nil {
			return "", ""
		}
	}
	channel, from, data := s.read(p)
	return fmt.Sprintf("by channel %#x from %s", channel, from), data
}

func (s *side) read(p []byte) (channel uint16, from, data string) {
	if p[0] >= 0x40 {
		n := uint16(p[2])<<8 | uint16(p[3])
		return uint16(p[0])<<8 | uint16(p[1]), "", string(p[4 : 4+n])
	}
	var m stun.Message
	if stun.Decode(p, &m) != nil || m.Type.Method != stun.MethodData {
		return 0, "", "nothing"
	}
	value, _ := m.Get(stun.AttrData)
	var a stun.XORMappedAddress
	_ = a.GetFromAs(&m, stun.AttrXORPeerAddress)
	ip, _ := netip.AddrFromSlice(a.IP)
	return 0, s.name(netip.AddrPortFrom(ip.Unmap(), uint16(a.Port))), string(value)
}

// flow is a call between the only client and the only peer of a side.
type flow struct {
	*side
	number int
}

const flowChannel = 0x4000

// openFlow binds a channel, and lets both talk until the packets take their path.
func (s *side) openFlow() *flow {
	s.t.Helper()
	f := &flow{side: s}
	f.bind()
	eventually(s.t, "the call is on its path", func() bool {
		f.talk()
		return s.path != turnsrv.PathKernel || s.account().Kernel > 4
	})
	return f
}

// bind gives the client a channel to the peer, who checks the path back.
func (f *flow) bind() {
	f.t.Helper()
	c := f.clients[0]
	c.must(c.bindChannel(flowChannel, f.target(0)))
	check := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	f.answer(string(check.Raw))
	if f.arrival(1, string(check.Raw), inTheEnd) == "" {
		f.t.Fatal("the peer's check does not arrive")
	}
}

// talk sends a payload each way.
func (f *flow) talk() {
	f.t.Helper()
	f.number++
	up, down := fmt.Sprintf("%d up", f.number), fmt.Sprintf("%d down", f.number)
	f.clients[0].sendChannel(flowChannel, up)
	f.answer(down)
	if f.arrival(0, up, inTheEnd) == "" || f.arrival(1, down, inTheEnd) == "" {
		f.t.Fatal("the call does not work")
	}
}

// answer sends the client something from the peer.
func (f *flow) answer(what string) {
	f.t.Helper()
	_, err := f.peers[0].WriteToUDPAddrPort([]byte(what), f.relayed[0])
	f.must(err)
}
