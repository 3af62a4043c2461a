package httpapi

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/rtc"
	"fieldphone/rtc/hub"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

// closeWait is how long the client may take to answer our close frame.
const closeWait = 2 * time.Second

// What the upgrade hands to the socket; contrib/websocket copies string keys.
const (
	wsSession = "session"
	wsUser    = "user"
	wsToken   = "token"
	wsLink    = "link"
)

// webSocket connects a signed-in client to the hub.
func (a *App) webSocket() fiber.Handler {
	serve := websocket.New(func(c *websocket.Conn) {
		session, _ := c.Locals(wsSession).(account.Session)
		user, _ := c.Locals(wsUser).(rtc.User)
		token, _ := c.Locals(wsToken).(string)
		link, _ := c.Locals(wsLink).(hub.Link)
		a.serveSocket(c, session, user, token, link)
	}, websocket.Config{HandshakeTimeout: readTimeout, ReadBufferSize: 2048, WriteBufferSize: 2048})
	return func(c *fiber.Ctx) error {
		user, err := a.caller(c)
		if err != nil {
			return err
		}
		c.Locals(wsSession, sessionOf(c))
		c.Locals(wsUser, user)
		c.Locals(wsToken, c.Locals(tokenKey{}))
		c.Locals(wsLink, linkOf(c, hub.TransportWSS))
		return serve(c)
	}
}

// caller is the signed-in user as the hub knows people.
func (a *App) caller(c *fiber.Ctx) (rtc.User, error) {
	user, err := a.cfg.Accounts.User(c.UserContext(), sessionOf(c).UserID)
	return rtc.User{ID: user.ID, Name: user.Name}, err
}

// linkOf is how the request's connection reached the server.
func linkOf(c *fiber.Ctx, transport string) hub.Link {
	link := hub.Link{Local: local(c), Transport: transport}
	if tcp, ok := c.Context().RemoteAddr().(*net.TCPAddr); ok {
		at := tcp.AddrPort()
		link.Remote = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	}
	return link
}

func (a *App) serveSocket(c *websocket.Conn, session account.Session, user rtc.User, token string, link hub.Link) {
	out := a.newOutlet(session)
	gone := make(chan struct{}) // closed when the reader has ended
	var writer sync.WaitGroup
	writer.Go(func() { a.writeSocket(c, out, gone) })
	defer writer.Wait() // contrib/websocket reuses c once this returns
	defer close(gone)

	port := a.cfg.Hub.Attach(out, user, session.ID, link)
	if port == nil {
		out.Close(rtc.CloseGoingAway)
		return
	}
	defer port.Detach()
	out.stillSignedIn(token)
	c.SetReadLimit(int64(a.cfg.MessageBytes))
	for {
		kind, frame, err := c.ReadMessage()
		if err != nil {
			return
		}
		if kind != websocket.TextMessage {
			out.Close(rtc.CloseProtocolError)
			continue
		}
		port.Receive(frame)
	}
}

// writeSocket owns all writing to the connection. A last close frame says why,
// and the client gets a moment to agree before the reader ends.
func (a *App) writeSocket(c *websocket.Conn, out *outlet, gone <-chan struct{}) {
	reason, ok := out.pump(func(frame []byte) bool {
		_ = c.SetWriteDeadline(a.cfg.Now().Add(writeWait))
		return c.WriteMessage(websocket.TextMessage, frame) == nil
	}, gone)
	if !ok {
		c.Close() // ends the reader
		return
	}
	deadline := a.cfg.Now().Add(closeWait)
	_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(reason.Code, reason.Reason), deadline)
	_ = c.SetReadDeadline(deadline)
}
