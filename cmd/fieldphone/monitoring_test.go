package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"fieldphone/rtc"
)

const monitoring = "../../deploy/monitoring"

// liveMetrics is /metrics of a server in which a bit of everything has
// happened.
func liveMetrics(t *testing.T) string {
	t.Helper()
	r := startServer(t, "TURN_PEERS_MODE=any") // which is warned of
	alice, bob := r.device("alice", ip("127.0.0.6")), r.device("bob", ip("127.0.0.7"))
	alice.call("call-0001", bob)
	report := rtc.CallReport{
		Call: "call-0001", Gen: 1, SetupMS: 700, RTTMS: 3,
		Path: rtc.Path{Local: rtc.Relayed, Remote: rtc.Host, Protocol: "udp", RelayProtocol: "tcp"},
	}
	alice.do(&report)
	alice.do(&rtc.PathResult{Legs: []rtc.Leg{{Leg: rtc.LegTURNUDP, State: rtc.LegFailed, Code: rtc.LegTimeout}}})
	bob.do(&rtc.CallHangup{Call: "call-0001"})
	bob.say(&rtc.CallHangup{Call: "call-0001"}) // is refused
	hear[*rtc.CallEnded](alice)
	r.get("/api/v1/me", "Authorization", "Bearer nonsense")

	deadline := time.Now().Add(10 * time.Second)
	for {
		metrics := r.get("/metrics")
		if strings.Contains(metrics, "fieldphone_signalling_refused_total{") && strings.Contains(metrics, "fieldphone_warning{") &&
			strings.Contains(metrics, "fieldphone_presence_people 2") {
			return metrics
		}
		if time.Now().After(deadline) {
			t.Fatalf("not everything was counted:\n%s", metrics)
		}
	}
}

var metricName = regexp.MustCompile(`\b(?:fieldphone|process|go)_[a-z0-9_]+`)

// Ensure that the dashboard and the alerts ask for metrics that a real server
// has.
func TestMonitoringNamesWhatExists(t *testing.T) {
	metrics := liveMetrics(t)
	known := make(map[string]bool)
	for line := range strings.Lines(metrics) {
		if fields := strings.Fields(line); len(fields) > 3 && fields[1] == "TYPE" {
			known[fields[2]] = true
			if fields[3] == "histogram" {
				for _, suffix := range []string{"_bucket", "_sum", "_count"} {
					known[fields[2]+suffix] = true
				}
			}
		}
	}
	for _, file := range []string{"alerts.yml", "dashboard.json"} {
		text, err := os.ReadFile(filepath.Join(monitoring, file))
		if err != nil {
			t.Fatal(err)
		}
		used := metricName.FindAllString(string(text), -1)
		if len(used) < 10 {
			t.Errorf("%s names %d metrics", file, len(used))
		}
		for _, name := range used {
			if !known[name] {
				t.Errorf("%s asks for %s, which /metrics has not", file, name)
			}
		}
	}
}

// Ensure that what happens is counted under the labels that it belongs to.
func TestMetricsOfACall(t *testing.T) {
	metrics := liveMetrics(t)
	for _, want := range []string{
		`fieldphone_call_setup_seconds_bucket{le="0.5"} 0`,
		`fieldphone_call_setup_seconds_bucket{le="1"} 1`,
		`fieldphone_call_ring_seconds_count 1`,
		`fieldphone_call_connect_seconds_count 1`,
		`fieldphone_call_duration_seconds_count 1`,
		`fieldphone_calls_ended_total{reason="hangup"} 1`,
		`fieldphone_calls_ended_total{reason="ended_by_admin"} 0`,
		`fieldphone_calls 0`,
		`fieldphone_path_legs_total{leg="turn_udp",state="failed"} 1`,
		`fieldphone_signalling_refused_total{code="no_such_call"} 1`,
		`fieldphone_http_refused_total{code="unauthenticated"} 1`,
		`fieldphone_http_refused_total{code="wrong_credentials"} 0`,
		`fieldphone_turn_relay_ports{address="127.0.0.1",state="used"} 0`, // other programs may hold some of the rest
		`fieldphone_turn_relay_ports{address="127.0.0.1",state="outside"} 0`,
		`fieldphone_turn_errors_total{code="486"} 0`,
		`fieldphone_warning{code="peers_any"} 1`,
		`fieldphone_presence_people 2`,
		`fieldphone_signalling_send_queue_peak `,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	path := regexp.MustCompile(`fieldphone_call_paths_total\{callee_candidate="host",callee_segment="\w+ 127.0.0.0/8",` +
		`caller_candidate="relay",caller_segment="\w+ 127.0.0.0/8",protocol="relay_tcp"\} 1\n`)
	if !path.MatchString(metrics) {
		t.Errorf("/metrics lacks %s", path)
	}
	if t.Failed() {
		t.Log(regexp.MustCompile(`(?m)^(#|go_|process_).*\n`).ReplaceAllString(metrics, ""))
	}
}

// dashboard is what is read of a Grafana dashboard.
type dashboard struct {
	Panels []struct {
		ID          int
		Type, Title string
		GridPos     struct{ X, Y, W, H int }
		Targets     []struct{ Expr, RefID string }
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(monitoring, "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// Ensure that every panel can be told apart, is seen whole, and asks something.
func TestDashboardIsWhole(t *testing.T) {
	ids, cells := make(map[int]bool), make(map[[2]int]string)
	for _, panel := range readDashboard(t).Panels {
		if ids[panel.ID] || panel.Title == "" {
			t.Errorf("panel %d %q has no title or no id of its own", panel.ID, panel.Title)
		}
		ids[panel.ID] = true
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("panel %q asks nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			if !strings.Contains(target.Expr, `instance=~"$instance"`) {
				t.Errorf("panel %q asks for every server: %s", panel.Title, target.Expr)
			}
		}
		at := panel.GridPos
		if at.X+at.W > 24 {
			t.Errorf("panel %q is too wide", panel.Title)
		}
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				if other := cells[[2]int{x, y}]; other != "" {
					t.Fatalf("panels %q and %q overlap", panel.Title, other)
				}
				cells[[2]int{x, y}] = panel.Title
			}
		}
	}
}
