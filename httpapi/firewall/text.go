package firewall

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Flavour is a kind of firewall.
type Flavour string

// The flavours.
const (
	NFTables  Flavour = "nftables"
	IPTables  Flavour = "iptables"
	UFW       Flavour = "ufw"
	Firewalld Flavour = "firewalld"
	OpenWrt   Flavour = "openwrt"
	MikroTik  Flavour = "mikrotik"
	Windows   Flavour = "windows"
)

// Known is a flavour and what people call it.
type Known struct {
	Flavour Flavour
	Label   string
}

// Flavours lists every flavour.
func Flavours() []Known {
	return []Known{
		{NFTables, "nftables"},
		{IPTables, "iptables"},
		{UFW, "ufw"},
		{Firewalld, "firewalld"},
		{OpenWrt, "OpenWrt"},
		{MikroTik, "MikroTik RouterOS"},
		{Windows, "Windows Firewall"},
	}
}

// At is where the firewall stands.
type At string

// The places.
const (
	Router At = "router" // between the clients and the server
	Server At = "server" // on the server's own machine
)

// pick chooses the word for the place.
func (at At) pick(router, server string) string {
	if at == Server {
		return server
	}
	return router
}

// rule is an opening of which every part is checked and of one address family.
type rule struct {
	four     bool
	from     []netip.Prefix
	to       []netip.Addr
	protocol Protocol
	ports    PortRange
	comment  string // letters, digits and harmless marks alone
}

// Text writes the openings as commands to paste into a shell of that firewall,
// with comments. What is invalid in an opening is left out. It is empty for an
// unknown flavour.
func Text(flavour Flavour, openings []Opening, at At) string {
	rules := check(openings)
	switch flavour {
	case NFTables:
		return nftables(rules, at)
	case IPTables:
		return iptables(rules, at)
	case UFW:
		return ufw(rules, at)
	case Firewalld:
		return firewalld(rules, at)
	case OpenWrt:
		return openWrt(rules, at)
	case MikroTik:
		return mikroTik(rules, at)
	case Windows:
		return windows(rules, at)
	}
	return ""
}

func check(openings []Opening) (rules []rule) {
	for _, o := range openings {
		if o.Protocol != TCP && o.Protocol != UDP || o.Ports.Min == 0 || o.Ports.Max < o.Ports.Min {
			continue
		}
		for _, four := range []bool{true, false} {
			r := rule{four, networks(o.From, four), addresses(o.To, four), o.Protocol, o.Ports, o.comment()}
			if len(r.from) > 0 && len(r.to) > 0 {
				rules = append(rules, r)
			}
		}
	}
	return rules
}

func (o Opening) comment() string {
	what := map[Why]string{
		HTTPS: "page, signalling, calls by one port", Start: "start page and certificate",
		TURNUDP: "STUN and TURN over UDP", TURNTCP: "TURN over TCP", Relay: "relayed calls",
	}[o.Why]
	if what == "" {
		what = "access"
	}
	if name := harmless(o.Segment); name != "" {
		return "Fieldphone: " + what + " (" + name + ")"
	}
	return "Fieldphone: " + what
}

// harmless keeps letters and digits of all languages and the marks of network
// names. What else there is could end a quotation or a line in one of the
// flavours: typographic quotes do in PowerShell.
func harmless(name string) string {
	const longest = 64 // bytes; nftables takes 128 in a comment
	var b strings.Builder
	for _, c := range name {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune(" ._/:-", c) || c == utf8.RuneError {
			c = '_'
		}
		if b.Len()+utf8.RuneLen(c) > longest {
			break
		}
		b.WriteRune(c)
	}
	return strings.TrimSpace(b.String())
}

// lines joins texts to a script that ends with a line break.
type lines struct{ strings.Builder }

func (l *lines) add(format string, args ...any) { fmt.Fprintf(l, format+"\n", args...) }

// pairs calls f for each single pair of addresses of a rule.
func (r rule) pairs(f func(from netip.Prefix, to netip.Addr)) {
	for _, from := range r.from {
		for _, to := range r.to {
			f(from, to)
		}
	}
}

func join[T fmt.Stringer](items []T, between string) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = item.String()
	}
	return strings.Join(texts, between)
}

// pick returns a for IPv4 and b for IPv6.
func (r rule) pick(a, b string) string {
	if r.four {
		return a
	}
	return b
}
