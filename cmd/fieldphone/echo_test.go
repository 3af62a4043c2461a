package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/peer"
)

func callEcho(ctx context.Context, t *testing.T, p *peer.Peer) *peer.Call {
	t.Helper()
	if err := p.WaitStatus(ctx, rtc.EchoID, rtc.Free); err != nil {
		t.Fatal(err)
	}
	call, err := p.Call(ctx, rtc.EchoID, rtc.Video)
	if err != nil {
		t.Fatal(err)
	}
	return call
}

// Sound and picture come back, and no sooner than they went, directly and
// through the relay.
func TestEchoSendsBack(t *testing.T) {
	r := startServer(t)
	for name, ice := range map[string]peer.ICE{"direct": {Loopback: true}, "relayed": relayOnly} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			call := callEcho(ctx, t, r.dial(name, ice))
			report, err := call.WaitReport(ctx, func(r peer.Report) bool {
				return r.Audio.Received.Packets > 25 && r.Video.Received.Packets > 25
			})
			if err != nil {
				t.Fatalf("%v; last %+v", err, report)
			}
			if report.FirstPacket-report.Connected < echoDelay*9/10 {
				t.Errorf("the first packet came back %v after the connection, want %v", report.FirstPacket-report.Connected, echoDelay)
			}
			if report.Pair.Relayed() != (name == "relayed") {
				t.Errorf("path %+v", report.Pair)
			}
			audio, video := report.Audio, report.Video
			if audio.Received.Bytes > audio.Sent.Bytes || video.Received.Bytes > video.Sent.Bytes {
				t.Errorf("more came back than went: %+v %+v", audio, video)
			}
			if err := call.Hangup(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// Each of as many callers as there are devices is answered, one more hears
// busy, and afterwards the relay ports are free again.
func TestEchoTakesSeveralCalls(t *testing.T) {
	r := startServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var calls []*peer.Call
	for i := range echoCalls {
		call := callEcho(ctx, t, r.dial(fmt.Sprintf("caller%d", i), peer.ICE{Loopback: true}))
		if err := call.WaitConnected(ctx); err != nil {
			t.Fatal(err)
		}
		calls = append(calls, call)
	}
	unused := fmt.Sprintf(`fieldphone_turn_relay_ports{address=%q,state="used"} 0`, "127.0.0.1")
	if strings.Contains(r.get("/metrics"), unused) {
		t.Error("calls use no relay port")
	}
	var ended *peer.EndedError
	if err := callEcho(ctx, t, r.dial("late", peer.ICE{Loopback: true})).WaitConnected(ctx); !errors.As(err, &ended) || ended.Reason != rtc.EndBusy {
		t.Errorf("one caller more got %v, want busy", err)
	}
	for _, call := range calls {
		if err := call.Hangup(ctx); err != nil {
			t.Error(err)
		}
	}
	if !r.eventually(func() bool { return strings.Contains(r.get("/metrics"), unused) }) {
		t.Error("relay ports are still used")
	}
}

func TestEchoAnswersTextsAndIsNobody(t *testing.T) {
	r := startServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	alice := r.dial("alice", peer.ICE{Loopback: true})
	if err := alice.WaitStatus(ctx, rtc.EchoID, rtc.Free); err != nil {
		t.Fatal(err)
	}
	var names [2]string
	for i := range names { // what is sent again comes back again, under the same name
		if _, err := alice.SendTextNamed(ctx, "text-0001", rtc.EchoID, "is anybody there?"); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-alice.Texts():
			if names[i] = got.Message; got.From.ID != rtc.EchoID || got.Body != "is anybody there?" {
				t.Errorf("got %+v", got)
			}
		case <-ctx.Done():
			t.Fatal("no text came back")
		}
	}
	if names[0] != names[1] {
		t.Errorf("one text is answered as %q and %q", names[0], names[1])
	}
	if _, err := peer.Dial(ctx, peer.Config{
		URL: r.url, TLS: r.tls, User: rtc.EchoID, Password: "correct horse", Register: true, Name: "Echo",
	}); err == nil {
		t.Error("somebody registered as the echo")
	}
}
