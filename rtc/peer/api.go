package peer

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	httpTimeout  = 15 * time.Second // for one request
	maxBody      = 1 << 20          // bytes of an answer
	renewRetry   = 30 * time.Second
	minTokenLife = time.Minute // between two renewals
)

// APIError is an answer of the HTTP API other than success.
type APIError struct {
	Status  int
	Code    string // from the API's list; empty when the answer was no JSON error
	Message string
}

// Error implements error.
func (e *APIError) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("the server answered %d %s", e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("%s (%d): %s", e.Code, e.Status, e.Message)
}

// final tells that trying again with the same password is of no use.
func (e *APIError) final() bool { return e.Code == "wrong_credentials" || e.Code == "user_disabled" }

// api is the HTTP side of one signed-in user.
type api struct {
	base     *url.URL
	network  network
	client   *http.Client
	user     string
	password string
	name     string // to register with; empty: the account exists
	log      *slog.Logger

	mu      sync.Mutex
	token   string
	expires time.Time
}

type grant struct {
	Token     string `json:"token"`
	ExpiresAt int64  `json:"expires_at"`
}

type iceServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username"`
	Credential string   `json:"credential"`
}

// network is how connections to the server and its relays are made.
type network struct {
	dialer *net.Dialer
	tls    *tls.Config
}

func newNetwork(cfg Config) network {
	dialer := &net.Dialer{}
	if cfg.LocalAddr.IsValid() {
		dialer.LocalAddr = &net.TCPAddr{IP: cfg.LocalAddr.AsSlice(), Zone: cfg.LocalAddr.Zone()}
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.TLS != nil {
		config = cfg.TLS.Clone()
	}
	config.NextProtos = nil // neither WebSocket nor TURN has one here
	return network{dialer, config}
}

func newAPI(cfg Config, base *url.URL, n network, log *slog.Logger) *api {
	name := ""
	if cfg.Register {
		name = cfg.Name
	}
	return &api{
		base: base, network: n, user: cfg.User, password: cfg.Password, name: name, log: log,
		client: &http.Client{Timeout: httpTimeout, Transport: &http.Transport{
			DialContext: n.dialer.DialContext, TLSClientConfig: n.tls, MaxIdleConns: 1, IdleConnTimeout: time.Minute,
		}},
	}
}

// begin registers if asked to, and signs in.
func (a *api) begin(ctx context.Context) error {
	if a.name != "" {
		if err := a.register(ctx, a.name); err != nil {
			return fmt.Errorf("peer: register %s: %w", a.user, err)
		}
	}
	if err := a.login(ctx); err != nil {
		return fmt.Errorf("peer: sign in %s: %w", a.user, err)
	}
	return nil
}

func (a *api) close() { a.client.CloseIdleConnections() }

// register creates the account; that it exists is no error.
func (a *api) register(ctx context.Context, name string) error {
	body := map[string]string{"id": a.user, "name": name, "password": a.password}
	err := a.do(ctx, http.MethodPost, "/api/v1/register", body, nil)
	var refusal *APIError
	if errors.As(err, &refusal) && refusal.Code == "id_taken" {
		return nil
	}
	return err
}

func (a *api) login(ctx context.Context) error {
	var g grant
	body := map[string]string{"id": a.user, "password": a.password}
	if err := a.do(ctx, http.MethodPost, "/api/v1/login", body, &g); err != nil {
		return err
	}
	a.remember(g)
	return nil
}

// renew lengthens the session, or begins a new one if it is over.
func (a *api) renew(ctx context.Context) error {
	var g grant
	err := a.do(ctx, http.MethodPost, "/api/v1/renew", nil, &g)
	if unauthenticated(err) {
		return a.login(ctx)
	}
	if err != nil {
		return err
	}
	a.remember(g)
	return nil
}

// iceServers asks for fresh credentials and the addresses that reach a relay.
func (a *api) iceServers(ctx context.Context) ([]iceServer, error) {
	var answer struct {
		ICEServers []iceServer `json:"iceServers"`
	}
	err := a.do(ctx, http.MethodGet, "/api/v1/ice", nil, &answer)
	if unauthenticated(err) {
		if err = a.login(ctx); err == nil {
			err = a.do(ctx, http.MethodGet, "/api/v1/ice", nil, &answer)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("ask for ICE servers: %w", err)
	}
	return answer.ICEServers, nil
}

// keep renews the session each time half of it is over.
func (a *api) keep(ctx context.Context) {
	for {
		a.mu.Lock()
		wait := max(minTokenLife, time.Until(a.expires)/2)
		a.mu.Unlock()
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			err := a.renew(ctx)
			if err == nil {
				break
			}
			a.log.Warn("peer: the session was not renewed", "error", err)
			wait = renewRetry
		}
	}
}

func (a *api) remember(g grant) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.token, a.expires = g.Token, time.Unix(g.ExpiresAt, 0)
}

func (a *api) authorization() http.Header {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token == "" {
		return http.Header{}
	}
	return http.Header{"Authorization": {"Bearer " + a.token}}
}

func unauthenticated(err error) bool {
	var refusal *APIError
	return errors.As(err, &refusal) && refusal.Status == http.StatusUnauthorized && !refusal.final()
}

// do sends a request with a JSON body, if any, and reads the answer into into.
func (a *api) do(ctx context.Context, method, path string, body, into any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base.JoinPath(path).String(), content)
	if err != nil {
		return err
	}
	req.Header = a.authorization()
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return refusal(resp.StatusCode, text)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("the answer to %s is not as expected: %w", path, err)
	}
	return nil
}

func refusal(status int, body []byte) *APIError {
	var answer struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil {
		answer.Error.Code = ""
	}
	return &APIError{Status: status, Code: answer.Error.Code, Message: answer.Error.Message}
}
