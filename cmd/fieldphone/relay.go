package main

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	"fieldphone/turnsrv"
)

// openRelay starts the STUN/TURN server on every address of the host.
func (s *server) openRelay(ctx context.Context, secret []byte) error {
	c := s.cfg.TURN
	s.turnPort = uint16(c.Port)
	var err error
	settings := turnSettings(s.cfg)
	s.turn, err = turnsrv.New(turnsrv.Config{
		Realm: c.Realm, Secret: secret, Logger: s.log, Now: time.Now, Known: s.book.Known, Allocated: s.allocated,
		Relay: settings.Relay, Policy: settings.Policy, Limits: settings.Limits,
		Path: turnsrv.Path(s.cfg.Relay.Path),
	})
	if err != nil {
		return err
	}
	return s.serveRelay(ctx, s.places)
}

// serveRelay makes the relay listen on the addresses that there are now.
func (s *server) serveRelay(ctx context.Context, places []place) error {
	addrs := relayAddrs(places)
	if s.turnPort == 0 && len(addrs) > 0 {
		first, err := s.openFreePort(ctx, addrs[0])
		if err != nil {
			return err
		}
		if err := s.turn.Add(first...); err != nil {
			return err
		}
		s.turnPort = first[0].UDP.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	}
	err := s.turn.SetAddresses(ctx, addrs, s.turnPort)
	s.reachable.Store(&places)
	return err
}

// openFreePort opens a port that the system chooses, but none that an
// allocation may need: the system may choose within the relay ports.
func (s *server) openFreePort(ctx context.Context, addr netip.Addr) ([]turnsrv.Listener, error) {
	for {
		opened, err := turnsrv.Open(ctx, []netip.Addr{addr}, 0)
		if err != nil {
			return nil, err
		}
		port := opened[0].UDP.LocalAddr().(*net.UDPAddr).Port
		if !s.cfg.TURN.RelayPorts.Contains(port) {
			return opened, nil
		}
		for _, l := range opened {
			if l.UDP != nil {
				l.UDP.Close()
			} else {
				l.TCP.Close()
			}
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// relayFor is the relay's address for a client that reached the server by an
// address: that very one, else one of the same interface (IPv6, where nothing
// is relayed), else the best there is (the server's own machine).
func (s *server) relayFor(reached netip.Addr) (netip.Addr, bool) {
	served := s.turn.Addresses()
	if slices.Contains(served, reached) {
		return reached, true
	}
	var best, near netip.Addr
	iface := interfaceOf(*s.reachable.Load(), reached)
	for _, p := range *s.reachable.Load() {
		if !slices.Contains(served, p.Addr) {
			continue
		}
		if !best.IsValid() {
			best = p.Addr
		}
		if p.Interface == iface && !near.IsValid() {
			near = p.Addr
		}
	}
	if near.IsValid() {
		return near, true
	}
	return best, best.IsValid()
}

// checkRelay asks the relay by its own sockets whether it answers.
func (s *server) checkRelay(ctx context.Context) error {
	for _, addr := range s.turn.Addresses() {
		if _, err := turnsrv.Probe(ctx, netip.AddrPortFrom(addr, s.turnPort)); err != nil {
			return err
		}
	}
	return nil
}
