//go:build !linux

package relay

import (
	"net"
	"net/netip"
)

// Reader reads datagrams of one socket, one at a time.
type Reader struct {
	conn   *net.UDPConn
	buffer []byte
	got    Datagram
}

// NewReader reads datagrams of at most size bytes.
func NewReader(conn *net.UDPConn, _, size int, _ bool) (*Reader, error) {
	return &Reader{conn: conn, buffer: make([]byte, size+1)}, nil
}

// Read waits for a datagram.
func (r *Reader) Read() (int, error) {
	n, from, err := r.conn.ReadFromUDPAddrPort(r.buffer)
	if err != nil {
		return 0, err
	}
	r.got = Datagram{Data: r.buffer[:n], From: netip.AddrPortFrom(from.Addr().Unmap(), from.Port())}
	return 1, nil
}

// Datagram gives what the last Read read.
func (r *Reader) Datagram(int) (d Datagram, truncated bool) {
	return r.got, len(r.got.Data) == len(r.buffer)
}

// Writer sends datagrams on one socket.
type Writer struct {
	conn    *net.UDPConn
	buffer  []byte
	waiting int
	failed  int
	err     error
}

// NewWriter sends one datagram at a time.
func NewWriter(conn *net.UDPConn, _ int) (*Writer, error) { return &Writer{conn: conn}, nil }

// Trains tells that AddTrain may not be used.
func (w *Writer) Trains() bool { return false }

// Room is always there.
func (w *Writer) Room(int) bool { return true }

// Add sends a datagram made of two pieces.
func (w *Writer) Add(head, data []byte, to netip.AddrPort) {
	w.buffer = append(append(w.buffer[:0], head...), data...)
	w.waiting++
	if _, err := w.conn.WriteToUDPAddrPort(w.buffer, to); err != nil {
		w.failed, w.err = w.failed+1, err
	}
}

// AddTrain sends datagrams of segment bytes each, one by one.
func (w *Writer) AddTrain(head, data []byte, segment, skip int, to netip.AddrPort) {
	for len(data) > 0 {
		n := min(segment, len(data))
		w.Add(head, data[skip:n], to)
		data = data[n:]
	}
}

// Flush says what failed since the last one.
func (w *Writer) Flush() (failed int, err error) {
	failed, err = w.failed, w.err
	w.waiting, w.failed, w.err = 0, 0, nil
	return failed, err
}

// Waiting is how many datagrams were added since the last Flush.
func (w *Writer) Waiting() int { return w.waiting }
