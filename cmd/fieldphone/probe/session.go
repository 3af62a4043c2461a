package probe

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"fieldphone/httpapi/pathtest"
	"fieldphone/rtc"

	"github.com/fasthttp/websocket"
)

// signIn gets a session, if there is somebody to be. A password goes only to a server whose
// certificate is trusted.
func (r *run) signIn(ctx context.Context) bool {
	var grant struct{ Token string }
	var err error
	who := r.User
	switch {
	case r.User != "":
		if !r.api.trusted {
			r.fail(groupServer, "sign in", "First make sure whose server it is: see tls above.", "the password was not sent, because the certificate is not trusted")
			return false
		}
		err = r.api.do(ctx, http.MethodPost, "/api/v1/login", map[string]string{"id": r.User, "password": r.Password}, &grant)
	case r.Guest != "":
		who = "guest " + r.Guest
		err = r.api.do(ctx, http.MethodPost, "/api/v1/guest", map[string]string{"name": r.Guest, "invite": r.Invite}, &grant)
	default:
		r.skip(groupServer, "sign in", "no account was given (--user, or --guest where the site lets guests in): only what needs none is tried")
		return false
	}
	if err != nil || grant.Token == "" {
		r.fail(groupServer, "sign in", signInHint(err), "%s cannot sign in: %v", who, err)
		return false
	}
	r.api.token = grant.Token
	r.ok(groupServer, "sign in", "as %s", who)
	return true
}

func signInHint(err error) string {
	var refusal *apiError
	if !errors.As(err, &refusal) {
		return "Try again; the server's log says why."
	}
	switch refusal.code {
	case "wrong_credentials":
		return "Check the user ID and the password; on the server: fieldphone user passwd ID."
	case "guests_off":
		return "This site takes no guests: use --user."
	case "invite_required":
		return "Ask for an invite, and give its code with --invite."
	case "rate_limited", "busy":
		return "Wait a minute, and try again."
	}
	return "The message says what to do."
}

// signOut ends the session; a guest's account goes with it.
func (a *api) signOut(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), apiTimeout)
	defer cancel()
	_ = a.do(ctx, http.MethodPost, "/api/v1/logout", nil, nil) // it ends by itself otherwise
}

// learn asks for the legs of this very client.
func (r *run) learn(ctx context.Context) {
	var p pathtest.Plan
	began := r.Now()
	if err := r.api.get(ctx, "/api/v1/path", &p); err != nil {
		r.fail(groupServer, "plan", "The server may be older than this program; its log says more.", "the server does not tell how to reach its relay: %v", err)
		return
	}
	middle := r.Now().Sub(began) / 2
	r.api.learnTime(time.UnixMilli(p.ServerTime).Add(middle), true)
	r.plan = &p
	r.detail.Segment, r.detail.Client, r.detail.Server = p.Segment, p.Client, p.Server
	segment := p.Segment
	if segment == "" {
		segment = "none"
	}
	r.ok(groupServer, "segment", "%s (the server sees %s)", segment, p.Client)
}

// signalling tries the WebSocket and the event stream. It says something that a server
// refuses before hello, so that nobody sees this machine among the people.
func (r *run) signalling(ctx context.Context) {
	if r.api.token == "" {
		r.skip(groupSignal, "websocket", "takes an account")
		return
	}
	target := r.at.String() + "/tcp"
	began := time.Now()
	trip, err := r.webSocket(ctx)
	took := time.Since(began)
	streamTrip, streamErr := r.eventStream(ctx)
	l := leg(rtc.LegSignalling, target, took, "")
	l.Data = map[string]float64{"rtt_ms": milliseconds(trip)}
	s := step{group: groupSignal, name: "websocket", leg: l, text: fmt.Sprintf("an answer after %.1f ms", milliseconds(trip))}
	switch {
	case err != nil && streamErr == nil:
		s.leg = leg(rtc.LegSignalling, target, took, rtc.LegFallback)
		s.leg.State = rtc.LegSlow
		s.text = fmt.Sprintf("it fails: %v", err)
	case err != nil:
		s.leg = leg(rtc.LegSignalling, target, took, code(err))
		s.text = fmt.Sprintf("it fails: %v", err)
	}
	r.add(s)
	if streamErr != nil {
		r.warn(groupSignal, "event stream", "Look for a proxy in between that holds answers back. Phones that refuse wss need the event stream.", "it fails: %v", streamErr)
		return
	}
	r.ok(groupSignal, "event stream", "an answer after %.1f ms", milliseconds(streamTrip))
}

const askID = "probe"

// question is answered with hello_expected at once.
func question() ([]byte, error) { return rtc.EncodeRequest(&rtc.Bye{}, askID) }

func isAnswer(frame []byte) bool {
	env, _, err := rtc.Decode(frame)
	return err == nil && env.Re == askID
}

func (r *run) webSocket(ctx context.Context) (trip time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	address := *r.api.base.JoinPath("/api/v1/ws")
	address.Scheme = "wss"
	dialer := websocket.Dialer{NetDialContext: r.api.dial, TLSClientConfig: r.api.tls}
	conn, response, err := dialer.DialContext(ctx, address.String(), r.api.authorization())
	if err != nil {
		if response != nil {
			response.Body.Close()
			return 0, fmt.Errorf("the upgrade is answered with %s", response.Status)
		}
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	frame, err := question()
	if err != nil {
		return 0, err
	}
	deadline := time.Now().Add(apiTimeout)
	if err := errors.Join(conn.SetWriteDeadline(deadline), conn.SetReadDeadline(deadline)); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := conn.WriteMessage(websocket.TextMessage, frame); err != nil {
		return 0, err
	}
	for {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			return 0, fmt.Errorf("the upgrade works, and then nothing passes: %w", err)
		}
		if isAnswer(frame) {
			return time.Since(began), nil
		}
	}
}

// eventStream opens one, says something by POST and waits for the answer on the stream.
func (r *run) eventStream(ctx context.Context) (trip time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.api.base.JoinPath("/api/v1/events").String(), http.NoBody)
	if err != nil {
		return 0, err
	}
	request.Header = r.api.authorization()
	response, err := r.api.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, &apiError{status: response.StatusCode}
	}
	events := bufio.NewScanner(response.Body)
	events.Buffer(nil, maxBody)
	var began time.Time
	for events.Scan() {
		data, found := strings.CutPrefix(events.Text(), "data: ")
		if !found {
			continue
		}
		if !began.IsZero() {
			if isAnswer([]byte(data)) {
				return time.Since(began), nil
			}
			continue
		}
		var opened struct{ Stream string }
		if err := json.Unmarshal([]byte(data), &opened); err != nil || opened.Stream == "" {
			return 0, fmt.Errorf("the first event names no stream")
		}
		began = time.Now()
		if err := r.say(ctx, opened.Stream); err != nil {
			return 0, err
		}
	}
	return 0, errors.Join(errors.New("the stream ended before the answer came"), events.Err(), ctx.Err())
}

// say posts the question; the stream may not be quite open yet.
func (r *run) say(ctx context.Context, stream string) error {
	frame, err := question()
	if err != nil {
		return err
	}
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		err = r.api.do(ctx, http.MethodPost, "/api/v1/events/"+stream, json.RawMessage(frame), nil)
		var refusal *apiError
		if !errors.As(err, &refusal) || refusal.code != "not_ready" {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-retry.C:
		}
	}
}

// addressOf reads an address that the server told; it is invalid if that is none.
func addressOf(text string) netip.Addr {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap()
}
