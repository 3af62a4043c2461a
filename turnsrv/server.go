// Package turnsrv is the site's STUN and TURN server (RFC 8489, RFC 8656) over
// UDP and TCP.
//
// pion/turn keeps the allocations; everything it reads and writes passes
// through connections of ours. In front of it stands an endpoint, one per UDP
// socket and one per TCP connection, which drops what is malformed, answers
// what pion/turn would answer wrongly, and knows which allocation belongs to
// which session. Behind it stands a relayConn, one per allocation, which holds
// an exactly allocated relay port and asks its gate about every packet: which
// peers may be reached, and not before they have answered. One pion server runs
// per endpoint, so that listeners come and go while others work. What is in
// Settings changes under all of this while calls go on; see Apply.
package turnsrv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ErrClosed is returned by what is asked of a closed Server.
var ErrClosed = errors.New("turn: the server is closed")

// Server is a running STUN and TURN server. Its methods may be called from any
// goroutine.
type Server struct {
	config   Config
	settings atomic.Pointer[Settings]
	log      *slog.Logger
	pionLogs pionLogs
	peers    *peerRules
	sessions *sessions
	nonces   *nonces
	rates    rates
	began    time.Time
	counters counters

	discovery discovery
	// fromClients and toClients are what all allocations relay together.
	fromClients, toClients flowCounters

	path      Path
	sinks     sync.Pool   // of *sink, for streams
	downwards []*downward // none on the plain path
	reading   sync.WaitGroup
	writing   sync.WaitGroup // to streams
	shortcuts *shortcuts     // nil unless on the kernel path

	portsFull throttle
	lastID    atomic.Uint64

	applying sync.Mutex // held by Apply

	mu        sync.Mutex
	closed    bool
	listeners []*listener
	pools     map[netip.Addr]*portPool
	tcpOpen   int
	tcpByIP   map[netip.Addr]int
	running   sync.WaitGroup
}

// listener is the sockets of one address and transport, and what came through them.
type listener struct {
	Listener
	socket    *udpSocket // the first of them; nil for TCP
	endpoints map[*endpoint]struct{}
	gone      bool
}

// New starts a server on the given listeners. It takes the sockets over: on
// error they are closed.
func New(config Config) (*Server, error) {
	if err := config.validate(); err != nil {
		return nil, errors.Join(append([]error{err}, closeAll(config.Listeners)...)...)
	}
	s := &Server{
		config:   config,
		log:      config.Logger,
		pionLogs: pionLogs{logger: config.Logger, warned: &throttle{}},
		nonces:   newNonces(),
		rates:    newRates(),
		began:    time.Now(),
		pools:    make(map[netip.Addr]*portPool),
		tcpByIP:  make(map[netip.Addr]int),
	}
	settings := config.settings().withDefaults()
	s.settings.Store(&settings)
	s.peers = newPeerRules(settings.Policy, config.Logger)
	s.sessions = newSessions()
	s.choosePath()
	s.peers.onChange(s.shortcuts.flush)
	if err := s.Add(config.Listeners...); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// limits of now.
func (s *Server) limits() *Limits { return &s.settings.Load().Limits }

// Add starts serving more listeners while the server runs. It takes the
// sockets over: on error all those given are closed.
func (s *Server) Add(listeners ...Listener) error {
	for i := range listeners {
		l := &listeners[i]
		l.Address, l.Advertised = l.Address.Unmap().WithZone(""), l.Advertised.Unmap().WithZone("")
		if err := l.validate(); err != nil {
			return errors.Join(append([]error{err}, closeAll(listeners)...)...)
		}
	}
	added, err := s.addValid(listeners)
	if err != nil {
		err = errors.Join(err, s.remove(func(l *listener) bool { return slices.Contains(added, l) }))
		return errors.Join(append([]error{err}, closeAll(listeners)...)...)
	}
	for _, l := range added {
		s.log.Info("turn: listening", "listener", l.String(), "relay_address", l.Address, "advertised", l.Advertised, "relay_ports", s.settings.Load().Relay.String())
		if l.Address.IsValid() {
			s.pool(l.Address).learn(time.Now().Add(learningTime))
		}
	}
	s.arrange()
	return nil
}

func (s *Server) addValid(listeners []Listener) ([]*listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	span := s.settings.Load().Relay
	added := make([]*listener, len(listeners))
	for i, l := range listeners {
		if l.UDP != nil && span.contains(addrPort(l.UDP.LocalAddr()).Port()) {
			return nil, fmt.Errorf("turn: listener %s: its port lies in relay_ports %s; move one of them", l.UDP.LocalAddr(), span)
		}
		added[i] = &listener{Listener: listeners[i], endpoints: make(map[*endpoint]struct{})}
	}
	s.listeners = append(s.listeners, added...)
	s.tellPeerRules()
	for _, l := range added {
		if err := s.serve(l); err != nil {
			return added, err
		}
	}
	return added, nil
}

// serve starts a listener's readers; s.mu is held.
func (s *Server) serve(l *listener) error {
	if l.TCP != nil {
		s.running.Add(1)
		go s.accept(l)
		return nil
	}
	for _, conn := range l.sockets() {
		if err := s.serveUDP(l, conn); err != nil {
			return fmt.Errorf("turn: listener %s: %w", l, err)
		}
	}
	return nil
}

func (s *Server) serveUDP(l *listener, conn *net.UDPConn) error {
	sock := newUDPSocket(conn, &s.counters)
	e := newEndpoint(s, l, l.Address, sock)
	if s.path != PathPlain {
		if err := sock.forwardFor(e); err != nil {
			return err
		}
	}
	if l.socket == nil {
		l.socket = sock
	}
	l.endpoints[e] = struct{}{}
	s.running.Add(1)
	if err := e.start(); err != nil {
		delete(l.endpoints, e)
		s.running.Done()
		return err
	}
	return nil
}

// tellPeerRules is called with s.mu held.
func (s *Server) tellPeerRules() {
	all := make([]Listener, len(s.listeners))
	for i, l := range s.listeners {
		all[i] = l.Listener
	}
	s.peers.set(all, maps.Clone(s.pools))
}

// Remove stops serving every listener with that local address and ends their
// allocations.
func (s *Server) Remove(address netip.Addr) error {
	address = address.Unmap().WithZone("")
	return s.remove(func(l *listener) bool { return l.Address == address })
}

// SetAddresses makes the server listen, on the given port over UDP and TCP, on
// exactly these local addresses: it opens what is missing and removes what is
// gone, ending the allocations there. Listeners that were not made by Open or
// by this method stay as they are.
func (s *Server) SetAddresses(ctx context.Context, addresses []netip.Addr, port uint16) error {
	wanted := make(map[netip.Addr]bool)
	for _, a := range addresses {
		wanted[a.Unmap()] = true
	}
	err := s.remove(func(l *listener) bool { return l.opened && !wanted[l.Address] })
	s.mu.Lock()
	for _, l := range s.listeners {
		if l.opened {
			delete(wanted, l.Address)
		}
	}
	s.mu.Unlock()
	errs := []error{err}
	for address := range wanted {
		opened, err := Open(ctx, []netip.Addr{address}, port)
		if err == nil {
			err = s.Add(opened...)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Advertise replaces the addresses that clients are told instead of local ones,
// for a server behind port forwarding. It holds for new allocations; running
// ones keep the address that they were told. A local address that is not named
// has what its Listener says.
func (s *Server) Advertise(told map[netip.Addr]netip.Addr) {
	s.peers.setAdvertised(maps.Clone(told))
}

// Addresses lists the local addresses that are served over UDP now.
func (s *Server) Addresses() []netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	var addresses []netip.Addr
	for _, l := range s.listeners {
		if l.UDP != nil {
			addresses = append(addresses, l.Address)
		}
	}
	return addresses
}

// EndSession deletes the session's allocations at once and refuses its
// credentials from now on. sessionID is the session's jti.
func (s *Server) EndSession(sessionID string) {
	now := s.config.Now()
	until := now.Add(s.limits().CredentialLifetime + 2*clockLeeway)
	relays := s.sessions.end(sessionID, now, until)
	for _, r := range relays {
		r.end()
	}
	if len(relays) > 0 {
		s.log.Info("turn: session ended", "session", sessionID, "allocations", len(relays))
	}
}

// Close stops everything and waits until no packet is handled any more.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	relays := s.sessions.close()
	err := s.remove(func(*listener) bool { return true })
	for _, r := range relays {
		r.end()
	}
	s.running.Wait()
	s.sessions.running.Wait()
	for _, w := range s.downwards {
		w.poller.Close()
	}
	s.reading.Wait()
	s.writing.Wait()
	return errors.Join(err, s.shortcuts.close())
}

// remove closes the listeners that match and all that came through them.
func (s *Server) remove(match func(*listener) bool) error {
	s.mu.Lock()
	var gone []Listener
	var endpoints []*endpoint
	s.listeners = slices.DeleteFunc(s.listeners, func(l *listener) bool {
		if !match(l) {
			return false
		}
		l.gone = true
		gone = append(gone, l.Listener)
		for e := range l.endpoints {
			endpoints = append(endpoints, e)
		}
		return true
	})
	var pools []*portPool
	for _, l := range gone {
		if pool := s.pools[l.Address]; pool != nil {
			pools = append(pools, pool)
		}
	}
	s.tellPeerRules()
	s.mu.Unlock()

	errs := closeAll(gone)
	for _, pool := range pools {
		pool.endLoans()
	}
	for _, e := range endpoints {
		e.shut()
	}
	if len(gone) > 0 {
		s.arrange()
	}
	return errors.Join(errs...)
}

// forget is called once by each endpoint, when its reader ends.
func (s *Server) forget(e *endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(e.from.endpoints, e)
	if e.remote.IsValid() {
		s.tcpOpen--
		if s.tcpByIP[e.remote.Addr()]--; s.tcpByIP[e.remote.Addr()] == 0 {
			delete(s.tcpByIP, e.remote.Addr())
		}
	}
	s.running.Done()
}
