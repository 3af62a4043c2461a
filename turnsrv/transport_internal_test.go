package turnsrv

import (
	"crypto/tls"
	"net"
	"testing"
)

// told is a connection that says what it is.
type told struct {
	net.Conn
	transport string
}

func (c told) Transport() string { return c.transport }

func TestTransportOf(t *testing.T) {
	plain, other := net.Pipe()
	defer plain.Close()
	defer other.Close()
	for want, conns := range map[transport][]net.Conn{
		overTCP: {plain, told{plain, "tcp"}, told{tls.Client(plain, nil), "tcp"}, told{plain, "something"}},
		overTLS: {tls.Client(plain, nil), told{plain, "tls"}},
	} {
		for _, conn := range conns {
			if got := transportOf(conn); got != want {
				t.Errorf("%T: got %s, want %s", conn, got, want)
			}
		}
	}
}
