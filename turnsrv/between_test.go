package turnsrv_test

import (
	"fmt"
	"strings"
	"testing"
)

// Ensure two relayed clients reach each other whole and in order, over any two
// transports, with every padding, and in bursts.
func TestBetweenTransports(t *testing.T) {
	for _, pair := range [][2]string{{"udp", "udp"}, {"udp", "tcp"}, {"tcp", "tcp"}} {
		t.Run(pair[0]+" and "+pair[1], func(t *testing.T) {
			s := startSite(t)
			var ends [2]*client
			for i, network := range pair {
				username, password := s.login("ann", fmt.Sprintf("S%d", i))
				ends[i] = dial(t, network, s.at(network, addrOne), username, password)
			}
			one, two := ends[0].allocate(), ends[1].allocate()
			ends[0].must(ends[0].bindChannel(0x4000, two))
			ends[1].must(ends[1].bindChannel(0x7fff, one))
			back := map[*client]uint16{ends[0]: 0x4000, ends[1]: 0x7fff}
			for _, way := range [][2]*client{{ends[0], ends[1]}, {ends[1], ends[0]}} {
				from, to := way[0], way[1]
				var want []string
				for n, size := range []int{0, 1, 3, 4, 5, 200, 1200, 1472, 0, 1, 1472} {
					p := ""
					if size > 0 {
						p = strings.Repeat(string(rune('a'+n)), size)
					}
					want = append(want, p)
					from.sendChannel(back[from], p)
				}
				for _, p := range want {
					channel, _, got := to.next()
					if channel != back[to] || got != p {
						t.Fatalf("got %d bytes by channel %#x, want %d by %#x", len(got), channel, len(p), back[to])
					}
				}
			}
		})
	}
}
