// Package host reads what this machine says about itself: who holds a port, how much disk
// and memory is left, what the kernel allows. What a system does not tell is reported as
// unknown, never guessed.
package host

import "fmt"

// Process is a program that runs here.
type Process struct {
	PID  int
	Name string
}

// String is like "nginx (pid 812)".
func (p Process) String() string {
	switch {
	case p.PID == 0:
		return "another program"
	case p.Name == "":
		return fmt.Sprintf("pid %d", p.PID)
	}
	return fmt.Sprintf("%s (pid %d)", p.Name, p.PID)
}

// Space is of a file system or of memory, in bytes.
type Space struct{ Free, Total uint64 }

// Files is the limit of open files of a process.
type Files struct{ Soft, Hard uint64 }
