package turnsrv

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

const (
	protocolUDP = 17
	familyIPv4  = 1
	familyIPv6  = 2

	// attrAdditionalFamily is ADDITIONAL-ADDRESS-FAMILY, attrAddressError is
	// ADDRESS-ERROR-CODE (RFC 8656 sections 18.11 and 18.12).
	attrAdditionalFamily stun.AttrType = 0x8000
	attrAddressError     stun.AttrType = 0x8001

	// The lifetime of an allocation: the default, which is also the least (RFC
	// 8656 section 7.2), and the most. pion/turn takes an hour for no wish.
	minLifetime = 10 * time.Minute
	maxLifetime = time.Hour - time.Second

	// RFC 8656 ends the channel numbers at 0x4fff; clients of RFC 5766 go on.
	minChannel, maxChannel = 0x4000, 0x7fff
)

// drop is a message that gets no answer.
var drop = refusal{}

// judge decides on an authenticated request; nil means that pion/turn may do
// what it asks for.
func (e *endpoint) judge(r *request) *refusal {
	if len(r.unknown) > 0 {
		return &refuseUnknown
	}
	if value, err := r.message.Get(stun.AttrLifetime); err == nil && len(value) != 4 {
		return &refuseBad
	}
	held := e.find(r.client)
	if r.message.Type.Method == stun.MethodAllocate {
		if held != nil {
			return nil // pion/turn knows a repeated request by its transaction
		}
		return e.judgeAllocate(r)
	}
	return e.judgeUse(r, held)
}

// judgeAllocate knows what is offered (RFC 8656 section 7.2).
func (e *endpoint) judgeAllocate(r *request) *refusal {
	m := &r.message
	transport, err := m.Get(stun.AttrRequestedTransport)
	if err != nil || len(transport) != 4 {
		return &refuseBad
	}
	if transport[0] != protocolUDP {
		return &refuseTransport
	}
	even, evenErr := m.Get(stun.AttrEvenPort)
	family, familyErr := m.Get(stun.AttrRequestedAddressFamily)
	more, moreErr := m.Get(attrAdditionalFamily)
	reserved := m.Contains(stun.AttrReservationToken)
	reserve := evenErr == nil && len(even) == 1 && even[0]&0x80 != 0
	switch {
	case evenErr == nil && len(even) != 1, familyErr == nil && len(family) != 4,
		moreErr == nil && (len(more) != 4 || more[0] != familyIPv6),
		reserved && (evenErr == nil || familyErr == nil || moreErr == nil),
		moreErr == nil && (familyErr == nil || reserve):
		return &refuseBad
	case familyErr == nil && family[0] != familyIPv4, !e.relayAddress.Is4():
		return &refuseIPv6
	case reserved, reserve:
		return &refuseReservation
	case !e.server.rates.allocates.allow(r.client.Addr(), e.server.limits().AllocatesPerSource):
		e.server.counters.limited.allocates.Add(1)
		return &refuseRate
	}
	r.even, r.twoFamilies = evenErr == nil, moreErr == nil
	return nil
}

// judgeUse knows what an allocation allows (RFC 8656 sections 5, 8.2, 10.2,
// 12.2).
func (e *endpoint) judgeUse(r *request, held *relayConn) *refusal {
	m := &r.message
	if held == nil {
		return &refuseMismatch
	}
	if r.username != held.username {
		return &refuseUser
	}
	if m.Type.Method == stun.MethodRefresh {
		if family, err := m.Get(stun.AttrRequestedAddressFamily); err == nil && (len(family) != 4 || family[0] != familyIPv4) {
			return &refuseFamily
		}
		return nil
	}
	if held.expiring() {
		return &drop
	}
	var channel uint16
	if m.Type.Method == stun.MethodChannelBind {
		value, err := m.Get(stun.AttrChannelNumber)
		if err != nil || len(value) != 4 {
			return &refuseBad
		}
		if channel = binary.BigEndian.Uint16(value); channel < minChannel || channel > maxChannel {
			return &refuseBad
		}
	}
	if answer := e.judgePeers(r, held.gate); answer != nil {
		return answer
	}
	if !held.gate.hasRoom(r.peers, channel) {
		return &refuseRoom
	}
	return nil
}

// judgePeers refuses all peers of a request if it refuses one: none of them
// may be permitted then (RFC 8656 section 10.2).
func (e *endpoint) judgePeers(r *request, gate *gate) *refusal {
	var answer *refusal
	rules := e.server.peers.fresh()
	one := r.message.Type.Method == stun.MethodChannelBind
	for _, a := range r.message.Attributes {
		if a.Type != stun.AttrXORPeerAddress {
			continue
		}
		peer, family, ok := xorAddress(a.Value, r.message.TransactionID)
		switch {
		case !ok:
			return &refuseBad
		case !gate.permits(peer, one, rules):
			answer = &refusePeer
		case family != familyIPv4 && answer == nil:
			answer = &refuseFamily
		}
		if r.peers = append(r.peers, peer); one {
			break
		}
	}
	if len(r.peers) == 0 {
		return &refuseBad
	}
	return answer
}

// xorAddress decodes XOR-PEER-ADDRESS (RFC 8489 section 14.2), to the
// canonical form of the address.
func xorAddress(value []byte, id [stun.TransactionIDSize]byte) (peer netip.AddrPort, family byte, ok bool) {
	if len(value) < 4 {
		return netip.AddrPort{}, 0, false
	}
	mask := append([]byte{0x21, 0x12, 0xa4, 0x42}, id[:]...)
	var ip [16]byte
	raw := value[4:]
	if len(raw) > len(ip) {
		return netip.AddrPort{}, 0, false
	}
	for i := range raw {
		ip[i] = raw[i] ^ mask[i]
	}
	var address netip.Addr
	switch family = value[1]; {
	case family == familyIPv4 && len(raw) == 4:
		address = netip.AddrFrom4([4]byte(ip[:4]))
	case family == familyIPv6 && len(raw) == 16:
		address = netip.AddrFrom16(ip).Unmap()
	default:
		return netip.AddrPort{}, 0, false
	}
	return netip.AddrPortFrom(address, binary.BigEndian.Uint16(value[2:])^0x2112), family, true
}
