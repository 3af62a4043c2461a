package turnclient_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fieldphone/turnsrv"
	"fieldphone/turnsrv/credential"
	"fieldphone/turnsrv/turnclient"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	secret   = []byte("0123456789abcdef0123456789abcdef")
	loopback = netip.MustParseAddr("127.0.0.1")
)

// startRelay serves on loopback, and returns where.
func startRelay(t *testing.T, limits turnsrv.Limits) netip.AddrPort {
	t.Helper()
	low := freePorts(t, 16)
	opened, err := turnsrv.Open(t.Context(), []netip.Addr{loopback}, 0)
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(opened[0].UDP.LocalAddr().String())
	server, err := turnsrv.New(turnsrv.Config{
		Realm: "test", Secret: secret, Logger: slog.New(slog.DiscardHandler), Now: time.Now, Listeners: opened,
		Relay: turnsrv.PortRange{Min: low, Max: low + 15}, Policy: turnsrv.Policy{AllowLoopback: true}, Limits: limits,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return at
}

func freePorts(t *testing.T, n int) uint16 {
	t.Helper()
search:
	for range 200 {
		low := 12000 + rand.IntN(18000)
		for port := low; port < low+n; port++ {
			conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
			if err != nil {
				continue search
			}
			conn.Close()
		}
		return uint16(low)
	}
	t.Fatal("no free ports")
	return 0
}

func dial(t *testing.T, network turnclient.Network, at netip.AddrPort, session string) *turnclient.Client {
	t.Helper()
	c, err := turnclient.Dial(t.Context(), turnclient.Target{Network: network, Address: at})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SignIn(credential.Issue(secret, "maria", session, time.Now().Add(time.Hour)))
	return c
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// pair is two allocations whose channels lead to each other.
func pair(t *testing.T, network turnclient.Network, at netip.AddrPort) (a, b *turnclient.Client) {
	t.Helper()
	ctx := deadline(t)
	a, b = dial(t, network, at, "one"), dial(t, network, at, "one")
	relayA, err := a.Allocate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	relayB, err := b.Allocate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.BindChannel(ctx, relayB), b.BindChannel(ctx, relayA)); err != nil {
		t.Fatal(err)
	}
	return a, b
}

// Ensure that all packets go from relay port to relay port, over each transport.
func TestExchange(t *testing.T) {
	at := startRelay(t, turnsrv.Limits{})
	for _, network := range []turnclient.Network{turnclient.UDP, turnclient.TCP} {
		t.Run(string(network), func(t *testing.T) {
			ctx := deadline(t)
			a, b := pair(t, network, at)
			mapped, err := a.Bind(ctx)
			if err != nil || mapped != a.Local() {
				t.Errorf("mapped %s, %v, want %s", mapped, err, a.Local())
			}
			got, err := turnclient.Exchange(ctx, a, b, turnclient.Load{Packets: 200, Bytes: 1001, Every: time.Millisecond, Wait: time.Second})
			if err != nil || got.Sent != 200 || got.Received != 200 || got.Loss() != 0 || got.Bytes != 200*1001 {
				t.Fatalf("got %+v, %v", got, err)
			}
			if got.Median <= 0 || got.Median > time.Second || got.Longest < got.Median || got.Kbps() < 1000 {
				t.Errorf("times %+v, %.0f kbit/s", got, got.Kbps())
			}
			if err := errors.Join(a.Release(ctx), b.Release(ctx)); err != nil {
				t.Error(err)
			}
		})
	}
}

// Ensure that what is sent long after a request does not fail for the request's
// time being over.
func TestSendAfterARequestsTime(t *testing.T) {
	a, b := pair(t, turnclient.UDP, startRelay(t, turnsrv.Limits{}))
	if got, err := b.Receive(time.Now().Add(400 * time.Millisecond)); err == nil {
		t.Fatalf("got %q of nobody", got)
	}
	if err := a.Send([]byte("late")); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Receive(time.Now().Add(10 * time.Second)); err != nil || string(got) != "late" {
		t.Errorf("got %q, %v", got, err)
	}
}

// Ensure that loss is seen: nothing arrives once the receiver's allocation is gone.
func TestExchangeSeesLoss(t *testing.T) {
	a, b := pair(t, turnclient.UDP, startRelay(t, turnsrv.Limits{}))
	ctx := deadline(t)
	if err := b.Release(ctx); err != nil {
		t.Fatal(err)
	}
	got, err := turnclient.Exchange(ctx, a, b, turnclient.Load{Packets: 10, Bytes: 100, Every: time.Millisecond, Wait: 50 * time.Millisecond})
	if err != nil || got.Sent != 10 || got.Received != 0 || got.Loss() != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestRefusals(t *testing.T) {
	at := startRelay(t, turnsrv.Limits{AllocationsPerSession: 1})
	ctx := deadline(t)
	if err := dial(t, turnclient.UDP, at, "one").Challenge(ctx); err != nil {
		t.Errorf("a server that asks for a credential: %v", err)
	}
	wrong := dial(t, turnclient.TCP, at, "one")
	wrong.SignIn(credential.Issue([]byte("another secret of 32 bytes......"), "maria", "one", time.Now().Add(time.Hour)))
	_, err := wrong.Allocate(ctx)
	var refusal *turnclient.Error
	if !errors.As(err, &refusal) || refusal.Code != 401 || turnclient.Failure(err) != "unauthorized" {
		t.Errorf("a wrong password: %v", err)
	}
	if _, err := dial(t, turnclient.UDP, at, "one").Allocate(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = dial(t, turnclient.UDP, at, "one").Allocate(ctx)
	if !errors.As(err, &refusal) || refusal.Code != 486 || turnclient.Failure(err) != "refused" {
		t.Errorf("over the quota: %v", err)
	}
}

// Ensure that each way of not answering has its name.
func TestFailures(t *testing.T) {
	deaf, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := mute.Addr().String()
	mute.Close()
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	go func() {
		for {
			conn, err := web.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
			conn.Close()
		}
	}()
	for _, tt := range []struct {
		name    string
		network turnclient.Network
		address string
		want    string
	}{
		{"SilentUDP", turnclient.UDP, deaf.LocalAddr().String(), "timeout"},
		{"ClosedTCP", turnclient.TCP, gone, "refused"},
		{"NotTURN", turnclient.TCP, web.Addr().String(), "internal"},
		{"NotTLS", turnclient.TLS, web.Addr().String(), "internal"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
			defer cancel()
			c, err := turnclient.Dial(ctx, turnclient.Target{
				Network: tt.network, Address: netip.MustParseAddrPort(tt.address), TLS: &tls.Config{ServerName: "127.0.0.1"},
			})
			if err == nil {
				defer c.Close()
				_, err = c.Bind(ctx)
			}
			if got := turnclient.Failure(err); got != tt.want {
				t.Errorf("got %s, want %s: %v", got, tt.want, err)
			}
		})
	}
}
