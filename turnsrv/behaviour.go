package turnsrv

import (
	"net"
	"net/netip"
	"slices"

	"github.com/pion/stun/v3"
)

// Flags of CHANGE-REQUEST (RFC 5780 section 7.2).
const (
	changeIP   = 0x04
	changePort = 0x02
)

// bind answers a Binding request (RFC 8489 section 2). It needs no
// authentication and gets none.
func (e *endpoint) bind(r *request) {
	s := e.server
	var at spot
	if e.socket.transport() == overUDP {
		at = s.discovery.at(addrPort(e.socket.local()))
	}
	from, answer := s.binding(r, &e.response, at)
	switch {
	case !answer:
	case from == nil:
		e.transmit(e.response.Raw, r)
	default:
		_, err := from.WriteToUDPAddrPort(e.response.Raw, r.client)
		s.counters.udp.out(len(e.response.Raw), err)
	}
}

// binding writes the response into out, and says which socket it must leave
// from: nil is the one that was asked, which at is, if it has a place in NAT
// behaviour discovery.
func (s *Server) binding(r *request, out *stun.Message, at spot) (from *net.UDPConn, answer bool) {
	if !s.rates.bindings.allow(r.client.Addr(), s.limits().BindingsPerSource) {
		s.counters.limited.bindings.Add(1)
		return nil, false
	}
	origin := at
	if change, err := r.message.Get(stun.AttrChangeRequest); err == nil && at.corner != nil {
		r.unknown = slices.DeleteFunc(r.unknown, func(t stun.AttrType) bool { return t == stun.AttrChangeRequest })
		if len(change) != 4 {
			return nil, r.complete(out, s.refusal(r, &refuseBad))
		}
		if change[3]&changeIP != 0 {
			origin.corner = at.next
		}
		if change[3]&changePort != 0 {
			origin.port = 1 - at.port
		}
	}
	if len(r.unknown) > 0 {
		return nil, r.complete(out, s.refusal(r, &refuseUnknown))
	}
	response := []stun.Setter{
		stun.NewTransactionIDSetter(r.message.TransactionID),
		stun.BindingSuccess,
		&stun.XORMappedAddress{IP: r.client.Addr().AsSlice(), Port: int(r.client.Port())},
	}
	if at.corner != nil {
		response = append(response,
			addressAttribute(stun.AttrResponseOrigin, netip.AddrPortFrom(origin.told, origin.ports[origin.port])),
			addressAttribute(stun.AttrOtherAddress, at.other()))
	}
	if origin != at {
		from = origin.conns[origin.port]
	}
	return from, r.complete(out, response)
}

// addressAttribute has the form of MAPPED-ADDRESS (RFC 8489 section 14.1).
func addressAttribute(t stun.AttrType, address netip.AddrPort) stun.RawAttribute {
	family := byte(familyIPv4)
	if address.Addr().Is6() {
		family = familyIPv6
	}
	value := []byte{0, family, byte(address.Port() >> 8), byte(address.Port())}
	return stun.RawAttribute{Type: t, Value: append(value, address.Addr().AsSlice()...)}
}
