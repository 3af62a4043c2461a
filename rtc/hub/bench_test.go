package hub

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
	"fieldphone/rtc/presence"

	"golang.org/x/time/rate"
)

// nowhere is a connection that takes everything.
type nowhere struct{}

func (nowhere) Send(...[]byte) bool { return true }
func (nowhere) Close(rtc.Close)     {}

// benchHub has people who are signed in, the first two of them in a call. Its
// goroutine does not run: the benchmark stands for it.
func benchHub(b *testing.B, people int) (h *Hub, ports []*Port) {
	b.Helper()
	h, err := New(Config{
		Node: "bench", Heartbeat: 5 * time.Second, PresenceTTL: 15 * time.Second, ResumeWindow: 30 * time.Second,
		RingTimeout: 45 * time.Second, HelloTimeout: 10 * time.Second, MessageRate: 50, MessageBurst: 400,
		Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	}, presence.NewMemory(time.Now))
	if err != nil {
		b.Fatal(err)
	}
	turn := func() { (<-h.inbox)() }
	for i := range people {
		user := rtc.User{ID: fmt.Sprintf("person-%d", i), Name: "Person"}
		p := h.Attach(nowhere{}, user, user.ID, Link{})
		turn()
		p.Receive(fmt.Appendf(nil, `{"type":"hello","data":{"device":"device-%05d"}}`, i))
		turn()
		ports = append(ports, p)
	}
	ports[0].Receive([]byte(`{"type":"call.invite","data":{"call":"c-9fK2mQ01","to":"person-1","media":"audio"}}`))
	turn()
	ports[1].Receive([]byte(`{"type":"call.accept","data":{"call":"c-9fK2mQ01","media":"audio"}}`))
	turn()
	if c := h.calls.byID["c-9fK2mQ01"]; c == nil || c.State() != rtc.StateActive {
		b.Fatal("there is no call")
	}
	return h, ports
}

// BenchmarkRoute passes an ICE candidate from one end of a call to the other:
// read, checked, numbered, kept and encoded.
func BenchmarkRoute(b *testing.B) {
	h, ports := benchHub(b, 2)
	frame := []byte(`{"type":"call.signal","data":{"call":"c-9fK2mQ01","gen":1,"payload":{"candidate":{"candidate":` +
		`"candidate:842163049 1 udp 1677729535 192.168.1.10 46154 typ host generation 0","sdpMid":"0","sdpMLineIndex":0}}}}`)
	to := h.devices[call.Device{User: "person-1", ID: "device-00001"}]
	before := to.seq
	ports[0].limiter = rate.NewLimiter(rate.Inf, 0)
	b.ReportAllocs()
	for n := uint64(0); b.Loop(); n++ {
		ports[0].Receive(frame)
		(<-h.inbox)()
		if n%256 == 0 {
			to.seen(to.seq)
		}
	}
	if to.seq == before {
		b.Error("nothing was passed on")
	}
}

// BenchmarkFanOut encodes a message once and hands it to 1,000 connections.
func BenchmarkFanOut(b *testing.B) {
	h, _ := benchHub(b, 1000)
	msg := &rtc.ProfileUpdate{People: []rtc.Profile{{ID: "bob", Name: "Bob", Line: "medic, tent 4"}}}
	b.ReportAllocs()
	for b.Loop() {
		h.Broadcast(msg)
		(<-h.inbox)()
	}
}
