package relay

import (
	"errors"
	"net/netip"
)

// Flow is what arrives at the server: from and to whom, and the channel, or 0 at
// a relay port. IPv4 only.
type Flow struct {
	From, To netip.AddrPort
	Channel  uint16
}

// Change says what becomes of a flow's header.
type Change uint16

// The changes.
const (
	StripHeader   Change = 1 // ChannelData to the peer
	AddHeader     Change = 2 // from the peer to the client
	ReplaceHeader Change = 3 // from client to client
)

// Forward is what becomes of a flow.
type Forward struct {
	From, To netip.AddrPort
	Channel  uint16 // with AddHeader and ReplaceHeader
	Change   Change
}

// Counted is payload that the kernel has forwarded.
type Counted struct{ Packets, Bytes uint64 }

// ErrNoWay means that a flow would leave by no interface that the kernel path
// can use.
var ErrNoWay = errors.New("relay: no interface leads there")
