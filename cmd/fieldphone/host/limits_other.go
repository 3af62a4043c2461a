//go:build !linux && !darwin && !windows

package host

// OpenFiles is not known: this system was not looked at.
func OpenFiles() (files Files, known bool) { return Files{}, false }

// Disk is not known: this system was not looked at.
func Disk(string) (space Space, known bool) { return Space{}, false }
