package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/chat"
	"fieldphone/rtc/chat/chattest"
	"fieldphone/rtc/presence"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testConfig() Config {
	return Config{
		Node: "test", Heartbeat: 5 * time.Second, PresenceTTL: 15 * time.Second, ResumeWindow: 30 * time.Second,
		RingTimeout: 45 * time.Second, HelloTimeout: 10 * time.Second, MessageRate: 50, MessageBurst: 400,
		Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	}
}

// inBubble runs a test against a hub whose clock is synctest's.
func inBubble(t *testing.T, test func(t *testing.T, h *Hub)) {
	t.Helper()
	inBubbleOf(t, testConfig(), test)
}

func inBubbleOf(t *testing.T, cfg Config, test func(t *testing.T, h *Hub)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		stop := chatOf(&cfg)
		defer stop()
		h, err := New(cfg, presence.NewMemory(time.Now))
		if err != nil {
			t.Fatal(err)
		}
		cfg.Chat.(keptChat).OnChange(h.Deliver)
		defer run(h)()
		test(t, h)
	})
}

// run lets a hub work until stop.
func run(h *Hub) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// keptChat is a chat with what keeps it.
type keptChat struct {
	*chat.Service
	store *chattest.Store
}

func storeOf(h *Hub) *chattest.Store { return h.cfg.Chat.(keptChat).store }

// chatOf gives a hub chats that are kept in memory.
func chatOf(cfg *Config) (stop func()) {
	store := chattest.New()
	s := keptChat{chat.New(chat.Config{Now: time.Now}, store), store}
	cfg.Chat = s
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	return func() { cancel(); <-done }
}

const callID = "call-0001"

// inCall brings two clients into a call.
func inCall(t *testing.T, h *Hub) (alice, bob *client) {
	t.Helper()
	alice, bob = connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
	alice.say(&rtc.CallInvite{Call: callID, To: "bob", Media: rtc.Video})
	one[*rtc.CallRinging](alice)
	bob.say(&rtc.CallAccept{Call: one[*rtc.CallIncoming](bob).Call, Media: rtc.Video})
	one[*rtc.CallStarted](alice)
	one[*rtc.CallStarted](bob)
	take[*rtc.Ack](alice)
	take[*rtc.Ack](bob)
	return alice, bob
}

func TestCallAndHangUp(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := inCall(t, h)
		time.Sleep(time.Second)
		if bob.sees("alice") != rtc.Busy || alice.sees("bob") != rtc.Busy {
			t.Error("people in a call are not shown busy")
		}
		offer := json.RawMessage(`{"description":{"type":"offer","sdp":"v=0"}}`)
		alice.say(&rtc.CallSignal{Call: callID, Gen: 1, Payload: offer})
		if got := one[*rtc.CallSignal](bob); string(got.Payload) != string(offer) || got.Gen != 1 {
			t.Errorf("got %+v", got)
		}
		bob.say(&rtc.CallMedia{Call: callID, Audio: true})
		if got := one[*rtc.CallMedia](alice); !got.Audio || got.Video {
			t.Errorf("got %+v", got)
		}
		bob.say(&rtc.CallHangup{Call: callID})
		for _, c := range []*client{alice, bob} {
			if got := one[*rtc.CallEnded](c); got.Reason != rtc.EndHangup || got.By != "bob" {
				t.Errorf("%s heard %+v", c.user, got)
			}
		}
		time.Sleep(time.Second)
		if bob.sees("alice") != rtc.Free || h.Stats().CallsNow != 0 {
			t.Error("the call left something behind")
		}
	})
}

func TestEveryEnding(t *testing.T) {
	for name, tt := range map[string]struct {
		do   func(alice, bob *client)
		want rtc.EndReason
	}{
		"declined":  {func(_, bob *client) { bob.say(&rtc.CallDecline{Call: callID}) }, rtc.EndDeclined},
		"cancelled": {func(alice, _ *client) { alice.say(&rtc.CallCancel{Call: callID}) }, rtc.EndCancelled},
		"timeout":   {func(_, _ *client) { time.Sleep(46 * time.Second) }, rtc.EndTimeout},
		"bye":       {func(alice, _ *client) { alice.say(&rtc.Bye{}) }, rtc.EndCancelled},
		"signed out": {func(alice, _ *client) {
			alice.hub.EndSession("session-of-alice")
			synctest.Wait()
		}, rtc.EndSessionEnded},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, h *Hub) {
				alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
				alice.say(&rtc.CallInvite{Call: callID, To: "bob", Media: rtc.Audio})
				tt.do(alice, bob)
				if got := one[*rtc.CallEnded](alice).Reason; got != tt.want {
					t.Errorf("alice heard %s", got)
				}
				if got := one[*rtc.CallEnded](bob).Reason; got != tt.want {
					t.Errorf("bob heard %s", got)
				}
				if n := h.Stats().Ended[tt.want]; n != 1 {
					t.Errorf("counted %d", n)
				}
			})
		})
	}
}

func TestSeveralDevices(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice := connect(t, h, "alice", "a")
		phone, laptop := connect(t, h, "bob", "phone"), connect(t, h, "bob", "laptop")
		alice.say(&rtc.CallInvite{Call: callID, To: "bob", Media: rtc.Video})
		one[*rtc.CallIncoming](phone)
		one[*rtc.CallIncoming](laptop)
		tablet := connect(t, h, "bob", "tablet") // arrives while it rings
		one[*rtc.CallIncoming](tablet)
		laptop.say(&rtc.CallAccept{Call: callID, Media: rtc.Audio})
		one[*rtc.CallStarted](laptop)
		for _, c := range []*client{phone, tablet} {
			if got := one[*rtc.CallEnded](c).Reason; got != rtc.EndAnsweredElsewhere {
				t.Errorf("got %s", got)
			}
			c.say(&rtc.CallAccept{Call: callID, Media: rtc.Video})
			c.refused(rtc.CodeNoSuchCall)
		}
	})
}

func TestBothCallEachOther(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
		alice.say(&rtc.CallInvite{Call: callID, To: "bob", Media: rtc.Video})
		bob.say(&rtc.CallInvite{Call: "call-0002", To: "alice", Media: rtc.Video})
		if got := one[*rtc.CallEnded](bob); got.Reason != rtc.EndMerged || got.Into != callID || got.Call != "call-0002" {
			t.Errorf("got %+v", got)
		}
		if a, b := one[*rtc.CallStarted](alice), one[*rtc.CallStarted](bob); a.Role != rtc.Offerer || b.Role != rtc.Answerer || b.Call != callID {
			t.Errorf("alice %+v, bob %+v", a, b)
		}
		none[*rtc.CallEnded](alice)
	})
}

func TestLostDeviceResumesItsCallAndItsMessages(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := inCall(t, h)
		bob.lose()
		if got := one[*rtc.CallPeer](alice); got.Connected {
			t.Error("alice was not told that bob's signalling is away")
		}
		for i := range 3 {
			alice.say(&rtc.CallSignal{Call: callID, Gen: 1, Payload: json.RawMessage(fmt.Sprintf(`{"candidate":%d}`, i))})
		}
		alice.say(&rtc.TextSend{Message: "text-0001", Chat: "bob", Body: "still there?"})
		time.Sleep(10 * time.Second)
		bob.back()
		if got := take[*rtc.CallSignal](bob); len(got) != 3 || string(got[2].Payload) != `{"candidate":2}` {
			t.Errorf("%d signals came after the resume, want 3 in order", len(got))
		}
		one[*rtc.TextMessage](bob)
		if got := one[*rtc.CallPeer](alice); !got.Connected {
			t.Error("alice was not told that bob is back")
		}
		welcome := one2(take[*rtc.Welcome](bob))
		if !welcome.Resumed || len(welcome.Calls) != 1 || welcome.Calls[0].State != rtc.StateActive {
			t.Errorf("welcome %+v", welcome)
		}
		time.Sleep(time.Hour)
		none[*rtc.CallEnded](alice)
	})
}

func TestLostForGood(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := inCall(t, h)
		bob.lose()
		time.Sleep(29 * time.Second)
		none[*rtc.CallEnded](alice)
		time.Sleep(2 * time.Second)
		if got := one[*rtc.CallEnded](alice).Reason; got != rtc.EndLost {
			t.Errorf("got %s", got)
		}
		if n := h.Stats().DevicesNow; n != 1 {
			t.Errorf("%d devices are kept, want 1", n)
		}
	})
}

func TestReloadRejoins(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := inCall(t, h)
		bob.lose()
		bob.set(func() { bob.stream, bob.seq = "", 0 })
		bob.back()
		welcome := one2(take[*rtc.Welcome](bob))
		if welcome.Resumed || len(welcome.Calls) != 1 || welcome.Calls[0].Role != rtc.Answerer || welcome.Calls[0].Peer.Name != "ALICE" {
			t.Fatalf("welcome %+v", welcome)
		}
		bob.say(&rtc.CallRejoin{Call: callID})
		if a, b := one[*rtc.CallStarted](alice), one[*rtc.CallStarted](bob); a.Gen != 2 || b.Gen != 2 {
			t.Errorf("gen %d and %d, want 2", a.Gen, b.Gen)
		}
	})
}

func TestRestartedServerLearnsOfRunningCalls(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		running := func(peer string, role rtc.Role) rtc.RunningCall {
			return rtc.RunningCall{Call: callID, Peer: peer, Role: role, Gen: 1, Media: rtc.Video}
		}
		alice := &client{t: t, hub: h, user: "alice", device: "a-00000000", stream: "of-another-life"}
		alice.attach()
		alice.hello(running("bob", rtc.Offerer))
		if got := one[*rtc.Welcome](alice); got.Resumed || len(got.Calls) != 1 || got.Calls[0].State != rtc.StateRestoring {
			t.Fatalf("welcome %+v", got)
		}
		mallory := &client{t: t, hub: h, user: "mallory", device: "m-00000000"}
		mallory.attach()
		mallory.hello(running("alice", rtc.Answerer))
		if got := one[*rtc.Welcome](mallory); len(got.Calls) != 0 {
			t.Fatal("a stranger took a part in the call")
		}
		bob := &client{t: t, hub: h, user: "bob", device: "b-00000000"}
		bob.attach()
		bob.hello(running("alice", rtc.Answerer))
		if got := one[*rtc.Welcome](bob); len(got.Calls) != 1 || got.Calls[0].State != rtc.StateActive {
			t.Fatalf("welcome %+v", got)
		}
		one[*rtc.CallPeer](alice)
		alice.say(&rtc.CallHangup{Call: callID})
		one[*rtc.CallEnded](bob)
	})
}

func TestTextIsDeliveredOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
		second := connect(t, h, "alice", "second")
		send := &rtc.TextSend{Message: "text-0001", Chat: "bob", Body: "<b>hi</b>"}
		alice.say(send)
		first := one[*rtc.TextSent](alice)
		time.Sleep(time.Second)
		alice.say(send) // as after a reconnect
		if again := one[*rtc.TextSent](alice); *again != *first {
			t.Errorf("answered %+v, then %+v", first, again)
		}
		if got := one[*rtc.TextMessage](bob); got.Body != send.Body || got.From != (rtc.User{ID: "alice", Name: "ALICE"}) || got.ServerTime != first.ServerTime {
			t.Errorf("got %+v", got)
		}
		one[*rtc.TextMessage](second)
		none[*rtc.TextMessage](alice)
		alice.say(&rtc.TextSend{Message: "text-0002", Chat: "nobody", Body: "hi"})
		alice.refused(rtc.CodeNoSuchChat)
	})
}

func TestAClaimDisturbsNobody(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		bob := connect(t, h, "bob", "b")
		mallory := &client{t: t, hub: h, user: "mallory", device: "m-00000000"}
		mallory.attach()
		mallory.hello(rtc.RunningCall{Call: "fake-call-1", Peer: "bob", Role: rtc.Offerer, Gen: 1, Media: rtc.Video})
		mallory.hello()
		mallory.refused(rtc.CodeWrongState) // a second hello on one connection
		alice := connect(t, h, "alice", "a")
		alice.say(&rtc.CallInvite{Call: callID, To: "bob", Media: rtc.Video})
		one[*rtc.CallIncoming](bob)
		bob.say(&rtc.CallDecline{Call: callID})
		one[*rtc.CallEnded](alice)

		alice.lose()
		alice.attach()
		alice.hello(rtc.RunningCall{Call: callID, Peer: "bob", Role: rtc.Offerer, Gen: 1, Media: rtc.Video})
		if got := one2(take[*rtc.Welcome](alice)); len(got.Calls) != 0 {
			t.Errorf("a call that is over came back: %+v", got.Calls)
		}
	})
}

func TestNothingIsLostByAFullQueueOrALongAbsence(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		alice, bob := connect(t, h, "alice", "a"), connect(t, h, "bob", "b")
		bob.set(func() { bob.room = 3 })
		const texts = 300
		for i := range texts {
			alice.say(&rtc.TextSend{Message: fmt.Sprintf("text-%04d", i), Chat: "bob", Body: "hi"})
			time.Sleep(25 * time.Millisecond)
		}
		if bob.closedWith() != rtc.CloseSlow {
			t.Fatalf("closed with %v", bob.closedWith())
		}
		before := len(take[*rtc.TextMessage](bob))
		bob.lose()
		bob.attach()
		bob.set(func() { bob.room = 4 })
		bob.hello()
		if after := len(take[*rtc.TextMessage](bob)); before+after != texts {
			t.Errorf("%d came before and %d after, want %d in all", before, after, texts)
		}
	})
}

func TestReplacedAndSignedOut(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		first := connect(t, h, "alice", "a")
		second := connect(t, h, "alice", "a")
		if first.closedWith() != rtc.CloseReplaced || second.closedWith() != (rtc.Close{}) {
			t.Errorf("first %v, second %v", first.closedWith(), second.closedWith())
		}
		first.lose()
		bob := connect(t, h, "bob", "b")
		h.EndSession("session-of-alice")
		synctest.Wait()
		if second.closedWith() != rtc.CloseSessionEnded {
			t.Errorf("closed with %v", second.closedWith())
		}
		time.Sleep(time.Second)
		if bob.sees("alice") != rtc.Offline {
			t.Error("a signed-out user is still shown")
		}
	})
}

func TestStopClosesWithGoingAway(t *testing.T) {
	var c *client
	inBubble(t, func(t *testing.T, h *Hub) { c = connect(t, h, "alice", "a") })
	if c.closed != rtc.CloseGoingAway {
		t.Errorf("closed with %v", c.closed)
	}
}
