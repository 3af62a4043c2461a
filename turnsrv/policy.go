package turnsrv

import (
	"net/netip"
	"slices"
)

// verdict is what can be said of a peer's address without knowing who asks.
type verdict int

const (
	refused verdict = iota
	permitted
	// perhaps depends on whether the address belongs to somebody known.
	perhaps
)

// judge expects an address that is not the server's own, in canonical form.
func (p Policy) judge(address netip.Addr) verdict {
	contains := func(prefix netip.Prefix) bool { return prefix.Contains(address) }
	switch {
	case slices.ContainsFunc(p.Deny, contains):
		return refused
	case p.Mode == ModeAny, slices.ContainsFunc(p.Allow, contains):
		return permitted
	case p.Mode.byIdentity():
		return perhaps
	}
	return refused
}

// reserved tells the addresses that are no peers under any policy: loopback,
// and what is no single host, namely unspecified (all of 0.0.0.0/8),
// link-local, multicast, broadcast and 240.0.0.0/4 (RFC 6890).
func (p Policy) reserved(address netip.Addr) bool {
	if address.Is4() {
		first := address.As4()[0]
		if first == 0 || first >= 240 {
			return true
		}
	}
	return !address.IsValid() || address.IsUnspecified() || address.IsLinkLocalUnicast() || address.IsMulticast() ||
		address.IsLoopback() && !p.AllowLoopback
}

// embedded returns the IPv4 address that an IPv6 one leads to: IPv4-compatible
// (RFC 4291 section 2.5.5.1), NAT64 (RFC 6052) or 6to4 (RFC 3056). The mapped
// form needs no case: Unmap has resolved it.
func embedded(address netip.Addr) (netip.Addr, bool) {
	if !address.Is6() || address.IsLoopback() {
		return netip.Addr{}, false
	}
	b := address.As16()
	switch {
	case [12]byte(b[:12]) == [12]byte{}, [12]byte(b[:12]) == [12]byte{0x00, 0x64, 0xff, 0x9b}:
		return netip.AddrFrom4([4]byte(b[12:])), true
	case b[0] == 0x20 && b[1] == 0x02:
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}
