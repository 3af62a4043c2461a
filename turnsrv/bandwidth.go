package turnsrv

import "time"

// trafficBurst is how much of a bandwidth may come at once: a key frame.
const trafficBurst = 500 * time.Millisecond

// pass reports whether a packet may go on, by the allocation's own limit and
// by that of all. A call beyond its limit loses packets, as on a slow link, so
// that its ends send less.
func (s *Server) pass(own, all *flowCounters, bytes int) bool {
	limits := s.limits()
	if limits.BitsPerAllocation <= 0 && limits.Bits <= 0 {
		return true
	}
	now := time.Since(s.began)
	if own.pacer.passes(bytes, limits.BitsPerAllocation, now) {
		if all.pacer.passes(bytes, limits.Bits, now) {
			return true
		}
		own.pacer.refund(bytes, limits.BitsPerAllocation)
	}
	own.dropped.Add(1)
	all.dropped.Add(1)
	return false
}

// limited tells whether there is any limit of bandwidth.
func (s *Server) limited() bool {
	limits := s.limits()
	return limits.BitsPerAllocation > 0 || limits.Bits > 0
}

// passes takes so many bytes at so many bits per second; 0 is no limit.
func (p *pacer) passes(bytes int, bits int64, now time.Duration) bool {
	return bits <= 0 || p.allow(now, timeToSend(bytes, bits), max(trafficBurst, timeToSend(bytes, bits)))
}

func (p *pacer) refund(bytes int, bits int64) {
	if bits > 0 {
		p.full.Add(-int64(timeToSend(bytes, bits)))
	}
}

func timeToSend(bytes int, bits int64) time.Duration {
	return time.Duration(float64(bytes) * 8 * float64(time.Second) / float64(bits))
}
