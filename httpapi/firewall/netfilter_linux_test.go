//go:build services

package firewall

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"fieldphone/httpapi/segment"
)

// inNamespace runs a script in a network namespace of its own, which goes away
// with it.
func inNamespace(t *testing.T, script string) string {
	t.Helper()
	flags := "-nm"
	if os.Geteuid() != 0 {
		flags = "-rnm"
	}
	cmd := exec.Command("unshare", flags, "sh", "-e")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, script)
	}
	return string(out)
}

const emptyFilter = `
nft add table inet filter
nft 'add chain inet filter input { type filter hook input priority 0; policy accept; }'
nft 'add chain inet filter forward { type filter hook forward priority 0; policy accept; }'
nft add rule inet filter input drop
nft add rule inet filter forward drop
`

// Ensure the pasted commands load, and stand before what drops everything.
func TestNftablesTakesTheText(t *testing.T) {
	for at, chain := range map[At]string{Router: "forward", Server: "input"} {
		out := inNamespace(t, emptyFilter+Text(NFTables, Openings(camp()), at)+"nft list chain inet filter "+chain)
		accepts, drop := strings.LastIndex(out, "accept comment"), strings.Index(out, "\tdrop")
		if n := strings.Count(out, "accept comment"); n != 14 || drop < accepts {
			t.Errorf("%s: %d rules, the last at %d and the drop at %d:\n%s", at, n, accepts, drop, out)
		}
		if !strings.Contains(out, `ip saddr { 10.77.2.0/24, 10.77.5.0/24 } ip daddr { 10.77.1.2, 10.77.9.2 } udp dport 49160-49359 accept comment "Fieldphone: relayed calls (仓库 _B___ reboot)"`) {
			t.Errorf("%s: the relay ports are missing:\n%s", at, out)
		}
	}
}

func TestIptablesTakesTheText(t *testing.T) {
	for at, chain := range map[At]string{Router: "FORWARD", Server: "INPUT"} {
		out := inNamespace(t, "iptables -A "+chain+" -j DROP\n"+Text(IPTables, Openings(camp()), at)+
			"iptables -S "+chain+"\nip6tables -S "+chain+"\niptables-save | iptables-restore --test")
		accepts, drop := strings.LastIndex(out[:strings.Index(out, "DROP")], "ACCEPT"), strings.Index(out, "-j DROP")
		if n := strings.Count(out, "-j ACCEPT"); n != 28 || accepts < 0 || drop < accepts {
			t.Errorf("%s: %d rules:\n%s", at, n, out)
		}
		if !strings.Contains(out, `-A `+chain+` -s 10.77.5.0/24 -d 10.77.9.2/32 -p udp -m udp --dport 49160:49359 -m comment --comment "Fieldphone: relayed calls (仓库 _B___ reboot)" -j ACCEPT`) {
			t.Errorf("%s: the relay ports are missing:\n%s", at, out)
		}
	}
}

// Ensure that networks which a set would not take alone are loaded as well.
func TestTheWholeWorldIsASegment(t *testing.T) {
	site := camp()
	site.Segments = []segment.Segment{{Name: "all", Clients: prefixes("0.0.0.0/0", "10.0.0.0/8", "::/0")}}
	for _, flavour := range []Flavour{NFTables, IPTables} {
		inNamespace(t, emptyFilter+Text(flavour, Openings(site), Server))
	}
}

// lanWithAServer is a client, a router that drops, and a server that listens:
// three namespaces in one.
const lanWithAServer = `
ip link set lo up
mount -t tmpfs none /run
for ns in client server; do
  ip netns add $ns
  ip link add to-$ns type veth peer name eth0 netns $ns
  ip netns exec $ns ip link set lo up
done
ip addr add 10.77.1.1/24 dev to-client
ip addr add 10.77.9.1/24 dev to-server
ip link set to-client up
ip link set to-server up
ip netns exec client ip addr add 10.77.1.11/24 dev eth0
ip netns exec server ip addr add 10.77.9.2/24 dev eth0
ip netns exec client ip link set eth0 up
ip netns exec server ip link set eth0 up
ip netns exec client ip route add default via 10.77.1.1
ip netns exec server ip route add default via 10.77.9.1
echo 1 >/proc/sys/net/ipv4/ip_forward
reach() { ip netns exec client timeout 2 bash -c "exec 3<>/dev/tcp/10.77.9.2/$1" 2>/dev/null && echo "$2 $1 open" || echo "$2 $1 shut"; }
for port in 8443 9999; do
  ip netns exec server perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "10.77.9.2", LocalPort => shift, Listen => 5) or die; print STDERR ""; open F, ">", shift; close F; while (1) { $s->accept }' $port /run/up-$port &
  pids="$pids $!"
done
trap 'kill $pids' EXIT
until [ -e /run/up-8443 ] && [ -e /run/up-9999 ]; do :; done
`

// Ensure what a router's firewall drops passes once the text is pasted, and
// nothing else does.
func TestTheTextOpensARouter(t *testing.T) {
	site := camp()
	site.Segments = site.Segments[:1]
	site.Segments[0].ServerAddresses = addrs("10.77.9.2")
	for flavour, drop := range map[Flavour]string{
		NFTables: emptyFilter, IPTables: "iptables -P FORWARD DROP\niptables -A FORWARD -j DROP\n",
	} {
		out := inNamespace(t, lanWithAServer+"reach 8443 open\n"+drop+"reach 8443 before\n"+
			Text(flavour, Openings(site), Router)+"reach 8443 after\nreach 9999 after")
		if want := "open 8443 open\nbefore 8443 shut\nafter 8443 open\nafter 9999 shut\n"; out != want {
			t.Errorf("%s: got\n%swant\n%s", flavour, out, want)
		}
	}
}
