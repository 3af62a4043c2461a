package host

import "golang.org/x/sys/windows"

// OpenFiles is not known: this system has no such limit.
func OpenFiles() (files Files, known bool) { return Files{}, false }

// Disk is the file system that holds a path; free is for this user.
func Disk(path string) (space Space, known bool) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return Space{}, false
	}
	err = windows.GetDiskFreeSpaceEx(name, &space.Free, &space.Total, nil)
	return space, err == nil
}
