package turnclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/pion/stun/v3"
)

// Bind asks which address the server sees (Binding, RFC 8489 section 2).
func (c *Client) Bind(ctx context.Context) (netip.AddrPort, error) {
	answer, err := c.request(ctx, stun.MethodBinding, false)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return addressIn(answer, stun.AttrXORMappedAddress)
}

// Challenge asks for an allocation without a credential. That the server refuses it as it
// should (401 with a nonce) shows that TURN is spoken here; then the error is nil.
func (c *Client) Challenge(ctx context.Context) error {
	_, err := c.request(ctx, stun.MethodAllocate, false, requestUDP)
	var refusal *Error
	if errors.As(err, &refusal) && refusal.Code == int(stun.CodeUnauthorized) && c.nonce != "" {
		return nil
	}
	if err == nil {
		return errors.New("turn: the server gives relay ports to anybody")
	}
	return err
}

// Allocate asks for a relay port (RFC 8656 section 7).
func (c *Client) Allocate(ctx context.Context) (relayed netip.AddrPort, err error) {
	answer, err := c.signed(ctx, stun.MethodAllocate, requestUDP)
	if err != nil {
		return netip.AddrPort{}, err
	}
	c.allocated = true
	return addressIn(answer, stun.AttrXORRelayedAddress)
}

// BindChannel permits the peer and binds the one channel to it (RFC 8656 section 12).
func (c *Client) BindChannel(ctx context.Context, peer netip.AddrPort) error {
	number := raw{stun.AttrChannelNumber, []byte{Channel >> 8, Channel & 0xff, 0, 0}}
	_, err := c.signed(ctx, stun.MethodChannelBind, number, peerAddress(peer))
	return err
}

// Refresh keeps the allocation for the server's usual time.
func (c *Client) Refresh(ctx context.Context) error {
	_, err := c.signed(ctx, stun.MethodRefresh)
	return err
}

// Release ends the allocation (RFC 8656 section 8).
func (c *Client) Release(ctx context.Context) error {
	_, err := c.signed(ctx, stun.MethodRefresh, raw{stun.AttrLifetime, []byte{0, 0, 0, 0}})
	c.allocated = c.allocated && err != nil
	return err
}

// signed makes an authenticated request: the first one learns realm and nonce from the
// refusal, and a nonce that went stale is replaced (RFC 8489 section 9.2.5).
func (c *Client) signed(ctx context.Context, method stun.Method, attributes ...stun.Setter) (*stun.Message, error) {
	if c.nonce == "" {
		_, err := c.request(ctx, method, false, attributes...)
		var refusal *Error
		if !errors.As(err, &refusal) || refusal.Code != int(stun.CodeUnauthorized) || c.nonce == "" {
			if err == nil {
				err = errors.New("turn: the server asks for no credential")
			}
			return nil, err
		}
	}
	answer, err := c.request(ctx, method, true, attributes...)
	var refusal *Error
	if errors.As(err, &refusal) && refusal.Code == int(stun.CodeStaleNonce) {
		answer, err = c.request(ctx, method, true, attributes...)
	}
	return answer, err
}

func (c *Client) request(ctx context.Context, method stun.Method, sign bool, attributes ...stun.Setter) (*stun.Message, error) {
	setters := append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, attributes...)
	integrity := stun.NewLongTermIntegrity(c.username, c.realm, c.password)
	if sign {
		setters = append(setters, stun.NewUsername(c.username), stun.NewRealm(c.realm), stun.NewNonce(c.nonce), integrity)
	}
	request, err := stun.Build(append(setters, stun.Fingerprint)...)
	if err != nil {
		return nil, fmt.Errorf("turn: build %v: %w", method, err)
	}
	answer, err := c.transact(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("turn: %v to %s: %w", method, c.target, err)
	}
	if answer.Type.Class == stun.ClassErrorResponse {
		return nil, c.refusal(method, answer)
	}
	if sign {
		if err := integrity.Check(answer); err != nil {
			return nil, fmt.Errorf("turn: the answer to %v is not signed by the server: %w", method, err)
		}
	}
	return answer, nil
}

func (c *Client) refusal(method stun.Method, answer *stun.Message) error {
	var code stun.ErrorCodeAttribute
	if err := code.GetFrom(answer); err != nil {
		return fmt.Errorf("turn: %v was refused without a code: %w", method, err)
	}
	var realm stun.Realm
	var nonce stun.Nonce
	if realm.GetFrom(answer) == nil && nonce.GetFrom(answer) == nil {
		c.realm, c.nonce = realm.String(), nonce.String()
	}
	return &Error{Method: method.String(), Code: int(code.Code), Reason: string(code.Reason)}
}

// transact sends a request until it is answered: several times over UDP, once over a
// stream (RFC 8489 section 6.2).
func (c *Client) transact(ctx context.Context, request *stun.Message) (*stun.Message, error) {
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	rto, attempts := firstRTO, tries
	if c.stream != nil {
		rto, attempts = streamWait, 1
	}
	var err error
	for range attempts {
		var answer *stun.Message
		if answer, err = c.once(ctx, request, rto); err == nil {
			return answer, nil
		}
		if ctx.Err() != nil {
			break
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, err
		}
		rto *= 2
	}
	return nil, errors.Join(ErrNoAnswer, err)
}

func (c *Client) once(ctx context.Context, request *stun.Message, wait time.Duration) (*stun.Message, error) {
	deadline := time.Now().Add(wait)
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	if err := c.conn.SetWriteDeadline(deadline); err != nil {
		return nil, err
	}
	if _, err := c.conn.Write(request.Raw); err != nil {
		return nil, err
	}
	// A Send that comes later has nothing to do with this deadline.
	if err := c.conn.SetWriteDeadline(time.Time{}); err != nil {
		return nil, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		frame, err := c.frame(deadline)
		if err != nil {
			return nil, err
		}
		if isChannelData(frame) {
			c.keep(payload(frame))
			continue
		}
		answer := &stun.Message{Raw: slices.Clone(frame)}
		if answer.Decode() == nil && answer.TransactionID == request.TransactionID {
			return answer, nil
		}
	}
}

// keep holds data for Receive, but not without end.
func (c *Client) keep(data []byte) {
	if len(c.waiting) < 64 {
		c.waiting = append(c.waiting, slices.Clone(data))
	}
}

// Failure names why something failed, in the words of the path test: timeout, refused,
// unauthorized, untrusted or internal.
func Failure(err error) string {
	var refusal *Error
	var timeout net.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &refusal) && (refusal.Code == int(stun.CodeUnauthorized) || refusal.Code == int(stun.CodeForbidden)):
		return "unauthorized"
	case errors.As(err, &refusal), isRefused(err), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "refused"
	case errors.As(err, &certificate):
		return "untrusted"
	case errors.Is(err, ErrNoAnswer), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	}
	return "internal"
}

type raw struct {
	attribute stun.AttrType
	value     []byte
}

// AddTo implements stun.Setter.
func (r raw) AddTo(m *stun.Message) error {
	m.Add(r.attribute, r.value)
	return nil
}

// requestUDP is REQUESTED-TRANSPORT with UDP's protocol number (RFC 8656 section 18.8).
var requestUDP = raw{stun.AttrRequestedTransport, []byte{17, 0, 0, 0}}

type peerAddress netip.AddrPort

// AddTo implements stun.Setter.
func (p peerAddress) AddTo(m *stun.Message) error {
	ap := netip.AddrPort(p)
	return (&stun.XORMappedAddress{IP: ap.Addr().AsSlice(), Port: int(ap.Port())}).AddToAs(m, stun.AttrXORPeerAddress)
}
