package host_test

import (
	"testing"

	"fieldphone/cmd/fieldphone/host"

	"github.com/google/go-cmp/cmp"
)

// Ensure the hint names what a filter leaves out, and nothing where it lets all in.
func TestClosed(t *testing.T) {
	https, relay := host.Port{Protocol: "tcp", From: 8443, To: 8443}, host.Port{Protocol: "udp", From: 49160, To: 49359}
	stun := host.Port{Protocol: "udp", From: 3478, To: 3478}
	const begin = "table inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy "
	const ours = "\t\ttcp dport { 80, 8443 } accept\n\t\tudp dport { 3478, 49000-50000 } accept\n"
	const end = "\t}\n}\n"
	for name, tt := range map[string]struct {
		ruleset string
		want    []host.Port
	}{
		"Empty":        {"", nil},
		"AcceptPolicy": {begin + "accept;\n" + end, nil},
		"Lockout":      {begin + "drop;\n\t\tct state established,related accept\n\t\tiif \"lo\" accept\n\t\ttcp dport 22 accept\n\t\tip protocol icmp accept\n" + end, []host.Port{https, stun, relay}},
		"Ours":         {begin + "drop;\n" + ours + end, nil},
		"NarrowRange":  {begin + "drop;\n\t\ttcp dport 8443 accept\n\t\tudp dport { 3478, 49160-49200 } accept\n" + end, []host.Port{relay}},
		"TCPIsNotUDP":  {begin + "drop;\n\t\ttcp dport { 3478, 8443, 49160-49359 } accept\n" + end, []host.Port{stun, relay}},
		"LastRule":     {begin + "accept;\n\t\ttcp dport 8443 accept\n\t\tcounter packets 3 bytes 180 reject with icmpx admin-prohibited\n" + end, []host.Port{stun, relay}},
		"Jump":         {begin + "drop;\n\t\tjump phone\n" + "\t}\n\tchain phone {\n" + ours + end, nil},
		"JumpLoop":     {begin + "drop;\n\t\tjump input\n" + end, []host.Port{https, stun, relay}},
		"BySource":     {begin + "drop;\n\t\tip saddr 10.0.0.0/8 accept\n" + end, nil},
		"TwoTables":    {begin + "drop;\n" + ours + end + "table ip other {\n\tchain in {\n\t\ttype filter hook input priority 10; policy drop;\n\t\tudp dport 3478 accept\n" + end, []host.Port{https, relay}},
		"ForwardOnly":  {"table inet f {\n\tchain forward {\n\t\ttype filter hook forward priority 0; policy drop;\n" + end, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := host.Closed(tt.ruleset, []host.Port{https, stun, relay})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
