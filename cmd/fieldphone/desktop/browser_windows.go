package desktop

import (
	"strings"
	"syscall"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// AppPath returns where the registry has a program, for this user or for all.
func AppPath(program string) string {
	const paths = `SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\`
	for _, root := range []registry.Key{registry.CURRENT_USER, registry.LOCAL_MACHINE} {
		key, err := registry.OpenKey(root, paths+program, registry.QUERY_VALUE)
		if err != nil {
			continue
		}
		path, _, err := key.GetStringValue("")
		if closeErr := key.Close(); err == nil && closeErr == nil {
			return strings.Trim(path, `"`)
		}
	}
	return ""
}

// apart lets the browser outlive the console that started it.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}
