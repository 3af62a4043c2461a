package turnsrv

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"fieldphone/turnsrv/credential"
)

// maxBindings bounds the permissions, and the channels, of one allocation:
// each costs memory, and each channel a step of every lookup.
const maxBindings = 128

// relayConn is an allocation's relay port: the net.PacketConn that pion/turn
// reads peers' packets from and writes clients' packets to.
type relayConn struct {
	net.PacketConn // deadlines and LocalAddr
	conn           *net.UDPConn
	server         *Server
	pool           *portPool
	port           uint16

	endpoint *endpoint
	client   netip.AddrPort
	username string
	identity credential.Identity

	// expires is the end of the allocation's lifetime, in Unix nanoseconds of
	// the system's clock.
	expires atomic.Int64
	closed  atomic.Bool

	// Belongs to the one goroutine that reads.
	lastFrom netip.AddrPort
	lastAddr *net.UDPAddr

	mu          sync.Mutex
	permissions map[netip.Addr]struct{}
	channels    map[uint16]struct{}
}

// ReadFrom returns the next packet that may pass. It outlives errors that
// concern one packet, since pion/turn deletes the allocation on any.
func (r *relayConn) ReadFrom(p []byte) (int, net.Addr, error) {
	counters := &r.server.counters
	for failures := 0; ; {
		n, from, err := r.conn.ReadFromUDPAddrPort(p)
		if err != nil {
			if failures++; r.closed.Load() || failures > maxReadFailures {
				return 0, nil, err
			}
			continue
		}
		failures = 0
		counters.relay.in(n)
		if n == len(p) {
			counters.oversized.Add(1)
			continue
		}
		from, ok := r.server.peers.inbound(netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		if !ok {
			counters.peerPackets.Add(1)
			continue
		}
		if from != r.lastFrom {
			r.lastFrom, r.lastAddr = from, net.UDPAddrFromAddrPort(from)
		}
		return n, r.lastAddr, nil
	}
}

// WriteTo sends to a peer. As with any datagram, one that cannot be sent is
// lost: it is counted, and no error goes back.
func (r *relayConn) WriteTo(p []byte, addr net.Addr) (int, error) {
	counters := &r.server.counters
	peer, ok := r.server.peers.outbound(addrPort(addr))
	if !ok {
		counters.peerPackets.Add(1)
		return len(p), nil
	}
	_, err := r.conn.WriteToUDPAddrPort(p, peer)
	counters.relay.out(len(p), err)
	return len(p), nil
}

// Close gives the port back. The first call does it, the others do nothing.
func (r *relayConn) Close() error {
	if r.closed.Swap(true) {
		return nil
	}
	_ = r.conn.Close()
	r.pool.put(r.port)
	r.endpoint.detach(r)
	r.server.counters.allocations.Add(-1)
	r.server.sessions.detach(r)
	return nil
}

// end deletes the allocation from outside of its endpoint's reader. It waits
// for a message that is being handled: pion/turn must not add a permission to
// an allocation that is being torn down.
func (r *relayConn) end() {
	if r.endpoint.remote.IsValid() {
		r.endpoint.socket.close()
	}
	r.endpoint.handling.Lock()
	defer r.endpoint.handling.Unlock()
	_ = r.Close()
}

// expiring reports whether the allocation is about to expire, for the same
// reason as in end.
func (r *relayConn) expiring() bool {
	return time.Until(time.Unix(0, r.expires.Load())) < time.Second
}

// hasRoom reports whether another permission and channel may be added; a
// channel or peer that exists may always be refreshed.
func (r *relayConn) hasRoom(peers []netip.AddrPort, channel uint16) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	permissions, channels := len(r.permissions), len(r.channels)
	for _, peer := range peers {
		if _, known := r.permissions[peer.Addr()]; !known {
			permissions++
		}
	}
	if _, known := r.channels[channel]; channel != 0 && !known {
		channels++
	}
	return permissions <= maxBindings && channels <= maxBindings
}

func (r *relayConn) setPermission(peer netip.Addr, exists bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if exists {
		r.permissions[peer] = struct{}{}
	} else {
		delete(r.permissions, peer)
	}
}

func (r *relayConn) setChannel(number uint16, exists bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if exists {
		r.channels[number] = struct{}{}
	} else {
		delete(r.channels, number)
	}
}
