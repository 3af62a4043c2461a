package turnsrv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

const (
	// listenerBuffer (bytes) holds about 30 ms of media of a thousand calls
	// while the reader is away; the kernel may grant less.
	listenerBuffer = 4 << 20
	// portZeroTries bounds the search for a port free on both transports.
	portZeroTries = 16
)

// Open opens UDP sockets, as many as readers, and a TCP listener on each address,
// so that an answer always leaves from the address that was asked. Port 0 picks
// one free port for both transports, on each address by itself. On error nothing
// stays open.
func Open(ctx context.Context, addresses []netip.Addr, port uint16) ([]Listener, error) {
	var opened []Listener
	for _, address := range addresses {
		pair, err := openPair(ctx, address.Unmap(), port)
		if err != nil {
			return nil, errors.Join(append([]error{err}, closeAll(opened)...)...)
		}
		opened = append(opened, pair...)
	}
	return opened, nil
}

// shards is how many sockets take the packets of one address: the system gives
// all of a client's to one of them. Tests have more.
var shards = readers

func openPair(ctx context.Context, address netip.Addr, port uint16) ([]Listener, error) {
	if !address.IsValid() || address.IsUnspecified() {
		return nil, fmt.Errorf("turn: listen on %s: name each local address; an answer must leave from the address that was asked", address)
	}
	tries := 1
	if port == 0 {
		tries = portZeroTries
	}
	var err error
	for range tries {
		var udp net.PacketConn
		var tcp net.Listener
		var config net.ListenConfig
		udp, err = config.ListenPacket(ctx, "udp", netip.AddrPortFrom(address, port).String())
		if err != nil {
			break
		}
		tcp, err = config.Listen(ctx, "tcp", udp.LocalAddr().String())
		if err == nil {
			conn := udp.(*net.UDPConn)
			l := Listener{UDP: conn, more: share(ctx, conn, shards()-1), Address: address.WithZone(""), opened: true}
			for _, conn := range l.sockets() {
				_ = conn.SetReadBuffer(listenerBuffer)
				_ = conn.SetWriteBuffer(listenerBuffer)
			}
			return []Listener{l, {TCP: tcp, Address: l.Address, opened: true}}, nil
		}
		udp.Close()
	}
	return nil, fmt.Errorf("turn: listen on %s: %w; free the port or change turn.port", netip.AddrPortFrom(address, port), err)
}

func closeAll(listeners []Listener) []error {
	var errs []error
	for _, l := range listeners {
		if err := l.close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, fmt.Errorf("turn: close %s: %w", l, err))
		}
	}
	return errs
}
