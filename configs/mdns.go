package configs

import "strings"

// MDNS is about the name that the server has without a DNS server (RFC 6762).
type MDNS struct {
	// Name is one DNS label; the server answers to it with .local added. Empty: none.
	Name string `yaml:"name"`
}

// FQDN returns the whole name, empty if mDNS is switched off.
func (m MDNS) FQDN() string {
	if m.Name == "" {
		return ""
	}
	return strings.ToLower(m.Name) + ".local"
}

func (m MDNS) check(ps *Problems) {
	if m.Name != "" && (strings.Contains(m.Name, ".") || !isDNSName(m.Name)) {
		ps.add("mdns.name", m.Name, "it is not one word of letters, digits and hyphens", "write it without .local, like fieldphone, or leave it empty for no name")
	}
}
