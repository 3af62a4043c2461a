package host

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Port is something that must be reachable.
type Port struct {
	Protocol string // tcp or udp
	From, To uint16
}

// Closed says which ports no rule of a ruleset, as nft prints it, seems to let in. It is a
// hint and no proof: it reads the chains that filter input, and those they jump to, for
// rules that accept and name the port or no port at all. A ruleset whose input is not
// dropped by policy, or by a last rule without a condition, closes nothing.
func Closed(ruleset string, ports []Port) []Port {
	chains := parseChains(ruleset)
	var closed []Port
	for _, port := range ports {
		for name, c := range chains {
			if c.input && c.drops && !accepts(chains, name, port, nil) {
				closed = append(closed, port)
				break
			}
		}
	}
	return closed
}

type chain struct {
	input, drops bool
	rules        []string
}

var (
	chainStart = regexp.MustCompile(`^chain (\S+) \{$`)
	tableStart = regexp.MustCompile(`^table (\S+ \S+) \{$`)
	jump       = regexp.MustCompile(`\b(?:jump|goto) (\S+)$`)
	dport      = regexp.MustCompile(`\b(?:(tcp|udp|th) dport) (\{[^}]*\}|\S+)`)
	bareDrop   = regexp.MustCompile(`^(?:counter packets \d+ bytes \d+ )?(?:drop|reject\b.*)$`)
)

func parseChains(ruleset string) map[string]*chain {
	chains := make(map[string]*chain)
	table := ""
	var current *chain
	for line := range strings.Lines(ruleset) {
		line = strings.TrimSpace(line)
		if m := tableStart.FindStringSubmatch(line); m != nil {
			table, current = m[1], nil
			continue
		}
		if m := chainStart.FindStringSubmatch(line); m != nil {
			current = &chain{}
			chains[table+" "+m[1]] = current
			continue
		}
		switch {
		case line == "}":
			current = nil
		case current == nil || line == "":
		case strings.HasPrefix(line, "type filter hook input"):
			current.input = true
			current.drops = strings.Contains(line, "policy drop")
		default:
			current.rules = append(current.rules, line)
		}
	}
	for _, c := range chains {
		if n := len(c.rules); n > 0 && bareDrop.MatchString(c.rules[n-1]) {
			c.drops = true
		}
	}
	return chains
}

func accepts(chains map[string]*chain, name string, port Port, seen []string) bool {
	c := chains[name]
	if c == nil || slices.Contains(seen, name) {
		return false
	}
	table := name[:strings.LastIndexByte(name, ' ')]
	for _, rule := range c.rules {
		if m := jump.FindStringSubmatch(rule); m != nil {
			if matches(rule, port) && accepts(chains, table+" "+m[1], port, append(seen, name)) {
				return true
			}
			continue
		}
		if strings.Contains(rule, "accept") && matches(rule, port) {
			return true
		}
	}
	return false
}

// matches tells whether a rule may match new packets to the whole port range.
func matches(rule string, port Port) bool {
	if strings.Contains(rule, "ct state") && !strings.Contains(rule, "new") || strings.Contains(rule, `iif "lo"`) || strings.Contains(rule, `iifname "lo"`) {
		return false
	}
	for _, other := range []string{"icmp", "ip protocol ", "igmp"} {
		if strings.Contains(rule, other) && !strings.Contains(rule, port.Protocol) {
			return false
		}
	}
	m := dport.FindStringSubmatch(rule)
	if m == nil {
		return true
	}
	if m[1] != "th" && m[1] != port.Protocol {
		return false
	}
	for element := range strings.SplitSeq(strings.Trim(m[2], "{}"), ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(element), "-")
		if !isRange {
			high = low
		}
		from, err := strconv.ParseUint(low, 10, 16)
		to, err2 := strconv.ParseUint(high, 10, 16)
		if err == nil && err2 == nil && uint16(from) <= port.From && port.To <= uint16(to) {
			return true
		}
	}
	return false
}
