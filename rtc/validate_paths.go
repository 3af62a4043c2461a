package rtc

import (
	"net/netip"
	"slices"
	"strings"
)

// Limits on reports and results of path tests.
const (
	MaxLegs      = 48      // legs of one result
	MaxTarget    = 128     // bytes of a leg's target
	MaxLegData   = 16      // numbers of one leg
	MaxBlocked   = 256     // ports of one leg
	MaxMillis    = 600_000 // longest time that anything may have taken
	MaxKbps      = 1e8     // fastest rate that is believed
	maxLegDataID = 32      // bytes of a number's name
)

func checkNumber(field string, n, limit float64) *Error {
	if n < 0 || n > limit {
		return badData(field, "is out of range")
	}
	return nil
}

func checkOneOf[S ~string](field string, got S, choices ...S) *Error {
	if !slices.Contains(choices, got) {
		return badData(field, "is not one of the protocol's words")
	}
	return nil
}

func checkAddrPort(field, s string) *Error {
	if s == "" {
		return nil
	}
	if addr, err := netip.ParseAddrPort(s); err != nil || addr.Addr().Zone() != "" {
		return badData(field, "must be an IP address and port")
	}
	return nil
}

func checkPath(p Path) []*Error {
	candidates := []Candidate{Host, ServerReflexive, PeerReflexive, Relayed}
	return []*Error{
		checkOneOf("path.local", p.Local, candidates...),
		checkOneOf("path.remote", p.Remote, candidates...),
		checkOneOf("path.protocol", p.Protocol, "udp", "tcp"),
		checkOneOf("path.relay_protocol", p.RelayProtocol, "", "udp", "tcp", "tls"),
		checkAddrPort("path.relay", p.Relay),
		checkAddrPort("path.remote_relay", p.RemoteRelay),
	}
}

// Validate implements Message.
func (m *CallReport) Validate() error {
	errs := append([]*Error{checkName("call", m.Call), checkGen(m.Gen)}, checkPath(m.Path)...)
	return firstError(append(errs,
		checkNumber("setup_ms", float64(m.SetupMS), MaxMillis),
		checkNumber("rtt_ms", m.RTTMS, MaxMillis),
		checkNumber("loss", m.Loss, 1),
		checkNumber("up_kbps", m.UpKbps, MaxKbps),
		checkNumber("down_kbps", m.DownKbps, MaxKbps),
	)...)
}

// Validate implements Message. Only the server sends this.
func (*PathRun) Validate() error { return nil }

// Validate implements Message.
func (m *PathSignal) Validate() error {
	return firstError(checkName("test", m.Test), checkPayload(m.Payload))
}

// Validate implements Message.
func (m *PathResult) Validate() error {
	var errs []*Error
	if m.Test != "" {
		errs = append(errs, checkName("test", m.Test))
	}
	if len(m.Legs) == 0 || len(m.Legs) > MaxLegs {
		return firstError(append(errs, badData("legs", "must be 1 to 48"))...)
	}
	for _, leg := range m.Legs {
		errs = append(errs, checkLeg(leg)...)
	}
	return firstError(errs...)
}

func checkLeg(l Leg) []*Error {
	errs := []*Error{
		checkOneOf("leg", l.Leg, LegClock, LegTLS, LegSignalling, LegSTUN, LegTURNUDP, LegTURNTCP,
			LegTURNTLS, LegTURNHTTPS, LegThroughput, LegPorts, LegNAT, LegPairDirect,
			LegPairRelayUDP, LegPairRelayTCP, LegPairRelayTLS, LegPairRelayHTTPS),
		checkOneOf("state", l.State, LegOK, LegSlow, LegFailed, LegSkipped),
		checkOneOf("code", l.Code, "", LegTimeout, LegRefused, LegUnauthorized, LegUntrusted,
			LegNameUnresolved, LegClockOff, LegFallback, LegLossy, LegTooSlow, LegNoCandidate,
			LegPeerGone, LegBlockedPorts, LegUnsupported, LegInternal),
		checkNumber("ms", l.MS, MaxMillis),
		checkTarget(l.Target),
	}
	if len(l.Data) > MaxLegData {
		errs = append(errs, badData("data", "must be at most 16 numbers"))
	}
	for name := range l.Data {
		if name == "" || len(name) > maxLegDataID || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			errs = append(errs, badData("data", "must have names of 1 to 32 of a-z 0-9 _"))
		}
	}
	if len(l.Blocked) > MaxBlocked {
		errs = append(errs, badData("blocked", "must be at most 256 ports"))
	}
	for _, port := range l.Blocked {
		if port < 1 || port > 65535 {
			errs = append(errs, badData("blocked", "must be ports"))
		}
	}
	return errs
}

// checkTarget keeps to what addresses, names and URLs of this site look like,
// because admins read it in tables and paste it.
func checkTarget(s string) *Error {
	printable := func(r rune) bool { return r > ' ' && r < 0x7f && r != '<' && r != '>' && r != '"' && r != '`' }
	if len(s) > MaxTarget || strings.ContainsFunc(s, func(r rune) bool { return !printable(r) }) {
		return badData("target", "must be at most 128 printable characters")
	}
	return nil
}
