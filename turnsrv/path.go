package turnsrv

import (
	"fmt"
	"runtime"

	"fieldphone/turnsrv/relay"
)

// Path is how packets of a channel go through the server.
type Path string

const (
	// PathAuto takes the fastest that the system has.
	PathAuto Path = "auto"
	// PathKernel lets the kernel forward what the user path would, without
	// waking the server. Linux 6.6 with CAP_BPF and CAP_NET_ADMIN; it passes by
	// the packet filter of this machine.
	PathKernel Path = "kernel"
	// PathUser forwards channels in front of pion/turn, many packets with one
	// system call and relay to relay in one step. Linux only.
	PathUser Path = "user"
	// PathPlain leaves all to pion/turn, packet by packet.
	PathPlain Path = "plain"
)

// choosePath takes the path asked for, or the next best, and says which in the
// log.
func (s *Server) choosePath() {
	asked := s.config.Path
	if asked == "" {
		asked = PathAuto
	}
	var why error
	switch {
	case asked == PathPlain:
		s.path = PathPlain
	case !relay.Offered:
		s.path, why = PathPlain, errOnePacket
	default:
		if s.path, why = PathUser, s.readRelays(); why != nil {
			s.path = PathPlain
			break
		}
		if asked != PathUser {
			if s.shortcuts, why = newShortcuts(s); why == nil {
				s.path = PathKernel
			}
		}
	}
	attrs := []any{"path", string(s.path), "asked", string(asked)}
	if why != nil {
		attrs = append(attrs, "why", why)
	}
	if why != nil && asked != PathAuto {
		s.log.Warn("turn: packets take another path than asked for", attrs...)
		return
	}
	s.log.Info("turn: path of packets", attrs...)
}

// maxReaders bounds readers: each has its buffers.
const maxReaders = 8

// readers is how many goroutines read the sockets of one address, and as many the
// relay ports: both together have all processors.
func readers() int { return min((runtime.GOMAXPROCS(0)+1)/2, maxReaders) }

// readRelays starts what reads the relay ports.
func (s *Server) readRelays() error {
	var all []*downward
	for range readers() {
		w, err := newDownward(s)
		if err != nil {
			for _, w := range all {
				w.poller.Close()
			}
			return err
		}
		all = append(all, w)
	}
	for _, w := range all {
		s.reading.Go(w.run)
	}
	s.downwards = all
	return nil
}

var errOnePacket = fmt.Errorf("this system reads and writes one packet at a time")

func (p Path) validate() error {
	switch p {
	case "", PathAuto, PathKernel, PathUser, PathPlain:
		return nil
	}
	return fmt.Errorf("turn: path %q: must be auto, kernel, user or plain", string(p))
}

// TryKernel says why the kernel path cannot be taken here; nil means that it can.
func TryKernel() error {
	kernel, err := relay.LoadKernel(func() {})
	if err != nil {
		return err
	}
	return kernel.Close()
}

// KernelFlows counts the flows that the kernel forwards now, one by one.
func (s *Server) KernelFlows() int {
	if s.shortcuts == nil {
		return 0
	}
	return s.shortcuts.kernel.Flows()
}

// Path tells how packets of a channel go through the server.
func (s *Server) Path() Path { return s.path }
