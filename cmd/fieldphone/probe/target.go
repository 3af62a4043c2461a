package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"fieldphone/rtc"
	"fieldphone/turnsrv/turnclient"
)

// target reads a STUN or TURN URL (RFC 7064, RFC 7065).
func (r *run) target(ctx context.Context, text string) (turnclient.Target, error) {
	scheme, rest, _ := strings.Cut(text, ":")
	where, query, _ := strings.Cut(rest, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return turnclient.Target{}, fmt.Errorf("%s: %w", text, err)
	}
	host, digits, err := net.SplitHostPort(where)
	port, err2 := strconv.ParseUint(digits, 10, 16)
	if err = errors.Join(err, err2); err != nil {
		return turnclient.Target{}, fmt.Errorf("%s: %w", text, err)
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
		if err != nil || len(found) == 0 {
			return turnclient.Target{}, fmt.Errorf("%s has no address here: %w", host, err)
		}
		addr = found[0]
	}
	t := turnclient.Target{Network: turnclient.UDP, Address: netip.AddrPortFrom(addr.Unmap(), uint16(port))}
	switch {
	case scheme == "turns":
		t.Network = turnclient.TLS
		t.TLS = r.api.tls.Clone()
		t.TLS.ServerName, t.TLS.NextProtos = host, []string{"stun.turn"} // RFC 7443
	case values.Get("transport") == "tcp":
		t.Network = turnclient.TCP
	}
	return t, nil
}

// short keeps a target within what legs may carry.
func short(text string) string { return text[:min(len(text), rtc.MaxTarget)] }
