package peer

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"fieldphone/rtc"
)

func TestReportsTellRatesAndLoss(t *testing.T) {
	flows := func(sent, received, lost uint64) Report {
		return Report{
			Audio: Flow{Sent: Count{sent, sent * 100}, Received: Count{received, received * 50}, Lost: lost},
			Video: Flow{Sent: Count{1, 1000}, Received: Count{1, 1000}},
		}
	}
	var msg rtc.CallReport
	between(&msg, flows(100, 100, 5), flows(600, 190, 15), 5*time.Second)
	if msg.UpKbps != 80 || msg.DownKbps != 7.2 || math.Abs(msg.Loss-0.1) > 1e-9 {
		t.Errorf("got %v up, %v down, loss %v", msg.UpKbps, msg.DownKbps, msg.Loss)
	}
	msg.Loss = 0
	between(&msg, flows(100, 100, 5), flows(100, 105, 1), time.Second) // what was late has come
	if msg.Loss != 0 {
		t.Errorf("loss %v, want none", msg.Loss)
	}
}

func TestReportsTellThePath(t *testing.T) {
	relay := netip.MustParseAddrPort("10.77.1.2:49170")
	pair := Pair{
		Local:  Candidate{Type: "relay", Protocol: "udp", RelayProtocol: "tls", Addr: relay},
		Remote: Candidate{Type: "relay", Protocol: "udp"}, // whose address is a name
	}
	want := rtc.Path{Local: rtc.Relayed, Remote: rtc.Relayed, Protocol: "udp", RelayProtocol: "tls", Relay: "10.77.1.2:49170"}
	if got := pair.path(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	direct := Pair{Local: Candidate{Type: "host", Protocol: "udp", Addr: relay}, Remote: Candidate{Type: "prflx", Addr: relay}}
	if got := direct.path(); got.Relay != "" || got.RemoteRelay != "" {
		t.Errorf("got %+v, want no relay", got)
	}
}
