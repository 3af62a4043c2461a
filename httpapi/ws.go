package httpapi

import (
	"bytes"
	"net"
	"net/netip"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/rtc"
	"fieldphone/rtc/hub"

	fast "github.com/fasthttp/websocket"
	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

// closeWait is how long the client may take to answer our close frame.
const closeWait = 2 * time.Second

// Buffers of a WebSocket. What a client sends is read past a full buffer, so it
// need hold no more than a frame's header and a pong. Those to write with are
// shared by the few that write at a time, and as large as a record of TLS: what
// does not fit takes one write more.
const (
	wsReadBuffer  = 256
	wsWriteBuffer = 16 << 10
)

// What the upgrade hands to the socket; contrib/websocket copies string keys.
const (
	wsSession = "session"
	wsUser    = "user"
	wsToken   = "token"
	wsLink    = "link"
)

// webSocket connects a signed-in client to the hub. What the upgrade took is
// given back before the client says anything: the handler returns, and
// fasthttp, told so by KeepHijackedConns, leaves the connection open.
func (a *App) webSocket() fiber.Handler {
	serve := websocket.New(func(c *websocket.Conn) {
		s := &socket{app: a, conn: c.Conn}
		session, _ := c.Locals(wsSession).(account.Session)
		user, _ := c.Locals(wsUser).(rtc.User)
		token, _ := c.Locals(wsToken).(string)
		link, _ := c.Locals(wsLink).(hub.Link)
		if early(c.NetConn()) {
			s.conn.Close()
			return
		}
		s.open(session, user, token, link)
	}, websocket.Config{
		HandshakeTimeout: readTimeout, ReadBufferSize: wsReadBuffer, WriteBufferSize: wsWriteBuffer, WriteBufferPool: &a.buffers,
	})
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

// early tells whether the client sent something before it was answered, which
// RFC 6455 (section 4.1) forbids. It would be in a buffer that fasthttp takes
// back. Nothing is read from the network.
func early(conn net.Conn) bool {
	var one [1]byte
	_ = conn.SetReadDeadline(time.Unix(1, 0))
	n, _ := conn.Read(one[:])
	_ = conn.SetReadDeadline(time.Time{})
	return n > 0
}

// socket is a WebSocket that is a connection of the hub. A crew reads it and
// writes to it; where that cannot be, a goroutine reads.
type socket struct {
	app    *App
	conn   *fast.Conn
	frames *frameConn // nil if a goroutine reads
	out    *outlet
	port   *hub.Port
	writes func()
}

// open attaches the socket and lets it live.
func (s *socket) open(session account.Session, user rtc.User, token string, link hub.Link) {
	a := s.app
	s.writes = s.write
	s.conn.SetReadLimit(int64(a.cfg.MessageBytes))
	if frames, ok := s.under().(*frameConn); ok && frames.serve(&a.crew, a.cfg.MessageBytes) {
		s.frames = frames
	}
	s.out = a.newOutlet(session, func() { a.crew.Do(s.writes) }, s.cut)
	if s.port = a.cfg.Hub.Attach(s.out, user, session.ID, link); s.port == nil {
		s.out.Close(rtc.CloseGoingAway)
	}
	switch {
	case s.frames == nil:
		go func() {
			for s.receive() {
			}
			s.end()
		}()
	case s.frames.served.Serve(s.take) != nil:
		s.end()
	}
	s.out.stillSignedIn(token)
}

// arrivals (bytes) is what is read at once: a record of TLS.
const arrivals = 16 << 10

// take reads what has arrived. More tells that something may be left.
func (s *socket) take() (more bool) {
	buffer, ok := s.app.arrivals.Get().(*[arrivals]byte)
	if !ok {
		buffer = new([arrivals]byte)
	}
	defer s.app.arrivals.Put(buffer)
	more, alive := s.frames.arrive(buffer[:], s.receive)
	if !alive {
		s.end()
	}
	return more
}

// receive handles one message; false means that the connection has ended.
func (s *socket) receive() bool {
	kind, message, err := s.conn.NextReader()
	if err != nil {
		return false
	}
	frame, ok := s.app.frames.Get().(*bytes.Buffer)
	if !ok {
		frame = new(bytes.Buffer)
	}
	defer s.app.frames.Put(frame)
	frame.Reset()
	_, err = frame.ReadFrom(message)
	switch {
	case err != nil:
		return false
	case kind != websocket.TextMessage:
		s.out.Close(rtc.CloseProtocolError)
	case s.frames != nil && s.frames.none:
	case s.port != nil:
		s.port.Receive(frame.Bytes())
	}
	return true
}

func (s *socket) end() {
	if s.port != nil {
		s.port.Detach()
	}
	s.out.end()
	s.conn.Close()
}

// write sends what waits. A last close frame says why, and the client gets a
// moment to agree before the reader ends.
func (s *socket) write() {
	for {
		frames, reason := s.out.next()
		switch {
		case frames == nil && reason == rtc.Close{}:
			return
		case frames == nil:
			deadline := s.app.cfg.Now().Add(closeWait)
			_ = s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(reason.Code, reason.Reason), deadline)
			time.AfterFunc(closeWait, s.cut)
			return
		}
		for _, frame := range frames {
			if s.frames == nil {
				_ = s.conn.SetWriteDeadline(s.app.cfg.Now().Add(writeWait))
			}
			if s.conn.WriteMessage(websocket.TextMessage, frame) != nil {
				s.out.end()
				s.cut()
				return
			}
		}
		if s.frames != nil && s.frames.served.Unsent(s.writes) {
			return
		}
	}
}

// under is the connection that the upgrade was on.
func (s *socket) under() net.Conn {
	if hijacked, ok := s.conn.NetConn().(interface{ UnsafeConn() net.Conn }); ok {
		return hijacked.UnsafeConn()
	}
	return s.conn.NetConn()
}

// cut ends the reader at once. A farewell within TLS would wait for a client
// that reads nothing.
func (s *socket) cut() {
	if s.frames != nil {
		s.frames.served.Cut()
		return
	}
	conn := s.under()
	if secure, ok := conn.(secureConn); ok {
		conn = secure.NetConn()
	}
	conn.Close()
}
