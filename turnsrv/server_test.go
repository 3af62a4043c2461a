package turnsrv_test

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fieldphone/turnsrv"
)

func TestConfigProblemsAreNamed(t *testing.T) {
	_, err := turnsrv.New(turnsrv.Config{Limits: turnsrv.Limits{TCPIdle: -1}})
	want := strings.Join([]string{
		"turn: realm: must have 1 to 127 bytes",
		"turn: secret: must have at least 16 bytes",
		"turn: logger and clock must be given",
		"turn: relay_ports: 0-0 has ports below 1024; choose a range above, like 49160-49359",
		"turn: limits: no limit can be negative",
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestListenersThatWouldAnswerWrongly(t *testing.T) {
	s := startSite(t)
	wildcard, err := net.ListenUDP("udp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	inRange := bindTo(t, netip.AddrPortFrom(addrOne, s.relay.Max))
	for name, l := range map[string]turnsrv.Listener{
		"nothing":              {},
		"wildcard":             {UDP: wildcard, Address: addrOne},
		"in the relay range":   {UDP: inRange, Address: addrOne},
		"advertised but where": {UDP: listenUDP(t, addrOne), Advertised: addrTwo},
	} {
		if err := s.Add(l); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if _, err := wildcard.WriteToUDPAddrPort(nil, s.udp[addrOne]); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a refused socket was left open: %v", err)
	}
	if opened, err := turnsrv.Open(t.Context(), []netip.Addr{addrOne, netip.IPv4Unspecified()}, 0); err == nil || opened != nil {
		t.Errorf("Open on 0.0.0.0: got %v, %v", opened, err)
	}
	if _, err := turnsrv.Open(t.Context(), []netip.Addr{addrOne}, s.udp[addrOne].Port()); err == nil || !strings.Contains(err.Error(), "turn.port") {
		t.Errorf("Open on a port in use: got %v, want advice", err)
	}
}

func TestAddressesChangeWhileRunning(t *testing.T) {
	s := startSite(t, func(c *turnsrv.Config) {
		for _, l := range c.Listeners {
			if l.Address == addrTwo { // only the first address at the start
				if l.UDP != nil {
					_ = l.UDP.Close()
				} else {
					l.TCP.Close()
				}
			}
		}
		c.Listeners = c.Listeners[:2]
	})
	live := s.call(t, "udp")
	if err := s.SetAddresses(t.Context(), []netip.Addr{addrOne, addrTwo}, s.udp[addrOne].Port()); err != nil {
		t.Fatal(err)
	}
	username, password := s.login("bob", "S2")
	two := netip.AddrPortFrom(addrTwo, s.udp[addrOne].Port())
	udp, tcp := dial(t, "udp", two, username, password), dial(t, "tcp", two, username, password)
	udp.allocate()
	tcp.allocate()
	if got := s.Stats(); got.Listeners != 4 || got.Allocations != 3 {
		t.Errorf("got %+v", got)
	}
	if err := s.SetAddresses(t.Context(), []netip.Addr{addrOne}, s.udp[addrOne].Port()); err != nil {
		t.Fatal(err)
	}
	tcp.closed()
	eventually(t, "the allocations at the address are gone", func() bool { return s.Stats().Allocations == 1 })
	live.undisturbed()
	if err := s.Remove(addrOne); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nothing is served", func() bool { got := s.Stats(); return got.Listeners == 0 && got.Allocations == 0 })
	if err := s.SetAddresses(t.Context(), []netip.Addr{addrTwo}, s.udp[addrOne].Port()); err != nil {
		t.Fatal(err)
	}
	dial(t, "udp", two, username, password).allocate()
}

func TestCloseEndsEverything(t *testing.T) {
	s := startSite(t)
	live := s.call(t, "udp")
	stream := s.call(t, "tcp")
	waiting := dial(t, "tcp", s.tcp[addrOne], "", "")
	eventually(t, "the connection is accepted", func() bool { return s.Stats().TCPConnections.Open == 2 })
	begun := time.Now()
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("Close took %v", took)
	}
	stream.closed()
	waiting.closed()
	if !rangeIsFree(int(s.relay.Min), 32) {
		t.Error("relay ports are still held")
	}
	_ = live
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	opened, err := turnsrv.Open(t.Context(), []netip.Addr{addrOne}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Add(opened...); !errors.Is(err, turnsrv.ErrClosed) {
		t.Errorf("Add after Close: got %v, want ErrClosed", err)
	}
	s.EndSession("anything")
}

func TestTrafficIsCounted(t *testing.T) {
	s := startSite(t)
	dialBoth(t, func(t *testing.T, network string) {
		live := s.call(t, network)
		side := func() turnsrv.Traffic {
			if network == "tcp" {
				return s.Stats().TCP
			}
			return s.Stats().UDP
		}
		eventually(t, "each request's response is counted", func() bool { got := side(); return got.PacketsOut == got.PacketsIn })
		before, relayBefore := side(), s.Stats().Relay
		live.sendChannel(0x4000, "12345678")
		from := expectFrom(t, live.peer, "12345678")
		reply(t, live.peer, from, "1234")
		live.next()
		eventually(t, "counted", func() bool { return side().PacketsOut == before.PacketsOut+1 })
		got, relay := side(), s.Stats().Relay
		if got.PacketsIn != before.PacketsIn+1 || got.BytesIn != before.BytesIn+12 || got.BytesOut != before.BytesOut+8 {
			t.Errorf("clients: got %+v after %+v", got, before)
		}
		want := turnsrv.Traffic{
			PacketsIn: relayBefore.PacketsIn + 1, BytesIn: relayBefore.BytesIn + 4,
			PacketsOut: relayBefore.PacketsOut + 1, BytesOut: relayBefore.BytesOut + 8,
		}
		if relay != want {
			t.Errorf("peers: got %+v, want %+v", relay, want)
		}
	})
}

// Even at debug level no packet writes a line.
func TestPacketsAreNotLogged(t *testing.T) {
	log := &logBuffer{}
	s := startSite(t, func(c *turnsrv.Config) {
		c.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	live := s.call(t, "udp")
	before := len(log.String())
	for range 20 {
		live.undisturbed()
	}
	if got := log.String()[before:]; got != "" {
		t.Errorf("logged:\n%s", got)
	}
}
