package hub

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"fieldphone/rtc"

	"pgregory.net/rapid"
)

func signal(payload string) rtc.Message {
	return &rtc.CallSignal{Call: callID, Gen: 1, Payload: json.RawMessage(payload)}
}

func addrPorts(list ...string) (addrs []netip.AddrPort) {
	for _, s := range list {
		addrs = append(addrs, netip.MustParseAddrPort(s))
	}
	return addrs
}

func TestCandidates(t *testing.T) {
	sdp := "v=0\\r\\no=- 1 2 IN IP4 127.0.0.1\\r\\nc=IN IP4 10.9.9.9\\r\\na=ice-ufrag:x\\r\\n" +
		"a=candidate:1 1 udp 2122260223 10.0.0.1 50000 typ host generation 0\\r\\n" +
		"a=candidate:1 2 udp 2122260222 10.0.0.1 50001 typ host\\n" +
		"a=candidate:1 1 udp 2122260223 10.0.0.1 50000 typ host\\r\\n" +
		"a=candidate:2 1 tcp 1518280447 10.0.0.1 9 typ host tcptype active\\r\\n"
	line := func(addr, port string) string {
		return `{"candidate":{"candidate":"candidate:1 1 udp 1 ` + addr + ` ` + port + ` typ srflx raddr 10.0.0.1 rport 5","sdpMid":"0"}}`
	}
	for _, tt := range []struct {
		name, payload string
		want          []netip.AddrPort
	}{
		{"Chromium", line("192.168.1.7", "50000"), addrPorts("192.168.1.7:50000")},
		{"IPv6", line("fd00::7", "50000"), addrPorts("[fd00::7]:50000")},
		{"IPv4 written as IPv6", line("::ffff:10.0.0.3", "1"), addrPorts("10.0.0.3:1")},
		{"Description", `{"description":{"type":"offer","sdp":"` + sdp + `"},"offer":1}`, addrPorts("10.0.0.1:50000", "10.0.0.1:50001", "10.0.0.1:9")},
		{"DescriptionOfAnotherKind", `{"description":7,"candidate":{"candidate":"candidate:1 1 udp 1 10.0.0.1 2 typ host"}}`, addrPorts("10.0.0.1:2")},
		{"EndOfCandidates", `{"candidate":{"candidate":"","sdpMid":"0"}}`, nil},
		{"NullCandidate", `{"candidate":null}`, nil},
		{"Name", line("3f2a.local", "50000"), nil},
		{"Zone", line("fe80::1%eth0", "50000"), nil},
		{"Unspecified", line("0.0.0.0", "50000"), nil},
		{"Multicast", line("224.0.0.251", "5353"), nil},
		{"PortZero", line("10.0.0.1", "0"), nil},
		{"PortTooLarge", line("10.0.0.1", "65536"), nil},
		{"PortNegative", line("10.0.0.1", "-1"), nil},
		{"NoType", `{"candidate":{"candidate":"candidate:1 1 udp 1 10.0.0.1 2 host"}}`, nil},
		{"NoPrefix", `{"candidate":{"candidate":"1 1 udp 1 10.0.0.1 2 typ host"}}`, nil},
		{"Octal", line("010.0.0.1", "50000"), nil},
		{"Long", line("10.0.0.1", strings.Repeat(" ", maxCandidateLine)+"5"), nil},
		{"Restart", `{"restart":true}`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := candidates(signal(tt.payload)); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	if got := candidates(&rtc.TextSend{Body: "candidate:1 1 udp 1 10.0.0.1 2 typ host"}); got != nil {
		t.Errorf("a text gives %v", got)
	}
}

func TestCandidatesAreBounded(t *testing.T) {
	var sdp strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&sdp, "a=candidate:1 1 udp 1 10.0.%d.%d 9100 typ host\r\n", i/250, i%250)
	}
	payload, err := json.Marshal(map[string]any{"description": map[string]string{"sdp": sdp.String()}})
	if err != nil {
		t.Fatal(err)
	}
	if got := candidates(signal(string(payload))); len(got) != maxCandidates {
		t.Errorf("%d addresses, want %d", len(got), maxCandidates)
	}
}

// Ensure that every candidate a browser writes is read, whatever stands around
// it.
func TestCandidatesFindWhatIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []netip.AddrPort
		var sdp strings.Builder
		for range rapid.IntRange(0, 20).Draw(t, "lines") {
			if rapid.Bool().Draw(t, "other") {
				sdp.WriteString("a=" + rapid.StringMatching(`[a-z]{1,10}:[ -~]{0,40}`).Draw(t, "line") + "\r\n")
				continue
			}
			addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, rapid.Byte().Draw(t, "b"), 1, rapid.Byte().Draw(t, "d")}), rapid.Uint16Min(1).Draw(t, "port"))
			fmt.Fprintf(&sdp, "a=candidate:%d 1 udp %d %s %d typ host\r\n", len(want), rapid.Uint32().Draw(t, "priority"), addr.Addr(), addr.Port())
			if !slices.Contains(want, addr) {
				want = append(want, addr)
			}
		}
		payload, err := json.Marshal(map[string]any{"description": map[string]string{"type": "offer", "sdp": sdp.String()}})
		if err != nil {
			t.Fatal(err)
		}
		if got := candidates(signal(string(payload))); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v of\n%s", got, want, sdp.String())
		}
	})
}

func FuzzCandidates(f *testing.F) {
	f.Add([]byte(`{"candidate":{"candidate":"candidate:1 1 udp 1 10.0.0.1 2 typ host"}}`))
	f.Add([]byte(`{"description":{"sdp":"a=candidate:1 1 udp 1 fd00::1 2 typ relay raddr 0.0.0.0 rport 0\r\n"}}`))
	f.Add([]byte(`{"candidate":{"candidate":"candidate:1 1 udp 1 a.local 2 typ host"},"description":[]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		got := candidates(signal(string(payload)))
		if len(got) > maxCandidates {
			t.Fatalf("%d addresses", len(got))
		}
		for _, addr := range got {
			ip := addr.Addr()
			if !addr.IsValid() || addr.Port() == 0 || ip.Zone() != "" || ip.Is4In6() || ip.IsUnspecified() || ip.IsMulticast() {
				t.Fatalf("%v is no peer", addr)
			}
		}
	})
}
