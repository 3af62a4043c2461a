package relay

import (
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pollBatch is how many sockets are told of at once.
const pollBatch = 128

// nudged is the key of the descriptor that ends a Wait.
const nudged = 0

// Poller waits at many sockets at once, for one goroutine. The runtime's own
// poller waits for it alone: it would wake a goroutine for each socket.
type Poller[T any] struct {
	epoll, wake int
	file        *os.File // epoll's
	raw         syscall.RawConn
	attempt     func(fd uintptr) bool
	hurry       bool
	got         int
	events      [pollBatch]unix.EpollEvent
	ready       []T

	mu      sync.Mutex
	closed  bool
	watched map[uint64]T
	next    uint64
}

// NewPoller makes one; Close ends it.
func NewPoller[T any]() (*Poller[T], error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create", err)
	}
	err = unix.SetNonblock(epoll, true) // so that the runtime's poller takes it
	p := &Poller[T]{epoll: epoll, file: os.NewFile(uintptr(epoll), "epoll"), watched: make(map[uint64]T), next: nudged + 1}
	p.attempt = p.look // made once: a method value allocates
	if err == nil {
		p.raw, err = p.file.SyscallConn()
	}
	if err == nil {
		p.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	}
	if err == nil {
		if err = p.control(p.wake, nudged, unix.EPOLLIN); err == nil {
			return p, nil
		}
		_ = unix.Close(p.wake)
	}
	_ = p.file.Close()
	return nil, os.NewSyscallError("poller", err)
}

func (p *Poller[T]) control(fd int, key uint64, events uint32) error {
	return unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{
		Events: events, Fd: int32(uint32(key)), Pad: int32(uint32(key >> 32)),
	})
}

// Watch makes Wait give what stands for a socket, each time that something came
// after nothing was there.
func (p *Poller[T]) Watch(s *Socket, what T) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	s.key = p.next
	p.next++
	if err := p.control(s.fd, s.key, unix.EPOLLIN|unix.EPOLLET); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	p.watched[s.key] = what
	return nil
}

// Forget ends Watch; the socket must be closed next.
func (p *Poller[T]) Forget(s *Socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.watched, s.key)
}

// look takes what there is; it does not wait.
func (p *Poller[T]) look(fd uintptr) bool {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(&p.events[0])), pollBatch, 0, 0, 0)
	p.got = 0
	if errno == 0 {
		p.got = int(n)
	}
	return p.got > 0 || p.hurry
}

// Wait gives what packets came for, until the next Wait, and nothing after a
// Nudge. With hurry it does not wait. The error is net.ErrClosed.
func (p *Poller[T]) Wait(hurry bool) ([]T, error) {
	p.hurry = hurry
	if p.raw.Read(p.attempt) != nil {
		return nil, net.ErrClosed
	}
	clear(p.ready)
	p.ready = p.ready[:0]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, net.ErrClosed
	}
	for i := range p.got {
		e := &p.events[i]
		key := uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32
		if key == nudged {
			var count [8]byte
			_, _ = unix.Read(p.wake, count[:])
		} else if what, watched := p.watched[key]; watched {
			p.ready = append(p.ready, what)
		}
	}
	return p.ready, nil
}

// Nudge makes Wait return.
func (p *Poller[T]) Nudge() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		_, _ = unix.Write(p.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}

// Close makes Wait fail.
func (p *Poller[T]) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	_ = unix.Close(p.wake)
	_ = p.file.Close()
}
