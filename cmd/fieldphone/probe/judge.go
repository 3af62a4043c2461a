package probe

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"fieldphone/cmd/fieldphone/checkup"
	"fieldphone/httpapi/firewall"
	"fieldphone/httpapi/pathtest"
	"fieldphone/httpapi/segment"
	"fieldphone/rtc"
)

// judge makes checks of the legs: each that is not well has the hint of the finding that
// explains it, and rules where a firewall is at fault.
func (r *run) judge() {
	r.detail.Findings = append(r.detail.Findings, pathtest.Diagnose(r.detail.Legs, r.site())...)
	told := make([]bool, len(r.detail.Findings))
	for _, s := range r.steps {
		if s.check != nil {
			r.report.Add(*s.check)
			continue
		}
		check := s.plain()
		i := slices.IndexFunc(r.detail.Findings, func(f pathtest.Finding) bool {
			return f.Leg == s.leg.Leg && (f.Target == s.leg.Target || s.leg.Target == "")
		})
		if i >= 0 {
			f := r.detail.Findings[i]
			explain(&check, f)
			if !told[i] {
				told[i] = true
				check.Rules = rules(f)
			}
		} else if check.State != checkup.OK && check.Hint == "" {
			check.Hint = r.otherwise(s.leg)
		}
		r.report.Add(check)
	}
}

// plain is a leg's check, not yet explained.
func (s step) plain() checkup.Check {
	c := checkup.Check{Group: s.group, Name: s.name, State: states[s.leg.State], Text: s.text, Hint: s.hint}
	if s.group == groupRelay {
		c.MS = s.leg.MS
	}
	if len(s.leg.Data) > 0 {
		c.Data = make(map[string]any, len(s.leg.Data))
		for name, n := range s.leg.Data {
			c.Data[name] = n
		}
	}
	return c
}

func explain(check *checkup.Check, f pathtest.Finding) {
	if check.State == checkup.OK { // it only explains
		check.Text += "; " + f.Sentence()
		return
	}
	if f.Level == pathtest.Info && check.State == checkup.Failed {
		check.State = checkup.Warning
	}
	if check.Hint == "" {
		check.Hint = f.Advice()
	}
}

var states = map[rtc.LegState]checkup.State{
	rtc.LegOK: checkup.OK, rtc.LegSlow: checkup.Warning, rtc.LegFailed: checkup.Failed, rtc.LegSkipped: checkup.Skipped,
}

// otherwise is the hint for a leg whose failure the finding of another leg explains.
func (r *run) otherwise(leg rtc.Leg) string {
	for _, f := range r.detail.Findings {
		if title := legTitles[f.Leg]; title != "" && f.Leg != leg.Leg && f.Level != pathtest.Info {
			return "See " + title + ", which has the same cause."
		}
	}
	return "Other ways work; look for a filter on the way that knows TURN."
}

// rules are those of the routers between and of the server, in the form that most Linux
// machines take; the dashboard has all others.
func rules(f pathtest.Finding) []checkup.Rule {
	var out []checkup.Rule
	for _, rule := range f.Rules(firewall.NFTables) {
		out = append(out, checkup.Rule{
			Flavour: string(rule.Flavour), At: string(rule.At), Text: rule.Text,
			Label: map[firewall.At]string{firewall.Router: "On each router between (nftables)", firewall.Server: "On the server, if it filters (nftables)"}[rule.At],
		})
	}
	return out
}

// site is the server as far as this client knows it.
func (r *run) site() pathtest.Site {
	client, server := addressOf(r.detail.Client), addressOf(r.detail.Server)
	site := pathtest.Site{Client: client, Server: server}
	if !server.IsValid() {
		server = r.at.Addr()
	}
	site.Server = server
	site.Addresses = []netip.Addr{server}
	site.Ports = firewall.Ports{HTTPS: r.at.Port(), TURN: r.TURNPort}
	if r.plan != nil {
		site.Ports.HTTP = r.plan.StartPort
		site.Ports.Relay = firewall.PortRange(r.plan.RelayPorts)
		for _, p := range r.plan.Legs {
			if p.Leg == rtc.LegSTUN || p.Leg == rtc.LegTURNUDP || p.Leg == rtc.LegTURNTCP {
				site.Ports.TURN = portIn(p.URL, site.Ports.TURN)
				break
			}
		}
	}
	if client.IsValid() {
		network := networkOf(client)
		site.Segments = []segment.Segment{{
			Name: r.detail.Segment, Clients: []netip.Prefix{network}, ServerAddresses: []netip.Addr{server}, Derived: network.Contains(server),
		}}
	}
	return site
}

func portIn(url string, fallback uint16) uint16 {
	where, _, _ := strings.Cut(url, "?")
	_, where, _ = strings.Cut(where, ":")
	if at, err := netip.ParseAddrPort(where); err == nil {
		return at.Port()
	}
	return fallback
}

// networkOf is the network of this machine that has an address; one behind a NAT is alone.
func networkOf(addr netip.Addr) netip.Prefix {
	alone := netip.PrefixFrom(addr, addr.BitLen())
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return alone
	}
	for _, a := range interfaces {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap() == addr {
			return p.Masked()
		}
	}
	return alone
}
