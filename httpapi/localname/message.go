package localname

import (
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	ttl       = 120 // seconds for address records, RFC 6762 section 10
	ttlLegacy = 10  // the most for resolvers that do not know mDNS, section 6.7

	unicastWanted = 1 << 15 // top bit of a question's class, section 5.4
	cacheFlush    = 1 << 15 // top bit of a record's class, section 10.2
	typeNSEC      = dnsmessage.Type(47)
)

// wanted is what the questions of a message ask about our name.
type wanted struct {
	a, aaaa bool
	unicast bool // every question allows a unicast answer
	first   dnsmessage.Question
}

func wantedOf(name dnsmessage.Name, questions []dnsmessage.Question) (w wanted, ok bool) {
	w.unicast = true
	for _, q := range questions {
		class := q.Class &^ unicastWanted
		if !equalName(q.Name, name) || class != dnsmessage.ClassINET && class != dnsmessage.ClassANY {
			continue
		}
		if !ok {
			w.first = q
		}
		ok = true
		w.unicast = w.unicast && q.Class&unicastWanted != 0
		w.a = w.a || q.Type == dnsmessage.TypeA || q.Type == dnsmessage.TypeALL
		w.aaaa = w.aaaa || q.Type == dnsmessage.TypeAAAA || q.Type == dnsmessage.TypeALL
	}
	return w, ok
}

func equalName(a, b dnsmessage.Name) bool { return strings.EqualFold(a.String(), b.String()) }

// addrOf returns the address that a record gives to name.
func addrOf(name dnsmessage.Name, r dnsmessage.Resource) (addr netip.Addr, ok bool) {
	if !equalName(r.Header.Name, name) {
		return addr, false
	}
	switch body := r.Body.(type) {
	case *dnsmessage.AResource:
		return netip.AddrFrom4(body.A), true
	case *dnsmessage.AAAAResource:
		return netip.AddrFrom16(body.AAAA), true
	}
	return addr, false
}

func record(name dnsmessage.Name, addr netip.Addr, class dnsmessage.Class, seconds uint32) dnsmessage.Resource {
	header := dnsmessage.ResourceHeader{Name: name, Class: class, TTL: seconds}
	if addr.Is4() {
		return dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}}
	}
	return dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}}
}

// nothingElse says which address records the name has, so that a client that asked for the
// other kind need not wait until it gives up (RFC 6762 section 6.1).
func nothingElse(name dnsmessage.Name, aaaa bool, class dnsmessage.Class, seconds uint32) dnsmessage.Resource {
	var data []byte
	for label := range strings.SplitSeq(strings.TrimSuffix(name.String(), "."), ".") {
		data = append(append(data, byte(len(label))), label...)
	}
	// Root, window 0, then a bit for each type: A is 1, AAAA is 28 (RFC 4034 section 4.1.2).
	if data = append(data, 0, 0); aaaa {
		data = append(data, 4, 0x40, 0, 0, 0x08)
	} else {
		data = append(data, 1, 0x40)
	}
	return dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{Name: name, Class: class, TTL: seconds},
		Body:   &dnsmessage.UnknownResource{Type: typeNSEC, Data: data},
	}
}

// probe asks whether anybody has the name (RFC 6762 section 8.1).
func (l *link) probe(name dnsmessage.Name) dnsmessage.Message {
	m := dnsmessage.Message{Questions: []dnsmessage.Question{{
		Name: name, Type: dnsmessage.TypeALL, Class: dnsmessage.ClassINET | unicastWanted,
	}}}
	for _, addr := range l.addrs() {
		m.Authorities = append(m.Authorities, record(name, addr, dnsmessage.ClassINET, ttl))
	}
	return m
}

// announce tells everybody the addresses; with 0 seconds it takes them back (RFC 6762
// sections 8.3 and 10.1).
func (l *link) announce(name dnsmessage.Name, seconds uint32) dnsmessage.Message {
	m := dnsmessage.Message{Header: dnsmessage.Header{Response: true, Authoritative: true}}
	for _, addr := range l.addrs() {
		m.Answers = append(m.Answers, record(name, addr, dnsmessage.ClassINET|cacheFlush, seconds))
	}
	return m
}

// answer returns the response to a question, ok false if the asker already knows it.
func (l *link) answer(name dnsmessage.Name, asked dnsmessage.Message, w wanted, legacy bool) (m dnsmessage.Message, ok bool) {
	class, seconds := dnsmessage.ClassINET|cacheFlush, uint32(ttl)
	m.Header = dnsmessage.Header{Response: true, Authoritative: true}
	if legacy {
		class, seconds = dnsmessage.ClassINET, ttlLegacy
		m.ID, m.Questions = asked.ID, []dnsmessage.Question{w.first}
	}
	for _, addr := range l.addrs() {
		r := record(name, addr, class, seconds)
		switch asks := addr.Is4() && w.a || addr.Is6() && w.aaaa; {
		case !asks:
			m.Additionals = append(m.Additionals, r)
		case !known(name, asked, addr):
			m.Answers = append(m.Answers, r)
		}
	}
	if six := len(l.six) > 0; !six && w.aaaa && !w.a {
		m.Answers = append(m.Answers, nothingElse(name, six, class, seconds))
	} else {
		m.Additionals = append(m.Additionals, nothingElse(name, six, class, seconds))
	}
	return m, len(m.Answers) > 0
}

// known reports whether the asker has an address and will keep it for a while (RFC 6762
// section 7.1).
func known(name dnsmessage.Name, asked dnsmessage.Message, addr netip.Addr) bool {
	for _, r := range asked.Answers {
		if a, ok := addrOf(name, r); ok && a == addr && r.Header.TTL >= ttl/2 {
			return true
		}
	}
	return false
}

const (
	probes        = 3
	probeInterval = 250 * time.Millisecond // RFC 6762 section 8.1
	announcements = 2
	announceEvery = time.Second    // section 8.3
	againAfter    = time.Minute    // asking for a name that somebody else has
	deferTime     = time.Second    // after losing a simultaneous probe, section 8.2
	quiet         = time.Second    // between two multicast answers, section 6
	quietProbe    = probeInterval  // the same when somebody probes
	forever       = 24 * time.Hour // nothing is due
)
