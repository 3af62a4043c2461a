package turnsrv

import (
	"encoding/binary"
	"sync/atomic"
	"time"
)

// Types of STUN messages (RFC 8489 section 5).
const (
	notBinding     = 0
	bindingRequest = 0x0001
	bindingSuccess = 0x0101
)

// bindingType tells the type of a STUN Binding message, or notBinding for
// everything else: it must be whole, with the magic cookie, attributes that
// fit, and of a size that requests may have (RFC 8489 section 6.1).
func bindingType(p []byte) uint16 {
	const header, largest, cookie, class = 20, 548, 0x2112a442, 0x0110
	if len(p) < header || len(p) > largest || len(p)%4 != 0 {
		return notBinding
	}
	t := binary.BigEndian.Uint16(p)
	if t&^class != bindingRequest || binary.BigEndian.Uint32(p[4:]) != cookie || int(binary.BigEndian.Uint16(p[2:])) != len(p)-header {
		return notBinding
	}
	for rest := p[header:]; len(rest) > 0; {
		size := 4 + (int(binary.BigEndian.Uint16(rest[2:]))+3)&^3
		if size > len(rest) {
			return notBinding
		}
		rest = rest[size:]
	}
	return t
}

// stunPace bounds what is sent to peers that have not answered: more than ICE
// needs for many candidates (RFC 8445 section 14), too little to hurt.
type stunPace struct{ due atomic.Int64 }

const (
	stunInterval = 10 * time.Millisecond
	stunBurst    = 200
)

func (s *stunPace) allow(now time.Time) bool {
	for {
		due := s.due.Load()
		start := max(due, now.UnixNano())
		if start-now.UnixNano() > int64(stunBurst*stunInterval) {
			return false
		}
		if s.due.CompareAndSwap(due, start+int64(stunInterval)) {
			return true
		}
	}
}
