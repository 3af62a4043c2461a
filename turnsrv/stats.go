package turnsrv

import (
	"maps"
	"slices"
	"sync/atomic"
)

// Stats is a snapshot of the server's counters. Fields are totals since start
// unless said otherwise.
type Stats struct {
	// Allocations open now.
	Allocations        int64
	AllocationsCreated int64
	AllocationsRefused AllocationsRefused
	RelayPorts         RelayPorts
	// UDP, TCP and TLS are traffic with clients, Relay is traffic with peers, by
	// payload bytes. In is what arrives at the server.
	UDP, TCP, TLS, Relay Traffic
	// KernelPackets are those of Relay that the kernel path has forwarded.
	KernelPackets int64
	AuthFailures  AuthFailures
	// Malformed are datagrams and TCP frames that are neither STUN nor
	// ChannelData; Oversized are whole ones too large to relay.
	Malformed, Oversized int64
	// PeersRefused are permissions and channels refused by the peer policy,
	// PeerPackets are packets dropped at a relay port for the same reason,
	// Unanswered are those for a peer that has not answered with STUN.
	PeersRefused, PeerPackets, Unanswered int64
	TCPConnections                        TCPConnections
	// RevokedSessions remembered now.
	RevokedSessions int64
	// Listeners open now.
	Listeners int64
	// Errors are the error responses sent, by code.
	Errors map[int]int64
	// Limited is what was dropped because it was too much.
	Limited Limited
}

// Limited counts what a rate or a bandwidth of Limits kept back.
type Limited struct {
	// Bindings and Allocates are requests beyond the rate of their source,
	// Challenges what came without authentication beyond that of Allocates.
	Bindings, Allocates, Challenges int64
	// FromClients and ToClients are packets beyond a bandwidth.
	FromClients, ToClients int64
}

// AllocationsRefused counts by reason.
type AllocationsRefused struct {
	// Quota is 486 to a session at its quota, Total 508 to the one allocation
	// too many of all, Expired 401 to a credential that expired, Ports 508 for
	// want of a relay port, Transport 440, 442 and 508 to what this server does
	// not offer, Ended 401 to a session that was revoked meanwhile.
	Quota, Total, Expired, Ports, Transport, Ended int64
}

// RelayPorts of all addresses together.
type RelayPorts struct {
	// Used and Free are of now, Peak is the sum of each address's most.
	Used, Free, Peak int64
}

// Traffic is one side of the relay.
type Traffic struct{ PacketsIn, BytesIn, PacketsOut, BytesOut, SendErrors int64 }

// AuthFailures counts by reason.
type AuthFailures struct {
	// Username is not ours, Realm is another, Expired opens nothing new,
	// Lifetime lies further ahead than allowed, Revoked belongs to an ended
	// session, Password does not fit.
	Username, Realm, Expired, Lifetime, Revoked, Password int64
}

// TCPConnections of clients.
type TCPConnections struct {
	// Open now.
	Open int64
	// Refused by the limits, Idle closed for silence.
	Refused, Idle int64
}

type counters struct {
	allocations, created                                        atomic.Int64
	quota, total, expiredAlloc, ports, transport, ended         atomic.Int64
	username, realm, expired, lifetime, revoked, passw          atomic.Int64
	malformed, oversized, peersRefused, peerPackets, unanswered atomic.Int64
	tcpRefused, tcpIdle                                         atomic.Int64

	errors  errorCounters
	limited struct{ bindings, allocates, challenges atomic.Int64 }

	udp, tcp, tls, relay trafficCounters
	kernel               atomic.Int64
}

type trafficCounters struct {
	packetsIn, bytesIn, packetsOut, bytesOut, sendErrors atomic.Int64
	_                                                    [24]byte // a cache line of its own
}

func (t *trafficCounters) in(bytes int) {
	t.packetsIn.Add(1)
	t.bytesIn.Add(int64(bytes))
}

func (t *trafficCounters) inMany(packets, bytes int) {
	t.packetsIn.Add(int64(packets))
	t.bytesIn.Add(int64(bytes))
}

func (t *trafficCounters) outMany(packets, bytes int) {
	t.packetsOut.Add(int64(packets))
	t.bytesOut.Add(int64(bytes))
}

func (t *trafficCounters) out(bytes int, err error) {
	if err != nil {
		t.sendErrors.Add(1)
		return
	}
	t.packetsOut.Add(1)
	t.bytesOut.Add(int64(bytes))
}

func (t *trafficCounters) snapshot() Traffic {
	return Traffic{
		PacketsIn: t.packetsIn.Load(), BytesIn: t.bytesIn.Load(),
		PacketsOut: t.packetsOut.Load(), BytesOut: t.bytesOut.Load(),
		SendErrors: t.sendErrors.Load(),
	}
}

// Stats returns the counters of now.
func (s *Server) Stats() Stats {
	s.shortcuts.collect()
	c := &s.counters
	stats := Stats{
		Allocations:        c.allocations.Load(),
		AllocationsCreated: c.created.Load(),
		AllocationsRefused: AllocationsRefused{
			Quota: c.quota.Load(), Total: c.total.Load(), Expired: c.expiredAlloc.Load(), Ports: c.ports.Load(),
			Transport: c.transport.Load(), Ended: c.ended.Load(),
		},
		UDP: c.udp.snapshot(), TCP: c.tcp.snapshot(), TLS: c.tls.snapshot(), Relay: c.relay.snapshot(),
		KernelPackets: c.kernel.Load(),
		AuthFailures: AuthFailures{
			Username: c.username.Load(), Realm: c.realm.Load(), Expired: c.expired.Load(),
			Lifetime: c.lifetime.Load(), Revoked: c.revoked.Load(), Password: c.passw.Load(),
		},
		Malformed: c.malformed.Load(), Oversized: c.oversized.Load(),
		PeersRefused: c.peersRefused.Load(), PeerPackets: c.peerPackets.Load(), Unanswered: c.unanswered.Load(),
		TCPConnections:  TCPConnections{Refused: c.tcpRefused.Load(), Idle: c.tcpIdle.Load()},
		RevokedSessions: int64(s.sessions.revocations()),
		Errors:          c.errors.snapshot(),
		Limited: Limited{
			Bindings: c.limited.bindings.Load(), Allocates: c.limited.allocates.Load(),
			Challenges:  c.limited.challenges.Load(),
			FromClients: s.fromClients.dropped.Load(), ToClients: s.toClients.dropped.Load(),
		},
	}
	s.mu.Lock()
	stats.TCPConnections.Open = int64(s.tcpOpen)
	stats.Listeners = int64(len(s.listeners))
	pools := slices.Collect(maps.Values(s.pools))
	s.mu.Unlock()
	for _, pool := range pools {
		use := pool.use()
		stats.RelayPorts.Used += int64(use.Used + use.Outside)
		stats.RelayPorts.Free += int64(use.Free)
		stats.RelayPorts.Peak += int64(use.Peak)
	}
	return stats
}
