package turnsrv

import (
	"cmp"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"
)

// acceptPause is how long a listener rests when the system has no more
// connections to give.
const acceptPause = 50 * time.Millisecond

// accept serves a TCP listener until it is closed.
func (s *Server) accept(l *listener) {
	defer s.running.Done()
	var warned throttle
	for {
		conn, err := l.TCP.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			if warned.allow(time.Now(), time.Minute) {
				s.log.Warn("turn: cannot accept connections; raise the limit of open files", "listener", l.String(), "err", err)
			}
			if s.isGone(l) {
				return
			}
			<-time.After(acceptPause)
			continue
		}
		s.welcome(l, conn)
	}
}

func (s *Server) isGone(l *listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return l.gone
}

// relayBy is the address that a connection to a local one relays by; zero if
// there is none.
func (l Listener) relayBy(local netip.Addr) netip.Addr {
	if l.Address.IsValid() || l.RelayBy == nil {
		return cmp.Or(l.Address, local)
	}
	address, ok := l.RelayBy(local)
	if !ok {
		return netip.Addr{}
	}
	return address
}

// welcome admits a connection within the limits, or closes it.
func (s *Server) welcome(l *listener, conn net.Conn) {
	local, remote := addrPort(conn.LocalAddr()), addrPort(conn.RemoteAddr())
	relayAddress := l.relayBy(local.Addr().WithZone(""))
	s.mu.Lock()
	full := s.tcpOpen >= s.limits().TCPConnections || s.tcpByIP[remote.Addr()] >= s.limits().TCPConnectionsPerIP
	if full || l.gone || !remote.IsValid() || !relayAddress.IsValid() {
		s.mu.Unlock()
		s.counters.tcpRefused.Add(1)
		conn.Close()
		return
	}
	s.tcpOpen++
	s.tcpByIP[remote.Addr()]++
	s.running.Add(1)
	sock := newTCPSocket(conn, remote, &s.counters, s.limits().TCPIdle)
	e := newEndpoint(s, l, relayAddress, sock)
	e.remote, e.stream = remote, sock
	sock.outbox.writers = &s.writing
	sock.inUse = func() bool { return e.find(remote) != nil }
	l.endpoints[e] = struct{}{}
	s.mu.Unlock()
	go s.attend(e, sock)
}

// attend waits for the first message before it spends more on the connection.
func (s *Server) attend(e *endpoint, sock *tcpSocket) {
	err := sock.awaitFirst(s.limits().TCPFirstMessage)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.counters.tcpIdle.Add(1)
	case errors.Is(err, errNotTURN):
		s.counters.malformed.Add(1)
	}
	if err == nil {
		err = e.start()
	}
	if err != nil {
		e.finish(err)
	}
}
