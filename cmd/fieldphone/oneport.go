package main

import (
	"net"

	"fieldphone/httpapi/oneport"
	"fieldphone/turnsrv"
)

// shareHTTPS makes a listener of the HTTPS port speak TLS, and TURN beside
// HTTPS unless that is switched off. TURN relays by the address that the
// connection came in on; one that the relay does not serve (IPv6, this very
// machine) stands for the nearest that it does.
func (s *server) shareHTTPS(ln net.Listener) (net.Listener, error) {
	if !s.cfg.TURN.OnHTTPSPort {
		return tlsListener(ln, s.cert), nil
	}
	port := oneport.New(ln, oneport.Config{TLS: s.cert.TLSConfig(), Logger: s.log})
	s.defer_(port.Close)
	return port.HTTPS(), s.turn.Add(turnsrv.Listener{TCP: port.TURN(), RelayBy: s.relayFor})
}
