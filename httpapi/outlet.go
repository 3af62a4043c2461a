package httpapi

import (
	"context"
	"sync"
	"sync/atomic"
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

// outlet is the sending half of a signalling connection, the same for every
// transport: a bounded queue, a reason to close, and the end of the session.
// It is a hub.Conn.
type outlet struct {
	app     *App
	session account.Session
	queue   chan [][]byte
	queued  atomic.Int64 // bytes in queue
	once    sync.Once
	reason  rtc.Close
	closing chan struct{} // closed by Close
}

func (a *App) newOutlet(session account.Session) *outlet {
	return &outlet{app: a, session: session, queue: make(chan [][]byte, a.cfg.SendQueue), closing: make(chan struct{})}
}

// Send implements hub.Conn.
func (o *outlet) Send(frames ...[]byte) bool {
	size := bytesOf(frames)
	if o.queued.Add(size) > maxQueued {
		o.queued.Add(-size)
		return false
	}
	select {
	case o.queue <- frames:
		o.app.counted.queued(len(o.queue))
		return true
	default:
		o.queued.Add(-size)
		return false
	}
}

func bytesOf(frames [][]byte) (size int64) {
	for _, frame := range frames {
		size += int64(len(frame))
	}
	return size
}

// stillSignedIn closes a connection whose session ended while it was being
// attached, when the hub could not know of it yet.
func (o *outlet) stillSignedIn(token string) {
	if _, err := o.app.cfg.Accounts.Authenticate(context.Background(), token); err != nil {
		o.app.cfg.Hub.EndSession(o.session.ID)
		o.Close(rtc.CloseSessionEnded)
	}
}

// Close implements hub.Conn.
func (o *outlet) Close(reason rtc.Close) {
	o.once.Do(func() {
		o.reason = reason
		close(o.closing)
	})
}

// pump writes what is queued until write fails, gone is closed, or Close is
// called; then it writes what is still queued and returns the reason, ok. It
// asks the accounts, when the session would end, whether it was renewed.
func (o *outlet) pump(write func(frame []byte) bool, gone <-chan struct{}) (reason rtc.Close, ok bool) {
	expiry := time.NewTimer(o.session.ExpiresAt.Sub(o.app.cfg.Now()))
	defer expiry.Stop()
	for {
		select {
		case frames := <-o.queue:
			if !o.writeAll(frames, write) {
				return rtc.Close{}, false
			}
		case <-expiry.C:
			expiry.Reset(o.renewed())
		case <-o.closing:
			for range len(o.queue) {
				if !o.writeAll(<-o.queue, write) {
					return rtc.Close{}, false
				}
			}
			return o.reason, true
		case <-gone:
			return rtc.Close{}, false
		}
	}
}

func (o *outlet) writeAll(frames [][]byte, write func(frame []byte) bool) bool {
	o.queued.Add(-bytesOf(frames))
	for _, frame := range frames {
		if !write(frame) {
			return false
		}
	}
	return true
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
