//go:build linux || darwin

package bench

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// AllowFiles raises the limit of open files, which servers started from here
// inherit, or says that it is too low.
func AllowFiles(n uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur >= n {
		return nil
	}
	raised := limit
	raised.Cur = n
	raised.Max = max(raised.Max, n)
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
		return nil
	}
	return fmt.Errorf("this needs %d open files, and the limit is %d: run ulimit -n %d before, or take fewer --clients", n, limit.Max, n)
}
