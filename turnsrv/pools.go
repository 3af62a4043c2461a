package turnsrv

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// Ports tells how the relay ports are used, by local address.
func (s *Server) Ports() []PortUse {
	pools := s.livePools()
	uses := make([]PortUse, len(pools))
	for i, pool := range pools {
		uses[i] = pool.use()
	}
	return uses
}

// livePools are those of addresses that are served, or still used.
func (s *Server) livePools() []*portPool {
	s.mu.Lock()
	defer s.mu.Unlock()
	served := make(map[netip.Addr]bool)
	for _, l := range s.listeners {
		served[l.Address] = true
	}
	var live []*portPool
	for address, pool := range s.pools {
		if served[address] || pool.isUsed() {
			live = append(live, pool)
		}
	}
	slices.SortFunc(live, func(a, b *portPool) int { return a.address.Compare(b.address) })
	return live
}

// pool returns the relay ports of one local address. It stays when the address
// goes, since its ports come back later.
func (s *Server) pool(address netip.Addr) *portPool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pools[address]
	if p == nil {
		p = newPortPool(address, s.settings.Load().Relay, bindRelay)
		s.pools[address] = p
		s.tellPeerRules()
	}
	return p
}

func bindRelay(address netip.AddrPort) (*net.UDPConn, error) {
	config := net.ListenConfig{Control: noBroadcast}
	conn, err := config.ListenPacket(context.Background(), "udp", address.String())
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}

// warnPortsFull tells the admin, at most once a minute.
func (s *Server) warnPortsFull(address netip.Addr, err error) {
	if !s.portsFull.allow(time.Now(), time.Minute) {
		return
	}
	span := s.settings.Load().Relay
	s.log.Warn("turn: a client got no relay port", "address", address, "relay_ports", span.String(),
		"err", err, "do", fmt.Sprintf("widen turn.relay_ports (%d ports now) and open it in the firewall", span.size()))
}
