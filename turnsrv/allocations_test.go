package turnsrv_test

import (
	"crypto/tls"
	"net"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/stun/v3"

	"fieldphone/turnsrv"
)

// soon is how long an end may take until the client can see it.
const soon = time.Second

func compareAddresses() cmp.Options {
	return cmp.Options{
		cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	}
}

func TestAllocationsAreListed(t *testing.T) {
	s := startSite(t)
	dialBoth(t, func(t *testing.T, network string) {
		username, password := s.login("ann", "S-"+network)
		c := dial(t, network, s.at(network, addrOne), username, password)
		began := s.clock.Now()
		relayed := c.allocate()
		one, two := listenUDP(t, addrPeer), listenUDP(t, addrPeer)
		c.must(c.bindChannel(0x4000, local(one)))
		c.must(c.permit(addrPeer))
		for range 3 {
			c.sendChannel(0x4000, "four")
			expectFrom(t, one, "four")
		}
		reply(t, one, relayed, "fifteen letters")
		c.next()
		reply(t, two, relayed, "two")
		c.next()
		c.indicate(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.4"), 9), "without a permission")
		c.settle()

		all := s.Allocations()
		if len(all) != 1 {
			t.Fatalf("got %d allocations, want 1: %+v", len(all), all)
		}
		got := all[0]
		peers := []netip.AddrPort{local(one), local(two)}
		slices.SortFunc(peers, netip.AddrPort.Compare)
		want := turnsrv.Allocation{
			ID: got.ID, User: "ann", Session: "S-" + network,
			Client: netip.MustParseAddrPort(c.conn.LocalAddr().String()), Server: s.at(network, addrOne), Relayed: relayed,
			Transport: network, Peers: peers, Created: got.Created, Expires: got.Expires,
			FromClient: turnsrv.Flow{Packets: 3, Bytes: 12}, ToClient: turnsrv.Flow{Packets: 2, Bytes: 18},
		}
		if diff := cmp.Diff(want, got, compareAddresses()); diff != "" {
			t.Error(diff)
		}
		if got.Created.Before(began) || got.Created.After(s.clock.Now()) {
			t.Errorf("created at %v, want between %v and now", got.Created, began)
		}
		if left := time.Until(got.Expires); left < 9*time.Minute || left > 10*time.Minute {
			t.Errorf("expires in %v, want ten minutes", left)
		}
		if !s.End(got.ID) || s.End(got.ID) {
			t.Error("End must find the allocation once")
		}
	})
}

// What is ended is gone for its client within a second, and the client may
// begin again.
func TestEndIsSeenWithinASecond(t *testing.T) {
	s := startSite(t)
	dialBoth(t, func(t *testing.T, network string) {
		username, password := s.login("ann", "S-"+network)
		c := dial(t, network, s.at(network, addrOne), username, password)
		relayed := c.allocate()
		other := dial(t, network, s.at(network, addrTwo), username, password)
		other.allocate()
		peer := listenUDP(t, addrPeer)
		c.must(c.bindChannel(0x4000, local(peer)))
		start := time.Now()
		if !s.End(s.idOf(relayed)) {
			t.Fatal("End found nothing")
		}
		if network == "tcp" {
			c.closed()
		} else {
			if got := code(c.request(stun.MethodRefresh, lifetime(600))); got != stun.CodeAllocMismatch {
				t.Errorf("Refresh: got %d, want 437", got)
			}
			c.sendChannel(0x4000, "too late")
		}
		if took := time.Since(start); took > soon {
			t.Errorf("took %v, want at most %v", took, soon)
		}
		if got := received(t, peer, addrPeer); len(got) != 0 {
			t.Errorf("the peer got %q after the end", got)
		}
		other.must(other.request(stun.MethodRefresh, lifetime(600)))
		again := dial(t, network, s.at(network, addrOne), username, password)
		again.allocate()
		s.EndSession("S-" + network)
	})
}

func (s *site) idOf(relayed netip.AddrPort) uint64 {
	s.t.Helper()
	for _, a := range s.Allocations() {
		if a.Relayed == relayed {
			return a.ID
		}
	}
	s.t.Fatalf("no allocation has %s", relayed)
	return 0
}

// A hang-up ends the call's allocations, not the session, and not what the
// session made for its next call.
func TestEndAllocationsOfAHangUp(t *testing.T) {
	s := startSite(t)
	username, password := s.login("ann", "S1")
	old := []*client{dial(t, "udp", s.udp[addrOne], username, password), dial(t, "tcp", s.tcp[addrOne], username, password)}
	for _, c := range old {
		c.allocate()
	}
	strangerName, strangerPassword := s.login("bob", "S2")
	stranger := dial(t, "udp", s.udp[addrOne], strangerName, strangerPassword)
	stranger.allocate()
	s.clock.advance(time.Second)
	hungUp := s.clock.Now()
	next := dial(t, "udp", s.udp[addrOne], username, password)
	next.allocate()

	start := time.Now()
	if got := s.EndAllocations("S1", hungUp); got != 2 {
		t.Errorf("ended %d, want 2", got)
	}
	old[1].closed()
	if got := code(old[0].request(stun.MethodRefresh, lifetime(600))); got != stun.CodeAllocMismatch {
		t.Errorf("Refresh: got %d, want 437", got)
	}
	if took := time.Since(start); took > soon {
		t.Errorf("took %v, want at most %v", took, soon)
	}
	next.must(next.request(stun.MethodRefresh, lifetime(600)))
	stranger.must(stranger.request(stun.MethodRefresh, lifetime(600)))
	old[0].allocate()
	if got := s.EndAllocations("nobody", s.clock.Now()); got != 0 {
		t.Errorf("ended %d of nobody", got)
	}
}

// A client that reads nothing holds up no end, over TLS neither.
func TestEndOfAClientThatDoesNotRead(t *testing.T) {
	web := httptest.NewTLSServer(nil)
	certificate := web.TLS.Certificates[0]
	web.Close()
	plain, err := net.Listen("tcp", netip.AddrPortFrom(addrOne, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	secure := tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{certificate}})
	s := startSite(t, func(c *turnsrv.Config) {
		c.Listeners = append(c.Listeners, turnsrv.Listener{TCP: secure, Address: addrOne})
	})
	username, password := s.login("ann", "S1")
	c := dial(t, "tcp", netip.MustParseAddrPort(plain.Addr().String()), username, password)
	c.conn = tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true})
	c.reader.Reset(c.conn)
	relayed := c.allocate()
	if got := s.Allocations()[0].Transport; got != "tls" {
		t.Errorf("transport %q, want tls", got)
	}
	peer := listenUDP(t, addrPeer)
	c.must(c.bindChannel(0x4000, local(peer)))
	// Fill every buffer on the way to the client, until nothing goes on.
	filler := make([]byte, 1400)
	last, quiet := int64(0), time.Now()
	for time.Since(quiet) < soon/2 {
		reply(t, peer, relayed, string(filler))
		if out := s.Stats().TLS.BytesOut; out != last {
			last, quiet = out, time.Now()
		}
	}
	start := time.Now()
	s.EndSession("S1")
	if took := time.Since(start); took > soon {
		t.Errorf("EndSession took %v, want at most %v", took, soon)
	}
	eventually(t, "it is gone", func() bool { return len(s.Allocations()) == 0 })
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := c.conn.Read(filler); err != nil {
			if os.IsTimeout(err) {
				t.Error("the connection stayed open")
			}
			return
		}
	}
}
