package turnsrv_test

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"fieldphone/turnsrv"
	"fieldphone/turnsrv/credential"
)

func TestCredentialsThatOpenNothing(t *testing.T) {
	s := startSite(t)
	now := s.clock.Now()
	issue := func(subject, session string, expiry time.Time) [2]string {
		username, password := credential.Issue(secret, subject, session, expiry)
		return [2]string{username, password}
	}
	good := issue("ann", "S1", now.Add(time.Hour))
	foreign, foreignPassword := credential.Issue([]byte("another secret, 32 bytes or more"), "ann", "S1", now.Add(time.Hour))
	s.EndSession("ended")
	for name, test := range map[string]struct {
		credential [2]string
		realm      string
		counted    func(turnsrv.AuthFailures) int64
	}{
		"wrong password": {[2]string{good[0], "wrong"}, realm, func(f turnsrv.AuthFailures) int64 { return f.Password }},
		"another secret": {[2]string{foreign, foreignPassword}, realm, func(f turnsrv.AuthFailures) int64 { return f.Password }},
		"another realm":  {good, "elsewhere", func(f turnsrv.AuthFailures) int64 { return f.Realm }},
		"no username":    {[2]string{"ann", credential.Password(secret, "ann")}, realm, func(f turnsrv.AuthFailures) int64 { return f.Username }},
		"expired":        {issue("ann", "S1", now.Add(-time.Minute)), realm, func(f turnsrv.AuthFailures) int64 { return f.Expired }},
		"too long":       {issue("ann", "S1", now.Add(25*time.Hour)), realm, func(f turnsrv.AuthFailures) int64 { return f.Lifetime }},
		"ended session":  {issue("ann", "ended", now.Add(time.Hour)), realm, func(f turnsrv.AuthFailures) int64 { return f.Revoked }},
	} {
		t.Run(name, func(t *testing.T) {
			dialBoth(t, func(t *testing.T, network string) {
				before := test.counted(s.Stats().AuthFailures)
				c := dial(t, network, s.at(network, addrOne), test.credential[0], test.credential[1])
				c.realm = test.realm
				c.challenge()
				c.expectChallenge(c.tryAllocate(), stun.CodeUnauthorized)
				if got := test.counted(s.Stats().AuthFailures); got != before+1 {
					t.Errorf("counted %d, want 1", got-before)
				}
			})
		})
	}
	if got := s.Stats().AllocationsCreated; got != 0 {
		t.Errorf("allocations created: got %d, want 0", got)
	}
}

func TestClockLeeway(t *testing.T) {
	s := startSite(t)
	username, password := credential.Issue(secret, "ann", "S1", s.clock.Now().Add(-20*time.Second))
	dial(t, "udp", s.udp[addrOne], username, password).allocate()
}

// A long call outlives its credential; the credential opens nothing more.
func TestExpiryDoesNotEndWhatRuns(t *testing.T) {
	s := startSite(t)
	dialBoth(t, func(t *testing.T, network string) {
		username, password := s.login("ann", "S"+network)
		c := dial(t, network, s.at(network, addrOne), username, password)
		relayed := c.allocate()
		s.clock.advance(3 * time.Hour)

		peer := listenUDP(t, addrPeer)
		c.must(c.request(stun.MethodRefresh, lifetime(600)))
		c.must(c.permit(addrPeer))
		c.must(c.bindChannel(0x4000, local(peer)))
		c.sendChannel(0x4000, "still here")
		if from := expectFrom(t, peer, "still here"); from != relayed {
			t.Errorf("from %s, want %s", from, relayed)
		}
		for _, address := range []netip.Addr{addrOne, addrTwo} {
			other := dial(t, network, s.at(network, address), username, password)
			if m := other.tryAllocate(); m.Type.Class != stun.ClassErrorResponse {
				t.Errorf("Allocate with an expired credential: got %v", m)
			}
		}
		c.must(c.request(stun.MethodRefresh, lifetime(0)))
		if m := c.tryAllocate(); m.Type.Class != stun.ClassErrorResponse {
			t.Errorf("Allocate on the same 5-tuple after expiry: got %v", m)
		}
	})
}

func TestEndSession(t *testing.T) {
	s := startSite(t)
	dialBoth(t, func(t *testing.T, network string) {
		username, password := s.login("ann", "end-"+network)
		c := dial(t, network, s.at(network, addrOne), username, password)
		relayed := c.allocate()
		keptName, keptPassword := s.login("bob", "keep-"+network)
		kept := dial(t, network, s.at(network, addrOne), keptName, keptPassword)
		kept.allocate()

		peer, keptPeer := listenUDP(t, addrPeer), listenUDP(t, addrPeer)
		c.must(c.bindChannel(0x4000, local(peer)))
		kept.must(kept.bindChannel(0x4000, local(keptPeer)))
		c.sendChannel(0x4000, "before")
		expectFrom(t, peer, "before")

		stop := stream(t, c)
		arrived := listenTo(t, peer.ReadFromUDPAddrPort)
		eventually(t, "packets flow", func() bool { return arrived.Load() != 0 })
		ended := time.Now()
		s.EndSession("end-" + network)
		eventually(t, "the relay port is free again", func() bool { return rangeIsFree(int(relayed.Port()), 1) })
		eventually(t, "packets stopped", func() bool { return time.Since(time.Unix(0, arrived.Load())) > 300*time.Millisecond })
		if after := time.Unix(0, arrived.Load()).Sub(ended); after > time.Second {
			t.Errorf("the last packet came %v after the session ended", after)
		}
		stop()

		for _, address := range []netip.Addr{addrOne, addrTwo} {
			again := dial(t, network, s.at(network, address), username, password)
			if m := again.tryAllocate(); m.Type.Class != stun.ClassErrorResponse {
				t.Errorf("Allocate with an ended session's credential: got %v", m)
			}
		}
		later, laterPassword := s.login("ann", "end-"+network)
		if m := dial(t, network, s.at(network, addrOne), later, laterPassword).tryAllocate(); m.Type.Class != stun.ClassErrorResponse {
			t.Errorf("Allocate with a newer credential of the ended session: got %v", m)
		}
		if network == "udp" {
			if m := c.request(stun.MethodRefresh, lifetime(600)); m.Type.Class != stun.ClassErrorResponse {
				t.Errorf("Refresh after the end: got %v", m)
			}
		} else {
			c.closed()
		}
		kept.sendChannel(0x4000, "undisturbed")
		expectFrom(t, keptPeer, "undisturbed")
		kept.must(kept.request(stun.MethodRefresh, lifetime(600)))
	})
}

// stream sends ChannelData all the time until stopped.
func stream(t *testing.T, c *client) (stop func()) {
	t.Helper()
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				// The server may have closed the connection meanwhile.
				_, _ = c.conn.Write(channelData(0x4000, "media"))
			}
		}
	}()
	return func() { close(done); <-ended }
}

// listenTo notes when the last packet came, until the socket is closed.
func listenTo(t *testing.T, read func([]byte) (int, netip.AddrPort, error)) *atomic.Int64 {
	t.Helper()
	var last atomic.Int64
	go func() {
		buffer := make([]byte, 2000)
		for {
			if _, _, err := read(buffer); err != nil {
				return
			}
			last.Store(time.Now().UnixNano())
		}
	}()
	return &last
}

// Ending sessions while their clients are busy must never disturb the server.
func TestEndSessionWhileBusy(t *testing.T) {
	s := startSite(t)
	for round := range 30 {
		session := fmt.Sprintf("busy%d", round)
		username, password := s.login("ann", session)
		c := dial(t, "udp", s.udp[addrOne], username, password)
		c.allocate()
		done := make(chan struct{})
		before := s.Stats().UDP.PacketsIn
		go func() {
			defer close(done)
			for i := range 100 {
				peer := netip.AddrFrom4([4]byte{10, 0, byte(round), byte(i)})
				m := c.build(stun.MethodCreatePermission, peerAddress(netip.AddrPortFrom(peer, 0)))
				if _, err := c.conn.Write(m.Raw); err != nil {
					return
				}
			}
		}()
		for s.Stats().UDP.PacketsIn < before+10 { // in the middle of it
			runtime.Gosched()
		}
		s.EndSession(session)
		<-done
	}
	eventually(t, "all allocations are gone", func() bool { return s.Stats().Allocations == 0 })
	if got := s.Stats().RevokedSessions; got != 30 {
		t.Errorf("revoked sessions: got %d, want 30", got)
	}
	s.clock.advance(25 * time.Hour)
	s.EndSession("one more")
	if got := s.Stats().RevokedSessions; got != 1 {
		t.Errorf("revoked sessions a day later: got %d, want 1", got)
	}
}

func TestQuota(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) { c.Limits.AllocationsPerSession = 2 })
	username, password := s.login("ann", "S1")
	first := dial(t, "udp", s.udp[addrOne], username, password)
	first.allocate()
	dial(t, "tcp", s.tcp[addrTwo], username, password).allocate()
	third := dial(t, "udp", s.udp[addrOne], username, password)
	if got := code(third.tryAllocate()); got != stun.CodeAllocQuotaReached {
		t.Errorf("third allocation: got %d, want 486", got)
	}
	other, otherPassword := s.login("ann", "S2")
	dial(t, "udp", s.udp[addrOne], other, otherPassword).allocate()

	first.must(first.request(stun.MethodRefresh, lifetime(0)))
	third.allocate()
	if got := s.Stats().AllocationsRefused.Quota; got != 1 {
		t.Errorf("refused for quota: got %d, want 1", got)
	}
}

// An allocation about to expire takes no permission any more: tearing it down
// and adding to it must not meet.
func TestNothingIsAddedToAnExpiringAllocation(t *testing.T) {
	s := startSite(t)
	username, password := s.login("ann", "S1")
	c := dial(t, "udp", s.udp[addrOne], username, password)
	c.allocate()
	s.ExpireSoon()
	before := len(c.indications)
	c.send(c.build(stun.MethodCreatePermission, peerAddress(netip.AddrPortFrom(addrPeer, 0))).Raw)
	c.bind()
	for _, p := range c.indications[before:] {
		t.Errorf("CreatePermission was answered: %x", p)
	}
	c.must(c.request(stun.MethodRefresh, lifetime(600)))
	c.must(c.permit(addrPeer))
}

// The library's reader of an allocation that was deleted must not delete the
// one that the client makes next.
func TestAllocateRightAfterTheLast(t *testing.T) {
	s := startSite(t)
	dialBoth(t, func(t *testing.T, network string) {
		username, password := s.login("ann", "S1")
		c := dial(t, network, s.at(network, addrOne), username, password)
		for range 300 {
			c.allocate()
			c.must(c.permit(addrPeer))
			c.must(c.request(stun.MethodRefresh, lifetime(0)))
		}
	})
}
