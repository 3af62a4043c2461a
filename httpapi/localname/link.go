package localname

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

type state int

const (
	probing   state = iota // asking whether the name is free
	answering              // it is ours
	taken                  // somebody else has it
)

// link is one IPv4 address of this host and the segment around it.
type link struct {
	iface  net.Interface
	prefix netip.Prefix // the address with its network's length
	six    []netip.Addr // IPv6 addresses of the same interface

	// These belong to the server's goroutine.
	state    state
	sent     int       // probes, or announcements
	due      time.Time // of the next step
	answered time.Time // the last multicast answer
}

// findLinks tells where this host has addrs.
func findLinks(addrs []netip.Addr) ([]*link, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var links []*link
	for _, iface := range interfaces {
		own, err := iface.Addrs()
		if err != nil {
			continue // it has just gone
		}
		var four []netip.Prefix
		var six []netip.Addr
		for _, a := range own {
			n, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			addr, _ := netip.AddrFromSlice(n.IP)
			addr = addr.Unmap()
			ones, _ := n.Mask.Size()
			switch {
			case !slices.Contains(addrs, addr):
			case addr.Is4():
				four = append(four, netip.PrefixFrom(addr, ones))
			default:
				six = append(six, addr)
			}
		}
		for _, prefix := range four {
			links = append(links, &link{iface: iface, prefix: prefix, six: six})
		}
	}
	slices.SortFunc(links, func(a, b *link) int {
		return cmp.Or(cmp.Compare(a.iface.Index, b.iface.Index), a.prefix.Addr().Compare(b.prefix.Addr()))
	})
	return links, nil
}

func (l *link) sameAs(other *link) bool {
	return l.iface.Index == other.iface.Index && l.prefix == other.prefix && slices.Equal(l.six, other.six)
}

func (l *link) addrs() []netip.Addr { return append([]netip.Addr{l.prefix.Addr()}, l.six...) }

// startProbing begins at a random time, as many devices start at once after a power cut
// (RFC 6762 section 8.1).
func (l *link) startProbing(now time.Time, after time.Duration) {
	l.state, l.sent = probing, 0
	l.due = now.Add(after + rand.N(probeInterval))
}

// step does what is due and returns the message to multicast, ok false if there is none.
func (l *link) step(name dnsmessage.Name, now time.Time) (m dnsmessage.Message, ok bool) {
	switch {
	case now.Before(l.due):
		return m, false
	case l.state == taken:
		l.startProbing(now, 0)
		return m, false
	case l.state == probing && l.sent < probes:
		l.sent++
		l.due = now.Add(probeInterval)
		return l.probe(name), true
	case l.state == probing:
		l.state, l.sent = answering, 0
	case l.sent == announcements:
		l.due = now.Add(forever)
		return m, false
	}
	l.sent++
	l.due = now.Add(announceEvery)
	l.answered = now
	return l.announce(name, ttl), true
}

// lose follows the news that somebody else uses the name. Whoever answers asks again first,
// as the other may be wrong; lost reports that the name has to be left to the other.
func (l *link) lose(now time.Time) (lost bool) {
	switch l.state {
	case answering:
		l.startProbing(now, 0)
	case probing:
		l.state, l.due = taken, now.Add(againAfter)
		return true
	}
	return false
}

// rival compares our probe with somebody else's of the same moment: the greater address
// wins (RFC 6762 section 8.2).
func (l *link) rival(theirs netip.Addr, now time.Time) {
	ours := l.prefix.Addr()
	if l.state == probing && theirs.Is4() && bytes.Compare(theirs.AsSlice(), ours.AsSlice()) > 0 {
		l.startProbing(now, deferTime)
	}
}

// mayMulticast holds the rate of answers down (RFC 6762 section 6).
func (l *link) mayMulticast(now time.Time, probed bool) bool {
	wait := quiet
	if probed {
		wait = quietProbe
	}
	if now.Sub(l.answered) < wait {
		return false
	}
	l.answered = now
	return true
}
