//go:build linux || darwin

package httpapi

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

const canAwait = true

// await returns when there is something to read, or an error to read of. It looks
// once, since what came before it waits wakes nobody; what wakes it need not be
// looked at: at worst a reader waits instead.
func await(wire syscall.RawConn) {
	looked := false
	_ = wire.Read(func(fd uintptr) bool {
		if looked {
			return true
		}
		looked = true
		var one [1]byte
		for {
			_, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
			if !errors.Is(err, unix.EINTR) {
				return !errors.Is(err, unix.EAGAIN)
			}
		}
	})
}
