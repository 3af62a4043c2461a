//go:build !linux

// Package wire makes a small network out of namespaces, on Linux.
package wire

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

// Places are where clients and peers are, and their addresses.
type Places struct {
	Client, Peer               Place
	ClientAddress, PeerAddress netip.Addr
	Between                    Place
	BetweenAddress             netip.Addr
}

// Place makes the sockets that a function opens belong to a network namespace.
type Place func(do func() error) error

// Here is the network namespace of this process.
func Here(do func() error) error { return do() }

// New needs network namespaces.
func New() (*World, error) {
	return nil, errors.New("network namespaces are Linux's: start the server yourself and name it with --server")
}

// Command is not there without a World.
func (*World) Command(string) *exec.Cmd { return nil }

// Offload does nothing.
func (*World) Offload(bool) error { return nil }

// Forward does nothing.
func (*World) Forward() error { return nil }

// Close does nothing.
func (*World) Close() error { return nil }
