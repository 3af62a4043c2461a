package turnsrv

import (
	"context"
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// share opens so many sockets more at the address of conn, as far as it can. conn was bound
// alone, so that nobody else is there; from now on, nobody but a process of the
// same user can join.
func share(ctx context.Context, conn *net.UDPConn, sockets int) (more []*net.UDPConn) {
	if sockets < 1 {
		return nil
	}
	raw, err := conn.SyscallConn()
	if err != nil || reusePort("", "", raw) != nil {
		return nil
	}
	config := net.ListenConfig{Control: reusePort}
	for range sockets {
		one, err := config.ListenPacket(ctx, "udp", conn.LocalAddr().String())
		if err != nil {
			break
		}
		more = append(more, one.(*net.UDPConn))
	}
	return more
}

func reusePort(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
	return errors.Join(err, failed)
}
