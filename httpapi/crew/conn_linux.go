package crew

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Conn is a TCP connection that neither a read nor a write waits for. A read
// without anything to read fails with ErrAgain. What cannot be sent yet is
// kept, and sent as soon as it can be: Unsent tells of it.
type Conn struct {
	crew          *Crew
	fd            int
	generation    int32
	patience      time.Duration
	most          int // bytes of unsent
	local, remote net.Addr
	handle        func() (more bool)
	reads, sends  func()

	forgotten bool         // belongs to the crew
	state     atomic.Int32 // of handle
	hung      atomic.Bool  // the other end sends no more
	blocked   atomic.Bool  // something is unsent
	drained   bool         // what arrived has been read; belongs to who reads

	mu     sync.Mutex
	closed bool
	unsent []byte
	then   func()
	limit  *time.Timer // of unsent
}

// states of a connection's handle.
const (
	resting int32 = iota
	handling
	handlingMore // something arrived meanwhile
)

// Adopt takes over a connection, which is closed: the runtime's poller would wake up
// for whatever arrives. A client is cut off that takes nothing of what is written for as
// long as the patience, or leaves more than so many bytes unsent.
func (c *Crew) Adopt(tcp *net.TCPConn, patience time.Duration, most int) (*Conn, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	conn := &Conn{crew: c, patience: patience, most: most, local: tcp.LocalAddr(), remote: tcp.RemoteAddr(), drained: true}
	var failed error
	if err := raw.Control(func(fd uintptr) { conn.fd, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, os.NewSyscallError("fcntl", failed)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.poller == nil {
		if c.poller, err = newPoller(); err != nil {
			_ = unix.Close(conn.fd)
			return nil, err
		}
	}
	c.conns++
	_ = tcp.Close()
	return conn, nil
}

// Serve lets a worker call handle whenever something has arrived, never two of
// them at once. It is called again if it says that it has left something, after others
// had their turn.
func (w *Conn) Serve(handle func() (more bool)) error {
	w.handle, w.reads, w.sends = handle, w.read, w.flush
	c := w.crew
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.poller.watch(w); err != nil {
		return err
	}
	if len(c.busy) == 0 && !c.polling {
		c.hire()
	}
	return nil
}

// happened is called with the crew locked.
func (w *Conn) happened(events uint32) {
	if events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		w.hung.Store(true)
	}
	if events&^unix.EPOLLOUT != 0 && !w.state.CompareAndSwap(handling, handlingMore) && w.state.CompareAndSwap(resting, handling) {
		w.crew.heard = append(w.crew.heard, w.reads)
	}
	if w.blocked.Load() {
		w.crew.asked = append(w.crew.asked, w.sends)
	}
}

// read lets what has arrived be handled, unless what came before it was the end.
func (w *Conn) read() {
	if w.isClosed() {
		return
	}
	w.drained = false
	if w.handle() || !w.state.CompareAndSwap(handling, resting) {
		w.state.Store(handling)
		w.crew.add(&w.crew.heard, w.reads)
	}
}

// ErrAgain says that there is nothing to read now.
var ErrAgain net.Error = again{}

var errUnsent = errors.New("the client takes too little of what is written")

type again struct{}

func (again) Error() string   { return "nothing has arrived" }
func (again) Timeout() bool   { return true }
func (again) Temporary() bool { return true }

// Read implements net.Conn.
func (w *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if w.drained && !w.hung.Load() {
		return 0, ErrAgain
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, net.ErrClosed
	}
	for {
		n, errno := transfer(unix.SYS_READ, w.fd, p)
		switch {
		case errno == unix.EINTR:
		case errno == unix.EAGAIN:
			w.drained = true
			return 0, ErrAgain
		case errno != 0:
			return 0, os.NewSyscallError("read", errno)
		case n == 0:
			return 0, io.EOF
		default:
			w.drained = n < len(p) // epoll(7)
			return n, nil
		}
	}
}

// Write implements net.Conn.
func (w *Conn) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, net.ErrClosed
	}
	if len(w.unsent) > 0 {
		if len(w.unsent)+len(p) > w.most {
			w.shut()
			return 0, errUnsent
		}
		w.unsent = append(w.unsent, p...)
		return len(p), nil
	}
	w.blocked.Store(true) // before the system can tell of room
	n, err := w.send(p)
	if err != nil {
		return n, err
	}
	if n == len(p) {
		w.blocked.Store(false)
		return n, nil
	}
	w.unsent = append([]byte(nil), p[n:]...)
	w.limit = time.AfterFunc(w.patience, w.Cut)
	return len(p), nil
}

// send says how much of p the system took.
func (w *Conn) send(p []byte) (sent int, err error) {
	for sent < len(p) {
		n, errno := transfer(unix.SYS_WRITE, w.fd, p[sent:])
		switch errno {
		case 0:
			sent += n
		case unix.EINTR:
		case unix.EAGAIN:
			return sent, nil
		default:
			return sent, os.NewSyscallError("write", errno)
		}
	}
	return sent, nil
}

// transfer reads or writes. It does not block, so the scheduler need not hear of it:
// it would take a long write for one that does.
func transfer(call uintptr, fd int, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	return int(n), errno
}

// flush sends what could not be sent.
func (w *Conn) flush() {
	w.mu.Lock()
	then := w.goOn()
	w.mu.Unlock()
	if then != nil {
		then()
	}
}

func (w *Conn) goOn() (then func()) {
	if w.closed || len(w.unsent) == 0 {
		return nil
	}
	n, err := w.send(w.unsent)
	if err != nil {
		w.shut()
		return nil
	}
	if w.unsent = w.unsent[n:]; len(w.unsent) > 0 {
		if n > 0 {
			w.limit.Reset(w.patience)
		}
		return nil
	}
	w.unsent = nil
	w.blocked.Store(false)
	w.limit.Stop()
	then, w.then = w.then, nil
	return then
}

// Unsent tells whether something that was written is not sent yet. Then a
// worker calls then as soon as it is.
func (w *Conn) Unsent(then func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.unsent) == 0 {
		return false
	}
	w.then = then
	return true
}

// Cut ends the connection, which what handles it comes to know by a read.
func (w *Conn) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shut()
}

func (w *Conn) shut() {
	if !w.closed {
		_ = unix.Shutdown(w.fd, unix.SHUT_RDWR)
	}
}

// Close implements net.Conn.
func (w *Conn) Close() error {
	w.crew.forget(w)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return net.ErrClosed
	}
	w.closed, w.unsent, w.then = true, nil, nil
	if w.limit != nil {
		w.limit.Stop()
	}
	return os.NewSyscallError("close", unix.Close(w.fd))
}

func (w *Conn) isClosed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

func (c *Crew) forget(conn *Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn.forgotten {
		return
	}
	conn.forgotten = true
	c.conns--
	c.poller.forget(conn)
	c.ended()
}

// LocalAddr implements net.Conn.
func (w *Conn) LocalAddr() net.Addr { return w.local }

// RemoteAddr implements net.Conn.
func (w *Conn) RemoteAddr() net.Addr { return w.remote }

// SetDeadline implements net.Conn. Nothing waits, so there is nothing to end.
func (w *Conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn.
func (w *Conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn.
func (w *Conn) SetWriteDeadline(time.Time) error { return nil }
