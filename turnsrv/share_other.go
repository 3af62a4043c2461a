//go:build !linux

package turnsrv

import (
	"context"
	"net"
)

// share is for Linux: elsewhere the last of several sockets gets all packets.
func share(context.Context, *net.UDPConn, int) []*net.UDPConn { return nil }
