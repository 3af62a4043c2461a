package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"fieldphone/rtc"
	"fieldphone/turnsrv/credential"
	"fieldphone/turnsrv/turnclient"
)

// sessionIn reads from the log whose session has part in a call.
func (r *runner) sessionIn(call, user string) string {
	r.t.Helper()
	line := regexp.MustCompile(`call=` + call + ` user=` + user + ` session=(\S+)`)
	found := line.FindStringSubmatch(r.stderr.String())
	if found == nil {
		r.t.Fatalf("the log names no session of %s in call %s:\n%s", user, call, r.stderr.String())
	}
	return found[1]
}

// turnPort reads from the log where the relay listens.
func (r *runner) turnAddr() netip.AddrPort {
	r.t.Helper()
	found := regexp.MustCompile(`listener="udp (127\.0\.0\.1:\d+)"`).FindStringSubmatch(r.stderr.String())
	if found == nil {
		r.t.Fatalf("the log names no listener:\n%s", r.stderr.String())
	}
	return netip.MustParseAddrPort(found[1])
}

// turn makes a TURN client with the credential of a session, as its page has it.
func (r *runner) turn(ctx context.Context, network turnclient.Network, user, session string) *turnclient.Client {
	r.t.Helper()
	secret, err := loadSecret("", r.data, "turn.secret")
	if err != nil {
		r.t.Fatal(err)
	}
	c, err := turnclient.Dial(ctx, turnclient.Target{Network: network, Address: r.turnAddr()})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	username, password := credential.Issue(secret, user, session, time.Now().Add(time.Hour))
	c.SignIn(username, password)
	return c
}

func codeOf(err error) int {
	var refusal *turnclient.Error
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return 0
}

// Ensure that a hang-up ends within a second what a device still holds in the
// relay, over UDP and over TCP, and nothing that it makes for its next call.
func TestHangupEndsAllocations(t *testing.T) {
	r := startServer(t)
	alice, bob := r.dial("alice", relayOnly), r.dial("bob", relayOnly)
	out, _ := connect(t, alice, bob)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	session := r.sessionIn(out.ID(), "alice")
	held := map[turnclient.Network]*turnclient.Client{}
	for _, network := range []turnclient.Network{turnclient.UDP, turnclient.TCP} {
		held[network] = r.turn(ctx, network, "alice", session)
		if _, err := held[network].Allocate(ctx); err != nil {
			t.Fatalf("%s: %v", network, err)
		}
	}
	other := r.turn(ctx, turnclient.TCP, "zoe", "session-of-zoe")
	if _, err := other.Allocate(ctx); err != nil {
		t.Fatal(err)
	}

	if err := out.Hangup(ctx); err != nil {
		t.Fatal(err)
	}
	hungUp := time.Now()
	next := r.turn(ctx, turnclient.TCP, "alice", session)
	if _, err := next.Allocate(ctx); err != nil {
		t.Fatalf("for the next call: %v", err)
	}
	// Over TCP the relay closes the connection.
	if _, err := held[turnclient.TCP].Receive(hungUp.Add(3 * time.Second)); err == nil || os.IsTimeout(err) {
		t.Errorf("TCP: %v, want the connection closed", err)
	}
	if took := time.Since(hungUp); took > time.Second {
		t.Errorf("it took %v", took)
	}
	if code := codeOf(held[turnclient.UDP].Release(ctx)); code != 437 {
		t.Errorf("UDP: code %d, want 437 (Allocation Mismatch)", code)
	}
	for name, c := range map[string]*turnclient.Client{"the next call": next, "another session": other} {
		if err := c.Release(ctx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if want := "hang-up ends allocations\" call=" + out.ID() + " user=alice session=" + session + " allocations=2"; !strings.Contains(r.stderr.String(), want) {
		t.Errorf("the log lacks %s:\n%s", want, r.stderr.String())
	}
}

// Ensure that the relay sends to what signed-in clients came from or signal to
// each other, and to nobody else.
func TestRelayPeersByIdentity(t *testing.T) {
	const permitted, forbidden = 0, 403
	for mode, want := range map[string]map[string]int{
		"clients": {"127.0.0.7": permitted, "10.0.0.22": permitted, "127.0.0.8": permitted, "10.0.0.33": forbidden, "127.0.0.9": forbidden},
		"call":    {"127.0.0.7": permitted, "10.0.0.22": permitted, "127.0.0.8": forbidden, "10.0.0.33": forbidden, "127.0.0.9": forbidden},
	} {
		t.Run(mode, func(t *testing.T) {
			r := startServer(t, "TURN_PEERS_MODE="+mode)
			alice, bob := r.device("alice", ip("127.0.0.6")), r.device("bob", ip("127.0.0.7"))
			carol := r.device("carol", ip("127.0.0.8"))
			alice.call("call-0001", bob)
			candidate := func(addr string) []byte {
				return fmt.Appendf(nil, `{"candidate":{"candidate":"candidate:1 1 udp 1 %s 50000 typ host","sdpMid":"0"}}`, addr)
			}
			bob.say(&rtc.CallSignal{Call: "call-0001", Gen: 1, Payload: candidate("10.0.0.22")})
			hear[*rtc.CallSignal](alice)
			carol.say(&rtc.CallSignal{Call: "call-0001", Gen: 1, Payload: candidate("10.0.0.33")}) // in no call

			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			for addr, code := range want {
				c := r.turn(ctx, turnclient.UDP, "alice", r.sessionIn("call-0001", "alice"))
				if _, err := c.Allocate(ctx); err != nil {
					t.Fatal(err)
				}
				err := c.BindChannel(ctx, netip.AddrPortFrom(ip(addr), 50000))
				if got := codeOf(err); got != code || err != nil && got == 0 {
					t.Errorf("%s: %v, want code %d", addr, err, code)
				}
				if err := c.Release(ctx); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
