package turnsrv_test

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"fieldphone/turnsrv"
)

// simulatedNAT stands between clients and the four corners of a server. The
// server tells its addresses as advertised, where the NAT listens instead.
type simulatedNAT struct {
	t                  *testing.T
	mapping, filtering turnsrv.Behaviour
	inner              map[netip.AddrPort]*net.UDPConn // by the real corner

	mu    sync.Mutex
	outer map[[2]netip.AddrPort]*mapped
}

// mapped is one outside socket of a client, and whom it has sent to.
type mapped struct {
	conn   *net.UDPConn
	client netip.AddrPort
	sentTo map[netip.AddrPort]bool
}

// scope is what a behaviour looks at of a remote socket.
func scope(b turnsrv.Behaviour, remote netip.AddrPort) netip.AddrPort {
	switch b {
	case turnsrv.EndpointIndependent:
		return netip.AddrPort{}
	case turnsrv.AddressDependent:
		return netip.AddrPortFrom(remote.Addr(), 0)
	default:
		return remote
	}
}

func startNAT(t *testing.T, mapping, filtering turnsrv.Behaviour, corners map[netip.AddrPort]*net.UDPConn) {
	t.Helper()
	n := &simulatedNAT{t: t, mapping: mapping, filtering: filtering, inner: corners, outer: make(map[[2]netip.AddrPort]*mapped)}
	for corner, conn := range corners {
		go n.fromInside(corner, conn)
	}
}

func (n *simulatedNAT) fromInside(corner netip.AddrPort, conn *net.UDPConn) {
	buffer := make([]byte, 2000)
	for {
		size, client, err := conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		m := n.mappedFor(client, corner)
		_, _ = m.conn.WriteToUDPAddrPort(buffer[:size], corner)
	}
}

func (n *simulatedNAT) mappedFor(client, corner netip.AddrPort) *mapped {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := [2]netip.AddrPort{client, scope(n.mapping, corner)}
	m := n.outer[key]
	if m == nil {
		m = &mapped{listenUDP(n.t, addrPeer), client, make(map[netip.AddrPort]bool)}
		n.outer[key] = m
		go n.fromOutside(m)
	}
	m.sentTo[scope(n.filtering, corner)] = true
	return m
}

func (n *simulatedNAT) fromOutside(m *mapped) {
	buffer := make([]byte, 2000)
	for {
		size, from, err := m.conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		n.mu.Lock()
		passes := m.sentTo[scope(n.filtering, from)]
		n.mu.Unlock()
		if passes {
			_, _ = n.inner[from].WriteToUDPAddrPort(buffer[:size], m.client)
		}
	}
}

func TestDiscoverNAT(t *testing.T) {
	all := []turnsrv.Behaviour{turnsrv.EndpointIndependent, turnsrv.AddressDependent, turnsrv.AddressAndPortDependent}
	for _, mapping := range all {
		for _, filtering := range all {
			t.Run(string(mapping+"/"+filtering), func(t *testing.T) {
				t.Parallel()
				server, other := squareBehindNAT(t, mapping, filtering, true)
				got, err := turnsrv.DiscoverNAT(t.Context(), server)
				if err != nil {
					t.Fatal(err)
				}
				if got.Mapping != mapping || got.Filtering != filtering || got.Other != other || !got.Translated() {
					t.Errorf("got %+v, want %s and %s", got, mapping, filtering)
				}
			})
		}
	}
}

// squareBehindNAT returns what a client is told of a server behind a NAT.
func squareBehindNAT(t *testing.T, mapping, filtering turnsrv.Behaviour, otherReached bool) (server, other netip.AddrPort) {
	t.Helper()
	told := map[netip.Addr]netip.Addr{addrOne: netip.MustParseAddr("127.0.1.1"), addrTwo: netip.MustParseAddr("127.0.1.2")}
	_, port := startSquare(t, func(c *turnsrv.Config) {
		for i := range c.Listeners {
			c.Listeners[i].Advertised = told[c.Listeners[i].Address]
		}
	})
	corners := make(map[netip.AddrPort]*net.UDPConn)
	for _, address := range []netip.Addr{addrOne, addrTwo} {
		for _, p := range []uint16{port, port + 1} {
			if address == addrOne || otherReached {
				corners[netip.AddrPortFrom(address, p)] = bindTo(t, netip.AddrPortFrom(told[address], p))
			}
		}
	}
	startNAT(t, mapping, filtering, corners)
	return netip.AddrPortFrom(told[addrOne], port), netip.AddrPortFrom(told[addrTwo], port+1)
}

// Silence of a server that cannot be reached says nothing about the NAT.
func TestDiscoverNATWithoutTheOtherAddress(t *testing.T) {
	t.Parallel()
	server, _ := squareBehindNAT(t, turnsrv.AddressDependent, turnsrv.AddressAndPortDependent, false)
	got, err := turnsrv.DiscoverNAT(t.Context(), server)
	if err != nil || got.Mapping != turnsrv.BehaviourUnknown || got.Filtering != turnsrv.BehaviourUnknown {
		t.Errorf("got %+v, %v", got, err)
	}
}

// The other address is told wrongly, as behind a port forwarding that is not
// there.
func TestDiscoverNATWithAWrongOtherAddress(t *testing.T) {
	t.Parallel()
	_, port := startSquare(t, func(c *turnsrv.Config) {
		for i := range c.Listeners {
			if c.Listeners[i].Address == addrTwo {
				c.Listeners[i].Advertised = netip.MustParseAddr("127.0.1.3")
			}
		}
	})
	got, err := turnsrv.DiscoverNAT(t.Context(), netip.AddrPortFrom(addrOne, port))
	if err != nil || got.Translated() || got.Filtering != turnsrv.BehaviourUnknown {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestDiscoverNATWithoutNAT(t *testing.T) {
	t.Parallel()
	_, port := startSquare(t)
	got, err := turnsrv.DiscoverNAT(t.Context(), netip.AddrPortFrom(addrOne, port))
	if err != nil || got.Translated() || got.Mapping != turnsrv.EndpointIndependent || got.Filtering != turnsrv.EndpointIndependent {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestDiscoverNATOfAServerWithOneAddress(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	got, err := turnsrv.DiscoverNAT(t.Context(), s.udp[addrOne])
	if err != nil || got.Other.IsValid() || !got.Mapped.IsValid() || got.Mapping != turnsrv.BehaviourUnknown {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestDiscoverNATInVain(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if got, err := turnsrv.DiscoverNAT(ctx, local(listenUDP(t, addrPeer))); err == nil {
		t.Errorf("got %+v from nobody", got)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("gave up after %v", took)
	}
}
