package relay

import (
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sendPatience (ms) is how long a full socket may keep a Flush waiting.
const sendPatience = 20

// Socket is a UDP socket that the runtime's poller knows nothing of: making one
// takes two system calls, and keeping one takes no memory to speak of. A
// descriptor that is in use outlives Close, so that its number cannot be
// another socket's by then.
type Socket struct {
	fd    int
	users atomic.Int64 // closing adds closedSocket
	then  func()
	key   uint64
	joins atomic.Bool
}

// closedSocket is far from any number of users.
const closedSocket = 1 << 32

// Bind opens a socket at an IPv4 address.
func Bind(at netip.AddrPort) (*Socket, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().Unmap().As4()}); err != nil {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("bind", err)
	}
	return &Socket{fd: fd}, nil
}

// Take makes a Socket of a connection, which is closed: the runtime's poller would
// wake up for every packet.
func Take(conn *net.UDPConn) (*Socket, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &Socket{}
	var failed error
	err = raw.Control(func(fd uintptr) { s.fd, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err == nil {
		err = os.NewSyscallError("fcntl", failed)
	}
	if err != nil {
		return nil, err
	}
	return s, conn.Close()
}

// use keeps the descriptor open until done.
func (s *Socket) use() bool {
	if s.users.Add(1) > closedSocket {
		s.done()
		return false
	}
	return true
}

func (s *Socket) done() {
	if s.users.Add(-1) == closedSocket {
		s.finish()
	}
}

// finish may be asked for by several; the first does it.
func (s *Socket) finish() {
	if !s.users.CompareAndSwap(closedSocket, 2*closedSocket) {
		return
	}
	_ = unix.Close(s.fd)
	if s.then != nil {
		s.then()
	}
}

// Close ends the socket, once nobody uses it; then is called after that. It
// must be called once only.
func (s *Socket) Close(then func()) {
	s.then = then
	if s.users.Add(closedSocket) == closedSocket {
		s.finish()
	}
}

// JoinTrains lets the kernel join the datagrams that the socket receives, the
// first time it is called; what reads it needs a Reader of TrainBuffer.
func (s *Socket) JoinTrains() {
	if s.joins.Load() || s.joins.Swap(true) || !s.use() {
		return
	}
	defer s.done()
	_ = unix.SetsockoptInt(s.fd, unix.SOL_UDP, unix.UDP_GRO, 1)
}

// Send sends one datagram.
func (s *Socket) Send(p []byte, to netip.AddrPort) error {
	if !s.use() {
		return net.ErrClosed
	}
	defer s.done()
	var name unix.RawSockaddrInet6
	size := putName(&name, to, !to.Addr().Is4())
	var data *byte
	if len(p) > 0 {
		data = &p[0]
	}
	for {
		// It does not block, so the scheduler need not hear of it.
		_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(data)), uintptr(len(p)),
			unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&name)), uintptr(size))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}

// Receive reads what waits, into the buffers of r from the given one on, at most
// so many. Fewer than that have come if nothing waits any more.
func (s *Socket) Receive(r *Reader, at, most int) (got int, err error) {
	if !s.use() {
		return 0, net.ErrClosed
	}
	defer s.done()
	for {
		n, errno := r.receive(uintptr(s.fd), at, most)
		switch errno {
		case 0:
			return n, nil
		case unix.EAGAIN:
			return 0, nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// FlushTo is Flush on a Socket. What a full one does not take for long is lost.
func (w *Writer) FlushTo(s *Socket) (failed int, err error) {
	if w.added == 0 {
		return 0, nil
	}
	w.from, w.failed, w.err = 0, 0, nil
	if s.use() {
		for !w.send(uintptr(s.fd)) {
			if !s.awaitRoom() {
				w.err = unix.EAGAIN
				break
			}
		}
		s.done()
	} else {
		w.err = net.ErrClosed
	}
	w.failed += w.added - w.from
	w.added, w.pieces = 0, 0
	return w.failed, w.err
}

func (s *Socket) awaitRoom() bool {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(fds, sendPatience)
	return n > 0 || err == unix.EINTR
}
