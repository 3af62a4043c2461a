package lanca

import (
	"crypto/x509"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// subjects are what a leaf covers: sorted, each once.
type subjects struct {
	addrs []netip.Addr
	names []string
}

func (s subjects) equal(other subjects) bool {
	return slices.Equal(s.addrs, other.addrs) && slices.Equal(s.names, other.names)
}

// covers tells whether s has all that other has.
func (s subjects) covers(other subjects) bool {
	lacks := func(a netip.Addr) bool { return !slices.Contains(s.addrs, a) }
	lacksName := func(n string) bool { return !slices.Contains(s.names, n) }
	return !slices.ContainsFunc(other.addrs, lacks) && !slices.ContainsFunc(other.names, lacksName)
}

func (s subjects) netIPs() []net.IP {
	var ips []net.IP
	for _, a := range s.addrs {
		ips = append(ips, a.AsSlice())
	}
	return ips
}

func (s subjects) texts() []string {
	texts := slices.Clone(s.names)
	for _, a := range s.addrs {
		texts = append(texts, a.String())
	}
	return texts
}

func (s *subjects) sort() {
	slices.SortFunc(s.addrs, netip.Addr.Compare)
	s.addrs = slices.Compact(s.addrs)
	slices.Sort(s.names)
	s.names = slices.Compact(s.names)
}

// sanOf returns what cert covers.
func sanOf(cert *x509.Certificate) subjects {
	s := subjects{names: slices.Clone(cert.DNSNames)}
	for _, ip := range cert.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok {
			s.addrs = append(s.addrs, a.Unmap())
		}
	}
	s.sort()
	return s
}

// constrain lets a CA vouch only for what cannot exist on the internet: names that no
// public registry gives out (RFC 6762, RFC 8375, RFC 6761, and ICANN's reserved
// internal), and addresses that are not routed there (RFC 1918, RFC 6598, RFC 3927,
// RFC 4193, RFC 4291).
func constrain(ca *x509.Certificate, hostName string) {
	ca.PermittedDNSDomainsCritical = true
	ca.PermittedDNSDomains = []string{"local", "lan", "home.arpa", "internal", "localhost"}
	host, ok := cleanName(hostName)
	if ok && !strings.Contains(host, ".") && !slices.Contains(ca.PermittedDNSDomains, host) {
		ca.PermittedDNSDomains = append(ca.PermittedDNSDomains, host)
	}
	for _, cidr := range []string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
		"fc00::/7", "fe80::/10", "::1/128",
	} {
		prefix := netip.MustParsePrefix(cidr)
		ca.PermittedIPRanges = append(ca.PermittedIPRanges, &net.IPNet{
			IP:   prefix.Addr().AsSlice(),
			Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen()),
		})
	}
}

func isConstrained(ca *x509.Certificate) bool {
	return len(ca.PermittedDNSDomains) > 0 || len(ca.PermittedIPRanges) > 0
}

// filterSAN divides addrs and names, together with localhost and its addresses, into what
// all of cas may vouch for and the rest. Names that are IP addresses count as addresses.
func filterSAN(cas []*x509.Certificate, addrs []netip.Addr, names []string) (san subjects, refused []string) {
	all := func(permits func(*x509.Certificate) bool) bool {
		return !slices.ContainsFunc(cas, func(ca *x509.Certificate) bool { return !permits(ca) })
	}
	addrs = append(slices.Clone(addrs), netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback())
	for _, name := range append(slices.Clone(names), "localhost") {
		if a, err := netip.ParseAddr(name); err == nil {
			addrs = append(addrs, a)
		} else if clean, ok := cleanName(name); ok && all(func(ca *x509.Certificate) bool { return permitsName(ca, clean) }) {
			san.names = append(san.names, clean)
		} else {
			refused = append(refused, name)
		}
	}
	for _, a := range addrs {
		a = a.Unmap().WithZone("")
		if a.IsValid() && all(func(ca *x509.Certificate) bool { return permitsAddr(ca, a) }) {
			san.addrs = append(san.addrs, a)
		} else {
			refused = append(refused, a.String())
		}
	}
	san.sort()
	slices.Sort(refused)
	return san, slices.Compact(refused)
}

// permitsName follows RFC 5280 section 4.2.1.10: names are bound only by constraints on
// names, and what is excluded stays so.
func permitsName(ca *x509.Certificate, name string) bool {
	within := func(domain string) bool {
		domain = strings.ToLower(domain)
		if suffix, below := strings.CutPrefix(domain, "."); below {
			return strings.HasSuffix(name, "."+suffix)
		}
		return name == domain || strings.HasSuffix(name, "."+domain)
	}
	return !slices.ContainsFunc(ca.ExcludedDNSDomains, within) &&
		(len(ca.PermittedDNSDomains) == 0 || slices.ContainsFunc(ca.PermittedDNSDomains, within))
}

func permitsAddr(ca *x509.Certificate, addr netip.Addr) bool {
	within := func(n *net.IPNet) bool {
		ones, _ := n.Mask.Size()
		base, ok := netip.AddrFromSlice(n.IP)
		return ok && netip.PrefixFrom(base.Unmap(), ones).Contains(addr)
	}
	return !slices.ContainsFunc(ca.ExcludedIPRanges, within) &&
		(len(ca.PermittedIPRanges) == 0 || slices.ContainsFunc(ca.PermittedIPRanges, within))
}

// cleanName lower-cases a DNS name and drops its final dot. ok is false if it is none in
// the letters-digits-hyphens form (RFC 1123 section 2.1).
func cleanName(name string) (clean string, ok bool) {
	const longest = 253
	clean = strings.ToLower(strings.TrimSuffix(name, "."))
	label := `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`
	return clean, len(clean) <= longest && regexp.MustCompile(`^`+label+`(\.`+label+`)*$`).MatchString(clean)
}
