package turnsrv

import (
	"net/netip"
	"slices"

	"github.com/pion/stun/v3"

	"fieldphone/turnsrv/credential"
)

// request is the STUN message that an endpoint's reader has in hand. It is
// used again for the next one.
type request struct {
	// message has no attributes after MESSAGE-INTEGRITY: anybody can have added
	// them (RFC 8489 section 14.5). all are those that came.
	message stun.Message
	all     stun.Attributes
	client  netip.AddrPort
	// key is nil until the sender has proved to know the password.
	key      stun.MessageIntegrity
	username string
	identity credential.Identity
	// unknown are comprehension-required attributes that mean nothing here.
	unknown []stun.AttrType
	// fingerprint says that the response must have one, too.
	fingerprint bool
	// even says that the relay port must be, twoFamilies that an IPv6 address
	// is wished for besides.
	even, twoFamilies bool
	// peers are those that may be reached of those that were named.
	peers []netip.AddrPort

	// again says that pion/turn wants the request with another nonce; retried,
	// that it got it.
	again, retried bool
	// silent says that it is our own, so nobody waits for a response.
	silent bool
	// refusal is why pion/turn was made to refuse.
	refusal *refusal
}

// read makes the datagram or frame the request in hand, if it is a whole STUN
// message.
func (r *request) read(p []byte, client netip.AddrPort) bool {
	*r = request{
		message: r.message, client: client,
		unknown: r.unknown[:0], peers: r.peers[:0],
	}
	m := &r.message
	m.Raw = append(m.Raw[:0], p...)
	if m.Decode() != nil || len(p) != 20+int(m.Length) {
		return false
	}
	if r.fingerprint = m.Contains(stun.AttrFingerprint); r.fingerprint && stun.Fingerprint.Check(m) != nil {
		return false
	}
	r.all = m.Attributes
	signed := func(a stun.RawAttribute) bool { return a.Type == stun.AttrMessageIntegrity }
	if at := slices.IndexFunc(r.all, signed); at >= 0 {
		m.Attributes = r.all[:at+1]
	}
	for _, a := range m.Attributes {
		if a.Type.Required() && !understood(a.Type) {
			r.unknown = append(r.unknown, a.Type)
		}
	}
	return true
}

// end makes the request one that ends an allocation.
func (r *request) end(gone *relayConn, realm string, key stun.MessageIntegrity) bool {
	*r = request{
		message: r.message, client: gone.client, username: gone.username, key: key, silent: true,
		unknown: r.unknown[:0], peers: r.peers[:0],
	}
	return r.message.Build(stun.TransactionID, stun.NewType(stun.MethodRefresh, stun.ClassRequest),
		stun.NewUsername(gone.username), stun.NewRealm(realm),
		stun.RawAttribute{Type: stun.AttrLifetime, Value: make([]byte, 4)}) == nil
}

// provedBy reports whether the request was signed with the key.
func (r *request) provedBy(key stun.MessageIntegrity) bool {
	whole := r.message
	whole.Attributes = r.all
	return key.Check(&whole) == nil
}

// understood tells the comprehension-required attributes of STUN and TURN that
// are known here, be it to ignore them. DONT-FRAGMENT is not: it cannot be
// obeyed for single packets.
func understood(t stun.AttrType) bool {
	switch t {
	case stun.AttrMappedAddress, stun.AttrUsername, stun.AttrMessageIntegrity, stun.AttrErrorCode,
		stun.AttrUnknownAttributes, stun.AttrRealm, stun.AttrNonce, stun.AttrXORMappedAddress,
		stun.AttrChannelNumber, stun.AttrLifetime, stun.AttrXORPeerAddress, stun.AttrData,
		stun.AttrXORRelayedAddress, stun.AttrEvenPort, stun.AttrRequestedTransport,
		stun.AttrReservationToken, stun.AttrRequestedAddressFamily:
		return true
	}
	return false
}

// screen decides whether pion/turn gets a STUN message. All else is answered
// or dropped here.
func (e *endpoint) screen(p []byte, client netip.AddrPort) bool {
	r, counters := &e.request, &e.server.counters
	if !r.read(p, client) {
		counters.malformed.Add(1)
		return false
	}
	m := &r.message
	switch m.Type.Class {
	case stun.ClassRequest:
	case stun.ClassIndication:
		// A Binding indication only keeps a NAT's binding open.
		if m.Type.Method != stun.MethodSend && m.Type.Method != stun.MethodBinding {
			counters.malformed.Add(1)
		}
		return m.Type.Method == stun.MethodSend && len(r.unknown) == 0
	default:
		counters.malformed.Add(1)
		return false
	}
	switch m.Type.Method {
	case stun.MethodBinding:
		e.bind(r)
		return false
	case stun.MethodAllocate, stun.MethodRefresh, stun.MethodCreatePermission, stun.MethodChannelBind:
	default:
		counters.malformed.Add(1) // RFC 8489 section 6.3: an unknown method is not answered
		return false
	}
	answer := e.authenticate(r)
	if answer == nil {
		answer = e.judge(r)
	}
	switch answer {
	case nil:
		return true
	case &drop:
	default:
		e.refuse(r, answer)
	}
	return false
}
