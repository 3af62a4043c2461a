package hub

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"fieldphone/rtc"

	"github.com/tidwall/gjson"
)

// Limits on what is read of one payload. A browser gathers fewer.
const (
	maxCandidates    = 64
	maxCandidateLine = 512
)

// candidates reads the addresses that a signal tells the other end to send to:
// those of candidate lines and of session descriptions (RFC 8839, section
// 5.1). Names (.local), zones and what cannot be a peer are passed over; what
// cannot be read is the other end's business.
func candidates(msg rtc.Message) []netip.AddrPort {
	var raw json.RawMessage
	switch m := msg.(type) {
	case *rtc.CallSignal:
		raw = m.Payload
	case *rtc.PathSignal:
		raw = m.Payload
	case *rtc.FileSignal:
		raw = m.Payload
	default:
		return nil
	}
	var found []netip.AddrPort
	add := func(line string) {
		if addr, ok := parseCandidate(line); ok && len(found) < maxCandidates && !slices.Contains(found, addr) {
			found = append(found, addr)
		}
	}
	add(gjson.GetBytes(raw, "candidate.candidate").String())
	for line := range strings.Lines(gjson.GetBytes(raw, "description.sdp").String()) {
		if attribute, ok := strings.CutPrefix(line, "a="); ok {
			add(attribute)
		}
	}
	return found
}

// parseCandidate reads "candidate:foundation component transport priority
// address port typ type ...".
func parseCandidate(line string) (addr netip.AddrPort, ok bool) {
	rest, ok := strings.CutPrefix(line, "candidate:")
	if !ok || len(line) > maxCandidateLine {
		return netip.AddrPort{}, false
	}
	fields := strings.Fields(rest)
	if len(fields) < 8 || fields[6] != "typ" {
		return netip.AddrPort{}, false
	}
	ip, err := netip.ParseAddr(fields[4])
	if err != nil || ip.Zone() != "" {
		return netip.AddrPort{}, false
	}
	port, err := strconv.ParseUint(fields[5], 10, 16)
	if ip = ip.Unmap(); err != nil || port == 0 || ip.IsUnspecified() || ip.IsMulticast() {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(ip, uint16(port)), true
}
