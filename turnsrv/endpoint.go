package turnsrv

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"fieldphone/turnsrv/credential"
	"fieldphone/turnsrv/relay"

	"github.com/pion/stun/v3"
	"github.com/pion/turn/v4"
)

const (
	// clockLeeway is how far this clock and the issuer's may differ.
	clockLeeway = 30 * time.Second
	// maxReadFailures in a row end a reader: the socket is broken.
	maxReadFailures = 1000
	// maxClientAddrs bounds the cache of client addresses of one socket.
	maxClientAddrs = 4096
)

// socket carries whole STUN messages and ChannelData of clients.
type socket interface {
	// read returns one datagram or frame; an error ends the endpoint.
	read(p []byte) (int, netip.AddrPort, error)
	write(p []byte, to netip.AddrPort) error
	close()
	// address is the net.Addr that pion/turn knows a client by.
	address(client netip.AddrPort) net.Addr
	local() net.Addr
	transport() transport
	traffic() *trafficCounters
}

// endpoint is one UDP socket, or one TCP connection, as pion/turn sees it: a
// net.PacketConn. It is also the pion server's address generator.
type endpoint struct {
	server       *Server
	from         *listener
	socket       socket
	relayAddress netip.Addr // where relay ports are opened
	// direct is the UDP socket on the user path, else nil; stream is the TCP
	// connection, else nil.
	direct *relay.Socket
	stream *tcpSocket
	// remote is the client of a TCP connection, zero for UDP.
	remote netip.AddrPort

	// handling is held while pion/turn handles a STUN message.
	handling sync.Mutex

	// These belong to the reader.
	held     bool
	request  request
	response stun.Message
	nonce    string // what pion/turn wants to see
	pending  *admission
	ended    bool
	// stash is a STUN message that waits while pion/turn hears of the dead.
	stash       []byte
	stashedFrom netip.AddrPort

	mu   sync.RWMutex
	live map[netip.AddrPort]*relayConn
	dead []*relayConn // see mourn
}

// admission is an Allocate that passed authentication and quota.
type admission struct {
	client   netip.AddrPort
	username string
	identity credential.Identity
}

// channelLifetime is how long a channel lasts (RFC 8656, section 12.2). Tests do not wait for it.
var channelLifetime = 10 * time.Minute

func newEndpoint(s *Server, from *listener, relayAddress netip.Addr, sock socket) *endpoint {
	e := &endpoint{
		server: s, from: from, socket: sock,
		relayAddress: relayAddress,
		live:         make(map[netip.AddrPort]*relayConn),
	}
	return e
}

// start hands the endpoint to a pion server of its own.
func (e *endpoint) start() error {
	_, err := turn.NewServer(turn.ServerConfig{
		Realm:              e.server.config.Realm,
		AuthHandler:        e.keyOf,
		QuotaHandler:       e.admit,
		EventHandler:       e.events(),
		LoggerFactory:      e.server.pionLogs,
		ChannelBindTimeout: channelLifetime,
		PacketConnConfigs: []turn.PacketConnConfig{{
			PacketConn:            e,
			RelayAddressGenerator: e,
			PermissionHandler:     e.judged,
		}},
	})
	return err
}

// ReadFrom gives pion/turn the next packet worth handling.
func (e *endpoint) ReadFrom(p []byte) (int, net.Addr, error) {
	if e.request.again {
		e.request.again = false
		if n := e.handOver(p); n > 0 {
			return n, e.socket.address(e.request.client), nil
		}
	}
	e.release()
	for {
		n, client, err := e.next(p)
		switch {
		case errors.Is(err, errNudged):
		case err != nil:
			e.finish(err)
			return 0, nil, err
		case n == 0: // forwarded
			continue
		}
		switch {
		case n > 0 && isChannelData(p[:n]):
			return n, e.socket.address(client), nil
		case n == 0, stun.IsMessage(p[:n]) && p[0] < 4:
			e.handling.Lock()
			if n, client = e.take(p, n, client); n > 0 {
				e.held = true
				return n, e.socket.address(client), nil
			}
			e.handling.Unlock()
		default:
			e.server.counters.malformed.Add(1)
		}
	}
}

// next reads a packet that has to be looked at; 0 is none.
func (e *endpoint) next(p []byte) (int, netip.AddrPort, error) {
	if len(e.stash) > 0 {
		n := copy(p, e.stash)
		e.stash = e.stash[:0]
		return n, e.stashedFrom, nil
	}
	n, client, err := e.socket.read(p)
	if err != nil || e.forwarded(p[:n], client) {
		return 0, client, err
	}
	e.socket.traffic().in(n)
	if n == 0 {
		e.server.counters.malformed.Add(1)
	}
	return n, client, nil
}

// forwarded sends a stream's ChannelData on its way on the user path; a UDP
// socket has done so already.
func (e *endpoint) forwarded(frame []byte, client netip.AddrPort) bool {
	if e.server.path == PathPlain || !e.remote.IsValid() || !isChannelData(frame) || len(frame) >= maxRelayed {
		return false
	}
	r := e.find(client)
	if r == nil {
		return false
	}
	out, ok := e.server.sinks.Get().(*sink)
	if !ok {
		out = newSink()
	}
	defer e.server.sinks.Put(out)
	done := r.forwardUp(relay.Datagram{Data: frame, From: client}, frame, int(binary.BigEndian.Uint16(frame[2:])), out)
	out.flush()
	return done
}

// take returns how much of p pion/turn gets of a STUN message of n bytes, and
// from whom: what is signed is written anew. Before any message it hears which
// allocations are gone.
func (e *endpoint) take(p []byte, n int, client netip.AddrPort) (int, netip.AddrPort) {
	if gone := e.bury(); gone != nil {
		if n > 0 {
			e.stash, e.stashedFrom = append(e.stash[:0], p[:n]...), client
		}
		return e.handOver(p), gone.client
	}
	if n == 0 || !e.screen(p[:n], client) {
		return 0, client
	}
	if e.request.message.Type.Class == stun.ClassRequest {
		return e.handOver(p), client
	}
	return n, client
}

// mourn notes an allocation that has ended in our books, so that pion/turn is
// told: on the user path it does not see a socket being closed, and over TCP it
// sees the connection being closed. It is called with e.handling held.
func (e *endpoint) mourn(r *relayConn) {
	sock, ok := e.socket.(*udpSocket)
	if !ok || sock.upward == nil {
		return
	}
	e.mu.Lock()
	e.dead = append(e.dead, r)
	e.mu.Unlock()
	sock.upward.poller.Nudge()
}

// bury makes the end of the next of the dead the request in hand: pion/turn has
// no other way to delete one.
func (e *endpoint) bury() *relayConn {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.dead) > 0 {
		gone := e.dead[0]
		if e.dead = e.dead[1:]; len(e.dead) == 0 {
			e.dead = nil
		}
		if !gone.deleted.Load() && e.request.end(gone, e.server.config.Realm, e.server.key(gone.username)) {
			return gone
		}
	}
	return nil
}

// release ends the handling of the message that was read before.
func (e *endpoint) release() {
	if e.pending != nil {
		e.server.sessions.cancel(e.pending.identity.SessionID)
		e.pending = nil
	}
	if e.held {
		e.held = false
		e.handling.Unlock()
	}
}

// finish is the reader's end.
func (e *endpoint) finish(err error) {
	if e.ended {
		return
	}
	e.ended = true
	if !e.remote.IsValid() && !errors.Is(err, net.ErrClosed) {
		e.server.log.Error("turn: a listener failed; remove the address and add it again", "listener", e.from.String(), "err", err)
	}
	e.socket.close()
	e.server.forget(e)
}

// WriteTo sends to a client. What cannot be sent is lost and counted. A
// response can only be to the request in hand: pion/turn gives it in the
// reader.
func (e *endpoint) WriteTo(p []byte, addr net.Addr) (int, error) {
	if len(p) > 1 && p[0] == 0x01 {
		e.answered(p)
		return len(p), nil
	}
	client := addrPort(addr)
	err := e.socket.write(p, client)
	e.socket.traffic().out(len(p), err)
	return len(p), nil
}

// shut ends the endpoint from outside.
func (e *endpoint) shut() {
	e.socket.close()
	e.mu.RLock()
	relays := make([]*relayConn, 0, len(e.live))
	for _, r := range e.live {
		relays = append(relays, r)
	}
	e.mu.RUnlock()
	for _, r := range relays {
		r.end()
	}
}

// find returns the client's allocation, or nil. Client and endpoint together
// are the 5-tuple.
func (e *endpoint) find(client netip.AddrPort) *relayConn {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.live[client]
}

func (e *endpoint) attach(r *relayConn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.live[r.client] = r
}

func (e *endpoint) detach(r *relayConn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.live[r.client] == r {
		delete(e.live, r.client)
	}
}

// Close, LocalAddr and the deadlines complete net.PacketConn.
func (e *endpoint) Close() error {
	e.socket.close()
	return nil
}

// LocalAddr is the server's half of the 5-tuple.
func (e *endpoint) LocalAddr() net.Addr { return e.socket.local() }

// SetDeadline does nothing: the endpoint keeps its own deadlines.
func (e *endpoint) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (e *endpoint) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (e *endpoint) SetWriteDeadline(time.Time) error { return nil }

// isChannelData tells ChannelData whose length fits (RFC 8656 section 12.4). It
// takes the wider range of numbers that RFC 5766 clients may use.
func isChannelData(p []byte) bool {
	return len(p) >= 4 && p[0]&0xc0 == 0x40 && int(binary.BigEndian.Uint16(p[2:])) <= len(p)-4
}
