package turnsrv

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/pion/stun/v3"
)

// refusal is an error response. The reason is for whoever reads a trace.
type refusal struct {
	code   stun.ErrorCode
	reason string
}

var (
	refuseUnsigned = refusal{stun.CodeUnauthorized, "Unauthenticated"}
	// All that is wrong with a credential looks the same to its sender.
	refuseCredential  = refuseUnsigned
	refuseStale       = refusal{stun.CodeStaleNonce, "Stale Nonce"}
	refuseIncomplete  = refusal{stun.CodeBadRequest, "Bad Request"}
	refuseBad         = refusal{stun.CodeBadRequest, "Bad Request: an attribute is missing, malformed or does not fit the others"}
	refuseUnknown     = refusal{stun.CodeUnknownAttribute, "Unknown Attribute"}
	refuseMismatch    = refusal{stun.CodeAllocMismatch, "Allocation Mismatch: there is no allocation here; allocate again"}
	refuseExists      = refusal{stun.CodeAllocMismatch, "Allocation Mismatch: there is an allocation here already"}
	refuseUser        = refusal{stun.CodeWrongCredentials, "Wrong Credentials: the allocation belongs to another user"}
	refusePeer        = refusal{stun.CodeForbidden, "Forbidden: this server does not relay to that peer"}
	refuseFamily      = refusal{stun.CodePeerAddrFamilyMismatch, "Peer Address Family Mismatch: only IPv4 peers are relayed"}
	refuseIPv6        = refusal{stun.CodeAddrFamilyNotSupported, "Address Family not Supported: only IPv4 is relayed"}
	refuseTransport   = refusal{stun.CodeUnsupportedTransProto, "Unsupported Transport Protocol: only UDP is relayed"}
	refuseReservation = refusal{stun.CodeInsufficientCapacity, "Insufficient Capacity: reservations are not kept"}
	refuseRoom        = refusal{stun.CodeInsufficientCapacity, "Insufficient Capacity: too many peers in one allocation"}
	refuseQuota       = refusal{stun.CodeAllocQuotaReached, "Allocation Quota Reached: this session has too many allocations"}
	refuseRate        = refusal{stun.CodeAllocQuotaReached, "Allocation Quota Reached: too many allocations a second from this address"}
	refuseTotal       = refusal{stun.CodeInsufficientCapacity, "Insufficient Capacity: the server has as many allocations as it may have"}
	refusePorts       = refusal{stun.CodeInsufficientCapacity, "Insufficient Capacity: no relay port is free"}
	refuseChannel     = refusal{stun.CodeBadRequest, "Bad Request: the channel or the peer is bound otherwise"}
)

// errorCodes are all that this server may answer, in ascending order.
var errorCodes = [...]stun.ErrorCode{400, 401, 403, 420, 437, 438, 440, 441, 442, 443, 486, 508}

// errorCounters counts the error responses by code.
type errorCounters [len(errorCodes)]atomic.Int64

func (c *errorCounters) count(code stun.ErrorCode) {
	for i := range errorCodes {
		if errorCodes[i] == code {
			c[i].Add(1)
		}
	}
}

func (c *errorCounters) snapshot() map[int]int64 {
	counts := make(map[int]int64, len(c))
	for i := range c {
		counts[int(errorCodes[i])] = c[i].Load()
	}
	return counts
}

// refuse sends an error response.
func (e *endpoint) refuse(r *request, answer *refusal) { e.reply(r, e.server.refusal(r, answer)) }

// refusal is an error response, counted. One to an authenticated request gets
// signed; 401 and 438 never are, and bring what the client needs to try again
// (RFC 8489 section 9.2.4).
func (s *Server) refusal(r *request, answer *refusal) []stun.Setter {
	s.counters.errors.count(answer.code)
	switch answer {
	case &refusePeer, &refuseFamily:
		s.counters.peersRefused.Add(1)
	case &refuseTransport, &refuseIPv6, &refuseReservation:
		s.counters.transport.Add(1)
	}
	response := []stun.Setter{
		stun.NewTransactionIDSetter(r.message.TransactionID),
		stun.NewType(r.message.Type.Method, stun.ClassErrorResponse),
		stun.ErrorCodeAttribute{Code: answer.code, Reason: []byte(answer.reason)},
	}
	switch answer.code {
	case stun.CodeUnauthorized, stun.CodeStaleNonce:
		response = append(response, stun.NewRealm(s.config.Realm), stun.NewNonce(s.nonces.issue(r.client.Addr())))
		r.key = nil
	case stun.CodeUnknownAttribute:
		response = append(response, unknownAttributes(r.unknown))
	}
	return response
}

// reply sends a response.
func (e *endpoint) reply(r *request, response []stun.Setter) {
	if r.complete(&e.response, response) {
		e.transmit(e.response.Raw, r)
	}
}

// complete writes a response the way that the request asked for.
func (r *request) complete(out *stun.Message, response []stun.Setter) bool {
	if r.key != nil {
		response = append(response, r.key)
	}
	if r.fingerprint {
		response = append(response, stun.Fingerprint)
	}
	return out.Build(response...) == nil // only an oversized attribute fails, and none comes from outside
}

func (e *endpoint) transmit(p []byte, r *request) {
	err := e.socket.write(p, r.client)
	e.socket.traffic().out(len(p), err)
}

// unknownAttributes is the UNKNOWN-ATTRIBUTES attribute (RFC 8489 section
// 14.9): 16 bits a type, which the library writes as 32.
type unknownAttributes []stun.AttrType

// AddTo is part of stun.Setter.
func (u unknownAttributes) AddTo(m *stun.Message) error {
	value := make([]byte, 0, 2*len(u))
	for _, t := range u {
		value = binary.BigEndian.AppendUint16(value, uint16(t))
	}
	m.Add(stun.AttrUnknownAttributes, value)
	return nil
}
