package turnsrv_test

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/stun/v3"
	"pgregory.net/rapid"

	"fieldphone/turnsrv"
)

// ledger is what a test believes of a site's relay ports.
type ledger struct {
	*site
	t *rapid.T
	// around is where ranges lie; others are sockets of other programs in it.
	around turnsrv.PortRange
	span   turnsrv.PortRange
	held   map[netip.AddrPort]*client
	others map[netip.AddrPort]*net.UDPConn
	serial int
}

// Whatever is allocated, ended, moved, swept and taken by others, in any order:
// every port of the range is free, used or taken, none is given twice, and
// what ends comes back.
func TestRelayPortsAddUp(t *testing.T) {
	around := freeRange(t, 24)
	s := startSite(t, func(c *turnsrv.Config) {
		c.Relay = around
		c.Limits = turnsrv.Limits{AllocationsPerSession: 1000, AllocatesPerSource: 1e6, BindingsPerSource: 1e6}
	})
	rapid.Check(t, func(rt *rapid.T) {
		l := &ledger{
			site: s, t: rt, around: around, span: around,
			held: make(map[netip.AddrPort]*client), others: make(map[netip.AddrPort]*net.UDPConn),
		}
		defer l.clear()
		rt.Repeat(map[string]func(*rapid.T){
			"":         l.addsUp,
			"allocate": l.allocate,
			"end":      func(rt *rapid.T) { l.end(rt, func(at netip.AddrPort) { l.End(l.idOf(at)) }) },
			"refresh to zero": func(rt *rapid.T) {
				l.end(rt, func(at netip.AddrPort) { l.held[at].must(l.held[at].request(stun.MethodRefresh, lifetime(0))) })
			},
			"move":   l.move,
			"sweep":  l.sweep,
			"occupy": l.occupy,
			"vacate": l.vacate,
		})
	})
}

func (l *ledger) anAddress() netip.Addr {
	return rapid.SampledFrom([]netip.Addr{addrOne, addrTwo}).Draw(l.t, "address")
}

// allocate fails only if no port of the range can be had.
func (l *ledger) allocate(*rapid.T) {
	address := l.anAddress()
	available := 0
	for port := l.span.Min; port <= l.span.Max; port++ {
		at := netip.AddrPortFrom(address, port)
		if l.held[at] == nil && l.others[at] == nil {
			available++
		}
	}
	l.serial++
	username, password := l.login("ann", fmt.Sprint("S", l.serial))
	c := dial(l.site.t, "udp", l.udp[address], username, password)
	m := c.tryAllocate()
	if m.Type.Class != stun.ClassSuccessResponse {
		c.conn.Close()
		if got := code(m); got != stun.CodeInsufficientCapacity || available > 0 {
			l.t.Fatalf("Allocate: got %d with %d ports available", got, available)
		}
		return
	}
	at := c.address(m, stun.AttrXORRelayedAddress)
	if at.Addr() != address || !inRange(l.span, at) || l.held[at] != nil || l.others[at] != nil {
		l.t.Fatalf("got %s of %s", at, l.span)
	}
	l.held[at] = c
}

func (l *ledger) end(rt *rapid.T, end func(netip.AddrPort)) {
	if len(l.held) == 0 {
		rt.Skip("nothing to end")
	}
	at := rapid.SampledFrom(sortedKeys(l.held)).Draw(rt, "allocation")
	end(at)
	l.held[at].conn.Close()
	delete(l.held, at)
}

func (l *ledger) move(rt *rapid.T) {
	low := rapid.Uint16Range(l.around.Min, l.around.Max).Draw(rt, "low")
	settings := l.Settings()
	settings.Relay = turnsrv.PortRange{Min: low, Max: rapid.Uint16Range(low, l.around.Max).Draw(rt, "high")}
	preview, refused := l.Preview(settings)
	err := l.Apply(settings)
	if (err == nil) != (refused == nil) {
		rt.Fatalf("Preview: %v, Apply: %v", refused, err)
	}
	moved := settings.Relay != l.span
	if err != nil || !moved {
		return
	}
	l.span = settings.Relay
	outside := 0
	for at := range l.held {
		if !inRange(l.span, at) {
			outside++
		}
	}
	free := l.Ports()[0].Free
	for _, u := range l.Ports() {
		free = min(free, u.Free)
	}
	if preview.Outside != outside || preview.Free != free {
		rt.Fatalf("Preview said %+v, and it is %d outside, %d free", preview, outside, free)
	}
}

func (l *ledger) sweep(rt *rapid.T) {
	life := time.Duration(rapid.IntRange(1, 20).Draw(rt, "life")) * time.Millisecond
	sweep, err := l.Sweep(l.anAddress(), rapid.IntRange(1, 8).Draw(rt, "ports"), life)
	if err != nil {
		return
	}
	for _, port := range sweep.Ports {
		at := netip.AddrPortFrom(sweep.Address, port)
		if !inRange(l.span, at) || l.held[at] != nil || l.others[at] != nil {
			rt.Fatalf("the sweep got %s of %s", at, l.span)
		}
	}
}

// occupy lets another program take a port, unless we hold it.
func (l *ledger) occupy(rt *rapid.T) {
	at := netip.AddrPortFrom(l.anAddress(), rapid.Uint16Range(l.around.Min, l.around.Max).Draw(rt, "port"))
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err == nil {
		l.others[at] = conn
	}
}

func (l *ledger) vacate(rt *rapid.T) {
	if len(l.others) == 0 {
		rt.Skip("no other program")
	}
	at := rapid.SampledFrom(sortedKeys(l.others)).Draw(rt, "port")
	_ = l.others[at].Close()
	delete(l.others, at)
}

func (l *ledger) addsUp(rt *rapid.T) {
	running := l.Allocations()
	if len(running) != len(l.held) {
		rt.Fatalf("%d allocations run, want %d", len(running), len(l.held))
	}
	for _, a := range running {
		if l.held[a.Relayed] == nil || a.Outside == inRange(l.span, a.Relayed) {
			rt.Fatalf("%+v is not known, or wrongly outside of %s", a, l.span)
		}
	}
	for _, u := range l.Ports() {
		inside, outside := 0, 0
		for at := range l.held {
			switch {
			case at.Addr() != u.Address:
			case inRange(l.span, at):
				inside++
			default:
				outside++
			}
		}
		size := int(l.span.Max) - int(l.span.Min) + 1
		if u.Range != l.span || u.Used != inside || u.Outside != outside || u.Used+u.Free+u.Taken != size || u.Peak < inside+outside {
			rt.Fatalf("%d used and %d outside of %d ports of %s, but %+v", inside, outside, size, l.span, u)
		}
	}
}

// clear makes the site as it was.
func (l *ledger) clear() {
	for at, c := range l.held {
		l.End(l.idOf(at))
		_ = c.conn.Close()
	}
	for _, conn := range l.others {
		_ = conn.Close()
	}
	l.mustApply(func(n *turnsrv.Settings) { n.Relay = l.around })
}

func sortedKeys[V any](m map[netip.AddrPort]V) []netip.AddrPort {
	keys := make([]netip.AddrPort, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, netip.AddrPort.Compare)
	return keys
}
