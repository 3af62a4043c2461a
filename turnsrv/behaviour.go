package turnsrv

import (
	"encoding/binary"
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
		err := from.write(e.response.Raw, r.client)
		s.counters.udp.out(len(e.response.Raw), err)
	}
}

// binding writes the response into out, and says which socket it must leave
// from: nil is the one that was asked, which at is, if it has a place in NAT
// behaviour discovery. It must go to r.client, whose port the request may
// change.
func (s *Server) binding(r *request, out *stun.Message, at spot) (from *udpSocket, answer bool) {
	if !s.rates.bindings.allow(r.client.Addr(), s.limits().BindingsPerSource) {
		s.counters.limited.bindings.Add(1)
		return nil, false
	}
	wish, answered := bindingWish{origin: at, port: r.client.Port()}, (*refusal)(nil)
	if at.corner != nil {
		wish, answered = wishOf(r, at)
	}
	switch {
	case answered != nil:
		return nil, r.complete(out, s.refusal(r, answered))
	case len(r.unknown) > 0:
		return nil, r.complete(out, s.refusal(r, &refuseUnknown))
	}
	response := []stun.Setter{
		stun.NewTransactionIDSetter(r.message.TransactionID),
		stun.BindingSuccess,
		&stun.XORMappedAddress{IP: r.client.Addr().AsSlice(), Port: int(r.client.Port())},
	}
	if at.corner != nil {
		response = append(response,
			addressAttribute(stun.AttrResponseOrigin, netip.AddrPortFrom(wish.origin.told, wish.origin.ports[wish.origin.port])),
			addressAttribute(stun.AttrOtherAddress, at.other()))
	}
	if wish.origin != at {
		from = wish.origin.conns[wish.origin.port]
	}
	r.client = netip.AddrPortFrom(r.client.Addr(), wish.port)
	return from, r.complete(out, response)
}

// bindingWish is where a Binding response shall come from, and to which port of
// the client's address it shall go.
type bindingWish struct {
	origin spot
	port   uint16
}

// wishOf reads CHANGE-REQUEST and RESPONSE-PORT (RFC 5780 sections 7.2 and
// 7.5).
func wishOf(r *request, at spot) (bindingWish, *refusal) {
	wish := bindingWish{origin: at, port: r.client.Port()}
	r.unknown = slices.DeleteFunc(r.unknown, func(t stun.AttrType) bool {
		return t == stun.AttrChangeRequest || t == stun.AttrResponsePort
	})
	if change, err := r.message.Get(stun.AttrChangeRequest); err == nil {
		if len(change) != 4 {
			return wish, &refuseBad
		}
		if change[3]&changeIP != 0 {
			wish.origin.corner = at.next
		}
		if change[3]&changePort != 0 {
			wish.origin.port = 1 - at.port
		}
	}
	if port, err := r.message.Get(stun.AttrResponsePort); err == nil {
		// Two bytes; some clients count the padding.
		if len(port) != 2 && len(port) != 4 || port[0] == 0 && port[1] == 0 {
			return wish, &refuseBad
		}
		wish.port = binary.BigEndian.Uint16(port)
	}
	return wish, nil
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
