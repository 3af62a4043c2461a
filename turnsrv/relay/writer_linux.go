package relay

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Offered tells whether this system has what the package is for.
const Offered = true

// maxSegments is how many datagrams the kernel sends as one train
// (UDP_MAX_SEGMENTS).
const maxSegments = 64

// maxIovecs bounds the pieces of one Flush.
const maxIovecs = 2 * maxSegments * 4

// Writer sends datagrams, several at once. It keeps no data: what
// was added must stay as it is until Flush.
type Writer struct {
	six     bool // the sockets are of IPv6
	headers []mmsghdr
	iovecs  []unix.Iovec
	names   []unix.RawSockaddrInet6
	control []byte
	parts   []int // pieces of each datagram of a train; 0: it is none
	added   int
	pieces  int

	attempt func(fd uintptr) bool
	from    int
	failed  int
	err     error
}

// NewWriter sends at most batch messages with one system call, on sockets of
// IPv4 or, with six, of IPv6.
func NewWriter(batch int, six bool) *Writer {
	batch = min(batch, MaxBatch)
	w := &Writer{
		six: six, headers: make([]mmsghdr, batch), iovecs: make([]unix.Iovec, maxIovecs),
		names: make([]unix.RawSockaddrInet6, batch), control: make([]byte, batch*controlSize),
		parts: make([]int, batch),
	}
	for i := range w.headers {
		w.headers[i].hdr.Name = (*byte)(unsafe.Pointer(&w.names[i]))
	}
	w.attempt = w.send
	return w
}

// CutsTrains tells whether the kernel sends trains from this socket: then
// AddTrain may be used for it.
func CutsTrains(conn *net.UDPConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	var failed error
	err = raw.Control(func(fd uintptr) { _, failed = unix.GetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT) })
	return err == nil && failed == nil
}

// Room tells whether one more message, of so many datagrams, can be added
// before Flush.
func (w *Writer) Room(datagrams int) bool {
	return w.added < len(w.headers) && w.pieces+2*datagrams <= len(w.iovecs)
}

// Add takes a datagram made of two pieces, of which the first may be empty.
func (w *Writer) Add(head, data []byte, to netip.AddrPort) {
	w.begin(to)
	w.piece(head)
	w.piece(data)
	w.finish(0, 0)
}

// begin starts a message; finish ends it.
func (w *Writer) begin(to netip.AddrPort) {
	h := &w.headers[w.added].hdr
	h.Namelen = putName(&w.names[w.added], to, w.six || !to.Addr().Is4())
	h.Iov = &w.iovecs[w.pieces]
	h.SetIovlen(0)
}

// putName writes an address for a socket of its family, or of IPv6, and returns its size.
func putName(name *unix.RawSockaddrInet6, to netip.AddrPort, six bool) uint32 {
	if !six {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		*four = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: ntohs(to.Port()), Addr: to.Addr().As4()}
		return unix.SizeofSockaddrInet4
	}
	*name = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: ntohs(to.Port()), Addr: to.Addr().As16(), Scope_id: scope(to.Addr())}
	return unix.SizeofSockaddrInet6
}

func (w *Writer) piece(data []byte) {
	if len(data) == 0 {
		return
	}
	v := &w.iovecs[w.pieces]
	v.Base = &data[0]
	v.SetLen(len(data))
	w.pieces++
	h := &w.headers[w.added].hdr
	h.SetIovlen(int(h.Iovlen) + 1)
}

func (w *Writer) finish(segment, parts int) {
	h := &w.headers[w.added].hdr
	w.parts[w.added] = parts
	h.Control = nil
	h.SetControllen(0)
	if segment > 0 {
		control := w.control[w.added*controlSize:][:controlSize]
		c := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		c.Level, c.Type = unix.SOL_UDP, unix.UDP_SEGMENT
		c.SetLen(unix.SizeofCmsghdr + 2)
		binary.NativeEndian.PutUint16(control[unix.SizeofCmsghdr:], uint16(segment))
		h.Control = &control[0]
		h.SetControllen(controlSize)
	}
	w.added++
}

// AddTrain takes datagrams of segment bytes each, the last perhaps shorter, each
// behind the same head (which may be empty) and without its first skip bytes,
// of which something must be left. At most 64 of them.
func (w *Writer) AddTrain(head, data []byte, segment, skip int, to netip.AddrPort) {
	w.begin(to)
	for len(data) > 0 {
		n := min(segment, len(data))
		w.piece(head)
		w.piece(data[skip:n])
		data = data[n:]
	}
	parts := 1
	if len(head) > 0 {
		parts = 2
	}
	w.finish(segment-skip+len(head), parts)
}

func (w *Writer) send(fd uintptr) bool {
	for w.from < w.added {
		// It does not block, so the scheduler need not hear of it.
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&w.headers[w.from])), uintptr(w.added-w.from),
			unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			w.from += int(n)
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			// It concerns the first of them, like a peer that is not there.
			if w.parts[w.from] > 0 {
				errno = w.apart(fd)
			}
			if errno != 0 {
				w.err = errno
				w.failed++
			}
			w.from++
		}
	}
	return true
}

// apart sends the datagrams of a train one by one: the kernel refuses trains
// whose datagrams would be fragmented, or that are too long with their heads.
func (w *Writer) apart(fd uintptr) (failed unix.Errno) {
	one := w.headers[w.from].hdr
	left := unsafe.Slice(one.Iov, int(one.Iovlen))
	one.Control = nil
	one.SetControllen(0)
	for parts := w.parts[w.from]; len(left) >= parts; left = left[parts:] {
		one.Iov = &left[0]
		one.SetIovlen(parts)
		if _, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&one)), unix.MSG_DONTWAIT); errno != 0 {
			failed = errno
		}
	}
	return failed
}

// Flush sends what was added on a socket. Some may not have been sent: failed says how many,
// and err why the last of them was not.
func (w *Writer) Flush(conn syscall.RawConn) (failed int, err error) {
	if w.added == 0 {
		return 0, nil
	}
	w.from, w.failed, w.err = 0, 0, nil
	if err := conn.Write(w.attempt); err != nil {
		w.failed, w.err = w.added-w.from, err
	}
	w.added, w.pieces = 0, 0
	return w.failed, w.err
}

// Waiting is how many messages were added since the last Flush.
func (w *Writer) Waiting() int { return w.added }
