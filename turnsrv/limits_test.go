package turnsrv_test

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"fieldphone/turnsrv"
)

func TestAllocationsInAll(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) { c.Limits.Allocations = 2 })
	var clients []*client
	for _, who := range []string{"ann", "bob", "carl"} {
		username, password := s.login(who, "S"+who)
		clients = append(clients, dial(t, "udp", s.udp[addrOne], username, password))
	}
	clients[0].allocate()
	clients[1].allocate()
	clients[2].expectError(clients[2].tryAllocate(), stun.MethodAllocate, 508, nil)
	if got := s.Stats().AllocationsRefused.Total; got != 1 {
		t.Errorf("refused: got %d, want 1", got)
	}
	clients[0].must(clients[0].request(stun.MethodRefresh, lifetime(0)))
	clients[2].allocate()
}

// counting reads packets until stopped.
type counting struct {
	conn    net.Conn
	packets atomic.Int64
	done    chan struct{}
}

func countFrom(conn net.Conn) *counting {
	c := &counting{conn: conn, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		buffer := make([]byte, 2000)
		for {
			if _, err := conn.Read(buffer); err != nil {
				return
			}
			c.packets.Add(1)
		}
	}()
	return c
}

func (c *counting) stop(t *testing.T) int {
	t.Helper()
	if err := c.conn.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	<-c.done
	if err := c.conn.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	return int(c.packets.Load())
}

// sendPaced sends without filling a socket's buffer: it lets the reader keep up.
func sendPaced(t *testing.T, packets int, send func(), read func() int64) {
	t.Helper()
	const lot = 20
	for sent := 0; sent < packets; sent += lot {
		before := read()
		for range lot {
			send()
		}
		eventually(t, "all is read", func() bool { return read() >= before+lot })
	}
}

// about allows for what a bucket gains while packets are on their way.
func about(t *testing.T, what string, got, burst int, perSecond float64, began time.Time) {
	t.Helper()
	if most := burst + 1 + int(perSecond*time.Since(began).Seconds()); got < burst || got > most {
		t.Errorf("%s: got %d packets, want %d to %d", what, got, burst, most)
	}
}

// 1.6 Mbit/s let half a second's worth, 100 packets of 1000 bytes, through at
// once.
func TestBandwidthOfAnAllocation(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) { c.Limits.BitsPerAllocation = 1_600_000 })
	began := time.Now()
	live := s.call(t, "udp")
	relay := s.relayOf(t, live)
	packet := channelData(0x4000, string(make([]byte, 1000)))
	fromClients := func() int64 { return s.Stats().UDP.PacketsIn }
	fromPeers := func() int64 { return s.Stats().Relay.PacketsIn }
	arrived := countFrom(live.peer)
	sendPaced(t, 400, func() { live.send(packet) }, fromClients)
	eventually(t, "each packet arrived or is counted", func() bool {
		return arrived.packets.Load()+s.Stats().Limited.FromClients == 400
	})
	about(t, "to the peer", arrived.stop(t), 100, 200, began)

	// The other direction has its own, and strangers use nothing of it up.
	stranger := listenUDP(t, netip.MustParseAddr("127.0.0.4"))
	sendPaced(t, 400, func() { reply(t, stranger, relay, string(packet[4:])) }, fromPeers)
	arrived = countFrom(live.conn)
	sendPaced(t, 400, func() { reply(t, live.peer, relay, string(packet[4:])) }, fromPeers)
	eventually(t, "each packet arrived or is counted", func() bool {
		return arrived.packets.Load()+s.Stats().Limited.ToClients == 400
	})
	about(t, "to the client", arrived.stop(t), 100, 200, began)

	allocation := s.Allocations()[0]
	limited := s.Stats().Limited
	if allocation.FromClient.Dropped != limited.FromClients || allocation.ToClient.Dropped != limited.ToClients {
		t.Errorf("dropped of the allocation: got %+v, want %+v", allocation, limited)
	}

	// Neither the server nor another call is slowed, nor is control.
	live.must(live.request(stun.MethodRefresh, lifetime(600)))
	username, password := s.login("ann", "S2")
	other := &call{dial(t, "udp", s.udp[addrOne], username, password), t, listenUDP(t, addrPeer)}
	other.allocate()
	other.must(other.bindChannel(0x4000, local(other.peer)))
	other.undisturbed()
}

func TestBandwidthInAll(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) { c.Limits.Bits = 1_600_000 })
	began := time.Now()
	one := s.call(t, "udp")
	username, password := s.login("ann", "S2")
	two := &call{dial(t, "udp", s.udp[addrTwo], username, password), t, listenUDP(t, addrPeer)}
	two.allocate()
	two.must(two.bindChannel(0x4000, local(two.peer)))
	packet := channelData(0x4000, string(make([]byte, 1000)))
	first, second := countFrom(one.peer), countFrom(two.peer)
	sendPaced(t, 400, func() { one.send(packet); two.send(packet) }, func() int64 { return s.Stats().UDP.PacketsIn })
	eventually(t, "each packet arrived or is counted", func() bool {
		return first.packets.Load()+second.packets.Load()+s.Stats().Limited.FromClients == 800
	})
	about(t, "of both calls", first.stop(t)+second.stop(t), 100, 200, began)
}

// dialFrom is a UDP client with a source address of its own.
func dialFrom(t *testing.T, source string, s *site, username, password string) *client {
	t.Helper()
	c := dial(t, "udp", s.udp[addrOne], username, password)
	conn, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(source+":0")), net.UDPAddrFromAddrPort(s.udp[addrOne]))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c.conn = conn
	return c
}

// Ten a second let a hundred through at once.
func TestBindingsOfASource(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) { c.Limits.BindingsPerSource = 10 })
	began := time.Now()
	flood := dialFrom(t, "127.0.0.40", s, "", "")
	answers := countFrom(flood.conn)
	sendPaced(t, 300, func() { flood.send(flood.build(stun.MethodBinding).Raw) }, func() int64 { return s.Stats().UDP.PacketsIn })
	eventually(t, "each Binding is answered or counted", func() bool {
		return answers.packets.Load()+s.Stats().Limited.Bindings == 300
	})
	about(t, "answers", answers.stop(t), 100, 10, began)
	dialFrom(t, "127.0.0.41", s, "", "").bind()
	// The same source may still allocate.
	flood.username, flood.password = s.login("ann", "S1")
	flood.allocate()
}

func TestAllocatesOfASource(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) {
		c.Limits.AllocatesPerSource = 1
		c.Limits.AllocationsPerSession = 100
	})
	username, password := s.login("ann", "S1")
	c := dialFrom(t, "127.0.0.40", s, username, password)
	for range 10 {
		c.allocate()
		c.must(c.request(stun.MethodRefresh, lifetime(0)))
	}
	c.expectError(c.tryAllocate(), stun.MethodAllocate, 486, nil)
	if got := s.Stats().Limited.Allocates; got != 1 {
		t.Errorf("counted: got %d, want 1", got)
	}
	dialFrom(t, "127.0.0.41", s, username, password).allocate()
}

// Somebody who cannot authenticate, or writes others' source addresses, uses up
// only what strangers may do.
func TestStrangersOfASource(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) { c.Limits.AllocatesPerSource = 5 })
	began := time.Now()
	username, password := s.login("ann", "S1")
	good := dialFrom(t, "127.0.0.40", s, username, password)
	good.challenge()
	live := dialFrom(t, "127.0.0.40", s, username, password)
	live.allocate()
	flood := dialFrom(t, "127.0.0.40", s, username, "wrong")
	flood.nonce = good.nonce
	i := 0
	answers := countFrom(flood.conn)
	sendPaced(t, 300, func() {
		i++
		m := flood.build(stun.MethodAllocate, requestUDP)
		switch i % 3 {
		case 0:
			m = flood.build(stun.MethodRefresh)
		case 1:
			m = stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), requestUDP)
		}
		flood.send(m.Raw)
	}, func() int64 { return s.Stats().UDP.PacketsIn })
	eventually(t, "each is answered or counted", func() bool {
		return answers.packets.Load()+s.Stats().Limited.Challenges == 300
	})
	about(t, "answers", answers.stop(t), 50-2, 5, began) // two challenges went before
	good.allocate()
	// A call goes on even if its nonce grows old meanwhile.
	live.nonce = "old"
	live.expectChallenge(live.request(stun.MethodRefresh, lifetime(600)), stun.CodeStaleNonce)
}

// A whole segment may come through one address: none of its streams may be left
// without an answer.
func TestStreamsAreAlwaysChallenged(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) { c.Limits.AllocatesPerSource = 0.1 })
	c := dial(t, "tcp", s.tcp[addrOne], "", "")
	for range 10 {
		c.challenge()
	}
	c.username, c.password = s.login("ann", "S1")
	c.allocate()
}

func TestLimitsChangeWhileRunning(t *testing.T) {
	s := startSite(t)
	live := s.call(t, "udp")
	packet := channelData(0x4000, string(make([]byte, 1000)))
	send := func() int64 {
		before := s.Stats().Limited.FromClients
		arrived := countFrom(live.peer)
		sendPaced(t, 60, func() { live.send(packet) }, func() int64 { return s.Stats().UDP.PacketsIn })
		eventually(t, "each packet arrived or is counted", func() bool {
			return arrived.packets.Load()+s.Stats().Limited.FromClients-before == 60
		})
		arrived.stop(t)
		return s.Stats().Limited.FromClients - before
	}
	if got := send(); got != 0 {
		t.Errorf("without a limit: dropped %d", got)
	}
	for _, test := range []struct {
		change func(*turnsrv.Limits)
		want   bool
	}{
		{func(l *turnsrv.Limits) { l.BitsPerAllocation = 16_000 }, true},
		{func(l *turnsrv.Limits) { l.BitsPerAllocation = 0 }, false},
		{func(l *turnsrv.Limits) { l.Bits = 16_000 }, true},
		{func(l *turnsrv.Limits) { l.Bits = 1_000_000_000 }, false},
	} {
		settings := s.Settings()
		test.change(&settings.Limits)
		if err := s.Apply(settings); err != nil {
			t.Fatal(err)
		}
		if got := send() > 0; got != test.want {
			t.Errorf("%+v: packets were dropped: %v, want %v", settings.Limits, got, test.want)
		}
	}

	settings := s.Settings()
	settings.Limits.Allocations, settings.Limits.BindingsPerSource = 1, 0.01
	if err := s.Apply(settings); err != nil {
		t.Fatal(err)
	}
	username, password := s.login("bob", "S2")
	second := dial(t, "tcp", s.tcp[addrOne], username, password)
	second.expectError(second.tryAllocate(), stun.MethodAllocate, 508, nil)
	live.must(live.request(stun.MethodRefresh, lifetime(600)))
	before := s.Stats().Limited.Bindings
	stranger := dialFrom(t, "127.0.0.42", s, "", "")
	stranger.bind()
	stranger.send(stranger.build(stun.MethodBinding).Raw)
	eventually(t, "the second Binding is dropped", func() bool { return s.Stats().Limited.Bindings == before+1 })
}
