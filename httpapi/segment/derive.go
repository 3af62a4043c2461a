package segment

import (
	"cmp"
	"net/netip"
	"path"
	"slices"
)

// Interface is a network interface of this host that is up.
type Interface struct {
	Name     string
	Loopback bool
	Prefixes []netip.Prefix // each an address with its network's length
}

// Rules say which addresses of this host are served.
type Rules struct {
	// Addresses are the only ones. Empty: all but those of Skip.
	Addresses []netip.Addr
	// Skip are path.Match patterns of interface names.
	Skip []string
}

// Place is an address of this host that clients can use.
type Place struct {
	Prefix    netip.Prefix // the address with its network's length
	Interface string
}

// Interfaces are named after what makes them, on Linux, macOS and Windows.
var (
	containers = [...]string{
		"docker*", "br-*", "veth*", "virbr*", "cni*", "flannel*", "cali*", "podman*", "lxc*", "lxd*", "vmnet*",
		"vEthernet (WSL*", "vEthernet (Default*", "VMware*", "VirtualBox*",
	}
	tunnels = [...]string{"tun*", "tap*", "wg*", "tailscale*", "zt*", "ppp*", "utun*", "Tailscale*", "ZeroTier*", "WireGuard*"}
)

// SkipByDefault lists the patterns of interfaces that lead to containers,
// virtual machines and VPNs.
func SkipByDefault() []string { return slices.Concat(containers[:], tunnels[:]) }

// Places tells the addresses that are served, best first, from those that are
// not. Loopback is neither, unless it is asked for by address.
func (r Rules) Places(interfaces []Interface) (places []Place, out []LeftOut) {
	for _, iface := range interfaces {
		for _, prefix := range iface.Prefixes {
			prefix = plain(prefix)
			switch reason := r.judge(iface, prefix.Addr()); reason {
			case "":
				places = append(places, Place{prefix, iface.Name})
			case loopback:
			default:
				out = append(out, LeftOut{Interface: iface.Name, Prefix: prefix, Reason: reason})
			}
		}
	}
	slices.SortStableFunc(places, func(a, b Place) int { return cmp.Compare(rank(a.Prefix.Addr()), rank(b.Prefix.Addr())) })
	return places, out
}

const loopback Reason = "loopback"

func (r Rules) judge(iface Interface, addr netip.Addr) Reason {
	listed := slices.Contains(r.Addresses, addr)
	switch {
	case listed:
		return ""
	case iface.Loopback || addr.IsLoopback():
		return loopback
	case !addr.IsGlobalUnicast():
		return LinkLocal
	case len(r.Addresses) > 0:
		return NotListened
	case !matches(r.Skip, iface.Name):
		return ""
	case matches(containers[:], iface.Name):
		return Container
	case matches(tunnels[:], iface.Name):
		return VPN
	}
	return Skipped
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		match, err := path.Match(pattern, name)
		return err == nil && match
	})
}

// rank puts private IPv4 first: it is what people can type and what every
// device has.
func rank(addr netip.Addr) int {
	switch {
	case addr.Is4() && addr.IsPrivate():
		return 0
	case addr.Is4():
		return 1
	case addr.IsPrivate():
		return 2
	}
	return 3
}

// plain is a prefix with its address in canonical form.
func plain(p netip.Prefix) netip.Prefix {
	addr, bits := p.Addr(), p.Bits()
	if addr.Is4In6() && bits >= 96 {
		bits -= 96
	}
	return netip.PrefixFrom(addr.Unmap().WithZone(""), bits)
}

// Build makes the table: what is configured, and a segment for each further
// network that a served address is in. A network that lies within a configured
// segment is not derived: what an admin wrote comes before what was found.
func Build(configured []Segment, interfaces []Interface, rules Rules) *Table {
	places, out := rules.Places(interfaces)
	t := &Table{}
	for _, s := range configured {
		var here []netip.Addr
		for _, a := range s.ServerAddresses {
			if has(places, a) {
				here = append(here, a)
			} else {
				out = append(out, LeftOut{Segment: s.Name, Prefix: netip.PrefixFrom(a, a.BitLen()), Reason: Absent})
			}
		}
		s.ServerAddresses = here
		t.Segments = append(t.Segments, s)
	}
	for _, p := range places {
		t.Addresses = append(t.Addresses, p.Prefix.Addr())
		network := p.Prefix.Masked()
		left := LeftOut{Interface: p.Interface, Prefix: p.Prefix}
		switch i := slices.IndexFunc(configured, func(s Segment) bool { return covers(s, network) }); {
		case i >= 0:
			left.Segment, left.Reason = configured[i].Name, Covered
		case p.Prefix.IsSingleIP():
			left.Reason = Host
		default:
			t.derive(p)
			continue
		}
		out = append(out, left)
	}
	t.LeftOut = out
	return t
}

// derive adds a served address to the segment of its network.
func (t *Table) derive(p Place) {
	network := p.Prefix.Masked()
	for i := range t.Segments {
		if s := &t.Segments[i]; s.Derived && s.Clients[0] == network {
			s.ServerAddresses = append(s.ServerAddresses, p.Prefix.Addr())
			return
		}
	}
	t.Segments = append(t.Segments, Segment{
		Name: p.Interface + " " + network.String(), Clients: []netip.Prefix{network},
		ServerAddresses: []netip.Addr{p.Prefix.Addr()}, Derived: true, Interface: p.Interface,
	})
}

func has(places []Place, addr netip.Addr) bool {
	return slices.ContainsFunc(places, func(p Place) bool { return p.Prefix.Addr() == addr })
}

// covers reports whether a whole network is among a segment's clients.
func covers(s Segment, network netip.Prefix) bool {
	return slices.ContainsFunc(s.Clients, func(c netip.Prefix) bool {
		return c.Bits() <= network.Bits() && c.Contains(network.Addr())
	})
}
