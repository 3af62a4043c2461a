package turnsrv

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"

	"fieldphone/turnsrv/credential"

	"github.com/pion/stun/v3"
	"github.com/pion/turn/v4"
)

var (
	errTCPRelay     = errors.New("turn: relaying to TCP peers (RFC 6062) is not offered")
	errNotAdmitted  = errors.New("turn: an allocation that nobody asked for")
	errSessionEnded = errors.New("turn: the session has ended; sign in again")
)

// key is the long-term credential's key (RFC 8489 section 9.2.2).
func (s *Server) key(username string) []byte {
	return turn.GenerateAuthKey(username, s.config.Realm, credential.Password(s.config.Secret, username))
}

// authenticate decides whether the sender is who it says (RFC 8489 section
// 9.2.4); nil means that it is. An expired credential is good for nothing but
// the allocation that it made before, so that an expiry never ends a call.
func (e *endpoint) authenticate(r *request) *refusal {
	s := e.server
	answer, own := e.identify(r)
	if answer == nil || own && answer == &refuseStale {
		key := stun.MessageIntegrity(s.key(r.username))
		switch {
		case r.provedBy(key):
			r.key = key
			return answer
		case answer == nil:
			s.counters.passw.Add(1)
			answer = &refuseCredential
		}
	}
	// A stream's sender is where it says it is, and would wait in vain for long.
	if answer == &refuseUnsigned && e.remote.IsValid() {
		return answer
	}
	if !s.rates.challenges.allow(r.client.Addr(), s.limits().AllocatesPerSource) {
		s.counters.limited.challenges.Add(1)
		return &drop
	}
	return answer
}

// identify decides all but the proof. own says that the sender names itself
// as the one who has the allocation here.
func (e *endpoint) identify(r *request) (answer *refusal, own bool) {
	s, m := e.server, &r.message
	refuse := func(counter *atomic.Int64) (*refusal, bool) {
		counter.Add(1)
		return &refuseCredential, false
	}
	if !m.Contains(stun.AttrMessageIntegrity) {
		return &refuseUnsigned, false
	}
	username, missing := m.Get(stun.AttrUsername)
	realm, noRealm := m.Get(stun.AttrRealm)
	nonce, noNonce := m.Get(stun.AttrNonce)
	if missing != nil || noRealm != nil || noNonce != nil {
		return &refuseIncomplete, false
	}
	r.username = string(username)
	held := e.find(r.client)
	own = held != nil && held.username == r.username
	if !s.nonces.valid(nonce, r.client.Addr()) {
		return &refuseStale, own
	}
	if string(realm) != s.config.Realm {
		return refuse(&s.counters.realm)
	}
	var err error
	if r.identity, err = credential.Parse(r.username); err != nil {
		return refuse(&s.counters.username)
	}
	if s.sessions.isRevoked(r.identity.SessionID) {
		return refuse(&s.counters.revoked)
	}
	now := s.config.Now()
	switch {
	case own:
	case now.After(r.identity.Expiry.Add(clockLeeway)):
		return refuse(&s.counters.expired)
	case r.identity.Expiry.After(now.Add(s.limits().CredentialLifetime + clockLeeway)):
		return refuse(&s.counters.lifetime)
	}
	return nil, own
}

// admit is pion's QuotaHandler: the last word before an allocation is made. It
// looks at the expiry once more, because identify may have let it pass for an
// allocation that is being deleted.
func (e *endpoint) admit(string, string, net.Addr) bool {
	s, r := e.server, &e.request
	if s.config.Now().After(r.identity.Expiry.Add(clockLeeway)) {
		s.counters.expiredAlloc.Add(1)
		r.refusal = &refuseCredential
		return false
	}
	limits := s.limits()
	if r.refusal = s.sessions.reserve(r.identity.SessionID, limits.AllocationsPerSession, limits.Allocations); r.refusal != nil {
		if r.refusal == &refuseTotal {
			s.counters.total.Add(1)
		} else {
			s.counters.quota.Add(1)
		}
		return false
	}
	e.pending = &admission{client: r.client, username: r.username, identity: r.identity}
	return true
}

// Validate is part of turn.RelayAddressGenerator.
func (e *endpoint) Validate() error { return nil }

// AllocateConn is part of turn.RelayAddressGenerator.
func (e *endpoint) AllocateConn(string, int) (net.Conn, net.Addr, error) {
	return nil, nil, errTCPRelay
}

// AllocatePacketConn opens a relay port. pion calls it in the reader, right
// after admit.
func (e *endpoint) AllocatePacketConn(string, int) (net.PacketConn, net.Addr, error) {
	s, admitted := e.server, e.pending
	e.pending = nil
	if admitted == nil {
		return nil, nil, errNotAdmitted
	}
	fits := anyPort
	if e.request.even {
		fits = evenPort
	}
	pool := s.pool(e.relayAddress)
	r := &relayConn{
		server: s, pool: pool, endpoint: e, client: admitted.client, username: admitted.username, identity: admitted.identity,
		id: s.lastID.Add(1), created: s.config.Now(),
	}
	r.gate = newGate(s.peers, r.known, func() { s.shortcuts.drop(r) })
	port, err := pool.open(fits, r.bind)
	if err != nil {
		s.counters.ports.Add(1)
		s.warnPortsFull(e.relayAddress, err)
		s.sessions.cancel(admitted.identity.SessionID)
		return nil, nil, err
	}
	told := netip.AddrPortFrom(s.peers.now.Load().advertised(e.relayAddress), port)
	r.port, r.told = port, told
	pool.hold(port, told.Addr())
	if !s.sessions.attach(r) {
		pool.release(port)
		r.closeSocket()
		s.counters.ended.Add(1)
		e.request.refusal = &refuseCredential
		return nil, nil, errSessionEnded
	}
	pool.keep(r)
	e.attach(r)
	s.counters.allocations.Add(1)
	s.counters.created.Add(1)
	s.log.Info("turn: allocation made", r.attrs()...)
	if s.config.Allocated != nil {
		s.config.Allocated(r.identity.Subject, r.identity.SessionID, r.client)
	}
	return r, net.UDPAddrFromAddrPort(told), nil
}

// events follows what pion holds of each allocation. Some of these come with a
// lock of pion's held, so they must not call back.
func (e *endpoint) events() turn.EventHandler {
	permission := func(exists bool) func(src, _ net.Addr, _, _, _ string, _ net.Addr, peer net.IP) {
		return func(src, _ net.Addr, _, _, _ string, _ net.Addr, peer net.IP) {
			address, ok := netip.AddrFromSlice(peer)
			if r := e.find(addrPort(src)); ok && r != nil {
				r.gate.setPermission(address.Unmap(), exists)
			}
		}
	}
	channel := func(exists bool) func(src, _ net.Addr, _, _, _ string, _, peer net.Addr, number uint16) {
		return func(src, _ net.Addr, _, _, _ string, _, peer net.Addr, number uint16) {
			if r := e.find(addrPort(src)); r != nil {
				r.gate.setChannel(number, addrPort(peer), exists)
			}
		}
	}
	return turn.EventHandler{
		OnPermissionCreated: permission(true),
		OnPermissionDeleted: permission(false),
		OnChannelCreated:    channel(true),
		OnChannelDeleted:    channel(false),
	}
}
