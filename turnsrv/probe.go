package turnsrv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/pion/stun/v2"
)

const (
	// probeRTO is the first wait for an answer; it doubles with each try
	// (RFC 8489 section 6.2.1).
	probeRTO   = 250 * time.Millisecond
	probeTries = 4
)

// Probe asks a STUN server over UDP for the address that it sees the request
// come from (Binding, RFC 8489 section 2). It tells whether the server answers
// from the address that was asked; the error says which step failed.
func Probe(ctx context.Context, server netip.AddrPort) (mapped netip.AddrPort, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "udp", server.String())
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("stun probe of %s: %w", server, err)
	}
	defer conn.Close()
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.Fingerprint)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("stun probe of %s: %w", server, err)
	}
	rto := probeRTO
	for range probeTries {
		mapped, err = probeOnce(ctx, conn, request, rto)
		if err == nil || ctx.Err() != nil {
			break
		}
		rto *= 2
	}
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("stun probe of %s: %w", server, errors.Join(err, ctx.Err()))
	}
	return mapped, nil
}

// probeOnce sends the request and waits for its answer; other packets are
// passed over.
func probeOnce(ctx context.Context, conn net.Conn, request *stun.Message, wait time.Duration) (netip.AddrPort, error) {
	deadline := time.Now().Add(wait)
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return netip.AddrPort{}, err
	}
	if _, err := conn.Write(request.Raw); err != nil {
		return netip.AddrPort{}, err
	}
	buffer := make([]byte, 1500)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return netip.AddrPort{}, err
		}
		answer := &stun.Message{Raw: buffer[:n]}
		if answer.Decode() != nil || answer.TransactionID != request.TransactionID {
			continue
		}
		var mapped stun.XORMappedAddress
		if err := mapped.GetFrom(answer); err != nil {
			return netip.AddrPort{}, err
		}
		addr, _ := netip.AddrFromSlice(mapped.IP)
		return netip.AddrPortFrom(addr.Unmap(), uint16(mapped.Port)), nil
	}
}
