package crew

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pollBatch is how many connections are told of at once.
const pollBatch = 128

// nudged is the key of the descriptor that ends a wait; no connection has it.
const nudged = -1

// poller tells of connections on which something has happened since it last told
// of them. The runtime's own would wake a goroutine for each; it waits for
// this one alone.
type poller struct {
	epoll, wakes int
	file         *os.File // epoll's
	raw          syscall.RawConn
	attempt      func(fd uintptr) bool
	got          int
	events       [pollBatch]unix.EpollEvent
	// conns are by descriptor; an event of one that had the same is told by its
	// generation. Both belong to the crew, under its lock.
	conns      []*Conn
	generation int32
}

func newPoller() (*poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create", err)
	}
	err = unix.SetNonblock(epoll, true) // so that the runtime's poller takes it
	p := &poller{epoll: epoll, file: os.NewFile(uintptr(epoll), "epoll")}
	p.attempt = func(uintptr) bool { p.got = p.look(); return p.got > 0 }
	if err == nil {
		p.raw, err = p.file.SyscallConn()
	}
	if err == nil {
		p.wakes, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	}
	if err == nil {
		event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: nudged}
		if err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, p.wakes, &event); err == nil {
			return p, nil
		}
		_ = unix.Close(p.wakes)
	}
	_ = p.file.Close()
	return nil, os.NewSyscallError("poller", err)
}

// watch tells of conn from now on, at once if there is something to tell.
func (p *poller) watch(conn *Conn) error {
	p.generation++
	conn.generation = p.generation
	if missing := conn.fd + 1 - len(p.conns); missing > 0 {
		p.conns = append(p.conns, make([]*Conn, missing)...)
	}
	p.conns[conn.fd] = conn
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, conn.fd, &unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(conn.fd), Pad: conn.generation,
	}))
}

// forget ends watch; the descriptor must be closed next.
func (p *poller) forget(conn *Conn) {
	if conn.fd < len(p.conns) && p.conns[conn.fd] == conn {
		p.conns[conn.fd] = nil
	}
}

// look says how many have something to tell, and does not wait.
func (p *poller) look() int {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.epoll), uintptr(unsafe.Pointer(&p.events[0])), pollBatch, 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// wait is look once there is something, or after a nudge.
func (p *poller) wait() int {
	p.got = 0
	_ = p.raw.Read(p.attempt)
	return p.got
}

func (p *poller) nudge() { _, _ = unix.Write(p.wakes, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

func (p *poller) close() {
	_ = unix.Close(p.wakes)
	_ = p.file.Close()
}

// arrived queues what so many events ask for.
func (c *Crew) arrived(events int) {
	for _, e := range c.poller.events[:events] {
		if e.Fd == nudged {
			continue
		}
		if conn := c.poller.conns[e.Fd]; conn != nil && conn.generation == e.Pad {
			conn.happened(e.Events)
		}
	}
}
