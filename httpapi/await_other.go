//go:build !linux && !darwin

package httpapi

import "syscall"

// canAwait is false: each connection has a goroutine that reads.
const canAwait = false

func await(syscall.RawConn) {}
