package turnsrv

import (
	"errors"
	"net"
	"net/netip"
	"sync"
)

// Borrow opens one relay port on each address that is served over UDP, for the
// server's own use: clients reach such a port wherever they reach relays, and
// through relays too. The ports count as used until they are closed. On error
// none stays open.
func (s *Server) Borrow() ([]net.PacketConn, error) {
	var borrowed []net.PacketConn
	for _, address := range s.Addresses() {
		conn, err := s.borrow(address)
		if err != nil {
			for _, opened := range borrowed {
				err = errors.Join(err, opened.Close())
			}
			return nil, err
		}
		borrowed = append(borrowed, conn)
	}
	return borrowed, nil
}

func (s *Server) borrow(address netip.Addr) (net.PacketConn, error) {
	told, served := s.advertisedFor(address)
	if !served {
		told = address // gone just now
	}
	pool := s.pool(address)
	var conn *net.UDPConn
	port, err := pool.open(anyPort, func(at netip.AddrPort) (err error) {
		conn, err = bindRelay(at)
		return err
	})
	if err != nil {
		return nil, err
	}
	pool.hold(port, told)
	return &borrowedConn{UDPConn: conn, giveBack: sync.OnceFunc(func() {
		pool.release(port)
		pool.put(port)
	})}, nil
}

type borrowedConn struct {
	*net.UDPConn
	giveBack func()
}

// Close gives the port back, once it is free.
func (c *borrowedConn) Close() error {
	err := c.UDPConn.Close()
	c.giveBack()
	return err
}
