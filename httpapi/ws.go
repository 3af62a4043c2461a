package httpapi

import (
	"context"
	"sync"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/rtc"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

const (
	wsWriteTimeout = 10 * time.Second // for one frame; a device that takes longer is gone
	wsCloseTimeout = 2 * time.Second  // for the client to answer our close frame
)

// webSocket connects a signed-in client to the hub.
func (a *App) webSocket() fiber.Handler {
	serve := websocket.New(func(c *websocket.Conn) {
		session, _ := c.Locals(wsSession).(account.Session)
		user, _ := c.Locals(wsUser).(rtc.User)
		a.serveSocket(c, session, user)
	}, websocket.Config{HandshakeTimeout: readTimeout, ReadBufferSize: 2048, WriteBufferSize: 2048})
	return func(c *fiber.Ctx) error {
		user, err := a.cfg.Accounts.User(c.UserContext(), sessionOf(c).UserID)
		if err != nil {
			return err
		}
		c.Locals(wsSession, sessionOf(c))
		c.Locals(wsUser, rtc.User{ID: user.ID, Name: user.Name})
		return serve(c)
	}
}

// What the upgrade hands to the socket; contrib/websocket copies string keys.
const (
	wsSession = "session"
	wsUser    = "user"
)

func (a *App) serveSocket(c *websocket.Conn, session account.Session, user rtc.User) {
	s := &socket{
		app: a, conn: c, session: session,
		queue: make(chan []byte, a.cfg.SendQueue), closing: make(chan struct{}), gone: make(chan struct{}),
	}
	var writer sync.WaitGroup
	writer.Go(s.write)
	defer writer.Wait() // contrib/websocket reuses c once this returns
	defer close(s.gone)

	port := a.cfg.Hub.Attach(s, user, session.ID)
	if port == nil {
		s.Close(rtc.CloseGoingAway)
		return
	}
	defer port.Detach()
	c.SetReadLimit(int64(a.cfg.MessageBytes))
	for {
		kind, frame, err := c.ReadMessage()
		if err != nil {
			return
		}
		if kind != websocket.TextMessage {
			s.Close(rtc.CloseProtocolError)
			continue
		}
		port.Receive(frame)
	}
}

// socket is a hub.Conn over a WebSocket.
type socket struct {
	app     *App
	conn    *websocket.Conn
	session account.Session
	queue   chan []byte
	once    sync.Once
	reason  rtc.Close
	closing chan struct{} // closed by Close
	gone    chan struct{} // closed when the reader has ended
}

// Send implements hub.Conn.
func (s *socket) Send(frame []byte) bool {
	select {
	case s.queue <- frame:
		return true
	default:
		return false
	}
}

// Close implements hub.Conn.
func (s *socket) Close(reason rtc.Close) {
	s.once.Do(func() {
		s.reason = reason
		close(s.closing)
	})
}

// write owns all writing to the connection. It asks the accounts, when the
// session would end, whether it was renewed meanwhile.
func (s *socket) write() {
	expiry := time.NewTimer(s.session.ExpiresAt.Sub(s.app.cfg.Now()))
	defer expiry.Stop()
	for {
		select {
		case frame := <-s.queue:
			if !s.writeFrame(frame) {
				return
			}
		case <-expiry.C:
			expiry.Reset(s.renewed())
		case <-s.closing:
			s.farewell()
			return
		case <-s.gone:
			return
		}
	}
}

func (s *socket) writeFrame(frame []byte) bool {
	_ = s.conn.SetWriteDeadline(s.app.cfg.Now().Add(wsWriteTimeout))
	if err := s.conn.WriteMessage(websocket.TextMessage, frame); err != nil {
		s.conn.Close() // ends the reader
		return false
	}
	return true
}

// farewell sends what is queued, says why, and gives the client a moment to
// agree before the reader ends.
func (s *socket) farewell() {
	for range len(s.queue) {
		if s.reason == rtc.CloseSlow || !s.writeFrame(<-s.queue) {
			break
		}
	}
	deadline := s.app.cfg.Now().Add(wsCloseTimeout)
	_ = s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(s.reason.Code, s.reason.Reason), deadline)
	_ = s.conn.SetReadDeadline(deadline)
}

// renewed returns how long the session still lasts, and closes the connection
// of one that has ended.
func (s *socket) renewed() time.Duration {
	ctx, cancel := context.WithTimeout(context.Background(), wsWriteTimeout)
	defer cancel()
	until, err := s.app.cfg.Accounts.SessionExpiry(ctx, s.session.ID)
	switch left := until.Sub(s.app.cfg.Now()); {
	case account.CodeOf(err) == account.CodeUnavailable:
		return wsWriteTimeout // ask again: a database that is away ends nobody's call
	case err != nil || left <= 0:
		s.Close(rtc.CloseSessionEnded)
		return time.Hour
	default:
		return left
	}
}
