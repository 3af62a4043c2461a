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

// Read is an error.
func (*Reader) Read(syscall.RawConn) (int, error) { return 0, errNotHere }

// Datagram gives nothing.
func (*Reader) Datagram(int) (d Datagram, truncated bool) { return Datagram{}, false }

// Socket is not offered here.
type Socket struct{}

// Bind is an error.
func Bind(netip.AddrPort) (*Socket, error) { return nil, errNotHere }

// Take is an error.
func Take(*net.UDPConn) (*Socket, error) { return nil, errNotHere }

// Close does nothing.
func (*Socket) Close(func()) {}

// JoinTrains does nothing.
func (*Socket) JoinTrains() {}

// Send is an error.
func (*Socket) Send([]byte, netip.AddrPort) error { return errNotHere }

// Receive is an error.
func (*Socket) Receive(*Reader, int, int) (int, error) { return 0, errNotHere }

// Poller is not offered here.
type Poller[T any] struct{}

// NewPoller is an error.
func NewPoller[T any]() (*Poller[T], error) { return nil, errNotHere }

// Watch is an error.
func (*Poller[T]) Watch(*Socket, T) error { return errNotHere }

// Forget does nothing.
func (*Poller[T]) Forget(*Socket) {}

// Wait is an error.
func (*Poller[T]) Wait(bool) ([]T, error) { return nil, errNotHere }

// Nudge does nothing.
func (*Poller[T]) Nudge() {}

// Close does nothing.
func (*Poller[T]) Close() {}

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

// FlushTo is an error.
func (*Writer) FlushTo(*Socket) (failed int, err error) { return 0, errNotHere }
