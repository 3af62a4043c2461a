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

// Behaviour is how a NAT treats packets of one socket to or from several
// remote ones (RFC 4787 sections 4.1 and 5).
type Behaviour string

const (
	// BehaviourUnknown: the server's other address or port did not answer at all.
	BehaviourUnknown Behaviour = "unknown"
	// EndpointIndependent: all remote sockets are treated alike.
	EndpointIndependent Behaviour = "endpoint_independent"
	// AddressDependent: those of one address are.
	AddressDependent Behaviour = "address_dependent"
	// AddressAndPortDependent: each is treated for itself; such a NAT needs a
	// relay.
	AddressAndPortDependent Behaviour = "address_and_port_dependent"
)

// NAT is what DiscoverNAT found.
type NAT struct {
	// Local is the client's own address, Mapped the one that the server sees.
	Local, Mapped netip.AddrPort
	// Other is the server's other address; it is invalid if the server has none,
	// and then Mapping and Filtering are unknown.
	Other netip.AddrPort
	// Mapping says for which remote sockets Mapped is the same.
	Mapping Behaviour
	// Filtering says who may send to Mapped. A firewall without a NAT filters,
	// too.
	Filtering Behaviour
}

// Translated reports whether there is a NAT at all.
func (n NAT) Translated() bool { return n.Local != n.Mapped }

const (
	// natRTO and natTries bound the wait for an answer that a NAT may eat: 1.4 s.
	natRTO   = 200 * time.Millisecond
	natTries = 3
)

var errNoOtherAddress = errors.New("it has no second address")

// DiscoverNAT finds out how the NATs between here and a STUN server behave (RFC
// 5780 sections 4.3 and 4.4). The error is of the plain Binding only; what
// cannot be told is BehaviourUnknown.
func DiscoverNAT(ctx context.Context, server netip.AddrPort) (NAT, error) {
	n, err := mapping(ctx, server)
	if err != nil {
		return NAT{}, fmt.Errorf("NAT behaviour discovery at %s: %w", server, err)
	}
	// What could not be reached for the one cannot be for the other.
	if n.Mapping != BehaviourUnknown {
		n.Filtering = filtering(ctx, server, n.Other)
	}
	return n, nil
}

// natProbe is one local socket.
type natProbe struct {
	conn  *net.UDPConn
	local netip.AddrPort
}

// openProbe binds to the address that packets to the server leave from.
func openProbe(ctx context.Context, server netip.AddrPort) (*natProbe, error) {
	route, err := new(net.Dialer).DialContext(ctx, "udp", server.String())
	if err != nil {
		return nil, err
	}
	source := addrPort(route.LocalAddr()).Addr()
	if err := route.Close(); err != nil {
		return nil, err
	}
	conn, err := new(net.ListenConfig).ListenPacket(ctx, "udp", netip.AddrPortFrom(source, 0).String())
	if err != nil {
		return nil, err
	}
	udp := conn.(*net.UDPConn)
	return &natProbe{udp, addrPort(udp.LocalAddr())}, nil
}

// mapping asks from one socket, and fills all but Filtering.
func mapping(ctx context.Context, server netip.AddrPort) (NAT, error) {
	n := NAT{Mapping: BehaviourUnknown, Filtering: BehaviourUnknown}
	probe, err := openProbe(ctx, server)
	if err != nil {
		return n, err
	}
	defer probe.conn.Close()
	first, err := probe.ask(ctx, server, server, 0)
	if err != nil {
		return n, err
	}
	n.Local, n.Mapped, n.Other = probe.local, first.mapped, first.other
	if !n.Other.IsValid() {
		return n, nil
	}
	if !n.Translated() {
		n.Mapping = EndpointIndependent
		return n, nil
	}
	sibling := netip.AddrPortFrom(n.Other.Addr(), server.Port())
	second, err := probe.ask(ctx, sibling, sibling, 0)
	if err != nil {
		return n, nil
	}
	if second.mapped == first.mapped {
		n.Mapping = EndpointIndependent
		return n, nil
	}
	third, err := probe.ask(ctx, n.Other, n.Other, 0)
	switch {
	case err != nil:
	case third.mapped == second.mapped:
		n.Mapping = AddressDependent
	default:
		n.Mapping = AddressAndPortDependent
	}
	return n, nil
}

// filtering makes sure that silence is the filter's.
func filtering(ctx context.Context, server, other netip.AddrPort) Behaviour {
	otherPort := netip.AddrPortFrom(server.Addr(), other.Port())
	ported := make(chan unasked)
	go func() { ported <- hear(ctx, server, otherPort, changePort) }()
	fromOther := hear(ctx, server, other, changeIP|changePort)
	fromOtherPort := <-ported
	switch {
	case fromOther == heard:
		return EndpointIndependent
	case fromOther == unreachable || fromOtherPort == unreachable:
		return BehaviourUnknown
	case fromOtherPort == heard:
		return AddressDependent
	default:
		return AddressAndPortDependent
	}
}

// unasked is what becomes of packets from somewhere that the client has sent
// nothing to.
type unasked int

const (
	unreachable unasked = iota
	heard
	filtered
)

// hear has the server answer from another place, to a fresh socket. If nothing
// comes it asks that place itself.
func hear(ctx context.Context, server, place netip.AddrPort, change byte) unasked {
	probe, err := openProbe(ctx, server)
	if err != nil {
		return unreachable
	}
	defer probe.conn.Close()
	if _, err := probe.ask(ctx, server, server, 0); err != nil {
		return unreachable
	}
	if _, err := probe.ask(ctx, server, place, change); err == nil {
		return heard
	}
	if _, err := probe.ask(ctx, place, place, 0); err != nil {
		return unreachable
	}
	return filtered
}

// natAnswer is a Binding response.
type natAnswer struct{ mapped, other netip.AddrPort }

// ask sends a Binding request and waits for the answer, which must come from
// the place that was asked to answer.
func (p *natProbe) ask(ctx context.Context, to, from netip.AddrPort, change byte) (natAnswer, error) {
	setters := []stun.Setter{stun.TransactionID, stun.BindingRequest}
	if change != 0 {
		setters = append(setters, stun.RawAttribute{Type: stun.AttrChangeRequest, Value: []byte{0, 0, 0, change}})
	}
	request, err := stun.Build(append(setters, stun.Fingerprint)...)
	if err != nil {
		return natAnswer{}, err
	}
	rto := natRTO
	for range natTries {
		var answer natAnswer
		answer, err = p.askOnce(ctx, request, to, from, rto)
		if err == nil || ctx.Err() != nil {
			return answer, errors.Join(err, ctx.Err())
		}
		rto *= 2
	}
	return natAnswer{}, err
}

func (p *natProbe) askOnce(ctx context.Context, request *stun.Message, to, from netip.AddrPort, wait time.Duration) (natAnswer, error) {
	deadline := time.Now().Add(wait)
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	if err := p.conn.SetDeadline(deadline); err != nil {
		return natAnswer{}, err
	}
	if _, err := p.conn.WriteToUDPAddrPort(request.Raw, to); err != nil {
		return natAnswer{}, err
	}
	buffer := make([]byte, 1500)
	for {
		n, source, err := p.conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return natAnswer{}, err
		}
		m := &stun.Message{Raw: buffer[:n]}
		if m.Decode() != nil || m.TransactionID != request.TransactionID || netip.AddrPortFrom(source.Addr().Unmap(), source.Port()) != from {
			continue
		}
		if m.Type != stun.BindingSuccess {
			return natAnswer{}, errNoOtherAddress
		}
		return readAnswer(m)
	}
}

func readAnswer(m *stun.Message) (natAnswer, error) {
	var mapped stun.XORMappedAddress
	if err := mapped.GetFrom(m); err != nil {
		return natAnswer{}, err
	}
	addr, _ := netip.AddrFromSlice(mapped.IP)
	answer := natAnswer{mapped: netip.AddrPortFrom(addr.Unmap(), uint16(mapped.Port))}
	var other stun.OtherAddress
	if err := other.GetFrom(m); err == nil {
		addr, _ := netip.AddrFromSlice(other.IP)
		answer.other = netip.AddrPortFrom(addr.Unmap(), uint16(other.Port))
	}
	return answer, nil
}
