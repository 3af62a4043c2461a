package main

import (
	"context"
	"encoding/hex"
	"regexp"
	"strings"
	"testing"
	"time"

	"fieldphone/turnsrv/turnclient"
)

// story is the log's lines about one call, without time and level.
func (r *runner) story(call string) (lines []string) {
	for line := range strings.Lines(r.stderr.String()) {
		if _, rest, ok := strings.Cut(line, "msg="); ok && strings.Contains(line, "call="+call) {
			lines = append(lines, "msg="+strings.TrimSpace(rest))
		}
	}
	return lines
}

// Ensure that an admin can follow one call by its id from invite to end, and
// from there to the relay by the sessions.
func TestTheLogTellsTheStoryOfACall(t *testing.T) {
	r := startServer(t)
	alice, bob := r.dial("alice", relayOnly), r.dial("bob", relayOnly)
	out, in := connect(t, alice, bob)
	deadline := time.Now().Add(10 * time.Second)
	for len(regexp.MustCompile(`call is connected" call=`+out.ID()).FindAllString(r.stderr.String(), -1)) < 2 {
		if time.Now().After(deadline) {
			t.Fatalf("the ends do not report:\n%s", r.stderr.String())
		}
	}
	session := r.sessionIn(out.ID(), "alice")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	crashed := r.turn(ctx, turnclient.UDP, "alice", session) // a page that forgets its allocation
	if _, err := crashed.Allocate(ctx); err != nil {
		t.Fatal(err)
	}
	if err := in.Hangup(ctx); err != nil {
		t.Fatal(err)
	}
	if !r.stderr.waitFor("hang-up ends allocations", r.ended) {
		t.Fatal("the server stopped")
	}

	const one, other = `user=alice session=\S+ device=\S+`, `user=bob session=\S+ device=\S+`
	path := ` local=relay remote=\w+ protocol=udp relay_protocol=(udp|tcp|tls) relay=127\.0\.0\.1:\d+( remote_relay=\S+)? gen=1 setup_ms=\d+$`
	want := []string{
		`^msg="call is made" call=\S+ ` + one + ` callee=bob media=video$`,
		`^msg="call rings" call=\S+ devices=1 waiting=false$`,
		`^msg="call is accepted" call=\S+ ` + other + ` rang_ms=\d+$`,
		`^msg="call starts" call=\S+ gen=1 media=video$`,
		`^msg="call is connected" call=\S+ user=(alice|bob) session=\S+ device=\S+` + path,
		`^msg="call is connected" call=\S+ user=(alice|bob) session=\S+ device=\S+` + path,
		`^msg="call ends" call=\S+ reason=hangup duration_ms=\d+ by=bob$`,
		`^msg="hang-up ends allocations" call=\S+ user=alice session=` + session + ` allocations=1$`,
	}
	got := r.story(out.ID())
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i, line := range got {
		if !regexp.MustCompile(want[i]).MatchString(line) {
			t.Errorf("line %d is\n%s\nwant\n%s", i, line, want[i])
		}
	}

	// From the call to the relay: by the session, and by the relayed address.
	relayed := regexp.MustCompile(`user=alice.* relay=(\S+)`).FindStringSubmatch(strings.Join(got, "\n"))
	if relayed == nil {
		t.Fatal("alice's relayed address is not told")
	}
	for _, what := range []string{"made", "ended"} {
		line := `turn: allocation ` + what + `" user=alice session=` + session + ` allocation=\d+ client=127\.0\.0\.1:\d+ transport=(udp|tcp|tls) relayed=` + regexp.QuoteMeta(relayed[1]) + `\b`
		if !regexp.MustCompile(line).MatchString(r.stderr.String()) {
			t.Errorf("no line %s", line)
		}
	}
	secret, err := loadSecret("", r.data, "turn.secret")
	if err != nil {
		t.Fatal(err)
	}
	for what, hidden := range map[string]string{"password": "correct horse", "TURN secret": hex.EncodeToString(secret), "ICE password": "ice-pwd", "token": "eyJ"} {
		if strings.Contains(r.stderr.String(), hidden) {
			t.Errorf("the log holds a %s", what)
		}
	}
}
