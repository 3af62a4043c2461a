package firewall

import (
	"net/netip"
	"strings"
)

// openWrt names any zone, so that no zone has to be guessed; answers pass by
// the defaults.
func openWrt(rules []rule, at At) string {
	var l lines
	l.add("# Fieldphone, for OpenWrt. A rule of yours that comes earlier and drops still wins:")
	l.add("# move these up with uci reorder firewall.@rule[-1]=0 then.")
	set := func(key, value string) { l.add("uci set firewall.@rule[-1].%s='%s'", key, value) }
	for _, r := range rules {
		l.add("uci add firewall rule")
		set("name", r.comment)
		set("family", r.pick("ipv4", "ipv6"))
		set("src", "*")
		if at == Router {
			set("dest", "*")
		}
		for _, from := range r.from {
			l.add("uci add_list firewall.@rule[-1].src_ip='%s'", from)
		}
		for _, to := range r.to {
			l.add("uci add_list firewall.@rule[-1].dest_ip='%s'", to)
		}
		set("proto", string(r.protocol))
		set("dest_port", r.ports.String())
		set("target", "ACCEPT")
	}
	l.add("uci commit firewall")
	l.add("/etc/init.d/firewall restart")
	return l.String()
}

func mikroTik(rules []rule, at At) string {
	chain := at.pick("forward", "input")
	var l lines
	l.add("# Fieldphone, for MikroTik RouterOS. Leave place-before=0 out where there is no rule yet.")
	answers := map[string]bool{}
	for _, r := range rules {
		menu := r.pick("/ip", "/ipv6")
		if !answers[menu] {
			answers[menu] = true
			l.add(`%s firewall filter add chain=%s action=accept connection-state=established,related comment="Fieldphone: answers" place-before=0`, menu, chain)
		}
		r.pairs(func(from netip.Prefix, to netip.Addr) {
			l.add(`%s firewall filter add chain=%s action=accept src-address=%s dst-address=%s protocol=%s dst-port=%s comment="%s" place-before=0`,
				menu, chain, from, to, r.protocol, r.ports, r.comment)
		})
	}
	return l.String()
}

// windows is for PowerShell. Its firewall filters what comes to the machine
// itself, not what it routes.
func windows(rules []rule, at At) string {
	var l lines
	if at == Router {
		l.add("# Windows Firewall does not filter what Windows routes: nothing is to be opened there.")
		return l.String()
	}
	l.add("# Fieldphone, for Windows: paste into PowerShell as administrator. To take it back:")
	l.add("# Remove-NetFirewallRule -Group Fieldphone")
	for _, r := range rules {
		l.add("New-NetFirewallRule -Group Fieldphone -DisplayName '%s' -Direction Inbound -Action Allow -Profile Any -Protocol %s -LocalPort %s -RemoteAddress %s -LocalAddress %s",
			r.comment, strings.ToUpper(string(r.protocol)), r.ports, join(r.from, ","), join(r.to, ","))
	}
	return l.String()
}
