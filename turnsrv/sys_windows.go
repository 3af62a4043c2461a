package turnsrv

import (
	"errors"
	"syscall"
)

const (
	wsaEACCES     = syscall.Errno(10013)
	wsaEADDRINUSE = syscall.Errno(10048)
)

func portTaken(err error) bool {
	return errors.Is(err, wsaEADDRINUSE) || errors.Is(err, wsaEACCES)
}

// noBroadcast undoes the SO_BROADCAST that Go sets on every UDP socket: a
// relay must not reach a whole segment with one packet.
func noBroadcast(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(syscall.Handle(fd), syscall.SOL_SOCKET, syscall.SO_BROADCAST, 0)
	})
	return errors.Join(err, failed)
}
