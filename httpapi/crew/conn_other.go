//go:build !linux

package crew

import (
	"errors"
	"net"
	"time"
)

// Conn is offered on Linux only.
type Conn struct{ *net.TCPConn }

// Adopt fails with errors.ErrUnsupported: each connection needs a goroutine that
// reads.
func (c *Crew) Adopt(*net.TCPConn, time.Duration, int) (*Conn, error) {
	return nil, errors.ErrUnsupported
}

// Serve is offered on Linux only.
func (w *Conn) Serve(func() (more bool)) error { return errors.ErrUnsupported }

// Unsent is offered on Linux only.
func (w *Conn) Unsent(func()) bool { return false }

// Cut is offered on Linux only.
func (w *Conn) Cut() {}

// ErrAgain is of Linux only.
var ErrAgain = errors.New("nothing has arrived")

type poller struct{}

func (*poller) look() int { return 0 }
func (*poller) wait() int { return 0 }
func (*poller) nudge()    {}
func (*poller) close()    {}

func (c *Crew) arrived(int) {}
