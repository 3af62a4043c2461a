//go:build !linux

package bench

import (
	"errors"
	"net/netip"
	"os/exec"
)

// World is for Linux.
type World struct {
	Places
	Server netip.Addr
}

// NewWorld needs network namespaces.
func NewWorld() (*World, error) {
	return nil, errors.New("network namespaces are Linux's: start the server yourself and name it with --server")
}

// Command is not there without a World.
func (*World) Command(string) *exec.Cmd { return nil }

// Close does nothing.
func (*World) Close() error { return nil }
