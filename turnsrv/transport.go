package turnsrv

import (
	"crypto/tls"
	"net"
)

// transport is how a client's messages arrive, as Allocation tells it.
type transport string

const (
	overUDP transport = "udp"
	overTCP transport = "tcp"
	overTLS transport = "tls"
)

// transportOf tells a stream's transport; see Listener.TCP.
func transportOf(conn net.Conn) transport {
	switch c := conn.(type) {
	case interface{ Transport() string }:
		if c.Transport() == string(overTLS) {
			return overTLS
		}
	case interface{ ConnectionState() tls.ConnectionState }:
		return overTLS
	}
	return overTCP
}
