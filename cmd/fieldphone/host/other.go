//go:build !linux

package host

import (
	"context"
	"net/netip"
)

// Socket is a bound UDP or listening TCP socket of this machine.
type Socket struct{ Address netip.AddrPort }

// Sockets lists nothing: this system does not tell.
func Sockets(string) (sockets []Socket, known bool) { return nil, false }

// Owners finds nobody: this system does not tell.
func Owners([]Socket) map[int]Process { return nil }

// Sysctl knows nothing: this system has other settings.
func Sysctl(string) (value int64, known bool) { return 0, false }

// Memory is not known: this system does not tell.
func Memory() (space Space, known bool) { return Space{}, false }

// FilesOf is not known: this system does not tell.
func FilesOf(int) (files Files, known bool) { return Files{}, false }

// Ruleset is not known: this system has another packet filter.
func Ruleset(context.Context) (text string, known bool) { return "", false }
