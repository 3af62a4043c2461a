package httpapi

import (
	"context"
	"sync"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/rtc"
)

// writeWait is how long one frame may take; a device that takes longer is
// gone.
const writeWait = 10 * time.Second

// maxQueued bounds the bytes that wait for one connection, beside the number
// of sends; it leaves room for a whole stream to resume.
const maxQueued = 6 << 20

// maxUnsent bounds the bytes that a crew keeps for a client which does not take
// them: all that was queued at once, and pongs.
const maxUnsent = maxQueued + 1<<20

// outlet is the sending half of a signalling connection, the same for every
// transport: a bounded queue, a reason to close, and the end of the session.
// It is a hub.Conn. It holds no memory for what does not wait.
type outlet struct {
	app     *App
	session account.Session
	// ready is told, once, that there is something for next, until next has said
	// that there is nothing more. It returns at once.
	ready func()
	// cut ends the connection whatever waits, if something must.
	cut func()

	mu     sync.Mutex
	expiry *time.Timer
	queue  [][][]byte // sends, oldest first
	bytes  int64      // in queue
	told   bool       // ready was, and next has not come to the end
	closed bool       // by Close or end: nothing is queued any more
	reason rtc.Close
}

func (a *App) newOutlet(session account.Session, ready, cut func()) *outlet {
	o := &outlet{app: a, session: session, ready: ready, cut: cut}
	o.mu.Lock() // a session that ends at once must find its timer
	defer o.mu.Unlock()
	o.expiry = time.AfterFunc(session.ExpiresAt.Sub(a.cfg.Now()), o.expire)
	return o
}

// Send implements hub.Conn.
func (o *outlet) Send(frames ...[]byte) bool {
	size := bytesOf(frames)
	o.mu.Lock()
	if o.closed { // what it misses makes no difference now
		o.mu.Unlock()
		return true
	}
	if len(o.queue) >= o.app.cfg.SendQueue || o.bytes+size > maxQueued {
		o.mu.Unlock()
		return false
	}
	o.queue = append(o.queue, frames)
	o.bytes += size
	waiting, first := len(o.queue), !o.told
	o.told = true
	o.mu.Unlock()
	o.app.counted.queued(waiting)
	if first {
		o.ready()
	}
	return true
}

func bytesOf(frames [][]byte) (size int64) {
	for _, frame := range frames {
		size += int64(len(frame))
	}
	return size
}

// Close implements hub.Conn. A client that takes what waits ever so slowly does not
// hold the connection for long.
func (o *outlet) Close(reason rtc.Close) {
	o.mu.Lock()
	first, begins := !o.closed && !o.told, !o.closed
	if begins {
		o.closed, o.reason, o.told = true, reason, true
	}
	o.mu.Unlock()
	if first {
		o.ready()
	}
	if begins && o.cut != nil {
		time.AfterFunc(writeWait, o.cut)
	}
}

// end forgets everything: the connection is gone.
func (o *outlet) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.expiry.Stop()
	o.closed, o.queue, o.bytes = true, nil, 0
}

// next takes the oldest send. Without one it returns nil, and, once Close was
// called, the reason for it; ready is then told of more.
func (o *outlet) next() (frames [][]byte, reason rtc.Close) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		o.queue = nil
		o.told = o.closed // nothing comes after Close
		return nil, o.reason
	}
	frames = o.queue[0]
	o.queue[0] = nil
	o.queue = o.queue[1:]
	o.bytes -= bytesOf(frames)
	return frames, rtc.Close{}
}

// stillSignedIn closes a connection whose session ended while it was being
// attached, when the hub could not know of it yet.
func (o *outlet) stillSignedIn(token string) {
	if _, err := o.app.cfg.Accounts.Authenticate(context.Background(), token); err != nil {
		o.app.cfg.Hub.EndSession(o.session.ID)
		o.Close(rtc.CloseSessionEnded)
	}
}

// expire asks the accounts, when the session would end, whether it was renewed.
func (o *outlet) expire() {
	left := o.renewed()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.expiry.Reset(left)
	}
}

// renewed returns how long the session still lasts; of one that has ended, the
// hub ends every connection and call.
func (o *outlet) renewed() time.Duration {
	ctx, cancel := context.WithTimeout(context.Background(), writeWait)
	defer cancel()
	until, err := o.app.cfg.Accounts.SessionExpiry(ctx, o.session.ID)
	switch left := until.Sub(o.app.cfg.Now()); {
	case account.CodeOf(err) == account.CodeUnavailable:
		return writeWait // ask again: a database that is away ends nobody's call
	case err != nil || left <= 0:
		o.app.cfg.Hub.EndSession(o.session.ID)
		o.Close(rtc.CloseSessionEnded)
		return time.Hour
	default:
		return left
	}
}
