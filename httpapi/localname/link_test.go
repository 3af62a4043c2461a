package localname

import (
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestLabels(t *testing.T) {
	for _, bad := range []string{"", "a.b", "-a", "a-", "fïeld", "a b", "0123456789012345678901234567890123456789012345678901234567890123"} {
		if _, err := New(Config{Label: bad, Logger: slog.New(slog.DiscardHandler)}); err == nil {
			t.Errorf("%q is taken for a label", bad)
		}
	}
}

// The life of a name as RFC 6762 section 8 tells it, without a network.
func TestLifeOfALink(t *testing.T) {
	name := dnsmessage.MustNewName("fieldphone.local.")
	l := &link{prefix: netip.MustParsePrefix("10.1.0.5/24")}
	now := time.Unix(1e9, 0)
	run := func(d time.Duration) (sent []string) {
		for end := now.Add(d); now.Before(end); now = now.Add(10 * time.Millisecond) {
			switch m, ok := l.step(name, now); {
			case ok && m.Response:
				sent = append(sent, "announce")
			case ok:
				sent = append(sent, "probe")
			}
		}
		return sent
	}
	is := func(what string, got []string, want ...string) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%s: %v, want %v", what, got, want)
			}
		}
	}
	l.startProbing(now, 0)
	is("start", run(10*time.Second), "probe", "probe", "probe", "announce", "announce")
	if l.state != answering {
		t.Fatalf("state %d", l.state)
	}
	if l.lose(now) {
		t.Error("an answering link gives way at once; it has to ask again")
	}
	is("asking again", run(260*time.Millisecond), "probe")
	if !l.lose(now) {
		t.Error("a probing link keeps a name that is taken")
	}
	is("taken", run(59*time.Second))
	is("after a minute", run(10*time.Second), "probe", "probe", "probe", "announce", "announce")

	l.startProbing(now, 0)
	l.rival(netip.MustParseAddr("10.1.0.4"), now)
	is("against a smaller address", run(510*time.Millisecond), "probe", "probe")
	l.rival(netip.MustParseAddr("10.1.0.6"), now)
	is("against a greater address", run(990*time.Millisecond))
	is("a second later", run(10*time.Second), "probe", "probe", "probe", "announce", "announce")
}
