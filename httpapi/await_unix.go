//go:build linux || darwin

package httpapi

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

const canAwait = true

// await returns when there is something to read, or an error to read of.
func await(wire syscall.RawConn) {
	_ = wire.Read(func(fd uintptr) bool {
		var one [1]byte
		for {
			_, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
			if !errors.Is(err, unix.EINTR) {
				return !errors.Is(err, unix.EAGAIN)
			}
		}
	})
}
