package httpapi

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"fieldphone/httpapi/firewall"
	"fieldphone/httpapi/pathtest"
	"fieldphone/httpapi/segment"
	"fieldphone/rtc"
	"fieldphone/turnsrv/credential"

	"github.com/google/go-cmp/cmp"
)

// withPath plans by the very way that the client came.
func withPath(change ...func(*PathConfig)) func(*siteOptions) {
	return func(o *siteOptions) {
		o.ice.Plan = func(v segment.Visit) segment.Plan {
			at := netip.AddrPortFrom(v.Server, 3478).String()
			return segment.Plan{
				Segment: "camp", STUN: []string{"stun:" + at},
				Ways: []segment.Way{{Transport: segment.UDP, URL: "turn:" + at + "?transport=udp"}, {Transport: segment.TLS, URL: "turns:" + v.Host}},
			}
		}
		o.path = PathConfig{
			Sweep: func(netip.Addr) (Sweep, error) {
				return Sweep{Ports: []uint16{49160, 49200}, Ufrag: "ufrag", Password: "password", Expires: time.UnixMilli(1_800_000_000_000)}, nil
			},
			NAT: func(reached netip.Addr) (primary, other netip.AddrPort, ok bool) {
				return netip.AddrPortFrom(reached, 3478), netip.MustParseAddrPort("127.0.0.5:3478"), true
			},
			Ports: func() firewall.PortRange { return firewall.PortRange{Min: 49160, Max: 49359} },
		}
		for _, c := range change {
			c(&o.path)
		}
	}
}

// Ensure a client learns its own legs, with a credential that the relay takes.
func TestPathPlan(t *testing.T) {
	s := newSite(t, withPath())
	token := s.signUp("maria")
	before := time.Now().UnixMilli()
	var got pathtest.Plan
	if err := json.Unmarshal(s.want(200, s.do("GET", "/api/v1/path", "", bearer(token)...)).body, &got); err != nil {
		t.Fatal(err)
	}
	if got.ServerTime < before || got.ServerTime > time.Now().UnixMilli() {
		t.Errorf("server time %d", got.ServerTime)
	}
	if identity, err := credential.Parse(got.Username); err != nil || identity.Subject != "maria" ||
		got.Credential != credential.Password([]byte("relay-secret-of-the-tests"), got.Username) {
		t.Errorf("credential %s %s: %v", got.Username, got.Credential, err)
	}
	got.ServerTime, got.Username, got.Credential = 0, "", ""
	want := pathtest.Plan{
		Segment: "camp", Client: "127.0.0.1", Server: "127.0.0.1", StartPort: 8080,
		Legs: []pathtest.Planned{
			{Leg: rtc.LegSTUN, URL: "stun:127.0.0.1:3478"},
			{Leg: rtc.LegTURNUDP, URL: "turn:127.0.0.1:3478?transport=udp"},
			{Leg: rtc.LegTURNTLS, URL: "turns:" + s.addr},
		},
		RelayPorts: pathtest.Ports{Min: 49160, Max: 49359}, NAT: &pathtest.NAT{Primary: "127.0.0.1:3478", Other: "127.0.0.5:3478"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	s.want(401, s.do("GET", "/api/v1/path", ""))
	s.want(401, s.do("POST", "/api/v1/path/sweep", ""))
}

// Ensure a sweep names the address that the client knows, and that each session gets few.
func TestPathSweep(t *testing.T) {
	now := time.Now()
	s := newSite(t, withPath(), func(o *siteOptions) { o.now = func() time.Time { return now } })
	maria, ben := s.signUp("maria"), s.signUp("ben")
	a := s.want(200, s.do("POST", "/api/v1/path/sweep", "", bearer(maria)...))
	if want := `{"address":"127.0.0.1","expires_at":1800000000000,"password":"password","ports":[49160,49200],"ufrag":"ufrag"}`; string(a.body) != want {
		t.Errorf("got %s", a.body)
	}
	for range sweepBurst - 1 {
		s.want(200, s.do("POST", "/api/v1/path/sweep", "", bearer(maria)...))
	}
	a = s.want(429, s.do("POST", "/api/v1/path/sweep", "", bearer(maria)...))
	if wait, err := strconv.Atoi(a.header.Get("Retry-After")); a.code() != "rate_limited" || err != nil || wait < 1 || wait > 20 {
		t.Errorf("%s, Retry-After %q", a.body, a.header.Get("Retry-After"))
	}
	s.want(200, s.do("POST", "/api/v1/path/sweep", "", bearer(ben)...))
	now = now.Add(sweepEvery)
	s.want(200, s.do("POST", "/api/v1/path/sweep", "", bearer(maria)...))
	s.want(429, s.do("POST", "/api/v1/path/sweep", "", bearer(maria)...))
}

func TestPathSweepRefusals(t *testing.T) {
	full := newSite(t, withPath(func(p *PathConfig) {
		p.Sweep = func(netip.Addr) (Sweep, error) { return Sweep{}, errors.New("no port is free") }
	}))
	if a := full.do("POST", "/api/v1/path/sweep", "", bearer(full.signUp("maria"))...); a.status != 503 || a.code() != "busy" {
		t.Errorf("no port to spare: %d %s", a.status, a.body)
	}
	tcp := newSite(t, withPath(), func(o *siteOptions) {
		o.ice.Plan = func(segment.Visit) segment.Plan { return segment.Plan{Segment: "locked"} }
	})
	token := tcp.signUp("maria")
	if a := tcp.do("POST", "/api/v1/path/sweep", "", bearer(token)...); a.status != 409 || a.code() != "no_relay" {
		t.Errorf("a segment without UDP: %d %s", a.status, a.body)
	}
	if a := tcp.want(200, tcp.do("GET", "/api/v1/path", "", bearer(token)...)); !json.Valid(a.body) {
		t.Errorf("got %s", a.body)
	}
}

// Ensure the memory of who swept is bounded, and that the bound refuses nobody for long.
func TestSweepersAreBounded(t *testing.T) {
	var s sweepers
	now := time.Now()
	for i := range maxSweepers {
		if wait := s.take(strconv.Itoa(i), now); wait != 0 {
			t.Fatalf("session %d waits %v", i, wait)
		}
	}
	if wait := s.take("one more", now); wait <= 0 || len(s.next) != maxSweepers {
		t.Errorf("waits %v, %d are remembered", wait, len(s.next))
	}
	if wait := s.take("one more", now.Add(sweepEvery+time.Second)); wait != 0 || len(s.next) != 1 {
		t.Errorf("waits %v, %d are remembered", wait, len(s.next))
	}
}
