package turnsrv

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/stun/v3"
)

// handOver writes the request in hand into p the way that pion/turn must get
// it: only what has been judged, and with the nonce that it wants. It returns
// 0 if p is too small.
func (e *endpoint) handOver(p []byte) int {
	r := &e.request
	m := &e.response
	m.Reset()
	m.Type, m.TransactionID = r.message.Type, r.message.TransactionID
	m.WriteHeader()
	for _, a := range r.message.Attributes {
		switch a.Type {
		case stun.AttrRequestedTransport, stun.AttrChannelNumber, stun.AttrXORPeerAddress, stun.AttrUsername, stun.AttrRealm:
			m.Add(a.Type, a.Value)
		}
	}
	if method := r.message.Type.Method; method == stun.MethodAllocate || method == stun.MethodRefresh {
		m.Add(stun.AttrLifetime, binary.BigEndian.AppendUint32(nil, uint32(r.lifetime()/time.Second)))
	}
	m.Add(stun.AttrNonce, []byte(e.nonce))
	if r.key.AddTo(m) != nil || len(m.Raw) >= len(p) {
		e.server.counters.oversized.Add(1)
		return 0
	}
	return copy(p, m.Raw)
}

// lifetime is what the client gets (RFC 8656 sections 7.2 and 8.2).
func (r *request) lifetime() time.Duration {
	value, err := r.message.Get(stun.AttrLifetime)
	if err != nil {
		return minLifetime
	}
	wish := time.Duration(binary.BigEndian.Uint32(value)) * time.Second
	if wish == 0 && r.message.Type.Method == stun.MethodRefresh {
		return 0
	}
	return min(max(wish, minLifetime), maxLifetime)
}

// answered gets what pion/turn says to the request in hand, and says it
// properly.
func (e *endpoint) answered(p []byte) {
	r := &e.request
	var m stun.Message
	if stun.Decode(p, &m) != nil || m.TransactionID != r.message.TransactionID {
		return
	}
	if m.Type.Class == stun.ClassSuccessResponse {
		if !r.silent {
			e.succeed(r, &m)
		}
		return
	}
	var code stun.ErrorCodeAttribute
	_ = code.GetFrom(&m) // pion/turn may leave it out
	nonce, err := m.Get(stun.AttrNonce)
	switch {
	case err == nil && !r.retried:
		e.nonce, r.again, r.retried = string(nonce), true, true
	case r.silent:
	case r.refusal != nil:
		e.refuse(r, r.refusal)
	case code.Code == stun.CodeAllocMismatch:
		e.refuse(r, &refuseExists)
	case code.Code == stun.CodeInsufficientCapacity:
		e.refuse(r, &refusePorts)
	default:
		e.refuse(r, &refuseChannel) // the one thing that only pion/turn knows
	}
}

func (e *endpoint) succeed(r *request, m *stun.Message) {
	e.noteLifetime(m, r.client)
	response := []stun.Setter{stun.NewTransactionIDSetter(m.TransactionID), m.Type}
	for _, a := range m.Attributes {
		if a.Type != stun.AttrMessageIntegrity {
			response = append(response, a)
		}
	}
	if r.twoFamilies {
		response = append(response, noIPv6)
	}
	e.reply(r, response)
}

// noIPv6 is ADDRESS-ERROR-CODE: a relayed address of the other family was
// wished for as well (RFC 8656 section 7.2).
var noIPv6 = stun.RawAttribute{
	Type:  attrAddressError,
	Value: append([]byte{familyIPv6, 0, 4, 40}, "Address Family not Supported"...),
}

// noteLifetime learns an allocation's expiry. A repeated response to Allocate
// does not prolong anything.
func (e *endpoint) noteLifetime(m *stun.Message, client netip.AddrPort) {
	held := e.find(client)
	if held == nil || m.Type.Method == stun.MethodAllocate && held.expires.Load() != 0 {
		return
	}
	if value, err := m.Get(stun.AttrLifetime); err == nil && len(value) == 4 {
		seconds := time.Duration(binary.BigEndian.Uint32(value))
		held.expires.Store(time.Now().Add(seconds * time.Second).UnixNano())
	}
}

// keyOf is pion's AuthHandler. Only authenticated requests get there.
func (e *endpoint) keyOf(string, string, net.Addr) ([]byte, bool) {
	return e.request.key, e.request.key != nil
}

// judged is pion's PermissionHandler: only what has been judged gets there.
func (e *endpoint) judged(_ net.Addr, peer net.IP) bool {
	address, ok := netip.AddrFromSlice(peer)
	return ok && slices.ContainsFunc(e.request.peers, func(p netip.AddrPort) bool { return p.Addr() == address.Unmap() })
}
