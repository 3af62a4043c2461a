package main

import (
	"net/netip"
	"time"

	"fieldphone/httpapi"
	"fieldphone/httpapi/firewall"
)

const (
	sweepPorts = 24               // sampled at a time
	sweepLife  = 10 * time.Second // a browser asks 16 at a time, for 2.5 s
)

// pathConfig joins path tests to the relay.
func (s *server) pathConfig() httpapi.PathConfig {
	return httpapi.PathConfig{Sweep: s.sweep, NAT: s.twoAddresses, Ports: s.relayPorts}
}

// relayPorts is the range that calls get ports from now.
func (s *server) relayPorts() firewall.PortRange {
	now := s.turn.Settings().Relay
	return firewall.PortRange{Min: now.Min, Max: now.Max}
}

// sweep lends relay ports to a path test, on the address that the client relays by.
func (s *server) sweep(reached netip.Addr) (httpapi.Sweep, error) {
	address, _ := s.relayFor(reached) // without one, Sweep says what is wrong
	sweep, err := s.turn.Sweep(address, sweepPorts, sweepLife)
	return httpapi.Sweep{
		Address: sweep.Address, Ports: sweep.Ports, Ufrag: sweep.Ufrag, Password: sweep.Password, Expires: sweep.Expires,
	}, err
}

// twoAddresses are what a client asks from one socket to learn how a NAT maps: the one that
// it relays by, and another of this server.
func (s *server) twoAddresses(reached netip.Addr) (primary, other netip.AddrPort, ok bool) {
	address, ok := s.relayFor(reached)
	if !ok {
		return primary, other, false
	}
	for _, a := range s.turn.Addresses() {
		if a != address {
			return netip.AddrPortFrom(address, s.turnPort), netip.AddrPortFrom(a, s.turnPort), true
		}
	}
	return primary, other, false
}
