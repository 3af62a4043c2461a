package httpapi

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"fieldphone/httpapi/crew"
)

// ConnLimits bounds the connections that one client, or all of them, can hold,
// whether they speak or not. It may be shared by several listeners.
type ConnLimits struct {
	Max           int // in all
	MaxPerAddress int // from one remote address

	refused atomic.Int64
	mu      sync.Mutex
	total   int
	from    map[netip.Addr]int
}

// Refused is how many connections were closed at once for being too many.
func (l *ConnLimits) Refused() int64 { return l.refused.Load() }

// Listen wraps ln: connections beyond the limits are closed at once.
func (l *ConnLimits) Listen(ln net.Listener) net.Listener { return &limitedListener{ln, l} }

func (l *ConnLimits) take(addr netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total >= l.Max || l.from[addr] >= l.MaxPerAddress {
		l.refused.Add(1)
		return false
	}
	if l.from == nil {
		l.from = make(map[netip.Addr]int)
	}
	l.total++
	l.from[addr]++
	return true
}

func (l *ConnLimits) give(addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.from[addr]--; l.from[addr] == 0 {
		delete(l.from, addr)
	}
}

type limitedListener struct {
	net.Listener
	limits *ConnLimits
}

func (ln *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := ln.Listener.Accept()
		if err != nil {
			return nil, err
		}
		addr := addrOf(conn.RemoteAddr())
		if ln.limits.take(addr) {
			return &limitedConn{Conn: conn, give: func() { ln.limits.give(addr) }}, nil
		}
		conn.Close()
	}
}

type limitedConn struct {
	net.Conn
	once sync.Once
	give func()
}

// adopt lets a crew serve the connection from now on.
func (c *limitedConn) adopt(by *crew.Crew) (*crew.Conn, error) {
	tcp, ok := c.Conn.(*net.TCPConn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	served, err := by.Adopt(tcp, writeWait, maxUnsent)
	if err == nil {
		c.Conn = served
	}
	return served, err
}

func (c *limitedConn) Close() error {
	c.once.Do(c.give)
	return c.Conn.Close()
}
