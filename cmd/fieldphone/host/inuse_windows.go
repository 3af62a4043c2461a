package host

import (
	"errors"

	"golang.org/x/sys/windows"
)

// InUse tells whether a port could not be had because another socket has it, or because
// the system keeps it for others.
func InUse(err error) bool {
	return errors.Is(err, windows.WSAEADDRINUSE) || errors.Is(err, windows.WSAEACCES)
}
