package oneport_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"fieldphone/httpapi/oneport"
)

// Ensure connections that say nothing, before or within TLS, hold up nobody.
func TestSilentConnectionsHoldUpNobody(t *testing.T) {
	s := newSite(t, "127.0.0.1:0", time.Minute)
	s.post(s.client("http/1.1"))
	began := time.Now()
	s.post(s.client("http/1.1"))
	alone := time.Since(began)
	for i := range 200 {
		conn := s.dial()
		switch i % 3 {
		case 1:
			_, _ = conn.Write([]byte{0x16, 3, 1})
		case 2:
			_, _ = conn.Write([]byte{0, 1})
		}
	}
	began = time.Now()
	s.post(s.client("http/1.1"))
	if took := time.Since(began); took > 20*alone+500*time.Millisecond {
		t.Errorf("a request took %v beside 200 silent connections, %v alone", took, alone)
	}
}

// Ensure that nobody who accepts TURN connections late holds up HTTPS.
func TestOneDoorDoesNotBlockTheOther(t *testing.T) {
	config, roots := certificate(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := oneport.New(ln, oneport.Config{TLS: config, Logger: slog.New(slog.DiscardHandler)})
	serveHTTP(t, port.HTTPS())
	t.Cleanup(func() { _ = port.Close() })
	s := &site{TB: t, addr: ln.Addr().(*net.TCPAddr).AddrPort(), roots: roots}
	waiting := s.dial()
	if _, err := waiting.Write([]byte{0, 1, 0, 0}); err != nil {
		t.Fatal(err)
	}
	s.post(s.client("http/1.1"))
	port.TURN().Close()
	s.closedWithin(waiting, 5*time.Second)
	s.post(s.client())
}

func TestGarbageIsClosedAtOnce(t *testing.T) {
	s := newSite(t, "127.0.0.1:0", time.Minute)
	for _, first := range []string{"GET / HTTP/1.1\r\n\r\n", "\x04", "\x15", "\x17", "\x40\x00\x00\x04", "\xff", "SSH-2.0-x\r\n"} {
		conn := s.dial()
		_, _ = conn.Write([]byte(first))
		s.closedWithin(conn, 5*time.Second)
	}
	conn := s.dial()
	_, _ = conn.Write(append([]byte{0x16, 3, 1, 0, 5}, "hello"...))
	s.closedWithin(conn, 5*time.Second)
	conn = s.dial()
	_, _ = conn.Write(append([]byte{0, 1, 0, 0}, strings.Repeat("x", 30)...)) // STUN with no cookie
	s.closedWithin(conn, 5*time.Second)
}

// Ensure the time is for the whole beginning, not anew for each byte.
func TestSlowBeginningsEnd(t *testing.T) {
	const patience = 400 * time.Millisecond
	s := newSite(t, "127.0.0.1:0", patience)
	silent, slow := s.dial(), s.dial()
	var hello bytes.Buffer
	_ = tls.Client(recorder{&hello}, &tls.Config{ServerName: "localhost"}).Handshake()
	began := time.Now()
	sent := make(chan int)
	go func() {
		n := 0
		for _, b := range hello.Bytes() {
			if _, err := slow.Write([]byte{b}); err != nil {
				break
			}
			n++
			<-time.After(20 * time.Millisecond)
		}
		sent <- n
	}()
	s.closedWithin(silent, 10*patience)
	s.closedWithin(slow, 10*patience)
	if took := time.Since(began); took < patience/2 {
		t.Errorf("closed after %v already", took)
	}
	slow.Close()
	if n := <-sent; n == hello.Len() {
		t.Error("the whole hello was taken")
	}
	// Without ALPN the first byte within TLS is waited for, no longer.
	secure, err := tls.Dial("tcp", s.addr.String(), &tls.Config{RootCAs: s.roots})
	if err != nil {
		t.Fatal(err)
	}
	defer secure.Close()
	s.closedWithin(secure, 10*patience)
}

// recorder is a connection that keeps what is sent and answers nothing.
type recorder struct{ *bytes.Buffer }

func (recorder) Read([]byte) (int, error)         { return 0, io.EOF }
func (recorder) Close() error                     { return nil }
func (recorder) LocalAddr() net.Addr              { return nil }
func (recorder) RemoteAddr() net.Addr             { return nil }
func (recorder) SetDeadline(time.Time) error      { return nil }
func (recorder) SetReadDeadline(time.Time) error  { return nil }
func (recorder) SetWriteDeadline(time.Time) error { return nil }
