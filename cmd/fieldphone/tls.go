package main

import (
	"crypto/tls"
	"net"

	"fieldphone/httpapi/lanca"
)

// tlsListener speaks TLS with the site's certificate as it is at each
// handshake.
func tlsListener(ln net.Listener, ca *lanca.Authority) net.Listener {
	return tls.NewListener(ln, ca.TLSConfig())
}
