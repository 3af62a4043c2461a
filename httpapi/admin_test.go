package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"fieldphone/httpapi/firewall"
	"fieldphone/httpapi/segment"
	"fieldphone/rtc"
	"fieldphone/rtc/hub"
	"fieldphone/rtc/presence"
)

// Ensure that each route for administrators refuses everybody else, also those to come.
func TestAdminRoutesAreForAdministrators(t *testing.T) {
	s := newSite(t)
	token := s.signUp("maria")
	routes := 0
	for _, r := range New(Config{Page: os.DirFS(t.TempDir())}).fiber.GetRoutes(true) {
		if !strings.HasPrefix(r.Path, "/api/v1/admin/") || strings.HasSuffix(r.Path, "/claim") {
			continue
		}
		routes++
		path := strings.ReplaceAll(r.Path, ":id", "1")
		t.Run(r.Method+" "+path, func(t *testing.T) {
			for _, tt := range []struct {
				who    string
				header []string
				status int
				code   string
			}{
				{"nobody", nil, 401, "unauthenticated"},
				{"a user", bearer(token), 403, "admin_required"},
				{"a user by cookie", []string{"Cookie", cookieName + "=" + token}, 403, "admin_required"},
				{"another site", append(bearer(token), "Origin", "https://evil.example"), 403, "forbidden_origin"},
			} {
				if tt.who == "another site" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
					continue
				}
				a := s.do(r.Method, path, `{}`, tt.header...)
				if a.status != tt.status || r.Method != http.MethodHead && a.code() != tt.code {
					t.Errorf("%s: %d %s, want %d %s", tt.who, a.status, a.body, tt.status, tt.code)
				}
			}
		})
	}
	if routes < 14 {
		t.Errorf("%d routes", routes)
	}
}

func TestRates(t *testing.T) {
	var r rates
	at := time.Unix(1000, 0)
	one := Allocation{ID: 1, Created: at.Add(-10 * time.Second), BytesUp: 10_000, BytesDown: 0}
	look := func(now time.Time, up, down int64) counted {
		one.BytesUp, one.BytesDown = up, down
		return r.of([]Allocation{one}, now)[1]
	}
	for _, tt := range []struct {
		after    time.Duration
		up, down int64
		wantUp   float64
		wantDown float64
	}{
		{0, 12_500, 0, 10, 0},                           // 12.5 kB in the ten seconds that it exists
		{200 * time.Millisecond, 99_000, 99_000, 10, 0}, // too soon: the last sample serves
		{2 * time.Second, 262_500, 125_000, 1000, 500},  // 250 kB and 125 kB in two seconds
		{4 * time.Second, 262_500, 125_000, 0, 0},
		{6 * time.Second, 0, 0, 0, 0}, // never negative
	} {
		got := look(at.Add(tt.after), tt.up, tt.down)
		if got.upKbps != tt.wantUp || got.downKbps != tt.wantDown {
			t.Errorf("after %v: got %v and %v kbit/s, want %v and %v", tt.after, got.upKbps, got.downKbps, tt.wantUp, tt.wantDown)
		}
	}
}

// crowd is a hub with people who are connected by nothing.
func crowd(b *testing.B, people int) *hub.Hub {
	b.Helper()
	h, err := hub.New(hub.Config{
		Node: "test", Heartbeat: time.Minute, PresenceTTL: 2 * time.Minute, ResumeWindow: 3 * time.Minute,
		RingTimeout: time.Minute, HelloTimeout: time.Minute, MessageRate: 50, MessageBurst: 400,
		Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	}, presence.NewMemory(time.Now))
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); h.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-done })
	legs := []rtc.Leg{
		{Leg: rtc.LegTURNUDP, State: rtc.LegFailed, Code: rtc.LegTimeout, Target: "10.77.1.1:3478/udp"},
		{Leg: rtc.LegTURNTCP, State: rtc.LegOK, MS: 3},
		{Leg: rtc.LegClock, State: rtc.LegOK},
	}
	for i := range people {
		addr := netip.AddrFrom4([4]byte{10, 77, byte(i % 8), byte(1 + i/8%250)})
		port := h.Attach(silent{}, rtc.User{ID: fmt.Sprintf("user%04d", i), Name: fmt.Sprintf("Person %d", i)}, fmt.Sprintf("session%04d", i),
			hub.Link{Remote: netip.AddrPortFrom(addr, 40000), Local: netip.MustParseAddr("10.77.0.1"), Transport: hub.TransportWSS})
		for _, msg := range []rtc.Message{&rtc.Hello{Device: fmt.Sprintf("device-%04d", i)}, &rtc.PathResult{Legs: legs}} {
			frame, err := rtc.EncodeRequest(msg, "1")
			if err != nil {
				b.Fatal(err)
			}
			port.Receive(frame)
		}
	}
	return h
}

// silent is a connection that takes everything.
type silent struct{}

func (silent) Send(...[]byte) bool { return true }
func (silent) Close(rtc.Close)     {}

// many is a relay with many allocations.
type many []Allocation

func (m many) Allocations() []Allocation  { return m }
func (many) Ports() []PortUse             { return []PortUse{{Free: 100}} }
func (many) End(uint64) (string, bool)    { return "", false }
func (many) Forecast() Forecast           { return Forecast{State: "ok"} }
func (many) Warnings() []Warning          { return nil }
func (many) Open(string) (fs.File, error) { return nil, fs.ErrNotExist }

// One look at a thousand people who all ran a path test, with two thousand allocations.
func BenchmarkLook(b *testing.B) {
	const people = 1000
	relay := make(many, 2*people)
	for i := range relay {
		relay[i] = Allocation{ID: uint64(i), User: "user", Created: time.Now(), Expires: time.Now(), Transport: "udp", BytesUp: int64(i)}
	}
	table := &segment.Table{}
	for i := range byte(8) {
		network := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 77, i, 0}), 24)
		table.Segments = append(table.Segments, segment.Segment{Name: network.String(), Clients: []netip.Prefix{network}})
	}
	var holder segment.Holder
	holder.Store(table)
	site := firewall.Site{
		Segments: table.Segments, Addresses: []netip.Addr{netip.MustParseAddr("10.77.0.1")},
		Ports: firewall.Ports{HTTPS: 8443, HTTP: 8080, TURN: 3478, Relay: firewall.PortRange{Min: 49160, Max: 49359}},
	}
	a := New(Config{
		Page: many{}, Hub: crowd(b, people), Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Admin: AdminConfig{Relay: relay, Watch: relay, Segments: &holder, Firewall: func() firewall.Site { return site }},
	})
	var body liveBody
	for b.Loop() {
		body = a.look(nil, time.Now())
		if _, err := json.Marshal(body); err != nil {
			b.Fatal(err)
		}
	}
	if len(body.People) != people || body.People[7].Devices[0].Path == nil || len(body.People[7].Devices[0].Path.Findings) == 0 || body.Segments[0].People == 0 {
		b.Fatalf("%d people, the first %+v", len(body.People), body.People[0])
	}
}
