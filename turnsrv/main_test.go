package turnsrv_test

import (
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fieldphone/turnsrv"
	"fieldphone/turnsrv/credential"
)

// path is how the servers of all tests forward packets.
var path = flag.String("path", string(turnsrv.PathUser), "kernel, user or plain")

// shards is how many sockets their UDP listeners have, where the system allows it.
var shards = flag.Int("shards", 2, "sockets of each UDP address")

func TestMain(m *testing.M) {
	flag.Parse()
	turnsrv.SetShards(*shards)
	if what := os.Getenv(serverEnv); what != "" {
		if err := serveForTest(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

const (
	realm    = "fieldphone.test"
	patience = 5 * time.Second
)

var (
	secret  = []byte("0123456789abcdef0123456789abcdef")
	addrOne = netip.MustParseAddr("127.0.0.1")
	addrTwo = netip.MustParseAddr("127.0.0.2")
	// addrPeer is an address where no listener is, so not the server's own.
	addrPeer = netip.MustParseAddr("127.0.0.3")
)

// site is a running server and what a test needs to judge it.
type site struct {
	*turnsrv.Server
	t     *testing.T
	clock *clock
	log   *logBuffer
	relay turnsrv.PortRange
	// udp and tcp are the listeners' addresses by local IP.
	udp, tcp map[netip.Addr]netip.AddrPort
}

func startSite(t *testing.T, change ...func(*turnsrv.Config)) *site {
	t.Helper()
	s := &site{
		t: t, clock: newClock(), log: &logBuffer{},
		udp: make(map[netip.Addr]netip.AddrPort), tcp: make(map[netip.Addr]netip.AddrPort),
	}
	opened, err := turnsrv.Open(t.Context(), []netip.Addr{addrOne, addrTwo}, 0)
	if err != nil {
		t.Fatal(err)
	}
	config := turnsrv.Config{
		Realm: realm, Secret: secret, Logger: slog.New(slog.NewTextHandler(s.log, nil)), Now: s.clock.Now,
		Listeners: opened,
		Policy:    turnsrv.Policy{Mode: turnsrv.ModeAny, AllowLoopback: true},
		Path:      turnsrv.Path(*path),
		// All clients of a test come from one address.
		Limits: turnsrv.Limits{AllocatesPerSource: 1e4, BindingsPerSource: 1e5},
	}
	for _, f := range change {
		f(&config)
	}
	if config.Relay == (turnsrv.PortRange{}) {
		config.Relay = freeRange(t, 32)
	}
	s.relay = config.Relay
	for _, l := range config.Listeners {
		if l.UDP != nil {
			s.udp[l.Address] = netip.MustParseAddrPort(l.UDP.LocalAddr().String())
		} else {
			s.tcp[l.Address] = netip.MustParseAddrPort(l.TCP.Addr().String())
		}
	}
	s.Server, err = turnsrv.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		stats := s.Stats()
		if stats.Allocations != 0 || stats.RelayPorts.Used != 0 || stats.TCPConnections.Open != 0 || stats.Listeners != 0 {
			t.Errorf("left over after Close: %+v", stats)
		}
	})
	return s
}

// freeRange finds a run of UDP ports that nobody holds on the test addresses.
func freeRange(t *testing.T, size int) turnsrv.PortRange {
	t.Helper()
	for range 200 {
		low := 10000 + rand.IntN(20000)/2*2
		if rangeIsFree(low, size) {
			return turnsrv.PortRange{Min: uint16(low), Max: uint16(low + size - 1)}
		}
	}
	t.Fatal("found no free range of UDP ports")
	return turnsrv.PortRange{}
}

func rangeIsFree(low, size int) bool {
	for port := low; port < low+size; port++ {
		for _, a := range []netip.Addr{addrOne, addrTwo} {
			conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, uint16(port))))
			if err != nil {
				return false
			}
			_ = conn.Close()
		}
	}
	return true
}

// login is a credential of a session that lasts an hour.
func (s *site) login(subject, sessionID string) (username, password string) {
	return credential.Issue(secret, subject, sessionID, s.clock.Now().Add(time.Hour))
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func listenUDP(t *testing.T, address netip.Addr) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(address, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func local(conn *net.UDPConn) netip.AddrPort {
	return netip.MustParseAddrPort(conn.LocalAddr().String())
}

// expectFrom reads one datagram and returns where it came from.
func expectFrom(t *testing.T, conn *net.UDPConn, want string) netip.AddrPort {
	t.Helper()
	buffer := make([]byte, 2000)
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	n, from, err := conn.ReadFromUDPAddrPort(buffer)
	if err != nil {
		t.Fatalf("waiting for %q: %v", want, err)
	}
	if got := string(buffer[:n]); got != want {
		t.Fatalf("peer got %q, want %q", got, want)
	}
	return from
}

type clock struct{ offset atomic.Int64 }

func newClock() *clock { return &clock{} }

func (c *clock) Now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
