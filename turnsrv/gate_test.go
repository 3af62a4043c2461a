package turnsrv_test

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"fieldphone/turnsrv"
)

// acquaintances is a Config.Known that a test can change.
type acquaintances struct {
	mu    sync.Mutex
	known map[netip.Addr]bool
	asked []string
}

func knows(addresses ...netip.Addr) *acquaintances {
	a := &acquaintances{known: make(map[netip.Addr]bool)}
	for _, address := range addresses {
		a.known[address] = true
	}
	return a
}

func (a *acquaintances) ask(mode turnsrv.Mode, user, session string, peer netip.Addr) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, fmt.Sprintf("%s %s %s %s", mode, user, session, peer))
	return a.known[peer]
}

func (a *acquaintances) set(peer netip.Addr, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known[peer] = known
}

func (a *acquaintances) first() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.asked[:min(len(a.asked), 1)], "")
}

func byIdentity(mode turnsrv.Mode, a *acquaintances) func(*turnsrv.Config) {
	return func(c *turnsrv.Config) {
		c.Policy = turnsrv.Policy{Mode: mode, AllowLoopback: true}
		c.Known = a.ask
	}
}

func binding(t *testing.T, class stun.MessageClass, size int) []byte {
	t.Helper()
	setters := []stun.Setter{stun.TransactionID, stun.NewType(stun.MethodBinding, class)}
	if size > 24 {
		setters = append(setters, raw{stun.AttrSoftware, make([]byte, size-24)})
	}
	m, err := stun.Build(setters...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

// received returns what a socket got before a marker that is sent to it now.
func received(t *testing.T, conn *net.UDPConn, from netip.Addr) [][]byte {
	t.Helper()
	marker := []byte("marker")
	if _, err := listenUDP(t, from).WriteToUDPAddrPort(marker, local(conn)); err != nil {
		t.Fatal(err)
	}
	var packets [][]byte
	buffer := make([]byte, 2000)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		n, _, err := conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(buffer[:n], marker) {
			return packets
		}
		packets = append(packets, bytes.Clone(buffer[:n]))
	}
}

// settle waits until the server has handled all that the client sent, for
// packets are handled in order.
func (c *client) settle() {
	c.t.Helper()
	before := c.indications
	c.bind()
	c.indications = before
}

// A printer that a client names as its peer gets nothing but STUN, whatever is
// sent and by whatever means.
func TestPeerThatNeverAnswersGetsOnlySTUN(t *testing.T) {
	for _, mode := range []turnsrv.Mode{turnsrv.ModeCall, turnsrv.ModeClients} {
		t.Run(string(mode), func(t *testing.T) {
			s := startSite(t, byIdentity(mode, knows(addrPeer)))
			username, password := s.login("ann", "S1")
			c := dial(t, "udp", s.udp[addrOne], username, password)
			relayed := c.allocate()
			printer := listenUDP(t, addrPeer)
			c.must(c.bindChannel(0x4000, local(printer)))

			good := [][]byte{
				binding(t, stun.ClassRequest, 20), binding(t, stun.ClassSuccessResponse, 100),
				binding(t, stun.ClassErrorResponse, 200), binding(t, stun.ClassIndication, 548),
			}
			longer := append(binding(t, stun.ClassRequest, 20), 1, 2, 3, 4)
			noCookie := binding(t, stun.ClassRequest, 20)
			noCookie[4]++
			attribute := binding(t, stun.ClassRequest, 60)
			attribute[23] += 8 // reaches past the end
			allocate, err := stun.Build(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest))
			if err != nil {
				t.Fatal(err)
			}
			bad := [][]byte{
				[]byte("%!PS print this"),
				{},
				{0, 1, 0, 0},
				longer, noCookie, attribute, allocate.Raw,
				binding(t, stun.ClassRequest, 552), channelData(0x4000, "x"), append([]byte{22, 0xfe, 0xfd}, make([]byte, 50)...),
			}
			before := s.Stats().Unanswered
			for _, p := range slices.Concat(bad, good, bad) {
				c.sendChannel(0x4000, string(p))
				c.indicate(local(printer), string(p))
			}
			c.settle()
			var want [][]byte
			for _, p := range good {
				want = append(want, p, p)
			}
			if got := received(t, printer, addrPeer); !slices.EqualFunc(got, want, bytes.Equal) {
				t.Errorf("the printer got %d packets, want %d of STUN:\n%q", len(got), len(want), got)
			}
			if got, want := s.Stats().Unanswered-before, int64(4*len(bad)); got != want {
				t.Errorf("kept back: got %d, want %d", got, want)
			}
			// What it sends is not STUN, so that nothing opens.
			reply(t, printer, relayed, "paper jam")
			if _, _, data := c.next(); data != "paper jam" {
				t.Errorf("got %q", data)
			}
			c.sendChannel(0x4000, "print this")
			c.settle()
			if got := received(t, printer, addrPeer); len(got) != 0 {
				t.Errorf("after a word of its own the printer got %q", got)
			}
		})
	}
}

// The exact address and port that answered is open, also one that was never
// signalled (a peer behind a symmetric NAT), and no other.
func TestPeerThatAnswersWithSTUN(t *testing.T) {
	for name, class := range map[string]stun.MessageClass{"response": stun.ClassSuccessResponse, "request": stun.ClassRequest} {
		t.Run(name, func(t *testing.T) {
			s := startSite(t, byIdentity(turnsrv.ModeClients, knows(addrPeer)))
			username, password := s.login("ann", "S1")
			c := dial(t, "udp", s.udp[addrOne], username, password)
			relayed := c.allocate()
			peer, neighbour := listenUDP(t, addrPeer), listenUDP(t, addrPeer)
			stranger := listenUDP(t, netip.MustParseAddr("127.0.0.4"))
			c.must(c.permit(addrPeer))

			for _, conn := range []*net.UDPConn{stranger, peer} {
				answer := binding(t, class, 20)
				reply(t, conn, relayed, string(answer))
				if conn == peer {
					if _, from, data := c.next(); from != local(peer) || data != string(answer) {
						t.Fatalf("got %q from %s", data, from)
					}
				}
			}
			for _, conn := range []*net.UDPConn{peer, neighbour, stranger} {
				c.indicate(local(conn), "media")
			}
			c.settle()
			if got := received(t, peer, addrPeer); len(got) != 1 || string(got[0]) != "media" {
				t.Errorf("the peer that answered got %q", got)
			}
			for _, conn := range []*net.UDPConn{neighbour, stranger} {
				if got := received(t, conn, addrPeer); len(got) != 0 {
					t.Errorf("%s, which did not answer, got %q", local(conn), got)
				}
			}
		})
	}
}

func TestChecksToSilentPeersAreBounded(t *testing.T) {
	s := startSite(t, byIdentity(turnsrv.ModeClients, knows(addrPeer)))
	username, password := s.login("ann", "S1")
	c := dial(t, "udp", s.udp[addrOne], username, password)
	c.allocate()
	victim := listenUDP(t, addrPeer)
	c.must(c.bindChannel(0x4000, local(victim)))
	check := string(binding(t, stun.ClassRequest, 100))
	start := time.Now()
	for range 20 { // each batch fits the socket's buffers
		for range 50 {
			c.sendChannel(0x4000, check)
		}
		c.settle()
	}
	most := 201 + int(time.Since(start)/(10*time.Millisecond)) + 1
	if got := len(received(t, victim, addrPeer)); got < 200 || got > most {
		t.Errorf("%d of 1000 checks passed, want 200 to %d", got, most)
	}
}

func TestPortsOfServicesAreNoPeers(t *testing.T) {
	s := startSite(t, byIdentity(turnsrv.ModeClients, knows(addrPeer)))
	username, password := s.login("ann", "S1")
	c := dial(t, "udp", s.udp[addrOne], username, password)
	c.allocate()
	for _, port := range []uint16{53, 161, 1023} {
		if got := code(c.bindChannel(0x4000, netip.AddrPortFrom(addrPeer, port))); got != stun.CodeForbidden {
			t.Errorf("a channel to port %d: got %d, want 403", port, got)
		}
	}
	c.must(c.bindChannel(0x4001, netip.AddrPortFrom(addrPeer, 1024)))
	before := s.Stats()
	c.indicate(netip.AddrPortFrom(addrPeer, 53), string(binding(t, stun.ClassRequest, 20)))
	c.settle()
	if got := s.Stats(); got.PeerPackets != before.PeerPackets+1 || got.Relay.PacketsOut != before.Relay.PacketsOut {
		t.Errorf("a check to port 53 was sent: %+v", got)
	}
}

// Without a policy only the relay ports of this server are reached, and those
// without a gate: whoever is behind them is under the same rules.
func TestZeroPolicyIsSecure(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) { c.Policy = turnsrv.Policy{AllowLoopback: true} })
	username, password := s.login("ann", "S1")
	a, b := dial(t, "udp", s.udp[addrOne], username, password), dial(t, "tcp", s.tcp[addrTwo], username, password)
	relayedA, relayedB := a.allocate(), b.allocate()
	if got := code(a.permit(addrPeer)); got != stun.CodeForbidden {
		t.Errorf("a peer that nobody knows: got %d, want 403", got)
	}
	a.must(a.bindChannel(0x4000, relayedB))
	b.must(b.permit(relayedA.Addr()))
	a.sendChannel(0x4000, "by relay")
	if _, from, data := b.next(); from != relayedA || data != "by relay" {
		t.Errorf("got %q from %s", data, from)
	}
	if got := s.Settings().Policy.Mode; got != turnsrv.ModeClients {
		t.Errorf("the mode is %q, want clients", got)
	}
}

// A port of the range that another program holds is no relay port, nor is one
// that was.
func TestOtherProgramInTheRelayRange(t *testing.T) {
	s := startSite(t)
	username, password := s.login("ann", "S1")
	before := dial(t, "udp", s.udp[addrOne], username, password)
	ended := before.allocate()
	before.must(before.request(stun.MethodRefresh, lifetime(0)))
	service := bindTo(t, ended)
	c := dial(t, "udp", s.udp[addrOne], username, password)
	relayed := c.allocate()
	c.must(c.bindChannel(0x4000, local(service)))
	dropped := s.Stats().PeerPackets
	c.sendChannel(0x4000, "to a service")
	reply(t, service, relayed, "from a service")
	eventually(t, "both packets are dropped", func() bool { return s.Stats().PeerPackets == dropped+2 })
	if got := received(t, service, addrPeer); len(got) != 0 {
		t.Errorf("the service got %q", got)
	}
}

// Known is asked with who asks; its no ends what it allowed at the next
// refresh, at once and not only when the permission expires.
func TestKnownIsAskedAndObeyed(t *testing.T) {
	site := knows(addrPeer)
	s := startSite(t, byIdentity(turnsrv.ModeCall, site))
	username, password := s.login("ann", "S1")
	c := dial(t, "udp", s.udp[addrOne], username, password)
	relayed := c.allocate()
	peer := listenUDP(t, addrPeer)
	c.must(c.bindChannel(0x4000, local(peer)))
	reply(t, peer, relayed, string(binding(t, stun.ClassRequest, 20)))
	c.next()
	c.sendChannel(0x4000, "one")
	expectFrom(t, peer, "one")
	if got, want := site.first(), fmt.Sprintf("call ann S1 %s", addrPeer); got != want {
		t.Errorf("asked %q, want %q", got, want)
	}

	site.set(addrPeer, false)
	// The answer is good for a moment.
	eventually(t, "a refresh is refused", func() bool {
		return code(c.bindChannel(0x4000, local(peer))) == stun.CodeForbidden
	})
	c.sendChannel(0x4000, "two")
	before := s.Stats().PeerPackets
	reply(t, peer, relayed, "two")
	eventually(t, "both are dropped", func() bool { return s.Stats().PeerPackets >= before+1 })
	c.settle()
	if got := received(t, peer, addrPeer); len(got) != 0 || len(c.indications) != 0 {
		t.Errorf("after the refusal the peer got %q, the client %q", got, c.indications)
	}

	site.set(addrPeer, true)
	c.must(c.bindChannel(0x4000, local(peer)))
	c.sendChannel(0x4000, "three")
	c.settle()
	if got := received(t, peer, addrPeer); len(got) != 0 {
		t.Errorf("before it answered again the peer got %q", got)
	}
	reply(t, peer, relayed, string(binding(t, stun.ClassRequest, 20)))
	c.next()
	c.sendChannel(0x4000, "four")
	expectFrom(t, peer, "four")
}

// A peer that sends from many ports fills no memory, and the channel that is
// in use stays open.
func TestPathsAreBounded(t *testing.T) {
	s := startSite(t, byIdentity(turnsrv.ModeClients, knows(addrPeer)))
	username, password := s.login("ann", "S1")
	c := dial(t, "udp", s.udp[addrOne], username, password)
	relayed := c.allocate()
	peer := listenUDP(t, addrPeer)
	c.must(c.bindChannel(0x4000, local(peer)))
	check := string(binding(t, stun.ClassRequest, 20))
	reply(t, peer, relayed, check)
	c.next()
	for range 300 {
		many, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addrPeer, 0)))
		if err != nil {
			t.Fatal(err)
		}
		reply(t, many, relayed, check)
		c.next()
		if err := many.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(s.Allocations()[0].Peers); got > 129 {
		t.Errorf("remembers %d peers, want at most 129", got)
	}
	c.sendChannel(0x4000, "still open")
	expectFrom(t, peer, "still open")
}
