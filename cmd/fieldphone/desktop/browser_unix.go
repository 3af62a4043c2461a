//go:build !windows

package desktop

import "syscall"

// AppPath is empty: there is no registry.
func AppPath(string) string { return "" }

// apart lets the browser outlive the terminal that started it.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
