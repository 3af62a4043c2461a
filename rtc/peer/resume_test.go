package peer_test

import (
	"encoding/json"
	"testing"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/peer"
)

// helloOf waits until a user has said hello so many times, and returns the last.
func (f *fake) helloOf(t *testing.T, user string, count int) rtc.Hello {
	t.Helper()
	var last rtc.Hello
	poll(t, user+" says hello again", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		hellos, device := f.hellos[user], f.devices[user]
		if len(hellos) < count || device == nil || device.conn == nil {
			return false
		}
		last = hellos[len(hellos)-1]
		return true
	})
	return last
}

// poll waits for a condition.
func poll(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx := patience(t)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("in vain: %s", what)
		case <-tick.C:
		}
	}
}

// A lost socket is not a hang-up: media goes on, and what was sent meanwhile
// arrives once.
func TestResume(t *testing.T) {
	f, alice, bob := pair(t)
	out, in := call(t, alice, bob, rtc.Video, rtc.Video)
	before := await(t, out, bothKinds)
	if _, err := bob.SendText(patience(t), "alice", "zero"); err != nil {
		t.Fatal(err)
	}
	text(t, alice)

	f.mu.Lock()
	f.devices["alice"].cut()
	f.devices["alice"].conn = nil
	f.mu.Unlock()
	for _, body := range []string{"one", "two"} {
		if _, err := bob.SendText(patience(t), "alice", body); err != nil {
			t.Fatal(err)
		}
	}
	hello := f.helloOf(t, "alice", 2)
	if hello.Stream != "stream-alice-1" || hello.LastSeq == 0 {
		t.Errorf("got %+v, want the stream and the last number", hello)
	}
	if len(hello.Calls) != 1 || hello.Calls[0].Call != out.ID() || hello.Calls[0].Peer != "bob" || hello.Calls[0].Role != rtc.Offerer || hello.Calls[0].Gen != 1 {
		t.Errorf("got calls %+v, want the running one", hello.Calls)
	}
	for _, want := range []string{"one", "two"} {
		if got := text(t, alice); got.Body != want {
			t.Errorf("got %q, want %q", got.Body, want)
		}
	}
	after := await(t, out, func(r peer.Report) bool {
		return r.Audio.Received.Packets > before.Audio.Received.Packets+20
	})
	if after.Gen != 1 || after.Audio.Lost != 0 {
		t.Errorf("got %+v, want the same media without loss", after)
	}
	if err := in.Hangup(patience(t)); err != nil {
		t.Fatal(err)
	}
	wantEnd(t, out.Ended(), rtc.EndHangup, "bob")
}

// Requests made while the socket is away are carried out after it is back.
func TestRequestAcrossReconnect(t *testing.T) {
	f, alice, bob := pair(t)
	for range 5 {
		alice.Disconnect()
		if _, err := alice.SendText(patience(t), "bob", "hello"); err != nil {
			t.Fatal(err)
		}
		text(t, bob)
	}
	f.helloOf(t, "alice", 2)
	select {
	case again := <-bob.Texts():
		t.Errorf("a text came twice: %+v", again)
	default:
	}
}

// A silent server is left for a new connection.
func TestSilence(t *testing.T) {
	f, alice, _ := pair(t)
	f.mu.Lock()
	f.mute = true
	f.mu.Unlock()
	poll(t, "alice leaves", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.devices["alice"].conn == nil
	})
	f.mu.Lock()
	f.mute = false
	f.mu.Unlock()
	f.helloOf(t, "alice", 2)
	if _, err := alice.SendText(patience(t), "bob", "hello"); err != nil {
		t.Error(err)
	}
}

// A server that was restarted knows neither the stream nor the call.
func TestCallLost(t *testing.T) {
	f, alice, bob := pair(t)
	out, _ := call(t, alice, bob, rtc.Audio, rtc.Audio)
	f.mu.Lock()
	delete(f.calls, out.ID())
	f.devices["alice"].cut()
	delete(f.devices, "alice")
	f.mu.Unlock()
	wantEnd(t, out.Ended(), rtc.EndLost, "")
	if err := alice.WaitStatus(patience(t), "bob", rtc.Free); err != nil {
		t.Error(err)
	}
}

// A call.started with a higher number makes both ends begin again.
func TestNextGeneration(t *testing.T) {
	f, alice, bob := pair(t)
	out, in := call(t, alice, bob, rtc.Video, rtc.Video)
	await(t, out, bothKinds)
	f.mu.Lock()
	f.begin(out.ID())
	f.mu.Unlock()
	for _, c := range []*peer.Call{out, in} {
		await(t, c, func(r peer.Report) bool { return r.Gen == 2 && bothKinds(r) })
	}
	f.mu.Lock()
	f.send("alice", &rtc.CallSignal{Call: out.ID(), Gen: 1, Payload: json.RawMessage(`{"description":{"type":"offer","sdp":"late"}}`)})
	f.mu.Unlock()
	wantMore(t, out)
}

// wantMore waits until the media of a call has gone on for a while.
func wantMore(t *testing.T, c *peer.Call) {
	t.Helper()
	seen := c.Report().Audio.Received.Packets
	await(t, c, func(r peer.Report) bool { return r.Audio.Received.Packets > seen+20 })
}

// A client sends again what was not acknowledged: a description may come twice.
func TestSignalTwice(t *testing.T) {
	f, alice, bob := pair(t)
	out, in := call(t, alice, bob, rtc.Audio, rtc.Audio)
	f.mu.Lock()
	if len(f.offers) != 1 {
		t.Errorf("got %d offers, want one", len(f.offers))
	}
	f.send("bob", &f.offers[0])
	f.mu.Unlock()
	wantMore(t, out)
	wantMore(t, in)
}

// A device that missed the start of a generation asks for the next one.
func TestRejoin(t *testing.T) {
	f, alice, bob := pair(t)
	out, in := call(t, alice, bob, rtc.Audio, rtc.Audio)
	f.mu.Lock()
	f.devices["alice"].cut()
	delete(f.devices, "alice")
	f.begin(out.ID())
	f.mu.Unlock()
	for _, c := range []*peer.Call{out, in} {
		await(t, c, func(r peer.Report) bool { return r.Gen == 3 && r.Audio.Received.Packets > 10 })
	}
}

// What the other side signals is not to be trusted.
func TestBadSignals(t *testing.T) {
	f, alice, bob := pair(t)
	out, in := call(t, alice, bob, rtc.Audio, rtc.Audio)
	bad := func(payload string) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.send("alice", &rtc.CallSignal{Call: out.ID(), Gen: 1, Payload: json.RawMessage(payload)})
	}
	for _, payload := range []string{
		`{}`, `{"candidate":null}`, `{"candidate":{"candidate":""}}`, `{"candidate":{"candidate":"candidate:nonsense"}}`,
	} {
		bad(payload)
	}
	wantMore(t, out)
	bad(`{"description":{"type":"offer","sdp":"nonsense"}}`)
	wantEnd(t, in.Ended(), rtc.EndFailed, "alice")
	if err := out.WaitConnected(patience(t)); err == nil {
		t.Error("a broken call is connected")
	}
}
