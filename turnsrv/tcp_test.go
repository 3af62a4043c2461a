package turnsrv_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"fieldphone/turnsrv"
)

func TestThousandIdleConnections(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) {
		c.Limits.TCPConnections = 1001
		c.Limits.TCPConnectionsPerIP = 2000
		c.Limits.TCPFirstMessage = 4 * time.Second
	})
	live := s.call(t, "tcp")
	idle := make([]net.Conn, 1000)
	for i := range idle {
		idle[i] = dial(t, "tcp", s.tcp[addrTwo], "", "").conn
	}
	eventually(t, "all are open", func() bool { return s.Stats().TCPConnections.Open == 1001 })
	live.undisturbed()
	dial(t, "tcp", s.tcp[addrOne], "", "").closed()
	if got := s.Stats().TCPConnections.Refused; got != 1 {
		t.Errorf("refused: got %d, want 1", got)
	}
	for _, conn := range idle {
		expectEnd(t, conn)
	}
	live.undisturbed()
	eventually(t, "only the call is left", func() bool { return s.Stats().TCPConnections.Open == 1 })
	if got := s.Stats().TCPConnections.Idle; got != 1000 {
		t.Errorf("idle: got %d, want 1000", got)
	}
	dial(t, "tcp", s.tcp[addrOne], "", "").bind()
}

func expectEnd(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("got %d bytes, %v, want the connection's end", n, err)
	}
}

func TestConnectionsPerIP(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) { c.Limits.TCPConnectionsPerIP = 2 })
	first := dial(t, "tcp", s.tcp[addrOne], "", "")
	first.bind()
	dial(t, "tcp", s.tcp[addrTwo], "", "").bind()
	dial(t, "tcp", s.tcp[addrOne], "", "").closed()

	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(addrPeer, 0))}
	conn, err := dialer.Dial("tcp", s.tcp[addrOne].String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	elsewhere := dial(t, "udp", s.udp[addrOne], "", "")
	if _, err := conn.Write(elsewhere.build(1).Raw); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 20)); err != nil {
		t.Errorf("another address is refused too: %v", err)
	}

	first.conn.Close()
	eventually(t, "a place is free", func() bool { return s.Stats().TCPConnections.Open == 2 })
	dial(t, "tcp", s.tcp[addrOne], "", "").bind()
}

// Silence is no reason to close a connection that carries an allocation.
func TestIdleAfterTheFirstMessage(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) { c.Limits.TCPIdle = 100 * time.Millisecond })
	live := s.call(t, "tcp")
	silent := dial(t, "tcp", s.tcp[addrOne], "", "")
	silent.bind()
	silent.closed()
	again := dial(t, "tcp", s.tcp[addrOne], "", "")
	again.bind()
	again.closed()
	live.undisturbed()
}

func TestAllocationEndsWithItsConnection(t *testing.T) {
	s := startSite(t)
	live := s.call(t, "tcp")
	live.conn.Close()
	eventually(t, "the allocation is gone", func() bool { return s.Stats().Allocations == 0 })
}
