package turnsrv

import (
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"fieldphone/turnsrv/credential"
	"fieldphone/turnsrv/relay"
)

// relayConn is an allocation's relay port: the net.PacketConn that pion/turn
// reads peers' packets from and writes clients' packets to.
type relayConn struct {
	conn   *net.UDPConn // on the plain path, else nil
	server *Server
	pool   *portPool
	port   uint16
	local  netip.AddrPort

	id      uint64
	created time.Time
	// told is the relayed address that the client and its peers know.
	told netip.AddrPort

	endpoint *endpoint
	client   netip.AddrPort
	username string
	identity credential.Identity

	// expires is the end of the allocation's lifetime, in Unix nanoseconds of
	// the system's clock.
	expires atomic.Int64
	closed  atomic.Bool
	ending  atomic.Bool
	// deleted says that pion/turn has deleted the allocation. Its reader must
	// end then without a word: on any error it deletes whatever allocation is on
	// the 5-tuple, which may be the client's next one.
	deleted atomic.Bool

	// gate knows who may be talked to.
	gate *gate
	// fromClient and toClient are what was relayed.
	fromClient, toClient flowCounters

	last sender

	// socket is what down reads, on the user path.
	socket *relay.Socket
	down   *downward
}

// bind opens the relay port.
func (r *relayConn) bind(at netip.AddrPort) (err error) {
	r.local = at
	if all := r.server.downwards; len(all) > 0 {
		r.down = all[r.id%uint64(len(all))]
		if r.socket, err = relay.Bind(at); err != nil {
			return err
		}
		if err = r.down.poller.Watch(r.socket, r); err != nil {
			r.socket.Close(nil)
		}
		return err
	}
	r.conn, err = bindRelay(at)
	return err
}

// ReadFrom returns the next packet that may pass. It outlives errors that
// concern one packet, since pion/turn deletes the allocation on any.
func (r *relayConn) ReadFrom(p []byte) (int, net.Addr, error) {
	if r.socket != nil {
		runtime.Goexit() // down reads it: nobody has to wait here for it
	}
	counters := &r.server.counters
	for failures := 0; ; {
		n, from, err := r.conn.ReadFromUDPAddrPort(p)
		if err != nil {
			if r.deleted.Load() {
				runtime.Goexit() // see deleted
			}
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
		peer := r.sender(netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		if peer.own && !peer.relay.holds(from.Port()) || !r.gate.inbound(p[:n], peer.told, peer.rules) {
			counters.peerPackets.Add(1)
			continue
		}
		if !r.server.pass(&r.toClient, &r.server.toClients, n) {
			continue
		}
		r.toClient.add(n)
		return n, peer.addr, nil
	}
}

// sender is whom the last packet was from; it belongs to the one goroutine that
// reads.
type sender struct {
	from  netip.AddrPort
	rules *rules
	// told is the address that the client knows the peer by, and addr the same
	// for pion/turn.
	told  netip.AddrPort
	addr  *net.UDPAddr
	own   bool
	relay *portPool
	// changes is how often relay had told addresses otherwise.
	changes uint64
}

func (r *relayConn) sender(from netip.AddrPort) *sender {
	current, last := r.server.peers.now.Load(), &r.last
	if from != last.from || current != last.rules || last.relay.changes() != last.changes {
		last.from, last.rules = from, current
		last.told, last.relay, last.own, last.changes = current.told(from)
		last.addr = net.UDPAddrFromAddrPort(last.told)
	}
	return last
}

// WriteTo sends to a peer. As with any datagram, one that cannot be sent is
// lost: it is counted, and no error goes back.
func (r *relayConn) WriteTo(p []byte, addr net.Addr) (int, error) {
	counters := &r.server.counters
	peer, passage := r.gate.outbound(p, addrPort(addr))
	switch passage {
	case forbidden:
		counters.peerPackets.Add(1)
		return len(p), nil
	case early:
		counters.unanswered.Add(1)
		return len(p), nil
	}
	if !r.server.pass(&r.fromClient, &r.server.fromClients, len(p)) {
		return len(p), nil
	}
	r.fromClient.add(len(p))
	var err error
	if r.socket != nil {
		err = r.socket.Send(p, peer)
	} else {
		_, err = r.conn.WriteToUDPAddrPort(p, peer)
	}
	counters.relay.out(len(p), err)
	return len(p), nil
}

// Close is pion/turn's, which has deleted the allocation before.
func (r *relayConn) Close() error {
	r.deleted.Store(true)
	r.shut()
	return nil
}

// shut gives the port back. The first call does it and says so.
func (r *relayConn) shut() bool {
	if r.closed.Swap(true) {
		return false
	}
	r.server.shortcuts.drop(r)
	r.pool.forget(r)
	r.pool.release(r.port)
	r.closeSocket()
	r.endpoint.detach(r)
	r.server.counters.allocations.Add(-1)
	r.server.sessions.detach(r)
	from, to := r.fromClient.snapshot(), r.toClient.snapshot()
	r.server.log.Info("turn: allocation ended", append(r.attrs(),
		"duration_ms", r.server.config.Now().Sub(r.created).Milliseconds(), "bytes_from_client", from.Bytes, "bytes_to_client", to.Bytes)...)
	return true
}

func (r *relayConn) closeSocket() {
	if r.socket != nil {
		r.down.poller.Forget(r.socket)
		r.socket.Close(func() { r.pool.put(r.port) })
		return
	}
	_ = r.conn.Close()
	r.pool.put(r.port)
}

// LocalAddr and the deadlines complete net.PacketConn.
func (r *relayConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(r.local) }

// SetDeadline does nothing: pion/turn sets none.
func (r *relayConn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (r *relayConn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (r *relayConn) SetWriteDeadline(time.Time) error { return nil }

// attrs name the allocation in the log as signalling names a session.
func (r *relayConn) attrs() []any {
	return []any{
		"user", r.identity.Subject, "session", r.identity.SessionID, "allocation", r.id, "client", r.client,
		"transport", string(r.endpoint.socket.transport()), "relayed", r.told,
	}
}

// end deletes the allocation from outside of its endpoint's reader, and reports
// whether it was there and nobody else was ending it. It waits for a message
// that is being handled: pion/turn must not add a permission to an allocation
// that is being torn down.
func (r *relayConn) end() bool {
	first := !r.closed.Load() && !r.ending.Swap(true)
	if r.endpoint.remote.IsValid() {
		r.endpoint.socket.close()
	}
	r.endpoint.handling.Lock()
	defer r.endpoint.handling.Unlock()
	if r.shut() {
		r.endpoint.mourn(r)
	}
	return first
}

// expiring reports whether the allocation is about to expire, for the same
// reason as in end.
func (r *relayConn) expiring() bool {
	return time.Until(time.Unix(0, r.expires.Load())) < time.Second
}

// known asks the site about a peer.
func (r *relayConn) known(mode Mode, peer netip.Addr) bool {
	ask := r.server.config.Known
	return ask != nil && ask(mode, r.identity.Subject, r.identity.SessionID, peer)
}
