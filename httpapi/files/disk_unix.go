//go:build !windows

package files

import (
	"errors"
	"os"
	"syscall"
)

// errQuota is what a disk quota of the system answers.
const errQuota = syscall.EDQUOT

// syncDir makes the names in a folder last. Not all file systems can.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}
