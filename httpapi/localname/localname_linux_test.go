package localname

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// waitFor returns when the log has the text, or after some seconds without it.
func (l *logText) waitFor(text string) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline) && !strings.Contains(l.String(), text); {
		<-tick.C
	}
}

func newResponder(t *testing.T, label string) (*Responder, *logText) {
	t.Helper()
	log := &logText{}
	r, err := New(Config{Label: label, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, log
}

func addrs(texts ...string) []netip.Addr {
	var out []netip.Addr
	for _, text := range texts {
		out = append(out, netip.MustParseAddr(text))
	}
	return out
}

func TestEverySegmentHearsItsOwnAddress(t *testing.T) {
	inNetwork(t, func() {
		one := newPhone(t, "seg1", "10.1.0.2/24", "10.3.0.2/24")
		two := newPhone(t, "seg2", "10.2.0.2/24")
		ip(t, "addr", "add", "10.1.0.9/24", "dev", "seg1") // of this host, and not served
		ip(t, "addr", "add", "10.1.0.1/24", "dev", "seg1")
		ip(t, "addr", "add", "10.3.0.1/24", "dev", "seg1") // a second segment on one cable
		ip(t, "addr", "add", "10.2.0.1/24", "dev", "seg2")
		r, log := newResponder(t, "FieldPhone")
		r.SetAddresses(addrs("10.1.0.1", "10.2.0.1", "10.3.0.1"))

		for _, tt := range []struct {
			phone *phone
			from  string
			want  string
		}{{one, "10.1.0.2", "10.1.0.1"}, {one, "10.3.0.2", "10.3.0.1"}, {two, "10.2.0.2", "10.2.0.1"}} {
			asker := tt.phone.asker(tt.from, 0)
			m, got := asker.resolve("fieldphone.local.", dnsmessage.TypeA)
			if got != tt.want {
				t.Errorf("%s hears %q, want %s", tt.from, got, tt.want)
			}
			// What a resolver that knows only unicast DNS needs (RFC 6762 section 6.7).
			if m.ID != 7 || len(m.Questions) != 1 || m.Answers[0].Header.TTL > 10 || m.Answers[0].Header.Class != dnsmessage.ClassINET {
				t.Errorf("legacy answer %+v", m)
			}
			asker.send(question("other.local.", dnsmessage.TypeA))
			asker.send(question("FIELDPHONE.local.", dnsmessage.TypeA))
			if m, _, ok := asker.response(2 * time.Second); !ok || records(m.Answers) != tt.want || len(m.Questions) != 1 || m.Questions[0].Name.String() != "FIELDPHONE.local." {
				t.Errorf("after a question for another name: %+v", m)
			}
		}

		// The host moves: the answers move along.
		ip(t, "addr", "del", "10.2.0.1/24", "dev", "seg2")
		ip(t, "addr", "add", "10.2.0.77/24", "dev", "seg2")
		r.SetAddresses(addrs("10.1.0.1", "10.2.0.77", "10.3.0.1"))
		if _, got := two.asker("10.2.0.2", 0).resolve("fieldphone.local.", dnsmessage.TypeA); got != "10.2.0.77" {
			t.Errorf("after the move: %s", got)
		}
		if log.String() != "" {
			t.Errorf("log: %s", log)
		}
	})
}

func TestMulticastAnswers(t *testing.T) {
	inNetwork(t, func() {
		p := newPhone(t, "seg1", "10.1.0.2/24", "fd00::2/64")
		far := newPhone(t, "seg2", "10.2.0.2/24")
		ip(t, "addr", "add", "10.1.0.1/24", "dev", "seg1")
		ip(t, "addr", "add", "10.2.0.1/24", "dev", "seg2")
		ip(t, "addr", "add", "fd00::1/64", "dev", "seg1", "nodad")
		near, other := p.asker("", 5353), far.asker("", 5353)
		r, _ := newResponder(t, "fieldphone")
		r.SetAddresses(addrs("10.1.0.1", "fd00::1", "10.2.0.1"))

		m, from, ok := near.response(5 * time.Second)
		if !ok || records(m.Answers) != "10.1.0.1 fd00::1" || from.String() != "10.1.0.1:5353" || m.Answers[0].Header.Class != dnsmessage.ClassINET|cacheFlush {
			t.Fatalf("announcement from %s: %+v", from, m)
		}
		if m, _, ok := other.response(5 * time.Second); !ok || records(m.Answers) != "10.2.0.1" {
			t.Fatalf("announcement in the other segment: %+v", m)
		}
		for _, a := range []*asker{near, other} {
			if _, _, ok := a.response(5 * time.Second); !ok {
				t.Fatal("no second announcement")
			}
		}
		if m, got := near.resolve("fieldphone.local.", dnsmessage.TypeAAAA); got != "fd00::1" || len(m.Questions) != 0 || m.Answers[0].Header.TTL != ttl {
			t.Errorf("AAAA: %+v", m)
		}
		// Whoever asks for an address of a kind that is not there need not wait.
		const onlyA = "47:0a6669656c6470686f6e65056c6f63616c00000140"
		if _, got := other.resolve("fieldphone.local.", dnsmessage.TypeAAAA); got != onlyA {
			t.Errorf("no AAAA: %s", got)
		}
		// Whoever knows the address already gets no answer (section 7.1).
		q := question("fieldphone.local.", dnsmessage.TypeA)
		q.Questions[0].Class |= unicastWanted
		q.Answers = []dnsmessage.Resource{record(q.Questions[0].Name, netip.MustParseAddr("10.1.0.1"), dnsmessage.ClassINET, ttl)}
		near.send(q)
		q.Answers[0].Header.TTL = ttl/2 - 1
		q.ID = 8
		near.send(q)
		if m, _, ok := near.response(5 * time.Second); !ok || records(m.Answers) != "10.1.0.1" {
			t.Errorf("nearly forgotten: %+v", m)
		}
		if m, _, ok := near.response(300 * time.Millisecond); ok {
			t.Errorf("known, and answered: %+v", m)
		}
		r.Close()
		for _, a := range []*asker{near, other} {
			if m, _, ok := a.response(5 * time.Second); !ok || m.Answers[0].Header.TTL != 0 {
				t.Errorf("goodbye: %+v", m)
			}
		}
	})
}

func TestANameThatIsTaken(t *testing.T) {
	inNetwork(t, func() {
		p := newPhone(t, "seg1", "10.1.0.2/24")
		third := newPhone(t, "seg2", "10.2.0.2/24")
		ip(t, "addr", "add", "10.1.0.1/24", "dev", "seg1")
		ip(t, "addr", "add", "10.2.0.1/24", "dev", "seg2")
		first, firstLog := newResponder(t, "fieldphone")
		p.do(func() { first.SetAddresses(addrs("10.1.0.2")) })
		beside := p.asker("10.1.0.2", 0) // another program on the same host
		if _, got := beside.resolve("fieldphone.local.", dnsmessage.TypeA); got != "10.1.0.2" {
			t.Errorf("the first: %s", got)
		}

		second, log := newResponder(t, "fieldphone")
		second.SetAddresses(addrs("10.1.0.1", "10.2.0.1"))
		// In the segment where nobody has the name, it is ours.
		if _, got := third.asker("10.2.0.2", 0).resolve("fieldphone.local.", dnsmessage.TypeA); got != "10.2.0.1" {
			t.Errorf("in the free segment: %s", got)
		}
		log.waitFor("another device has this mDNS name")
		if got := strings.Count(log.String(), "\n"); got != 1 || !strings.Contains(log.String(), "fieldphone.local. is 10.1.0.2") {
			t.Errorf("log: %s", log)
		}
		if _, got := beside.resolve("fieldphone.local.", dnsmessage.TypeA); got != "10.1.0.2" || firstLog.String() != "" {
			t.Errorf("the first gave way: %s %s", got, firstLog)
		}
	})
}

func TestNoMulticastIsToldOnce(t *testing.T) {
	inNetwork(t, func() {
		newPhone(t, "seg1", "10.1.0.2/24")
		ip(t, "addr", "add", "10.1.0.1/24", "dev", "seg1")
		ip(t, "link", "set", "seg1", "multicast", "off")
		ip(t, "link", "set", "seg1", "down")
		r, log := newResponder(t, "fieldphone")
		for _, last := range []string{"10.1.0.1", "10.1.0.9", "10.1.0.1"} {
			r.SetAddresses(addrs(last))
		}
		log.waitFor("cannot send")
		r.Close()
		if got := strings.Count(log.String(), "cannot send"); got != 1 {
			t.Errorf("told %d times:\n%s", got, log)
		}
	})
}
