package firewall

import "net/netip"

// nftables inserts at the head of the chain: what is accepted there no later
// rule of that chain drops.
func nftables(rules []rule, at At) string {
	chain := at.pick("forward", "input")
	var l lines
	l.add("# Fieldphone, for nftables. The table is \"inet filter\" and the chain \"%s\" here;", chain)
	l.add("# put the names of yours, as nft list ruleset shows them. To keep the rules after a")
	l.add("# restart, put them into /etc/nftables.conf.")
	l.add(`nft insert rule inet filter %s 'ct state established,related accept comment "Fieldphone: answers"'`, chain)
	for _, r := range rules {
		family := r.pick("ip", "ip6")
		l.add(`nft insert rule inet filter %s '%s saddr { %s } %s daddr { %s } %s dport %s accept comment "%s"'`,
			chain, family, join(r.from, ", "), family, join(r.to, ", "), r.protocol, r.ports, r.comment)
	}
	return l.String()
}

func iptables(rules []rule, at At) string {
	chain := at.pick("FORWARD", "INPUT")
	var l lines
	l.add("# Fieldphone, for iptables. To keep the rules after a restart: netfilter-persistent save")
	answers := map[string]bool{}
	for _, r := range rules {
		command := r.pick("iptables", "ip6tables")
		if !answers[command] {
			answers[command] = true
			l.add(`%s -I %s -m conntrack --ctstate ESTABLISHED,RELATED -m comment --comment "Fieldphone: answers" -j ACCEPT`, command, chain)
		}
		l.add(`%s -I %s -s %s -d %s -p %s --dport %s -m comment --comment "%s" -j ACCEPT`,
			command, chain, join(r.from, ","), join(r.to, ","), r.protocol, r.ports.join(":"), r.comment)
	}
	return l.String()
}

// ufw lets answers through by itself.
func ufw(rules []rule, at At) string {
	command := at.pick("ufw route prepend allow", "ufw prepend allow")
	var l lines
	l.add("# Fieldphone, for ufw 0.36 or later")
	for _, r := range rules {
		r.pairs(func(from netip.Prefix, to netip.Addr) {
			l.add("%s proto %s from %s to %s port %s comment '%s'", command, r.protocol, from, to, r.ports.join(":"), r.comment)
		})
	}
	return l.String()
}

// firewalld gets a policy of its own, so that no zone has to be guessed. It
// lets answers through by itself.
func firewalld(rules []rule, at At) string {
	policy, egress := "fieldphone-router", "ANY"
	if at == Server {
		policy, egress = "fieldphone-server", "HOST"
	}
	var l lines
	l.add("# Fieldphone, for firewalld 0.9 or later. NAME_CONFLICT and ALREADY_ENABLED are no errors here.")
	l.add("firewall-cmd --permanent --new-policy=%s", policy)
	l.add("firewall-cmd --permanent --policy=%s --add-ingress-zone=ANY", policy)
	l.add("firewall-cmd --permanent --policy=%s --add-egress-zone=%s", policy, egress)
	for _, r := range rules {
		l.add("# %s", r.comment)
		r.pairs(func(from netip.Prefix, to netip.Addr) {
			l.add(`firewall-cmd --permanent --policy=%s --add-rich-rule='rule family="%s" source address="%s" destination address="%s" port port="%s" protocol="%s" accept'`,
				policy, r.pick("ipv4", "ipv6"), from, to, r.ports, r.protocol)
		})
	}
	l.add("firewall-cmd --reload")
	return l.String()
}
