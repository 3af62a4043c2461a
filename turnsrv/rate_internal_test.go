package turnsrv

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever the traffic, a pacer passes no more than its burst and what has
// come in since, and never holds back what fits.
func TestPacer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const burst = time.Second
		var p pacer
		var now, spent time.Duration
		level := burst // what a bucket of the plain kind would hold
		for range rapid.IntRange(1, 200).Draw(t, "events") {
			pause := time.Duration(rapid.Int64Range(0, int64(burst)).Draw(t, "pause"))
			cost := time.Duration(rapid.Int64Range(1, int64(burst)).Draw(t, "cost"))
			now += pause
			level = min(burst, level+pause)
			got := p.allow(now, cost, burst)
			if want := cost <= level; got != want {
				t.Fatalf("at %v: got %v, want %v with %v left for %v", now, got, want, level, cost)
			}
			if got {
				level -= cost
				spent += cost
			}
		}
		if spent > now+burst {
			t.Fatalf("passed %v in %v", spent, now)
		}
	})
}

func TestSourceRates(t *testing.T) {
	s := newSourceRates()
	count := func(source string, perSecond float64, at time.Duration, tries int) (passed int) {
		for range tries {
			if s.allowAt(netip.MustParseAddr(source), perSecond, at) {
				passed++
			}
		}
		return passed
	}
	const hour = time.Hour
	for _, test := range []struct {
		source    string
		perSecond float64
		at        time.Duration
		want      int
	}{
		{"192.0.2.1", 20, hour, 200}, // a burst
		{"::ffff:192.0.2.1", 20, hour, 0},
		{"192.0.2.1", 20, hour + time.Second, 20},
		{"192.0.2.1", 20, hour + time.Minute, 200},
		{"2001:db8::1", 10, hour, 100},
		{"2001:db8::2:3:4:5", 10, hour, 0}, // the same network
		{"192.0.2.3", 0.01, hour, 1},       // less than one a burst is still one
	} {
		if got := count(test.source, test.perSecond, test.at, 1000); got != test.want {
			t.Errorf("%+v: got %d", test, got)
		}
	}
}

// False source addresses must neither eat memory nor use up what others have.
func TestRatesOfManySources(t *testing.T) {
	s := newSourceRates()
	for i := range 200_000 {
		s.allowAt(netip.AddrFrom4([4]byte{byte(i >> 16), byte(i >> 8), byte(i), 1}), 100, time.Hour)
	}
	refused := 0
	for i := range 1000 {
		if !s.allowAt(netip.AddrFrom4([4]byte{200, byte(i >> 8), byte(i), 1}), 100, time.Hour) {
			refused++
		}
	}
	if refused > 0 {
		t.Errorf("%d of 1000 sources were refused for others' packets", refused)
	}
}

// What all together may not send is not taken from the one who tried.
func TestNothingIsTakenForWhatIsDropped(t *testing.T) {
	s := &Server{began: time.Now()}
	limit := func(own, all int64) {
		s.settings.Store(&Settings{Limits: Limits{BitsPerAllocation: own, Bits: all}})
	}
	var own, all flowCounters
	limit(10_000, 1) // half a second's worth of its own is ten such packets
	if !s.pass(&own, &all, 60) {
		t.Fatal("the first packet was dropped")
	}
	for range 100 {
		if s.pass(&own, &all, 60) {
			t.Fatal("a packet passed beyond the limit of all")
		}
	}
	limit(10_000, 0)
	for i := range 9 {
		if !s.pass(&own, &all, 60) {
			t.Fatalf("packet %d: the allocation paid for what all together could not send", i)
		}
	}
	if s.pass(&own, &all, 600) {
		t.Error("packets passed beyond its own limit")
	}
	if own.dropped.Load() != 101 || all.dropped.Load() != 101 {
		t.Errorf("dropped: got %d and %d, want 101", own.dropped.Load(), all.dropped.Load())
	}
}

func TestNonces(t *testing.T) {
	n, other := newNonces(), newNonces()
	client, elsewhere := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	nonce := []byte(n.issueAt(client, time.Hour))
	for name, test := range map[string]struct {
		nonce []byte
		from  netip.Addr
		age   time.Duration
		want  bool
	}{
		"fresh":               {nonce, client, time.Hour, true},
		"an hour old":         {nonce, client, 2 * time.Hour, true},
		"older":               {nonce, client, 2*time.Hour + time.Second, false},
		"of the future":       {nonce, client, time.Hour - time.Second, false},
		"another's":           {nonce, elsewhere, time.Hour, false},
		"of another server":   {[]byte(other.issueAt(client, time.Hour)), client, time.Hour, false},
		"longer":              {append(nonce[:len(nonce):len(nonce)], 'A'), client, time.Hour, false},
		"shorter":             {nonce[:len(nonce)-1], client, time.Hour, false},
		"empty":               {nil, client, time.Hour, false},
		"of other characters": {[]byte(fmt.Sprintf("%-22s", "=")), client, time.Hour, false},
	} {
		if got := n.validAt(test.nonce, test.from, test.age); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
	for i := range nonce {
		changed := append([]byte{}, nonce...)
		changed[i] ^= 1
		if n.validAt(changed, client, time.Hour) {
			t.Errorf("byte %d changed: still valid", i)
		}
	}
	if got := n.issueAt(client, time.Hour+time.Second); got == string(nonce) {
		t.Error("the nonce does not change with time")
	}
}
