package peer

import (
	"context"
	"errors"
	"net/http"
	"time"

	"fieldphone/rtc"

	"github.com/fasthttp/websocket"
)

// Wire is a signalling connection, before hello: whole frames, each an envelope
// of package rtc.
type Wire interface {
	// Read waits for the next frame until the deadline.
	Read(deadline time.Time) ([]byte, error)
	// Write sends a frame, and is not called by two goroutines at once.
	Write(frame []byte) error
	// Close wakes Read, and may be called more than once.
	Close()
}

// ClosedError says that the server closed a Wire, and why.
type ClosedError struct{ Reason rtc.Close }

// Error implements error.
func (e *ClosedError) Error() string { return "the server closed the connection: " + e.Reason.Reason }

// line is how a Peer reaches its server.
type line interface {
	// begin makes open possible; keep keeps it so until ctx ends.
	begin(ctx context.Context) error
	keep(ctx context.Context)
	open(ctx context.Context) (Wire, error)
	iceServers(ctx context.Context) ([]iceServer, error)
	close()
}

// inProcess is the line to a hub in this process.
type inProcess struct{ connect func() (Wire, error) }

func (inProcess) begin(context.Context) error                     { return nil }
func (inProcess) keep(context.Context)                            {}
func (l inProcess) open(context.Context) (Wire, error)            { return l.connect() }
func (inProcess) iceServers(context.Context) ([]iceServer, error) { return nil, nil }
func (inProcess) close()                                          {}

// webSocket is a Wire over the network.
type webSocket struct{ conn *websocket.Conn }

// Read implements Wire.
func (w webSocket) Read(deadline time.Time) ([]byte, error) {
	if err := w.conn.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	_, frame, err := w.conn.ReadMessage()
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		return nil, &ClosedError{rtc.Close{Code: closed.Code, Reason: closed.Text}}
	}
	return frame, err
}

// Write implements Wire.
func (w webSocket) Write(frame []byte) error {
	if err := w.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return w.conn.WriteMessage(websocket.TextMessage, frame)
}

// Close implements Wire, without a closing handshake.
func (w webSocket) Close() { _ = w.conn.Close() }

// open opens a WebSocket, signing in anew if the session is over.
func (a *api) open(ctx context.Context) (Wire, error) {
	wire, err := a.upgrade(ctx)
	if unauthenticated(err) {
		if err = a.login(ctx); err == nil {
			wire, err = a.upgrade(ctx)
		}
	}
	if err != nil {
		return nil, err
	}
	return wire, nil
}

func (a *api) upgrade(ctx context.Context) (webSocket, error) {
	address := *a.base.JoinPath("/api/v1/ws")
	address.Scheme = map[string]string{"https": "wss", "http": "ws"}[address.Scheme]
	dialer := websocket.Dialer{NetDialContext: a.network.dialer.DialContext, TLSClientConfig: a.network.tls}
	conn, resp, err := dialer.DialContext(ctx, address.String(), a.authorization())
	if err != nil {
		if errors.Is(err, websocket.ErrBadHandshake) && resp != nil {
			defer resp.Body.Close()
			return webSocket{}, upgradeRefusal(resp)
		}
		return webSocket{}, err
	}
	conn.SetReadLimit(maxFrame)
	return webSocket{conn}, nil
}

func upgradeRefusal(resp *http.Response) error {
	body := make([]byte, 1024)
	n, _ := resp.Body.Read(body)
	return refusal(resp.StatusCode, body[:n])
}
