package peer_test

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"go.uber.org/goleak"

	"fieldphone/rtc"
	"fieldphone/rtc/peer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func (f *fake) config(user string) peer.Config {
	return peer.Config{
		URL: f.http.URL, TLS: f.trust(), LocalAddr: netip.MustParseAddr("127.0.0.1"),
		User: user, Password: "password of " + user, Register: true, Name: "Name of " + user,
		ICE: peer.ICE{Loopback: true, Address: func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.1") }},
	}
}

func (f *fake) dial(t *testing.T, user string) *peer.Peer {
	t.Helper()
	p, err := peer.Dial(patience(t), f.config(user))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// pair is two people who see each other.
func pair(t *testing.T) (*fake, *peer.Peer, *peer.Peer) {
	t.Helper()
	f := newFake(t)
	alice, bob := f.dial(t, "alice"), f.dial(t, "bob")
	if err := alice.WaitStatus(patience(t), "bob", rtc.Free); err != nil {
		t.Fatal(err)
	}
	return f, alice, bob
}

func incoming(t *testing.T, p *peer.Peer) *peer.Incoming {
	t.Helper()
	select {
	case in := <-p.Incoming():
		return in
	case <-patience(t).Done():
		t.Fatal("it does not ring")
		return nil
	}
}

// call connects alice to bob.
func call(t *testing.T, alice, bob *peer.Peer, offered, accepted rtc.Media) (*peer.Call, *peer.Call) {
	t.Helper()
	ctx := patience(t)
	out, err := alice.Call(ctx, bob.User().ID, offered)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.WaitRinging(ctx); err != nil {
		t.Fatal(err)
	}
	in := incoming(t, bob)
	if in.From.ID != alice.User().ID || in.Media != offered || in.ID() != out.ID() {
		t.Fatalf("got call %s of %v with %s, want %s of alice with %s", in.ID(), in.From, in.Media, out.ID(), offered)
	}
	got, err := in.Accept(ctx, accepted)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*peer.Call{out, got} {
		if err := c.WaitConnected(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return out, got
}

func await(t *testing.T, c *peer.Call, holds func(peer.Report) bool) peer.Report {
	t.Helper()
	report, err := c.WaitReport(patience(t), holds)
	if err != nil {
		t.Fatalf("%v; last seen: %+v", err, report)
	}
	return report
}

func wantEnd(t *testing.T, ended <-chan rtc.CallEnded, reason rtc.EndReason, by string) {
	t.Helper()
	select {
	case end, ok := <-ended:
		if !ok || end.Reason != reason || end.By != by {
			t.Fatalf("got %+v (%v), want %s by %q", end, ok, reason, by)
		}
	case <-patience(t).Done():
		t.Fatalf("the call did not end; want %s", reason)
	}
	if _, open := <-ended; open {
		t.Fatal("the call ended twice")
	}
}

func bothKinds(r peer.Report) bool {
	return r.Audio.Received.Packets >= 20 && r.Video.Received.Packets >= 20 && r.Echo.Received > 0
}

func TestVideoCall(t *testing.T) {
	f, alice, bob := pair(t)
	out, in := call(t, alice, bob, rtc.Video, rtc.Video)
	for _, c := range []*peer.Call{out, in} {
		r := await(t, c, bothKinds)
		if r.State != "connected" || r.Gen != 1 || r.Call != out.ID() {
			t.Errorf("got %+v, want a connected call of generation 1", r)
		}
		if r.Audio.Lost != 0 || r.Video.Lost != 0 {
			t.Errorf("got %d and %d packets lost on loopback", r.Audio.Lost, r.Video.Lost)
		}
		if r.Audio.Received.Bytes != 3*r.Audio.Received.Packets || r.Video.Received.Bytes < 900*r.Video.Received.Packets {
			t.Errorf("got %+v and %+v, want Opus frames of 3 bytes and halves of pictures of 2000", r.Audio.Received, r.Video.Received)
		}
		loopback := netip.MustParseAddr("127.0.0.1")
		if p := r.Pair; p == nil || p.Relayed() || p.Local.Type != "host" || p.Local.Protocol != "udp" || p.Local.Addr.Addr() != loopback || p.Remote.Addr.Addr() != loopback {
			t.Errorf("got pair %+v, want host candidates on loopback", r.Pair)
		}
		if r.Connected <= 0 || r.FirstPacket < r.Connected/2 || r.Echo.Best <= 0 || r.Echo.Best > r.Echo.Last+time.Second {
			t.Errorf("got times %v, %v and %+v", r.Connected, r.FirstPacket, r.Echo)
		}
	}
	if got := in.Peer(); got.Name != "Name of alice" {
		t.Errorf("got peer %+v, want alice", got)
	}
	if err := out.Hangup(patience(t)); err != nil {
		t.Fatal(err)
	}
	wantEnd(t, out.Ended(), rtc.EndHangup, "alice")
	wantEnd(t, in.Ended(), rtc.EndHangup, "alice")
	sent, received := out.Report(), in.Report()
	if received.Video.Received.Packets == 0 || received.Video.Received.Packets > sent.Video.Sent.Packets {
		t.Errorf("after the end: got %d video packets of %d sent", received.Video.Received.Packets, sent.Video.Sent.Packets)
	}
	if err := out.Hangup(patience(t)); err != nil {
		t.Errorf("hang up again: %v", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if want := map[string]string{"alice": "host", "bob": "host"}; !maps.Equal(f.nominated, want) {
		t.Errorf("the ends said that their candidates are %v, want %v", f.nominated, want)
	}
	if f.iceAsked != 2 {
		t.Errorf("ICE servers were asked for %d times, want once for each end", f.iceAsked)
	}
}

// Each side sends what it wants to: sound alone, or picture too.
func TestMediaKinds(t *testing.T) {
	for name, kinds := range map[string]struct{ offered, accepted rtc.Media }{
		"audio":                    {rtc.Audio, rtc.Audio},
		"video answered by audio":  {rtc.Video, rtc.Audio},
		"audio answered with more": {rtc.Audio, rtc.Video},
	} {
		t.Run(name, func(t *testing.T) {
			_, alice, bob := pair(t)
			out, in := call(t, alice, bob, kinds.offered, kinds.accepted)
			enough := func(r peer.Report) bool { return r.Audio.Received.Packets >= 20 }
			atBob, atAlice := await(t, in, enough), await(t, out, enough)
			if got, want := atBob.Video.Received.Packets > 0, kinds.offered == rtc.Video; got != want {
				t.Errorf("bob sees alice: got %v, want %v (%+v)", got, want, atBob.Video)
			}
			if atAlice.Video.Received.Packets > 0 {
				t.Errorf("alice sees bob: %+v", atAlice.Video)
			}
		})
	}
}

func TestDecline(t *testing.T) {
	_, alice, bob := pair(t)
	ctx := patience(t)
	out, err := alice.Call(ctx, "bob", rtc.Audio)
	if err != nil {
		t.Fatal(err)
	}
	in := incoming(t, bob)
	if err := in.Decline(ctx); err != nil {
		t.Fatal(err)
	}
	var ended *peer.EndedError
	if err := out.WaitConnected(ctx); !errors.As(err, &ended) || ended.Reason != rtc.EndDeclined {
		t.Errorf("got %v, want that it ended declined", err)
	}
	wantEnd(t, out.Ended(), rtc.EndDeclined, "bob")
	wantEnd(t, in.Ended(), rtc.EndDeclined, "bob")
	if _, err := in.Accept(ctx, rtc.Audio); !refusedWith(err, rtc.CodeNoSuchCall) {
		t.Errorf("accepting what is over: got %v", err)
	}
}

func TestCancelAndUnreachable(t *testing.T) {
	_, alice, bob := pair(t)
	ctx := patience(t)
	out, err := alice.Call(ctx, "bob", rtc.Audio)
	if err != nil {
		t.Fatal(err)
	}
	in := incoming(t, bob)
	if err := out.Hangup(ctx); err != nil {
		t.Fatal(err)
	}
	wantEnd(t, in.Ended(), rtc.EndCancelled, "alice")
	nobody, err := alice.Call(ctx, "nobody", rtc.Audio)
	if err != nil {
		t.Fatal(err)
	}
	wantEnd(t, nobody.Ended(), rtc.EndUnreachable, "")
	if _, err := alice.Call(ctx, "", rtc.Audio); !refusedWith(err, rtc.CodeBadData) {
		t.Errorf("calling nobody: got %v", err)
	}
}

func refusedWith(err error, code rtc.Code) bool {
	var refusal *rtc.Error
	return errors.As(err, &refusal) && refusal.Code == code
}

func TestText(t *testing.T) {
	_, alice, bob := pair(t)
	ctx := patience(t)
	sent, err := alice.SendText(ctx, "bob", "<b>hello</b> 王")
	if err != nil || sent.ServerTime == 0 {
		t.Fatalf("got %+v, %v", sent, err)
	}
	if got := text(t, bob); got.Message != sent.Message || got.Body != "<b>hello</b> 王" || got.From.ID != "alice" {
		t.Errorf("got %+v", got)
	}
	if _, err := alice.SendText(ctx, "nobody", "hello"); !refusedWith(err, rtc.CodeOffline) {
		t.Errorf("to nobody: got %v, want offline", err)
	}
}

func text(t *testing.T, p *peer.Peer) rtc.TextMessage {
	t.Helper()
	select {
	case m := <-p.Texts():
		return m
	case <-patience(t).Done():
		t.Fatal("no text came")
		return rtc.TextMessage{}
	}
}

func TestPeople(t *testing.T) {
	_, alice, bob := pair(t)
	want := []rtc.Person{{ID: "alice", Name: "Name of alice", Status: rtc.Free}, {ID: "bob", Name: "Name of bob", Status: rtc.Free}}
	if got := alice.People(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	if err := alice.WaitStatus(patience(t), "bob", rtc.Offline); err != nil {
		t.Error(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := alice.WaitStatus(short, "bob", rtc.Free); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting in vain: got %v", err)
	}
}

func TestDialRefused(t *testing.T) {
	f := newFake(t)
	f.dial(t, "alice")
	wrong := f.config("alice")
	wrong.Password = "wrong"
	var refusal *peer.APIError
	if _, err := peer.Dial(patience(t), wrong); !errors.As(err, &refusal) || refusal.Code != "wrong_credentials" {
		t.Errorf("wrong password: got %v", err)
	}
	unknown := f.config("bob")
	unknown.TLS = nil
	if _, err := peer.Dial(patience(t), unknown); err == nil {
		t.Error("an unknown certificate was trusted")
	}
	for name, change := range map[string]func(*peer.Config){
		"URL": func(c *peer.Config) { c.URL = "ftp://host" }, "user": func(c *peer.Config) { c.User = "" },
		"name": func(c *peer.Config) { c.Name = "" }, "device": func(c *peer.Config) { c.Device = "a b" },
	} {
		cfg := f.config("bob")
		change(&cfg)
		if _, err := peer.Dial(patience(t), cfg); err == nil {
			t.Errorf("bad %s: got no error", name)
		}
	}
	f.mu.Lock()
	f.mute = true
	f.mu.Unlock()
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := peer.Dial(short, f.config("bob")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a server that does not welcome: got %v", err)
	}
}

// A server that does not want the device again is obeyed.
func TestSessionEnded(t *testing.T) {
	f, alice, bob := pair(t)
	out, _ := call(t, alice, bob, rtc.Audio, rtc.Audio)
	f.mu.Lock()
	reason := websocket.FormatCloseMessage(rtc.CloseSessionEnded.Code, rtc.CloseSessionEnded.Reason)
	_ = f.devices["alice"].conn.WriteControl(websocket.CloseMessage, reason, time.Now().Add(time.Second))
	f.mu.Unlock()
	wantEnd(t, out.Ended(), rtc.EndLost, "")
	select {
	case <-alice.Done():
	case <-patience(t).Done():
		t.Fatal("the peer goes on")
	}
	var closed *peer.ClosedError
	if err := alice.Err(); !errors.As(err, &closed) || closed.Reason != rtc.CloseSessionEnded {
		t.Errorf("got %v, want the close code", err)
	}
	if _, err := alice.Call(patience(t), "bob", rtc.Audio); err == nil {
		t.Error("it still calls")
	}
	if _, open := <-alice.Incoming(); open {
		t.Error("Incoming is open")
	}
}
