package main

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"fieldphone/rtc/hub"
	"fieldphone/turnsrv"

	"pgregory.net/rapid"
)

// bookClock is a clock that a test moves.
type bookClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *bookClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *bookClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newTestBook() (*peerBook, *bookClock) {
	clock := &bookClock{now: time.Unix(1_800_000_000, 0)}
	return newPeerBook(clock.Now), clock
}

func ends(a, b string) [2]hub.Party {
	return [2]hub.Party{{User: "u-" + a, Session: a}, {User: "u-" + b, Session: b}}
}

func at(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func (b *peerBook) client(addr string) bool {
	return b.Known(turnsrv.ModeClients, "u-x", "x", ip(addr))
}

func (b *peerBook) inCall(session, addr string) bool {
	return b.Known(turnsrv.ModeCall, "u-"+session, session, ip(addr))
}

func TestPeerBookKnowsWhatIsSeenAndSignalled(t *testing.T) {
	b, clock := newTestBook()
	b.saw("a", ip("::ffff:10.0.0.1"), clock.Now().Add(time.Hour))
	b.saw("b", ip("10.0.0.2"), clock.Now().Add(time.Hour))
	b.saw("c", ip("10.0.0.3"), clock.Now().Add(time.Hour))
	pair := ends("a", "b")
	b.signalled("call", pair[1], pair[0], at("10.0.9.9:1")) // no such call yet
	b.paired("call", pair)
	b.signalled("call", pair[1], pair[0], at("10.0.0.22:50000"))
	b.signalled("call", hub.Party{User: "u-c", Session: "c"}, pair[0], at("10.0.8.8:1")) // no end of it

	for _, tt := range []struct {
		what      string
		got, want bool
	}{
		{"clients: seen", b.client("10.0.0.1"), true},
		{"clients: signalled", b.client("10.0.0.22"), true},
		{"clients: a printer", b.client("10.0.0.77"), false},
		{"clients: signalled outside a call", b.client("10.0.9.9"), false},
		{"clients: signalled by a stranger", b.client("10.0.8.8"), false},
		{"call: the other's seen", b.inCall("a", "10.0.0.2"), true},
		{"call: the other's signalled", b.inCall("a", "10.0.0.22"), true},
		{"call: the other way round", b.inCall("b", "10.0.0.1"), true},
		{"call: its own", b.inCall("b", "10.0.0.22"), false},
		{"call: one in no call", b.inCall("a", "10.0.0.3"), false},
		{"call: somebody else's call", b.inCall("c", "10.0.0.22"), false},
		{"call: no session", b.inCall("nobody", "10.0.0.2"), false},
		{"cidr is not its business", b.Known(turnsrv.ModeCIDR, "u-a", "a", ip("10.0.0.2")), false},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", tt.what, tt.got, tt.want)
		}
	}
}

func TestPeerBookForgets(t *testing.T) {
	b, clock := newTestBook()
	b.saw("a", ip("10.0.0.1"), clock.Now().Add(time.Hour))
	b.saw("b", ip("10.0.0.2"), clock.Now().Add(time.Minute))
	pair := ends("a", "b")
	b.paired("call", pair)
	b.signalled("call", pair[1], pair[0], at("10.0.0.22:50000"))

	clock.pass(10 * time.Minute) // b's session is over, but its call goes on
	if !b.inCall("a", "10.0.0.2") || !b.inCall("a", "10.0.0.22") || !b.engaged("b") {
		t.Error("an end is forgotten while its call goes on")
	}
	b.parted("call")
	if !b.inCall("a", "10.0.0.22") || b.engaged("a") || b.engaged("b") {
		t.Error("want the address for the grace, and nobody engaged")
	}
	b.signalled("call", pair[1], pair[0], at("10.0.0.23:50000"))
	if b.client("10.0.0.23") {
		t.Error("a call that is over takes addresses")
	}
	clock.pass(peerGrace)
	if b.inCall("a", "10.0.0.22") || b.client("10.0.0.22") {
		t.Error("what was signalled is known after the call and its grace")
	}
	clock.pass(peerGrace)
	if b.client("10.0.0.2") || !b.client("10.0.0.1") {
		t.Error("want b's address gone with its session, and a's kept")
	}
	b.ended("a")
	if !b.client("10.0.0.1") {
		t.Error("no grace after the end of a session")
	}
	clock.pass(peerGrace)
	if sessions, pairs, addresses, _ := b.counts(); sessions+pairs+addresses != 0 {
		t.Errorf("%d sessions, %d pairs, %d addresses left", sessions, pairs, addresses)
	}
}

// Ensure that one who names thousands of addresses takes room from nobody.
func TestPeerBookIsBounded(t *testing.T) {
	b, clock := newTestBook()
	b.saw("b", ip("10.0.0.2"), clock.Now().Add(time.Hour))
	pair := ends("a", "b")
	b.paired("call", pair)
	b.signalled("call", pair[1], pair[0], at("10.0.0.22:50000"))
	for i := range 10_000 {
		addr := netip.AddrFrom4([4]byte{172, 16, byte(i >> 8), byte(i)})
		b.signalled("call", pair[0], pair[1], netip.AddrPortFrom(addr, 9100))
		b.saw("a", addr, clock.Now().Add(time.Hour))
	}
	if _, _, addresses, _ := b.counts(); addresses != maxSignalled+2 {
		t.Errorf("%d addresses, want %d of the attacker and 2", addresses, maxSignalled)
	}
	if !b.inCall("a", "10.0.0.22") || !b.client("10.0.0.2") {
		t.Error("the other end's addresses were pushed out")
	}
	if !b.client("172.16.39.15") || b.client("172.16.0.1") {
		t.Error("want the latest kept and the oldest forgotten")
	}
	for i := range maxBookEntries + 10 {
		b.saw(fmt.Sprint("flood-", i), ip("10.9.9.9"), clock.Now().Add(time.Hour))
	}
	if sessions, _, _, refused := b.counts(); sessions != maxBookEntries || refused != 12 {
		t.Errorf("%d sessions, %d refused, want %d and 12", sessions, refused, maxBookEntries)
	}
}

// Ensure that a device which signs in anew stays an end of its call.
func TestPeerBookFollowsANewSession(t *testing.T) {
	b, clock := newTestBook()
	b.saw("a2", ip("10.0.0.11"), clock.Now().Add(time.Hour))
	b.paired("call", ends("a", "b"))
	b.signalled("call", hub.Party{Session: "b"}, hub.Party{}, at("10.0.0.22:1"))
	b.signalled("call", hub.Party{Session: "a"}, hub.Party{}, at("10.0.0.12:1"))
	b.paired("call", ends("a2", "b"))
	if b.inCall("a", "10.0.0.22") || !b.inCall("a2", "10.0.0.22") || !b.inCall("b", "10.0.0.11") {
		t.Error("the call does not follow its end to another session")
	}
	if b.inCall("b", "10.0.0.12") || b.client("10.0.0.12") {
		t.Error("the other end still reaches the device that the call was moved away from")
	}
}

// Ensure that whatever happens, in the end nothing is left and no counter of
// an address is lost.
func TestPeerBookKeepsItsCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, clock := newTestBook()
		session := rapid.SampledFrom([]string{"a", "b", "c", ""})
		call := rapid.SampledFrom([]string{"1", "2"})
		addr := rapid.Custom(func(t *rapid.T) netip.Addr {
			return netip.AddrFrom4([4]byte{10, 0, 0, rapid.Byte().Draw(t, "addr")})
		})
		t.Repeat(map[string]func(*rapid.T){
			"saw": func(t *rapid.T) {
				b.saw(session.Draw(t, "s"), addr.Draw(t, "a"), clock.Now().Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "ttl"))*time.Second))
			},
			"paired": func(t *rapid.T) { b.paired(call.Draw(t, "c"), ends(session.Draw(t, "s"), session.Draw(t, "o"))) },
			"parted": func(t *rapid.T) { b.parted(call.Draw(t, "c")) },
			"ended":  func(t *rapid.T) { b.ended(session.Draw(t, "s")) },
			"signalled": func(t *rapid.T) {
				b.signalled(call.Draw(t, "c"), hub.Party{Session: session.Draw(t, "s")}, hub.Party{}, netip.AddrPortFrom(addr.Draw(t, "a"), 1))
			},
			"pass": func(t *rapid.T) { clock.pass(time.Duration(rapid.IntRange(1, 60).Draw(t, "d")) * time.Second) },
			"": func(t *rapid.T) {
				want := make(map[netip.Addr]int)
				for _, s := range b.sessions {
					for _, a := range s.seen {
						want[a]++
					}
				}
				for _, p := range b.pairs {
					for _, list := range p.signalled {
						for _, a := range list {
							want[a]++
						}
					}
				}
				if fmt.Sprint(want) != fmt.Sprint(b.clients) {
					t.Fatalf("counts %v, want %v", b.clients, want)
				}
			},
		})
		for _, id := range []string{"1", "2"} {
			b.parted(id)
		}
		clock.pass(time.Hour)
		b.counts()
		clock.pass(time.Hour)
		if sessions, pairs, addresses, _ := b.counts(); sessions+pairs+addresses != 0 {
			t.Fatalf("%d sessions, %d pairs, %d addresses left", sessions, pairs, addresses)
		}
	})
}

// Ensure that the book may be used from everywhere at once.
func TestPeerBookConcurrently(t *testing.T) {
	b, clock := newTestBook()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 500 {
				id := fmt.Sprint(i, n%7)
				b.saw(id, netip.AddrFrom4([4]byte{10, 0, byte(i), byte(n)}), clock.Now())
				b.paired(id, ends(id, fmt.Sprint(i, (n+1)%7)))
				b.signalled(id, hub.Party{Session: id}, hub.Party{}, at("10.0.0.1:1"))
				b.Known(turnsrv.ModeClients, "", id, ip("10.0.0.1"))
				b.Known(turnsrv.ModeCall, "", id, ip("10.0.0.1"))
				b.engaged(id)
				clock.pass(time.Second)
				b.parted(id)
			}
		})
	}
	wg.Wait()
	clock.pass(time.Hour)
	b.counts()
	clock.pass(time.Hour)
	if sessions, pairs, addresses, _ := b.counts(); sessions+pairs+addresses != 0 {
		t.Errorf("%d sessions, %d pairs, %d addresses left", sessions, pairs, addresses)
	}
}

func BenchmarkPeerBookKnown(b *testing.B) {
	book, clock := newTestBook()
	for i := range 1000 {
		book.saw(fmt.Sprint(i), netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), clock.Now().Add(time.Hour))
		book.paired(fmt.Sprint("c", i), ends(fmt.Sprint(i), fmt.Sprint((i+1)%1000)))
	}
	for b.Loop() {
		book.Known(turnsrv.ModeCall, "", "500", ip("10.0.1.245"))
	}
}
