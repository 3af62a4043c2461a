package turnsrv

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"time"
)

// Allocation is one running allocation as an admin sees it.
type Allocation struct {
	// ID names it while the server runs.
	ID            uint64
	User, Session string
	// Client and Server are the 5-tuple together with Transport, Relayed is what
	// peers see (the advertised address).
	Client, Server, Relayed netip.AddrPort
	// Transport is udp, tcp or tls.
	Transport string
	// Peers are those that packets were exchanged with, or that a channel is
	// bound to; at most a few hundred.
	Peers []netip.AddrPort
	// Created is by Config.Now; Expires by the system's clock.
	Created, Expires time.Time
	// FromClient and ToClient are payload relayed since it was made.
	FromClient, ToClient Flow
	// Outside tells that its port lies outside of the present range.
	Outside bool
}

// Flow is one direction of an allocation.
type Flow struct {
	Packets, Bytes int64
	// Dropped are packets over the limits of bandwidth.
	Dropped int64
}

type flowCounters struct {
	pacer                   pacer
	packets, bytes, dropped atomic.Int64
}

func (f *flowCounters) add(bytes int) { f.addMany(1, bytes) }

func (f *flowCounters) addMany(packets, bytes int) {
	f.packets.Add(int64(packets))
	f.bytes.Add(int64(bytes))
}

func (f *flowCounters) snapshot() Flow {
	return Flow{Packets: f.packets.Load(), Bytes: f.bytes.Load(), Dropped: f.dropped.Load()}
}

// Allocations lists what is running, oldest first.
func (s *Server) Allocations() []Allocation {
	s.shortcuts.collect()
	relays := s.sessions.all()
	span := s.settings.Load().Relay
	list := make([]Allocation, 0, len(relays))
	for _, r := range relays {
		list = append(list, r.describe(span))
	}
	slices.SortFunc(list, func(a, b Allocation) int { return int(a.ID) - int(b.ID) })
	return list
}

func (r *relayConn) describe(span PortRange) Allocation {
	a := Allocation{
		ID: r.id, User: r.identity.Subject, Session: r.identity.SessionID,
		Client: r.client, Server: addrPort(r.endpoint.socket.local()),
		Relayed:   r.told,
		Transport: string(r.endpoint.socket.transport()),
		Peers:     r.gate.peers(), Created: r.created,
		FromClient: r.fromClient.snapshot(), ToClient: r.toClient.snapshot(),
		Outside: !span.contains(r.port),
	}
	if expires := r.expires.Load(); expires != 0 {
		a.Expires = time.Unix(0, expires)
	}
	return a
}

// End ends one allocation at once and reports whether it was there. Its client
// gets 437 to the next request over UDP, and its connection closed over TCP; it
// may allocate again.
func (s *Server) End(id uint64) bool {
	ended := s.endWhere(func(r *relayConn) bool { return r.id == id })
	return ended > 0
}

// EndAllocations ends the session's allocations that were made before the
// given time, for a hang-up, and returns how many. The session's credentials
// stay good: what it allocates for its next call is not touched.
func (s *Server) EndAllocations(sessionID string, before time.Time) int {
	return s.endWhere(func(r *relayConn) bool {
		return r.identity.SessionID == sessionID && r.created.Before(before)
	})
}

func (s *Server) endWhere(match func(*relayConn) bool) int {
	ended := 0
	for _, r := range s.sessions.all() {
		if match(r) && r.end() {
			ended++
		}
	}
	return ended
}
