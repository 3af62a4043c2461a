//go:build !windows

package host

import (
	"errors"
	"syscall"
)

// InUse tells whether a port could not be had because another socket has it.
func InUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
