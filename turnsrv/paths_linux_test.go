package turnsrv_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pion/stun/v3"
	"pgregory.net/rapid"

	"fieldphone/turnsrv"
	"fieldphone/turnsrv/wire/wiretest"
)

// agree sends the same payload on every side and compares what arrives where.
func agree(rt *rapid.T, sides []*side, what string, at int, payload string, send func(s *side)) {
	got := make([]string, len(sides))
	for i, s := range sides {
		send(s)
		wait := atOnce
		if i > 0 && got[0] != "" {
			wait = inTheEnd
		}
		got[i] = s.arrival(at, payload, wait)
	}
	if got[0] == "" && slices.ContainsFunc(got, func(g string) bool { return g != "" }) {
		got[0] = sides[0].arrival(at, payload, inTheEnd) // a busy machine
	}
	for i, s := range sides {
		if got[i] != got[0] {
			rt.Fatalf("%s: on the path %s it arrives %q, on %s %q", what, sides[0].path, got[0], s.path, got[i])
		}
	}
}

// Whatever clients and peers do, in any order: what comes out, where, and what is
// counted is the same on every path, and the kernel path takes part.
func TestPathsAgree(t *testing.T) {
	world := wiretest.New(t)
	var sides []*side
	for i, path := range paths {
		sides = append(sides, startSide(t, world, relayProcess{Port: uint16(3478 + i), Path: path, Ports: turnsrv.PortRange{Min: 20000, Max: 29999}}))
	}
	played := 0
	rapid.Check(t, func(rt *rapid.T) {
		if played++; played <= sequences {
			playSides(rt, sides)
		}
	})
	t.Logf("the kernel forwarded %d packets", sides[len(sides)-1].account().Kernel)
}

// untilKernel repeats a packet until the kernel forwards it on the last side, so
// that what happens next happens to a flow of the kernel's.
func untilKernel(rt *rapid.T, sides []*side, send func()) {
	kernel := sides[len(sides)-1]
	before := kernel.account().Kernel
	for range 100 {
		send()
		if kernel.account().Kernel > before {
			return
		}
	}
	rt.Fatal("the kernel does not forward")
}

// burst sends many payloads at once on every side and compares what arrives,
// whatever the order: a flow may change to the kernel in between.
func burst(rt *rapid.T, sides []*side, what string, at int, payloads []string, send func(s *side, p string)) {
	got := make([][]string, len(sides))
	most := 0
	collect := func(i int) {
		for len(got[i]) < len(payloads) {
			wait := atOnce
			if len(got[i]) < most {
				wait = inTheEnd
			}
			how, p := sides[i].next(at, wait)
			if how == "" {
				break
			}
			got[i] = append(got[i], p+" "+how)
		}
		most = max(most, len(got[i]))
	}
	for i, s := range sides {
		for _, p := range payloads {
			send(s, p)
		}
		collect(i)
	}
	for i := range sides {
		collect(i) // a busy machine
		slices.Sort(got[i])
	}
	for i, s := range sides {
		if !slices.Equal(got[i], got[0]) {
			rt.Fatalf("%s: only on the path %s arrives %.40q, only on %s %.40q", what,
				sides[0].path, without(got[0], got[i]), s.path, without(got[i], got[0]))
		}
	}
}

// without is what is left of one when each of others has taken its like.
func without(one, others []string) (left []string) {
	left = slices.Clone(one)
	for _, o := range others {
		if i := slices.Index(left, o); i >= 0 {
			left = slices.Delete(left, i, i+1)
		}
	}
	return left
}

const (
	sideClients, sidePeers = 3, 2
	// sequences take about 4 s each, most of it waiting for what should not come.
	sequences = 6
)

// playSides plays one sequence, from where a client talks with a peer and two
// with each other.
func playSides(rt *rapid.T, sides []*side) {
	for _, s := range sides {
		s.begin(sideClients, sidePeers)
		for _, bound := range [][2]int{{0, 0}, {1, sidePeers + 2}, {2, sidePeers + 1}} {
			s.clients[bound[0]].must(s.clients[bound[0]].bindChannel(0x4000, s.target(bound[1])))
		}
	}
	number := 0
	draw := func(what string, n int) int { return rapid.IntRange(0, n-1).Draw(rt, what) }
	payload := func() string {
		number++
		size := rapid.SampledFrom([]int{0, 1, 3, 4, 200, 1200, 1472, 1599, 1700}).Draw(rt, "size")
		p := fmt.Sprintf("%d ", number) + strings.Repeat("x", size)
		return p[:max(size, 0)]
	}
	unlike := func() string {
		number++
		return fmt.Sprintf("%d unlike all others", number)
	}
	channels := []uint16{0x4000, 0x4001, 0x7fff}
	// flow is a channel of a client, and where it leads to.
	type flow struct {
		client  int
		channel uint16
		target  int
	}
	bound := []flow{{0, 0x4000, 0}, {1, 0x4000, sidePeers + 2}, {2, 0x4000, sidePeers + 1}}
	anyFlow := func() flow {
		if len(bound) > 0 && rapid.Bool().Draw(rt, "bound") {
			return bound[draw("flow", len(bound))]
		}
		return flow{draw("client", sideClients), channels[draw("channel", len(channels))], draw("target", sideClients+sidePeers)}
	}
	up := func(f flow, p string) {
		agree(rt, sides, fmt.Sprintf("channel %#x of client %d, %d bytes, at target %d", f.channel, f.client, len(p), f.target), f.target, p,
			func(s *side) { s.clients[f.client].sendChannel(f.channel, p) })
	}
	down := func(i, n int, p string) {
		agree(rt, sides, fmt.Sprintf("peer %d to client %d, %d bytes", n, i, len(p)), sidePeers+i, p,
			func(s *side) { _, _ = s.peers[n].WriteToUDPAddrPort([]byte(p), s.relayed[i]) })
	}
	check := func(i, n int) {
		m := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
		agree(rt, sides, "a peer's check", sidePeers+i, string(m.Raw), func(s *side) {
			_, _ = s.peers[n].WriteToUDPAddrPort(m.Raw, s.relayed[i])
		})
	}
	check(0, 0) // opens the way
	for _, f := range bound {
		untilKernel(rt, sides, func() { up(f, unlike()) })
	}
	untilKernel(rt, sides, func() { down(0, 0, unlike()) })
	many := func() (all []string) {
		for range 20 {
			all = append(all, payload())
		}
		return all
	}
	times := func(do func(p string)) { // the first packet opens what the next go by
		for range 3 {
			do(payload())
		}
	}
	rt.Repeat(map[string]func(*rapid.T){
		"bind": func(*rapid.T) {
			i, n, channel := draw("client", sideClients), draw("target", sideClients+sidePeers), channels[draw("channel", len(channels))]
			var codes []stun.ErrorCode
			for _, s := range sides {
				codes = append(codes, code(s.clients[i].bindChannel(channel, s.target(n))))
			}
			if len(slices.Compact(codes)) > 1 {
				rt.Fatalf("binding is answered %v", codes)
			}
			if f := (flow{i, channel, n}); codes[0] == 0 && !slices.Contains(bound, f) {
				bound = append(bound, f)
			}
		},
		"check": func(*rapid.T) {
			check(draw("client", sideClients), draw("peer", sidePeers))
		},
		"up": func(*rapid.T) {
			f := anyFlow()
			times(func(p string) { up(f, p) })
		},
		"down": func(*rapid.T) {
			i, n := draw("client", sideClients), draw("peer", sidePeers)
			times(func(p string) { down(i, n, p) })
		},
		"burst up": func(*rapid.T) {
			f := anyFlow()
			burst(rt, sides, fmt.Sprintf("a burst on channel %#x of client %d, at target %d", f.channel, f.client, f.target), f.target, many(),
				func(s *side, p string) { s.clients[f.client].sendChannel(f.channel, p) })
		},
		"burst down": func(*rapid.T) {
			i, n := draw("client", sideClients), draw("peer", sidePeers)
			burst(rt, sides, fmt.Sprintf("a burst of peer %d to client %d", n, i), sidePeers+i, many(),
				func(s *side, p string) { _, _ = s.peers[n].WriteToUDPAddrPort([]byte(p), s.relayed[i]) })
		},
		"indicate": func(*rapid.T) {
			i, n := draw("client", sideClients), draw("target", sideClients+sidePeers)
			p := fmt.Sprintf("%d indicated", number)
			number++
			agree(rt, sides, fmt.Sprintf("an indication of client %d at target %d", i, n), n, p,
				func(s *side) { s.clients[i].indicate(s.target(n), p) })
		},
		"begin anew": func(*rapid.T) {
			i := draw("client", sideClients)
			for _, s := range sides {
				s.clients[i].must(s.clients[i].request(stun.MethodRefresh, lifetime(0)))
				s.clients[i].conn.Close()
				s.enter(i)
			}
			bound = slices.DeleteFunc(bound, func(f flow) bool { return f.client == i || f.target == sidePeers+i })
		},
	})
	accounts := make([]account, len(sides))
	for i, s := range sides {
		accounts[i] = s.account()
		if fmt.Sprint(accounts[i].Flows) != fmt.Sprint(accounts[0].Flows) {
			rt.Fatalf("counted on the path %s: %v, on %s: %v", sides[0].path, accounts[0].Flows, s.path, accounts[i].Flows)
		}
	}
}
