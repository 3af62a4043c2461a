package turnsrv

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"

	"fieldphone/turnsrv/credential"

	"github.com/pion/turn/v4"
)

var (
	errTCPRelay     = errors.New("turn: relaying to TCP peers (RFC 6062) is not offered")
	errSessionEnded = errors.New("turn: the session has ended; sign in again")
)

// key is the long-term credential's key (RFC 8489 section 9.2.2).
func (s *Server) key(username string) []byte {
	return turn.GenerateAuthKey(username, s.config.Realm, credential.Password(s.config.Secret, username))
}

// authenticate is pion's AuthHandler: it names the key that the request must
// be signed with. It is asked for every request. An expired credential is
// good for nothing but the allocation that it made before, so that an expiry
// never ends a call.
func (e *endpoint) authenticate(username, realm string, src net.Addr) ([]byte, bool) {
	s := e.server
	refuse := func(counter *atomic.Int64) ([]byte, bool) {
		counter.Add(1)
		return nil, false
	}
	if realm != s.config.Realm {
		return refuse(&s.counters.realm)
	}
	identity, err := credential.Parse(username)
	if err != nil {
		return refuse(&s.counters.username)
	}
	if s.sessions.isRevoked(identity.SessionID) {
		return refuse(&s.counters.revoked)
	}
	if r := e.find(addrPort(src)); r != nil && r.username == username {
		return s.key(username), true
	}
	now := s.config.Now()
	if now.After(identity.Expiry.Add(clockLeeway)) {
		return refuse(&s.counters.expired)
	}
	if identity.Expiry.After(now.Add(s.limits().CredentialLifetime + clockLeeway)) {
		return refuse(&s.counters.lifetime)
	}
	return s.key(username), true
}

// admit is pion's QuotaHandler: the last word before an allocation is made. It
// looks at the expiry once more, because authenticate may have let it pass for
// an allocation that is being deleted.
func (e *endpoint) admit(username, _ string, src net.Addr) bool {
	s := e.server
	identity, err := credential.Parse(username)
	if err != nil || s.config.Now().After(identity.Expiry.Add(clockLeeway)) {
		s.counters.expiredAlloc.Add(1)
		return false
	}
	if !s.sessions.reserve(identity.SessionID) {
		s.counters.quota.Add(1)
		return false
	}
	e.pending = &admission{client: addrPort(src), username: username, identity: identity}
	return true
}

// Validate is part of turn.RelayAddressGenerator.
func (e *endpoint) Validate() error { return nil }

// AllocateConn is part of turn.RelayAddressGenerator.
func (e *endpoint) AllocateConn(string, int) (net.Conn, net.Addr, error) {
	return nil, nil, errTCPRelay
}

// AllocatePacketConn opens a relay port. pion calls it in the reader, right
// after admit; for a request with EVEN-PORT it calls once more before that,
// without an admission, to learn an even port, which it closes and then asks
// for by number. Any even port is as good.
func (e *endpoint) AllocatePacketConn(_ string, requested int) (net.PacketConn, net.Addr, error) {
	s, admitted := e.server, e.pending
	e.pending = nil
	fits := anyPort
	if admitted == nil || requested != 0 {
		fits = evenPort
	}
	pool := s.pool(e.relayAddress)
	conn, port, err := pool.open(fits)
	if err != nil {
		s.counters.ports.Add(1)
		s.warnPortsFull(e.relayAddress, err)
		if admitted != nil {
			s.sessions.cancel(admitted.identity.SessionID)
		}
		return nil, nil, err
	}
	told := net.UDPAddrFromAddrPort(netip.AddrPortFrom(e.advertised, port))
	if admitted == nil {
		return &probe{UDPConn: conn, pool: pool, port: port}, told, nil
	}
	r := &relayConn{
		PacketConn: conn, conn: conn, server: s, pool: pool, port: port,
		endpoint: e, client: admitted.client, username: admitted.username, identity: admitted.identity,
		permissions: make(map[netip.Addr]struct{}), channels: make(map[uint16]struct{}),
	}
	if !s.sessions.attach(r) {
		_ = conn.Close()
		pool.put(port)
		s.counters.ended.Add(1)
		return nil, nil, errSessionEnded
	}
	e.attach(r)
	s.counters.allocations.Add(1)
	s.counters.created.Add(1)
	return r, told, nil
}

// probe is a relay port that pion only looks at.
type probe struct {
	*net.UDPConn
	pool *portPool
	port uint16
}

// Close gives the port back; pion closes a probe once.
func (p *probe) Close() error {
	err := p.UDPConn.Close()
	p.pool.put(p.port)
	return err
}

// events follows what pion holds of each allocation. Some of these come with a
// lock of pion's held, so they must not call back.
func (e *endpoint) events() turn.EventHandler {
	permission := func(exists bool) func(src, _ net.Addr, _, _, _ string, _ net.Addr, peer net.IP) {
		return func(src, _ net.Addr, _, _, _ string, _ net.Addr, peer net.IP) {
			address, ok := netip.AddrFromSlice(peer)
			if r := e.find(addrPort(src)); ok && r != nil {
				r.setPermission(address.Unmap(), exists)
			}
		}
	}
	channel := func(exists bool) func(src, _ net.Addr, _, _, _ string, _, peer net.Addr, number uint16) {
		return func(src, _ net.Addr, _, _, _ string, _, _ net.Addr, number uint16) {
			if r := e.find(addrPort(src)); r != nil {
				r.setChannel(number, exists)
			}
		}
	}
	return turn.EventHandler{
		OnAuth: func(_, _ net.Addr, _, _, _, _ string, verdict bool) {
			if !verdict {
				e.server.counters.passw.Add(1)
			}
		},
		OnPermissionCreated: permission(true),
		OnPermissionDeleted: permission(false),
		OnChannelCreated:    channel(true),
		OnChannelDeleted:    channel(false),
	}
}
