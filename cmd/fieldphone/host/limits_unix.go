//go:build linux || darwin

package host

import "golang.org/x/sys/unix"

// OpenFiles is the limit of open files of this process.
func OpenFiles() (files Files, known bool) {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return Files{}, false
	}
	return Files{Soft: limit.Cur, Hard: limit.Max}, true
}

// Disk is the file system that holds a path; free is for users without rights.
func Disk(path string) (space Space, known bool) {
	var s unix.Statfs_t
	if unix.Statfs(path, &s) != nil {
		return Space{}, false
	}
	block := uint64(s.Bsize)
	return Space{Free: s.Bavail * block, Total: s.Blocks * block}, true
}
