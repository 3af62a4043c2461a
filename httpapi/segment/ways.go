package segment

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Visit is how a client came to this server.
type Visit struct {
	Client, Server netip.Addr // the ends of its connection
	// Host is the authority that the client asked for (RFC 9110 section 7.2):
	// an address or a name, with or without a port. Empty if it named none.
	Host string
}

// Relay is where this server's STUN and TURN listen.
type Relay struct {
	Port      uint16 // UDP and TCP
	HTTPSPort uint16
	OnHTTPS   bool // the HTTPS port speaks TURN as well
	// Near returns the relay's address for a client that reached this server by
	// an address; false if there is none.
	Near func(reached netip.Addr) (netip.Addr, bool)
}

// Way is one way to the relay, as an RTCPeerConnection takes it.
type Way struct {
	Transport Transport
	URL       string
	// Listed ways are those of an ICE list. The others are for tests: each one
	// that a browser gets costs it a relay port for each of its own addresses.
	Listed bool
}

// Plan is how one client reaches the relay.
type Plan struct {
	Segment string // empty if the client is in none
	STUN    []string
	Ways    []Way // in the order of preference
}

// mostListed bounds the addresses of a segment that an ICE list names.
const mostListed = 2

// Plan finds the ways of one client. They lead to the addresses that its
// segment names, else to the very address that it came by: only addresses that
// work from there, since each other one costs a browser seconds.
//
// Addresses are literals, because a site's DNS may be dead; over TLS it is the
// name, if the client came by one, because Firefox takes no address there. Of
// TCP the HTTPS port alone is listed, since the client has just shown that it
// can reach it; the TURN port joins where the admin names it.
func (t *Table) Plan(v Visit, r Relay) Plan {
	s, _ := t.Find(v.Client)
	p := Plan{Segment: s.Name}
	near, ok := r.Near(v.Server)
	told := s.told(near, ok, r.Port)
	for i, at := range told {
		text := at.String()
		if s.Allows(UDP) {
			if i < mostListed {
				p.STUN = append(p.STUN, "stun:"+text)
			}
			p.add(UDP, "turn:"+text+"?transport=udp", i < mostListed)
		}
	}
	onHTTPS := r.OnHTTPS && len(told) > 0
	for i, at := range told {
		if s.Allows(TCP) {
			insteadOfHTTPS := !onHTTPS || !s.Allows(HTTPS) || slices.Contains(s.Transports, TCP)
			p.add(TCP, "turn:"+at.String()+"?transport=tcp", i == 0 && insteadOfHTTPS)
		}
	}
	if !onHTTPS {
		return p
	}
	addr, name, port := came(v, near, told[0].Addr(), r.HTTPSPort)
	literal := netip.AddrPortFrom(addr, port).String()
	if s.Allows(HTTPS) {
		p.add(HTTPS, "turn:"+literal+"?transport=tcp", true)
	}
	if s.Allows(TLS) {
		if name != "" {
			p.add(TLS, "turns:"+name+":"+strconv.Itoa(int(port))+"?transport=tcp", true)
		}
		p.add(TLS, "turns:"+literal+"?transport=tcp", name == "")
	}
	return p
}

func (p *Plan) add(t Transport, url string, listed bool) {
	p.Ways = append(p.Ways, Way{t, url, listed})
}

// told are the addresses of STUN and TURN for the clients of a segment.
func (s Segment) told(near netip.Addr, ok bool, port uint16) []netip.AddrPort {
	if len(s.TURNAddresses) > 0 {
		told := slices.Clone(s.TURNAddresses)
		for i, at := range told {
			if at.Port() == 0 {
				told[i] = netip.AddrPortFrom(at.Addr(), port)
			}
		}
		return told
	}
	if !s.Derived && len(s.ServerAddresses) > 0 && !slices.Contains(s.ServerAddresses, near) {
		near, ok = s.ServerAddresses[0], true
	}
	if !ok {
		return nil
	}
	return []netip.AddrPort{netip.AddrPortFrom(near, port)}
}

// came is how the client reached the HTTPS port: the address and port that it
// asked for, which also hold behind a router that forwards them, and the name,
// if it is one that others than this machine know. Loopback stands for the
// relay's address, unless the relay is there.
func came(v Visit, near, fallback netip.Addr, ours uint16) (addr netip.Addr, name string, port uint16) {
	host, digits := v.Host, ""
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host, digits = host[:i], host[i+1:]
	}
	port = 443
	if digits != "" {
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || n == 0 {
			return fallback, "", ours
		}
		port = uint16(n)
	}
	literal, err := netip.ParseAddr(strings.Trim(host, "[]"))
	switch {
	case err == nil && literal.Zone() == "" && (!literal.IsLoopback() || literal == near):
		return literal.Unmap(), "", port
	case err == nil || v.Client.IsLoopback():
		return fallback, "", port
	case isName(host):
		return fallback, host, port
	}
	return fallback, "", ours
}

// isName keeps out what is no DNS name (RFC 1123 section 2.1).
func isName(host string) bool {
	const longest = 253
	if host == "" || len(host) > longest {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
		for _, c := range []byte(label) {
			if c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
		}
	}
	return true
}
