package turnsrv

import (
	"net/netip"

	"github.com/pion/stun/v3"
)

// refusal is an error response that pion/turn would not give, or would give
// with another code.
type refusal struct {
	code   stun.ErrorCode
	reason string
}

var (
	refuseMismatch  = refusal{stun.CodeAllocMismatch, "Allocation Mismatch: there is no allocation here; allocate again"}
	refuseUser      = refusal{stun.CodeWrongCredentials, "Wrong Credentials: the allocation belongs to another user"}
	refusePeer      = refusal{stun.CodeForbidden, "Forbidden: this server does not relay to that peer"}
	refuseFamily    = refusal{stun.CodePeerAddrFamilyMismatch, "Peer Address Family Mismatch: only IPv4 peers are relayed"}
	refuseIPv6      = refusal{stun.CodeAddrFamilyNotSupported, "Address Family not Supported: only IPv4 is relayed"}
	refuseTransport = refusal{stun.CodeUnsupportedTransProto, "Unsupported Transport Protocol: only UDP is relayed"}
	refuseToken     = refusal{stun.CodeInsufficientCapacity, "Insufficient Capacity: reservations are not kept"}
	refuseRoom      = refusal{stun.CodeInsufficientCapacity, "Insufficient Capacity: too many peers in one allocation"}
	drop            = refusal{}
)

// screen decides whether pion/turn gets a STUN message. What is refused is
// answered here, once its sender has proved to know a password; without that
// proof pion/turn gets it and challenges the sender.
func (e *endpoint) screen(p []byte, client netip.AddrPort) bool {
	m := &e.message
	m.Raw = append(m.Raw[:0], p...)
	if err := m.Decode(); err != nil || len(p) != 20+int(m.Length) {
		e.server.counters.malformed.Add(1)
		return false
	}
	switch m.Type {
	case stun.BindingRequest, stun.NewType(stun.MethodSend, stun.ClassIndication):
		return true
	case stun.NewType(stun.MethodBinding, stun.ClassIndication):
		return false
	}
	if m.Type.Class != stun.ClassRequest {
		e.server.counters.malformed.Add(1)
		return false
	}
	var answer *refusal
	switch m.Type.Method {
	case stun.MethodAllocate:
		answer = e.judgeAllocate(m)
	case stun.MethodRefresh, stun.MethodCreatePermission, stun.MethodChannelBind:
		answer = e.judgeUse(m, e.find(client))
	default:
		e.server.counters.malformed.Add(1)
		return false
	}
	switch answer {
	case nil:
		return true
	case &drop:
		return false
	}
	return !e.refuse(m, client, answer)
}

// refuse reports whether it answered.
func (e *endpoint) refuse(m *stun.Message, client netip.AddrPort, answer *refusal) bool {
	username, err := m.Get(stun.AttrUsername)
	if err != nil {
		return false
	}
	integrity := stun.MessageIntegrity(e.server.key(string(username)))
	if integrity.Check(m) != nil {
		return false
	}
	switch answer {
	case &refusePeer, &refuseFamily:
		e.server.counters.peersRefused.Add(1)
	case &refuseTransport, &refuseIPv6, &refuseToken:
		e.server.counters.transport.Add(1)
	}
	response, err := stun.Build(
		stun.NewTransactionIDSetter(m.TransactionID),
		stun.NewType(m.Type.Method, stun.ClassErrorResponse),
		stun.ErrorCodeAttribute{Code: answer.code, Reason: []byte(answer.reason)},
		integrity,
		stun.Fingerprint,
	)
	if err == nil {
		err = e.socket.write(response.Raw, client)
		e.socket.traffic().out(len(response.Raw), err)
	}
	return true
}

const (
	protocolUDP = 17
	familyIPv4  = 1
	familyIPv6  = 2
)

// judgeAllocate knows what is not offered (RFC 8656 section 7.2).
func (e *endpoint) judgeAllocate(m *stun.Message) *refusal {
	if transport, err := m.Get(stun.AttrRequestedTransport); err == nil && len(transport) == 4 && transport[0] != protocolUDP {
		return &refuseTransport
	}
	family := byte(familyIPv4)
	if value, err := m.Get(stun.AttrRequestedAddressFamily); err == nil && len(value) == 4 {
		family = value[0]
	}
	if family != familyIPv4 || !e.relayAddress.Is4() {
		return &refuseIPv6
	}
	if m.Contains(stun.AttrReservationToken) && !m.Contains(stun.AttrEvenPort) {
		return &refuseToken
	}
	return nil
}

// judgeUse knows what an allocation allows (RFC 8656 sections 5, 8.2, 10.2,
// 12.2).
func (e *endpoint) judgeUse(m *stun.Message, r *relayConn) *refusal {
	refresh := m.Type.Method == stun.MethodRefresh
	if r == nil {
		if refresh && lifetimeZero(m) {
			return nil
		}
		return &refuseMismatch
	}
	if username, err := m.Get(stun.AttrUsername); err == nil && string(username) != r.username {
		return &refuseUser
	}
	if refresh {
		return nil
	}
	if r.expiring() {
		return &drop
	}
	peers, answer := e.judgePeers(m)
	if answer != nil {
		return answer
	}
	var channel uint16
	if m.Type.Method == stun.MethodChannelBind {
		if value, err := m.Get(stun.AttrChannelNumber); err == nil && len(value) == 4 {
			channel = uint16(value[0])<<8 | uint16(value[1])
		}
	}
	if !r.hasRoom(peers, channel) {
		return &refuseRoom
	}
	return nil
}

func (e *endpoint) judgePeers(m *stun.Message) ([]netip.AddrPort, *refusal) {
	var peers []netip.AddrPort
	var answer *refusal
	// A peer address that does not parse is left to pion, which refuses it.
	_ = m.ForEach(stun.AttrXORPeerAddress, func(m *stun.Message) error {
		var peer stun.XORMappedAddress
		if err := peer.GetFromAs(m, stun.AttrXORPeerAddress); err != nil {
			return err
		}
		address, _ := netip.AddrFromSlice(peer.IP)
		address = address.Unmap()
		switch {
		case !e.server.peers.permits(address):
			answer = &refusePeer
		case !address.Is4() && answer == nil:
			answer = &refuseFamily
		}
		peers = append(peers, netip.AddrPortFrom(address, uint16(peer.Port)))
		return nil
	})
	return peers, answer
}

func lifetimeZero(m *stun.Message) bool {
	value, err := m.Get(stun.AttrLifetime)
	return err == nil && len(value) == 4 && [4]byte(value) == [4]byte{}
}
