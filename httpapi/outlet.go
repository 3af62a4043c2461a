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

// outlet is the sending half of a signalling connection, the same for every
// transport: a bounded queue, a reason to close, and the end of the session.
// It is a hub.Conn.
type outlet struct {
	app     *App
	session account.Session
	queue   chan []byte
	once    sync.Once
	reason  rtc.Close
	closing chan struct{} // closed by Close
}

func (a *App) newOutlet(session account.Session) *outlet {
	return &outlet{app: a, session: session, queue: make(chan []byte, a.cfg.SendQueue), closing: make(chan struct{})}
}

// Send implements hub.Conn.
func (o *outlet) Send(frame []byte) bool {
	select {
	case o.queue <- frame:
		return true
	default:
		return false
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
		case frame := <-o.queue:
			if !write(frame) {
				return rtc.Close{}, false
			}
		case <-expiry.C:
			expiry.Reset(o.renewed())
		case <-o.closing:
			for range len(o.queue) {
				if o.reason == rtc.CloseSlow || !write(<-o.queue) {
					break
				}
			}
			return o.reason, true
		case <-gone:
			return rtc.Close{}, false
		}
	}
}

// renewed returns how long the session still lasts, and closes the connection
// of one that has ended.
func (o *outlet) renewed() time.Duration {
	ctx, cancel := context.WithTimeout(context.Background(), writeWait)
	defer cancel()
	until, err := o.app.cfg.Accounts.SessionExpiry(ctx, o.session.ID)
	switch left := until.Sub(o.app.cfg.Now()); {
	case account.CodeOf(err) == account.CodeUnavailable:
		return writeWait // ask again: a database that is away ends nobody's call
	case err != nil || left <= 0:
		o.Close(rtc.CloseSessionEnded)
		return time.Hour
	default:
		return left
	}
}
