package oneport_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fieldphone/httpapi/lanca"
	"fieldphone/httpapi/oneport"
	"fieldphone/turnsrv"
	"fieldphone/turnsrv/credential"
	"fieldphone/turnsrv/turnclient"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	loopback = netip.MustParseAddr("127.0.0.1")
	secret   = []byte("a secret of sixteen bytes or more")
)

// site is a port with a real HTTP and a real TURN server behind it.
type site struct {
	testing.TB
	addr  netip.AddrPort
	port  *oneport.Port
	roots *x509.CertPool
	turn  *turnsrv.Server
}

func certificate(t testing.TB) (*tls.Config, *x509.CertPool) {
	t.Helper()
	ca, err := lanca.Open(lanca.Config{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ca.SetNames([]netip.Addr{loopback}, []string{"localhost"}); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.CACertPEM())
	return ca.TLSConfig(), roots
}

func newSite(t testing.TB, listen string, patience time.Duration) *site {
	t.Helper()
	config, roots := certificate(t)
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	port := oneport.New(ln, oneport.Config{TLS: config, Patience: patience, Logger: log})
	t.Cleanup(func() { _ = port.Close() })
	turn, err := turnsrv.New(turnsrv.Config{
		Realm: "test", Secret: secret, Logger: log, Now: time.Now, Relay: turnsrv.PortRange{Min: 20000, Max: 60000},
		Listeners: []turnsrv.Listener{{TCP: port.TURN()}}, Policy: turnsrv.Policy{AllowLoopback: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = turn.Close() })
	serveHTTP(t, port.HTTPS())
	return &site{TB: t, addr: netip.AddrPortFrom(loopback, ln.Addr().(*net.TCPAddr).AddrPort().Port()), port: port, roots: roots, turn: turn}
}

func serveHTTP(t testing.TB, ln net.Listener) {
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(append(body, " to "+r.Host...))
	})}
	done := make(chan struct{})
	go func() { _ = server.Serve(ln); close(done) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
}

func (s *site) client(protocols ...string) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.roots, NextProtos: protocols}}
	s.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

func (s *site) post(client *http.Client) {
	s.Helper()
	resp, err := client.Post("https://"+s.addr.String()+"/", "text/plain", strings.NewReader(strings.Repeat("hello ", 20000)))
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if want := strings.Repeat("hello ", 20000) + " to " + s.addr.String(); err != nil || string(body) != want {
		s.Fatalf("got %d bytes, %v", len(body), err)
	}
}

func (s *site) dial() net.Conn {
	s.Helper()
	conn, err := net.Dial("tcp", s.addr.String())
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { conn.Close() })
	return conn
}

// closedWithin fails unless the server closes the connection in time.
func (s *site) closedWithin(conn net.Conn, patience time.Duration) {
	s.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		s.Fatal(err)
	}
	var timeout net.Error
	if _, err := io.Copy(io.Discard, conn); errors.As(err, &timeout) && timeout.Timeout() {
		s.Errorf("the connection is still open after %v", patience)
	}
}

func TestHTTPSWithAndWithoutALPN(t *testing.T) {
	s := newSite(t, "127.0.0.1:0", 0)
	s.post(s.client("http/1.1"))
	s.post(s.client())
	s.post(s.client("h2", "http/1.1"))
}

// Ensure each way to TURN gives an allocation at the address that was asked,
// on a wildcard listener as well, where IPv4 comes in as IPv6.
func TestTURNOnTheHTTPSPort(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "[::]:0"} {
		s := newSite(t, listen, 0)
		for name, target := range map[string]turnclient.Target{
			"plain":         {Network: turnclient.TCP},
			"TLS":           {Network: turnclient.TLS, TLS: &tls.Config{}},
			"TLS with ALPN": {Network: turnclient.TLS, TLS: &tls.Config{NextProtos: []string{"stun.turn"}}},
			"TLS, ALPN as coturn's clients": {
				Network: turnclient.TLS, TLS: &tls.Config{NextProtos: []string{"http/1.1", "stun.turn", "stun.nat-discovery"}},
			},
		} {
			t.Run(listen+" "+name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				target.Address = s.addr
				if target.TLS != nil {
					target.TLS.RootCAs, target.TLS.ServerName = s.roots, "127.0.0.1"
				}
				client, err := turnclient.Dial(ctx, target)
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				client.SignIn(credential.Issue(secret, "maria", "session", time.Now().Add(time.Hour)))
				relayed, err := client.Allocate(ctx)
				if err != nil || relayed.Addr() != loopback {
					t.Fatalf("got %s, %v", relayed, err)
				}
				if seen, err := client.Bind(ctx); err != nil || seen != client.Local() {
					t.Errorf("the server sees %s, %v; want %s", seen, err, client.Local())
				}
				if err := client.Release(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		stats := s.turn.Stats()
		if stats.TCP.PacketsIn == 0 || stats.TLS.PacketsIn == 0 {
			t.Errorf("TCP and TLS are not told apart: %+v %+v", stats.TCP, stats.TLS)
		}
	}
}

// Ensure a server that asks for the ends of a connection, or for TLS, gets them.
func TestConnectionsAreWhatServersExpect(t *testing.T) {
	config, roots := certificate(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := oneport.New(ln, oneport.Config{TLS: config, Logger: slog.New(slog.DiscardHandler)})
	defer func() { _ = port.Close() }()
	if port.HTTPS().Addr() != ln.Addr() || port.TURN().Addr() != ln.Addr() {
		t.Error("the doors do not have the port's address")
	}
	for name, tt := range map[string]struct {
		door      net.Listener
		tls       *tls.Config
		transport string
	}{
		"https":           {port.HTTPS(), &tls.Config{NextProtos: []string{"http/1.1"}}, ""},
		"https, no ALPN":  {port.HTTPS(), &tls.Config{}, ""},
		"turn":            {port.TURN(), nil, "tcp"},
		"turns":           {port.TURN(), &tls.Config{NextProtos: []string{"stun.turn"}}, "tls"},
		"turns, no ALPN ": {port.TURN(), &tls.Config{}, "tls"},
	} {
		client, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		sent := "\x00\x01rest"
		if tt.transport == "" {
			sent = "GET / "
		}
		go func() {
			if tt.tls != nil {
				tt.tls.RootCAs, tt.tls.ServerName = roots, "localhost"
				client = tls.Client(client, tt.tls)
			}
			_, _ = io.WriteString(client, sent)
		}()
		conn := accept(t, tt.door)
		if _, ok := conn.RemoteAddr().(*net.TCPAddr); !ok || conn.LocalAddr().String() != ln.Addr().String() {
			t.Errorf("%s: from %v to %v", name, conn.RemoteAddr(), conn.LocalAddr())
		}
		secure, isTLS := conn.(interface {
			Handshake() error
			ConnectionState() tls.ConnectionState
		})
		if tt.transport == "" && (!isTLS || secure.Handshake() != nil || !secure.ConnectionState().HandshakeComplete) {
			t.Errorf("%s: is not TLS to an HTTP server", name)
		}
		if over, ok := conn.(interface{ Transport() string }); ok != (tt.transport != "") || ok && over.Transport() != tt.transport {
			t.Errorf("%s: transport is not %q", name, tt.transport)
		}
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != sent {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
		conn.Close()
		client.Close()
	}
}

// stuck is a listener of connections whose client takes no more bytes, from
// the moment on that it is told.
type stuck struct {
	net.Listener
	full chan struct{}
}

func (l stuck) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return stuckConn{conn, l.full, make(chan struct{})}, err
}

type stuckConn struct {
	net.Conn
	full, closed chan struct{}
}

func (c stuckConn) Write(p []byte) (int, error) {
	select {
	case <-c.full:
		<-c.closed
		return 0, net.ErrClosed
	default:
		return c.Conn.Write(p)
	}
}

func (c stuckConn) Close() error {
	close(c.closed)
	return c.Conn.Close()
}

// Ensure ending a TURN connection waits for nobody, though TLS would say
// farewell to a client that does not read.
func TestClosingTURNOverTLSIsAtOnce(t *testing.T) {
	config, roots := certificate(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	full := make(chan struct{})
	port := oneport.New(stuck{ln, full}, oneport.Config{TLS: config, Logger: slog.New(slog.DiscardHandler)})
	defer func() { _ = port.Close() }()
	client, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{RootCAs: roots, NextProtos: []string{"stun.turn"}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn := accept(t, port.TURN())
	close(full)
	closed := make(chan struct{})
	go func() { conn.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(2 * time.Second):
		t.Error("Close waits for a client that does not read")
	}
}

func accept(t *testing.T, door net.Listener) net.Conn {
	t.Helper()
	late := time.AfterFunc(10*time.Second, func() { door.Close() })
	defer late.Stop()
	conn, err := door.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// Ensure the time that a beginning may take is not that of the connection.
func TestNoDeadlineIsHandedOver(t *testing.T) {
	const patience = 200 * time.Millisecond
	config, roots := certificate(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := oneport.New(ln, oneport.Config{TLS: config, Patience: patience, Logger: slog.New(slog.DiscardHandler)})
	defer func() { _ = port.Close() }()
	for _, protocol := range []string{"http/1.1", "stun.turn"} {
		client, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{RootCAs: roots, NextProtos: []string{protocol}})
		if err != nil {
			t.Fatal(err)
		}
		door := port.HTTPS()
		if protocol == "stun.turn" {
			door = port.TURN()
		}
		conn := accept(t, door)
		later := time.AfterFunc(2*patience, func() { _, _ = client.Write([]byte("late")) })
		got := make([]byte, 4)
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != "late" {
			t.Errorf("%s: got %q, %v", protocol, got, err)
		}
		later.Stop()
		conn.Close()
		client.Close()
	}
}

// tired is a listener that has run out of file descriptors for a while.
type tired struct {
	net.Listener
	left int
}

func (l *tired) Accept() (net.Conn, error) {
	if l.left > 0 {
		l.left--
		return nil, errors.New("accept: too many open files")
	}
	return l.Listener.Accept()
}

func TestAcceptErrorsPass(t *testing.T) {
	config, roots := certificate(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	port := oneport.New(&tired{ln, 3}, oneport.Config{TLS: config, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	serveHTTP(t, port.HTTPS())
	s := &site{TB: t, addr: ln.Addr().(*net.TCPAddr).AddrPort(), roots: roots}
	s.post(s.client("http/1.1"))
	_ = port.Close()
	if n := strings.Count(log.String(), "cannot accept"); n != 1 {
		t.Errorf("%d warnings:\n%s", n, log.String())
	}
}

// Ensure Close ends everything, also what nobody has accepted.
func TestCloseEndsEverything(t *testing.T) {
	config, _ := certificate(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := oneport.New(ln, oneport.Config{TLS: config, Patience: time.Minute, Logger: slog.New(slog.DiscardHandler)})
	s := &site{TB: t, addr: ln.Addr().(*net.TCPAddr).AddrPort()}
	silent, waiting := s.dial(), s.dial()
	_, _ = waiting.Write([]byte{0})
	began := time.Now()
	_ = port.Close()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	s.closedWithin(silent, 5*time.Second)
	s.closedWithin(waiting, 5*time.Second)
	for _, door := range []net.Listener{port.HTTPS(), port.TURN()} {
		if _, err := door.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept says %v", err)
		}
	}
}
