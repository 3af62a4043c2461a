//go:build !windows

package turnsrv

import (
	"errors"
	"syscall"
)

func portTaken(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EACCES)
}

// noBroadcast undoes the SO_BROADCAST that Go sets on every UDP socket: a
// relay must not reach a whole segment with one packet.
func noBroadcast(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_BROADCAST, 0)
	})
	return errors.Join(err, failed)
}
