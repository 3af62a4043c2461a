package turnsrv_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"
	"pgregory.net/rapid"

	"fieldphone/turnsrv"
	"fieldphone/turnsrv/credential"
	"fieldphone/turnsrv/wire"
	"fieldphone/turnsrv/wire/wiretest"
)

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

func startSide(t *testing.T, world *wire.World, port uint16, path turnsrv.Path, ports turnsrv.PortRange) *side {
	t.Helper()
	s := &side{t: t, path: path, world: world, server: netip.AddrPortFrom(world.Server, port)}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := world.Command(self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d-%d", serverEnv, s.server, path, ports.Min, ports.Max))
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
			t.Errorf("the relay on the path %s: %v", path, err)
		}
	})
	if got := s.account().Path; got != path {
		t.Fatalf("the relay takes the path %s, want %s", got, path)
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

// enter makes a client's allocation.
func (s *side) enter(i int) {
	s.t.Helper()
	s.serial++
	c := &client{t: s.t, realm: realm}
	c.username, c.password = credential.Issue(secret, "ada", fmt.Sprintf("s%d", s.serial), time.Now().Add(time.Hour))
	s.must(s.world.Client(func() (err error) {
		c.conn, err = net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(s.world.ClientAddress, 0)), net.UDPAddrFromAddrPort(s.server))
		return err
	}))
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

const (
	atOnce   = 60 * time.Millisecond // for what should not come
	inTheEnd = 3 * time.Second       // for what comes on another path
)

// agree sends the same payload on every side and compares what arrives where.
func agree(rt *rapid.T, sides []*side, what string, at int, payload string, send func(s *side)) {
	got := make([]string, len(sides))
	for i, s := range sides {
		send(s)
		wait := atOnce
		if i > 0 && got[0] != "" {
			wait = inTheEnd
		}
		got[i] = s.arrival(at, payload, wait)
	}
	if got[0] == "" && slices.ContainsFunc(got, func(g string) bool { return g != "" }) {
		got[0] = sides[0].arrival(at, payload, inTheEnd) // a busy machine
	}
	for i, s := range sides {
		if got[i] != got[0] {
			rt.Fatalf("%s: on the path %s it arrives %q, on %s %q", what, sides[0].path, got[0], s.path, got[i])
		}
	}
}

var paths = []turnsrv.Path{turnsrv.PathPlain, turnsrv.PathUser, turnsrv.PathKernel}

// Ensure that nothing of a call gets to whoever has its relay port next, while
// both its ends go on sending: on the path that the call has taken, too.
func TestReusedPortIsClean(t *testing.T) {
	world := wiretest.New(t)
	for i, path := range paths {
		t.Run(string(path), func(t *testing.T) {
			s := startSide(t, world, uint16(3478+i), path, turnsrv.PortRange{Min: 20000, Max: 20000})
			s.begin(1, 1)
			old, port := s.clients[0], s.relayed[0]
			t.Cleanup(func() { old.conn.Close() })
			old.must(old.bindChannel(0x4000, s.target(0)))
			check := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
			_, err := s.peers[0].WriteToUDPAddrPort(check.Raw, port)
			s.must(err)
			if s.arrival(1, string(check.Raw), inTheEnd) == "" {
				t.Fatal("the peer's check does not arrive")
			}
			number := 0
			talk := func() {
				number++
				up, down := fmt.Sprintf("%d up", number), fmt.Sprintf("%d down", number)
				old.sendChannel(0x4000, up)
				_, err := s.peers[0].WriteToUDPAddrPort([]byte(down), port)
				s.must(err)
				if s.arrival(0, up, inTheEnd) == "" || s.arrival(1, down, inTheEnd) == "" {
					t.Fatal("the call does not work")
				}
			}
			eventually(t, "the call is on its path", func() bool {
				talk()
				return path != turnsrv.PathKernel || s.account().Kernel > 4
			})
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				for {
					select {
					case <-stop:
						return
					case <-time.After(200 * time.Microsecond):
						_, _ = old.conn.Write(channelData(0x4000, "of the old call"))
						_, _ = s.peers[0].WriteToUDPAddrPort([]byte("of the old call"), port)
					}
				}
			}()
			for range 20 {
				old.must(old.request(stun.MethodRefresh, lifetime(0)))
				s.enter(0)
				if s.relayed[0] != port {
					t.Fatalf("the next client has %v, not %v", s.relayed[0], port)
				}
				if how, got := s.next(1, atOnce); how != "" {
					t.Fatalf("the next client gets %q, %s", got, how)
				}
				s.clients[0].must(s.clients[0].request(stun.MethodRefresh, lifetime(0)))
				s.clients[0].conn.Close()
				// The old client calls again from where it was.
				if again := old.allocate(); again != port {
					t.Fatalf("the old client has %v again, not %v", again, port)
				}
				old.must(old.bindChannel(0x4000, s.target(0)))
				_, err := s.peers[0].WriteToUDPAddrPort(check.Raw, port)
				s.must(err)
				s.clients[0], old.indications = old, nil
				if s.arrival(1, "of the old call", inTheEnd) == "" {
					t.Fatal("the old client hears nothing any more")
				}
			}
			close(stop)
			<-stopped
		})
	}
}

// Whatever clients and peers do, in any order: what comes out, where, and what is
// counted is the same on every path, and the kernel path takes part.
func TestPathsAgree(t *testing.T) {
	world := wiretest.New(t)
	var sides []*side
	for i, path := range paths {
		sides = append(sides, startSide(t, world, uint16(3478+i), path, turnsrv.PortRange{Min: 20000, Max: 29999}))
	}
	played := 0
	rapid.Check(t, func(rt *rapid.T) {
		if played++; played <= sequences {
			playSides(rt, sides)
		}
	})
	t.Logf("the kernel forwarded %d packets", sides[len(sides)-1].account().Kernel)
}

// untilKernel repeats a packet until the kernel forwards it on the last side, so
// that what happens next happens to a flow of the kernel's.
func untilKernel(rt *rapid.T, sides []*side, send func()) {
	kernel := sides[len(sides)-1]
	before := kernel.account().Kernel
	for range 100 {
		send()
		if kernel.account().Kernel > before {
			return
		}
	}
	rt.Fatal("the kernel does not forward")
}

// burst sends many payloads at once on every side and compares what arrives,
// whatever the order: a flow may change to the kernel in between.
func burst(rt *rapid.T, sides []*side, what string, at int, payloads []string, send func(s *side, p string)) {
	got := make([][]string, len(sides))
	most := 0
	collect := func(i int) {
		for len(got[i]) < len(payloads) {
			wait := atOnce
			if len(got[i]) < most {
				wait = inTheEnd
			}
			how, p := sides[i].next(at, wait)
			if how == "" {
				break
			}
			got[i] = append(got[i], p+" "+how)
		}
		most = max(most, len(got[i]))
	}
	for i, s := range sides {
		for _, p := range payloads {
			send(s, p)
		}
		collect(i)
	}
	for i := range sides {
		collect(i) // a busy machine
		slices.Sort(got[i])
	}
	for i, s := range sides {
		if !slices.Equal(got[i], got[0]) {
			rt.Fatalf("%s: only on the path %s arrives %.40q, only on %s %.40q", what,
				sides[0].path, without(got[0], got[i]), s.path, without(got[i], got[0]))
		}
	}
}

// without is what is left of one when each of others has taken its like.
func without(one, others []string) (left []string) {
	left = slices.Clone(one)
	for _, o := range others {
		if i := slices.Index(left, o); i >= 0 {
			left = slices.Delete(left, i, i+1)
		}
	}
	return left
}

const (
	sideClients, sidePeers = 3, 2
	// sequences take about 4 s each, most of it waiting for what should not come.
	sequences = 6
)

// playSides plays one sequence, from where a client talks with a peer and two
// with each other.
func playSides(rt *rapid.T, sides []*side) {
	for _, s := range sides {
		s.begin(sideClients, sidePeers)
		for _, bound := range [][2]int{{0, 0}, {1, sidePeers + 2}, {2, sidePeers + 1}} {
			s.clients[bound[0]].must(s.clients[bound[0]].bindChannel(0x4000, s.target(bound[1])))
		}
	}
	number := 0
	draw := func(what string, n int) int { return rapid.IntRange(0, n-1).Draw(rt, what) }
	payload := func() string {
		number++
		size := rapid.SampledFrom([]int{0, 1, 3, 4, 200, 1200, 1472, 1599, 1700}).Draw(rt, "size")
		p := fmt.Sprintf("%d ", number) + strings.Repeat("x", size)
		return p[:max(size, 0)]
	}
	unlike := func() string {
		number++
		return fmt.Sprintf("%d unlike all others", number)
	}
	channels := []uint16{0x4000, 0x4001, 0x7fff}
	// flow is a channel of a client, and where it leads to.
	type flow struct {
		client  int
		channel uint16
		target  int
	}
	bound := []flow{{0, 0x4000, 0}, {1, 0x4000, sidePeers + 2}, {2, 0x4000, sidePeers + 1}}
	anyFlow := func() flow {
		if len(bound) > 0 && rapid.Bool().Draw(rt, "bound") {
			return bound[draw("flow", len(bound))]
		}
		return flow{draw("client", sideClients), channels[draw("channel", len(channels))], draw("target", sideClients+sidePeers)}
	}
	up := func(f flow, p string) {
		agree(rt, sides, fmt.Sprintf("channel %#x of client %d, %d bytes, at target %d", f.channel, f.client, len(p), f.target), f.target, p,
			func(s *side) { s.clients[f.client].sendChannel(f.channel, p) })
	}
	down := func(i, n int, p string) {
		agree(rt, sides, fmt.Sprintf("peer %d to client %d, %d bytes", n, i, len(p)), sidePeers+i, p,
			func(s *side) { _, _ = s.peers[n].WriteToUDPAddrPort([]byte(p), s.relayed[i]) })
	}
	check := func(i, n int) {
		m := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
		agree(rt, sides, "a peer's check", sidePeers+i, string(m.Raw), func(s *side) {
			_, _ = s.peers[n].WriteToUDPAddrPort(m.Raw, s.relayed[i])
		})
	}
	check(0, 0) // opens the way
	for _, f := range bound {
		untilKernel(rt, sides, func() { up(f, unlike()) })
	}
	untilKernel(rt, sides, func() { down(0, 0, unlike()) })
	many := func() (all []string) {
		for range 20 {
			all = append(all, payload())
		}
		return all
	}
	times := func(do func(p string)) { // the first packet opens what the next go by
		for range 3 {
			do(payload())
		}
	}
	rt.Repeat(map[string]func(*rapid.T){
		"bind": func(*rapid.T) {
			i, n, channel := draw("client", sideClients), draw("target", sideClients+sidePeers), channels[draw("channel", len(channels))]
			var codes []stun.ErrorCode
			for _, s := range sides {
				codes = append(codes, code(s.clients[i].bindChannel(channel, s.target(n))))
			}
			if len(slices.Compact(codes)) > 1 {
				rt.Fatalf("binding is answered %v", codes)
			}
			if f := (flow{i, channel, n}); codes[0] == 0 && !slices.Contains(bound, f) {
				bound = append(bound, f)
			}
		},
		"check": func(*rapid.T) {
			check(draw("client", sideClients), draw("peer", sidePeers))
		},
		"up": func(*rapid.T) {
			f := anyFlow()
			times(func(p string) { up(f, p) })
		},
		"down": func(*rapid.T) {
			i, n := draw("client", sideClients), draw("peer", sidePeers)
			times(func(p string) { down(i, n, p) })
		},
		"burst up": func(*rapid.T) {
			f := anyFlow()
			burst(rt, sides, fmt.Sprintf("a burst on channel %#x of client %d, at target %d", f.channel, f.client, f.target), f.target, many(),
				func(s *side, p string) { s.clients[f.client].sendChannel(f.channel, p) })
		},
		"burst down": func(*rapid.T) {
			i, n := draw("client", sideClients), draw("peer", sidePeers)
			burst(rt, sides, fmt.Sprintf("a burst of peer %d to client %d", n, i), sidePeers+i, many(),
				func(s *side, p string) { _, _ = s.peers[n].WriteToUDPAddrPort([]byte(p), s.relayed[i]) })
		},
		"indicate": func(*rapid.T) {
			i, n := draw("client", sideClients), draw("target", sideClients+sidePeers)
			p := fmt.Sprintf("%d indicated", number)
			number++
			agree(rt, sides, fmt.Sprintf("an indication of client %d at target %d", i, n), n, p,
				func(s *side) { s.clients[i].indicate(s.target(n), p) })
		},
		"begin anew": func(*rapid.T) {
			i := draw("client", sideClients)
			for _, s := range sides {
				s.clients[i].must(s.clients[i].request(stun.MethodRefresh, lifetime(0)))
				s.clients[i].conn.Close()
				s.enter(i)
			}
			bound = slices.DeleteFunc(bound, func(f flow) bool { return f.client == i || f.target == sidePeers+i })
		},
	})
	accounts := make([]account, len(sides))
	for i, s := range sides {
		accounts[i] = s.account()
		if fmt.Sprint(accounts[i].Flows) != fmt.Sprint(accounts[0].Flows) {
			rt.Fatalf("counted on the path %s: %v, on %s: %v", sides[0].path, accounts[0].Flows, s.path, accounts[i].Flows)
		}
	}
}
