package probe

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"
)

const (
	apiTimeout = 8 * time.Second
	maxBody    = 1 << 20
)

// apiError is an answer other than success.
type apiError struct {
	status        int
	code, message string
}

// Error implements error.
func (e *apiError) Error() string {
	if e.message == "" {
		return fmt.Sprintf("the server answers %d %s", e.status, http.StatusText(e.status))
	}
	return e.message
}

// api is the HTTP side of a server whose certificate was judged.
type api struct {
	base    *url.URL
	tls     *tls.Config
	trusted bool
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	client  *http.Client
	token   string
	now     func() time.Time

	mu            sync.Mutex
	behind        time.Duration // of this clock to the server's
	precise, told bool
}

var errOtherCertificate = errors.New("the server shows another certificate than before")

// newAPI speaks with the server that showed leaf, and with no other: an untrusted
// certificate must not change while it is talked to.
func newAPI(base *url.URL, at netip.AddrPort, leaf *x509.Certificate, trusted bool, now func() time.Time) *api {
	a := &api{base: base, trusted: trusted, now: now}
	a.tls = &tls.Config{
		ServerName: base.Hostname(), MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, // VerifyConnection does it
		VerifyConnection: func(state tls.ConnectionState) error {
			if !slices.Equal(state.PeerCertificates[0].RawSubjectPublicKeyInfo, leaf.RawSubjectPublicKeyInfo) {
				return errOtherCertificate
			}
			return nil
		},
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	a.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, at.String())
	}
	a.client = &http.Client{Timeout: apiTimeout, Transport: &http.Transport{
		DialContext: a.dial, TLSClientConfig: a.tls, IdleConnTimeout: time.Minute,
	}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return a
}

func (a *api) close() { a.client.CloseIdleConnections() }

func (a *api) get(ctx context.Context, path string, into any) error {
	return a.do(ctx, http.MethodGet, path, nil, into)
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
	request, err := http.NewRequestWithContext(ctx, method, a.base.JoinPath(path).String(), content)
	if err != nil {
		return err
	}
	request.Header = a.authorization()
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		a.learnTime(date, false)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		var answer struct {
			Error struct{ Code, Message string }
		}
		_ = json.Unmarshal(text, &answer) // not every answer has one
		return &apiError{response.StatusCode, answer.Error.Code, answer.Error.Message}
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("the answer to %s is not as expected: %w", path, err)
	}
	return nil
}

func (a *api) authorization() http.Header {
	header := http.Header{}
	if a.token != "" {
		header.Set("Authorization", "Bearer "+a.token)
	}
	return header
}

// learnTime compares clocks; what is precise counts before what is not.
func (a *api) learnTime(server time.Time, precise bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.precise && !precise {
		return
	}
	offset := a.now().Sub(server)
	if !precise { // the Date header is cut to whole seconds
		offset -= dateGrain / 2
	}
	a.behind, a.precise, a.told = offset, precise, true
}

func (a *api) offset() (offset time.Duration, precise, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.behind, a.precise, a.told
}
