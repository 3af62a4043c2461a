package httpapi

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"fmt"
	"net"
	"sync"

	"fieldphone/rtc"
	"fieldphone/rtc/hub"

	"github.com/gofiber/fiber/v2"
)

// eventStreams are the signalling connections of clients for whom WebSockets
// fail: events down, POST up (PROTOCOL.md, "Transport").
type eventStreams struct {
	mu   sync.Mutex
	open map[string]*eventStream
}

type eventStream struct {
	session string
	ready   chan struct{} // closed once port is set
	port    *hub.Port
	sending sync.Mutex // one POST at a time, as the hub wants one reader
}

func (s *eventStreams) add(stream *eventStream) (name string) {
	name = rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = make(map[string]*eventStream)
	}
	s.open[name] = stream
	return name
}

func (s *eventStreams) remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, name)
}

// find gives a stream to the session that opened it, and to no other.
func (s *eventStreams) find(name, session string) *eventStream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stream := s.open[name]; stream != nil && stream.session == session {
		return stream
	}
	return nil
}

// events opens an event stream: first `stream` with its name, then the
// hub's envelopes, and `end` with the close code.
func (a *App) events(c *fiber.Ctx) error {
	user, err := a.caller(c)
	if err != nil {
		return err
	}
	session := sessionOf(c)
	token, _ := c.Locals(tokenKey{}).(string)
	link := linkOf(c, hub.TransportSSE)
	conn := c.Context().Conn()
	c.Set("Content-Type", "text/event-stream")
	c.Set("X-Accel-Buffering", "no")
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		news := make(chan struct{}, 1)
		out := a.newOutlet(session, func() { news <- struct{}{} }, nil)
		defer out.end()
		stream := &eventStream{session: session.ID, ready: make(chan struct{})}
		name := a.streams.add(stream)
		defer a.streams.remove(name)
		write := func(event string, data []byte) bool { return a.writeEvent(conn, w, event, data) }
		if !write("stream", fmt.Appendf(nil, `{"stream":%q}`, name)) {
			return
		}
		stream.port = a.cfg.Hub.Attach(out, user, session.ID, link)
		if stream.port == nil {
			write("end", endEvent(rtc.CloseGoingAway))
			return
		}
		defer stream.port.Detach()
		close(stream.ready)
		out.stillSignedIn(token)
		for range news {
			reason, ok := writeEvents(out, write)
			if !ok {
				return
			}
			if reason != (rtc.Close{}) {
				write("end", endEvent(reason))
				return
			}
		}
	})
	return nil
}

// writeEvents writes what waits. A reason is what to end with; not ok means that
// the client is gone.
func writeEvents(out *outlet, write func(event string, data []byte) bool) (reason rtc.Close, ok bool) {
	for {
		frames, reason := out.next()
		if frames == nil {
			return reason, true
		}
		for _, frame := range frames {
			if !write("", frame) {
				return rtc.Close{}, false
			}
		}
	}
}

func endEvent(reason rtc.Close) []byte {
	return fmt.Appendf(nil, `{"code":%d,"reason":%q}`, reason.Code, reason.Reason)
}

// writeEvent writes one event. The deadline is renewed for each, since the
// response as a whole has no end.
func (a *App) writeEvent(conn net.Conn, w *bufio.Writer, event string, data []byte) bool {
	_ = conn.SetWriteDeadline(a.cfg.Now().Add(writeWait))
	if event != "" {
		fmt.Fprintf(w, "event: %s\n", event)
	}
	fmt.Fprintf(w, "data: %s\n\n", data)
	return w.Flush() == nil
}

// sendEvents takes envelopes for the hub, one a line.
func (a *App) sendEvents(c *fiber.Ctx) error {
	stream := a.streams.find(c.Params("stream"), sessionOf(c).ID)
	if stream == nil {
		return refusal{fiber.StatusNotFound, "not_found", "There is no such event stream; open a new one.", ""}
	}
	select {
	case <-stream.ready:
	default:
		return refusal{fiber.StatusConflict, "not_ready", "The event stream has not opened yet; try again.", ""}
	}
	stream.sending.Lock()
	defer stream.sending.Unlock()
	for line := range bytes.Lines(c.Request().Body()) {
		if frame := bytes.TrimSpace(line); len(frame) > 0 {
			stream.port.Receive(frame)
		}
	}
	return c.SendStatus(fiber.StatusNoContent)
}
