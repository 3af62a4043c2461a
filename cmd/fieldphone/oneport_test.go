package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"fieldphone/rtc/peer"
	"fieldphone/turnsrv/turnclient"
)

// hostPort is where the HTTPS port is.
func (r *runner) hostPort() string { return strings.TrimPrefix(r.url, "https://") }

type iceServers struct {
	ICEServers []struct {
		URLs                 []string
		Username, Credential string
	}
}

func (r *runner) ice(user string) (urls []string, username, credential string) {
	r.t.Helper()
	var list iceServers
	if err := json.Unmarshal([]byte(r.get("/api/v1/ice", "Authorization", "Bearer "+r.signIn(user))), &list); err != nil {
		r.t.Fatal(err)
	}
	for _, server := range list.ICEServers {
		urls = append(urls, server.URLs...)
		username, credential = server.Username, server.Credential
	}
	return urls, username, credential
}

// onlyHTTPSPort is a device in a place where nothing but that port is open.
func (r *runner) onlyHTTPSPort() peer.ICE {
	ice := relayOnly
	ice.Server = func(url string) bool { return url == "turn:"+r.hostPort()+"?transport=tcp" }
	return ice
}

// Ensure two devices for which nothing but the HTTPS port is open see and hear
// each other.
func TestRelayedCallThroughTheHTTPSPort(t *testing.T) {
	r := startServer(t)
	alice, bob := r.dial("alice", r.onlyHTTPSPort()), r.dial("bob", r.onlyHTTPSPort())
	out, in := connect(t, alice, bob)
	for _, c := range []*peer.Call{out, in} {
		if pair := c.Report().Pair; pair == nil || pair.Local.Type != "relay" || pair.Local.RelayProtocol != "tcp" {
			t.Errorf("pair %+v", pair)
		}
	}
}

// Ensure each listed way on the HTTPS port gives an allocation, with the page's
// own certificate and the credential that the page gets.
func TestTURNOnTheHTTPSPortOfAWholeServer(t *testing.T) {
	r := startServer(t)
	r.dial("alice", relayOnly).Close()
	urls, username, credential := r.ice("alice")
	for url, network := range map[string]turnclient.Network{
		"turn:" + r.hostPort() + "?transport=tcp": turnclient.TCP, "turns:" + r.hostPort() + "?transport=tcp": turnclient.TLS,
	} {
		if !slices.Contains(urls, url) {
			t.Errorf("%s is not among %v", url, urls)
		}
		if relayed := allocate(t, turnclient.Target{Network: network, Address: netip.MustParseAddrPort(r.hostPort()), TLS: r.tlsFor("127.0.0.1")}, username, credential); relayed.Addr() != netip.MustParseAddr("127.0.0.1") {
			t.Errorf("%s: relayed by %s", url, relayed)
		}
	}
}

func (r *runner) tlsFor(name string) *tls.Config {
	config := r.tls.Clone()
	config.ServerName = name
	return config
}

func allocate(t *testing.T, target turnclient.Target, username, credential string) netip.AddrPort {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	client, err := turnclient.Dial(ctx, target)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.SignIn(username, credential)
	relayed, err := client.Allocate(ctx)
	if err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	return relayed
}

func TestTheHTTPSPortWithoutTURN(t *testing.T) {
	r := startServer(t, "TURN_ON_HTTPS_PORT=false")
	r.dial("alice", relayOnly).Close()
	urls, username, credential := r.ice("alice")
	if len(urls) != 3 || !strings.HasSuffix(urls[2], "?transport=tcp") || strings.Contains(urls[2], r.hostPort()) {
		t.Errorf("got %v, want STUN, and TURN over UDP and TCP on its own port", urls)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	client, err := turnclient.Dial(ctx, turnclient.Target{Network: turnclient.TCP, Address: netip.MustParseAddrPort(r.hostPort())})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.SignIn(username, credential)
	if relayed, err := client.Allocate(ctx); err == nil {
		t.Errorf("it gave %s", relayed)
	}
}

// Ensure connections count against the limits from their first moment, whatever
// they turn out to speak, and no more once they are closed.
func TestSilentConnectionsCountOnTheSharedPort(t *testing.T) {
	const limit = 6
	r := startServer(t, fmt.Sprintf("LIMITS_MAX_CONNECTIONS_PER_ADDRESS=%d", limit))
	silent := make([]net.Conn, limit)
	for i := range silent {
		conn, err := net.Dial("tcp", r.hostPort())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		silent[i] = conn
	}
	if !r.eventually(func() bool { return !r.answers() }) {
		t.Error("one connection more than the limit is served")
	}
	for i, conn := range silent {
		if i%2 == 0 {
			_, _ = conn.Write([]byte{0, 1}) // to TURN
		}
		conn.Close()
	}
	if !r.eventually(r.answers) {
		t.Error("closed connections count on")
	}
}

func (r *runner) answers() bool {
	conn, err := tls.Dial("tcp", r.hostPort(), r.tlsFor("127.0.0.1"))
	if err != nil {
		return false
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /healthz HTTP/1.0\r\n\r\n")
	answer, _ := io.ReadAll(conn)
	return err == nil && strings.Contains(string(answer), "200 OK")
}

func (r *runner) eventually(condition func() bool) bool {
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
	return true
}

// Ensure a segment behind a router that forwards ports is told the router's
// address, for the relay and as relayed addresses, and that calls connect.
func TestSegmentBehindPortForwarding(t *testing.T) {
	r := startServer(t, `SEGMENTS=[{name: yard, clients: [127.0.0.0/8], server_addresses: [127.0.0.1], turn_addresses: [127.0.0.77, "127.0.0.77:4478"]}]`)
	router := netip.MustParseAddr("127.0.0.77")
	alice, bob := r.dial("alice", r.onlyHTTPSPort()), r.dial("bob", r.onlyHTTPSPort())
	out, in := connect(t, alice, bob)
	for _, c := range []*peer.Call{out, in} {
		if pair := c.Report().Pair; pair == nil || pair.Local.Addr.Addr() != router || pair.Remote.Addr.Addr() != router {
			t.Errorf("pair %+v, want the router's address", pair)
		}
	}
	urls, username, credential := r.ice("alice")
	if !slices.Contains(urls, "turn:127.0.0.77:4478?transport=udp") || !slices.Contains(urls, "turn:"+r.hostPort()+"?transport=tcp") {
		t.Errorf("got %v", urls)
	}
	turn := netip.MustParseAddrPort(r.turnAddress())
	if relayed := allocate(t, turnclient.Target{Network: turnclient.UDP, Address: turn}, username, credential); relayed.Addr() != router {
		t.Errorf("over UDP: relayed by %s", relayed)
	}
	banner := strings.Join(strings.Fields(r.stdout.String()), " ")
	if !strings.Contains(banner, " yard 127.0.0.0/8 127.0.0.1 127.0.0.77 127.0.0.77:4478 udp tcp https tls ") ||
		!strings.Contains(banner, " left out: lo 127.0.0.1/8, covered by the segment yard ") {
		t.Errorf("the banner shows no segments:\n%s", r.stdout)
	}
}

// turnAddress is where TURN listens beside the HTTPS port.
func (r *runner) turnAddress() string {
	_, rest, _ := strings.Cut(r.stdout.String(), "STUN/TURN  port ")
	port, _, _ := strings.Cut(rest, " ")
	return "127.0.0.1:" + port
}

// Ensure a segment that only the HTTPS port is open for gets nothing else.
func TestSegmentWithHTTPSAlone(t *testing.T) {
	r := startServer(t, `SEGMENTS=[{name: ship, clients: [127.0.0.0/8], transports: [https]}]`)
	r.dial("alice", relayOnly).Close()
	if urls, _, _ := r.ice("alice"); !slices.Equal(urls, []string{"turn:" + r.hostPort() + "?transport=tcp"}) {
		t.Errorf("got %v", urls)
	}
}
