package relay

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is the kernel's struct mmsghdr (recvmmsg(2)).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
	_   [4]byte
}

// controlSize (bytes) holds one control message with an int.
const controlSize = 24

// Reader reads datagrams of a socket, as many as wait.
type Reader struct {
	headers []mmsghdr
	iovecs  []unix.Iovec
	names   []unix.RawSockaddrInet6 // of either family
	control []byte
	buffers []byte
	size    int

	attempt func(fd uintptr) bool
	got     int
	err     error
}

// JoinTrains lets the kernel join the datagrams that a socket receives, and
// tells whether it will. Whoever reads the socket then needs a Reader of
// TrainBuffer.
func JoinTrains(conn *net.UDPConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_GRO, 1) })
	return err == nil && failed == nil
}

// NewReader reads at most batch datagrams at once, of at most size bytes each.
func NewReader(batch, size int) *Reader {
	batch = min(batch, MaxBatch)
	if size >= 4096 {
		size += 320 // else the starts of all buffers share a few cache lines
	}
	r := &Reader{
		headers: make([]mmsghdr, batch), iovecs: make([]unix.Iovec, batch),
		names: make([]unix.RawSockaddrInet6, batch), control: make([]byte, batch*controlSize),
		buffers: make([]byte, batch*size), size: size,
	}
	for i := range r.headers {
		r.iovecs[i].Base = &r.buffers[i*size]
		r.iovecs[i].SetLen(size)
		h := &r.headers[i].hdr
		h.Iov, h.Name = &r.iovecs[i], (*byte)(unsafe.Pointer(&r.names[i]))
		h.SetIovlen(1)
		h.Control = &r.control[i*controlSize]
	}
	r.attempt = r.try // made once: a method value allocates
	return r
}

// receive is one recvmmsg, into so many buffers from the given one on.
func (r *Reader) receive(fd uintptr, at, most int) (int, unix.Errno) {
	for i := at; i < at+most; i++ {
		h := &r.headers[i].hdr
		h.Namelen = unix.SizeofSockaddrInet6
		h.SetControllen(controlSize)
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.headers[at])), uintptr(most),
		unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}

// try is for syscall.RawConn.Read.
func (r *Reader) try(fd uintptr) bool {
	n, errno := r.receive(fd, 0, len(r.headers))
	r.got, r.err = n, nil
	switch errno {
	case 0:
		return true
	case unix.EAGAIN:
		return false
	case unix.EINTR:
		r.got = 0
		return true
	}
	r.got, r.err = 0, errno
	return true
}

// Read waits for datagrams and says how many came; possibly none.
func (r *Reader) Read(conn syscall.RawConn) (int, error) {
	if err := conn.Read(r.attempt); err != nil {
		return 0, err
	}
	return r.got, r.err
}

// Datagram gives one of those that the last Read or Receive read. Truncated tells that it
// was longer than the buffer.
func (r *Reader) Datagram(i int) (d Datagram, truncated bool) {
	h := &r.headers[i]
	d.Data = r.buffers[i*r.size : i*r.size+int(h.n)]
	d.From = addrPort(&r.names[i])
	if segment := segmentOf(r.control[i*controlSize:][:h.hdr.Controllen]); segment > 0 && segment < len(d.Data) {
		d.Segment = segment
	}
	return d, h.hdr.Flags&unix.MSG_TRUNC != 0
}

// segmentOf reads the control message UDP_GRO.
func segmentOf(control []byte) int {
	if len(control) < unix.SizeofCmsghdr+2 {
		return 0
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	if h.Level != unix.SOL_UDP || h.Type != unix.UDP_GRO {
		return 0
	}
	return int(binary.NativeEndian.Uint16(control[unix.SizeofCmsghdr:]))
}

func addrPort(name *unix.RawSockaddrInet6) netip.AddrPort {
	if name.Family == unix.AF_INET {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(four.Addr), ntohs(four.Port))
	}
	address := netip.AddrFrom16(name.Addr).Unmap()
	if name.Scope_id != 0 {
		address = address.WithZone(strconv.FormatUint(uint64(name.Scope_id), 10))
	}
	return netip.AddrPortFrom(address, ntohs(name.Port))
}

// scope is the interface of a link-local address, as addrPort writes it.
func scope(address netip.Addr) uint32 {
	n, _ := strconv.ParseUint(address.Zone(), 10, 32)
	return uint32(n)
}

// ntohs reads what the kernel keeps in network byte order.
func ntohs(port uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&port))[:])
}
