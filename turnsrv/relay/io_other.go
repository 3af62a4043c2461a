//go:build !linux

package relay

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// Offered tells whether this system has what the package is for.
const Offered = false

var errNotHere = errors.New("relay: batches are not offered on this system")

// Reader is not offered here.
type Reader struct{}

// NewReader makes a Reader that reads nothing.
func NewReader(int, int) *Reader { return &Reader{} }

// JoinTrains tells that the kernel does not.
func JoinTrains(*net.UDPConn) bool { return false }

// Receive reads nothing.
func (*Reader) Receive(uintptr) bool { return true }

// Got is an error.
func (*Reader) Got() (int, error) { return 0, errNotHere }

// Read is an error.
func (*Reader) Read(syscall.RawConn) (int, error) { return 0, errNotHere }

// Datagram gives nothing.
func (*Reader) Datagram(int) (d Datagram, truncated bool) { return Datagram{}, false }

// Writer is not offered here.
type Writer struct{}

// NewWriter makes a Writer that sends nothing.
func NewWriter(int, bool) *Writer { return &Writer{} }

// CutsTrains tells that the kernel does not.
func CutsTrains(*net.UDPConn) bool { return false }

// Room is never there.
func (*Writer) Room(int) bool { return false }

// Add drops the datagram.
func (*Writer) Add(_, _ []byte, _ netip.AddrPort) {}

// AddTrain drops the train.
func (*Writer) AddTrain(_, _ []byte, _, _ int, _ netip.AddrPort) {}

// Waiting is 0.
func (*Writer) Waiting() int { return 0 }

// Flush is an error.
func (*Writer) Flush(syscall.RawConn) (failed int, err error) { return 0, errNotHere }
