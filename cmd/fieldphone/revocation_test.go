package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"fieldphone/rtc"
	"fieldphone/turnsrv/turnclient"
)

// Ensure that whatever ends a session ends what it has in the relay within a second, over UDP
// and over TCP, and gives it nothing more.
func TestRevocationReachesTheRelay(t *testing.T) {
	r := startServer(t)
	root := r.admin("root")
	for i, tt := range []struct {
		name   string
		revoke func(p *someone) reply
	}{
		{"sign-out", func(p *someone) reply { return p.do("POST", "/logout", nil) }},
		{"password", func(p *someone) reply {
			return p.do("POST", "/me/password", object{"current": "correct horse " + p.id, "new": "another horse"})
		}},
		{"disabled by an administrator", func(p *someone) reply { return root.do("PATCH", "/admin/users/"+p.id, object{"disabled": true}) }},
		{"signed out by an administrator", func(p *someone) reply { return root.do("POST", "/admin/users/"+p.id+"/sign-out", nil) }},
		{"disabled at the console", func(p *someone) reply {
			code, _, stderr := fieldphone(t, "", "user", "disable", p.id, "--data", r.data)
			return reply{200 + code*300, []byte(stderr)}
		}},
		{"new password at the console", func(p *someone) reply {
			code, _, stderr := fieldphone(t, "another horse\n", "user", "passwd", p.id, "--data", r.data)
			return reply{200 + code*300, []byte(stderr)}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			p := r.user(fmt.Sprintf("maria%d", i))
			udp, tcp := p.allocate(ctx, turnclient.UDP), p.allocate(ctx, turnclient.TCP)
			if got := tt.revoke(p); got.status >= 300 {
				t.Fatalf("status %d: %s", got.status, got.body)
			}
			began := time.Now()
			if _, err := tcp.Receive(began.Add(5 * time.Second)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("over TCP: %v, want a closed connection", err)
			}
			root.live(func(l liveAnswer) bool { return len(l.Allocations) == 0 })
			if took := time.Since(began); took > time.Second {
				t.Errorf("it took %v", took)
			}
			if got := p.do("GET", "/me", nil).status; got != 401 {
				t.Errorf("the session is good for %d", got)
			}
			if err := udp.BindChannel(ctx, netip.MustParseAddrPort("127.0.0.2:50000")); err == nil {
				t.Error("the allocation over UDP lives")
			}
			if _, err := udp.Allocate(ctx); err == nil {
				t.Error("the credential gets another allocation")
			}
		})
	}
}

// allocate gets a relay port with the credential of a session, as the page does.
func (p *someone) allocate(ctx context.Context, network turnclient.Network) *turnclient.Client {
	p.r.t.Helper()
	ice := want[struct {
		ICEServers []struct{ Username, Credential string } `json:"iceServers"`
	}](p.r.t, 200, p.do("GET", "/ice", nil))
	c, err := turnclient.Dial(ctx, turnclient.Target{Network: network, Address: p.r.turnAddr()})
	if err != nil {
		p.r.t.Fatal(err)
	}
	p.r.t.Cleanup(func() { c.Close() })
	last := ice.ICEServers[len(ice.ICEServers)-1]
	c.SignIn(last.Username, last.Credential)
	if _, err := c.Allocate(ctx); err != nil {
		p.r.t.Fatal(err)
	}
	return c
}

func TestUsersAndTheLastAdministrator(t *testing.T) {
	r := startServer(t)
	root := r.admin("root")
	r.user("maria")
	for _, change := range []object{{"disabled": true}, {"admin": false}} {
		if got := want[refusalAnswer](t, 409, root.do("PATCH", "/admin/users/root", change)).Error.Code; got != "last_admin" {
			t.Errorf("%v: %s", change, got)
		}
	}
	for body, status := range map[string]int{`{}`: 400, `{"admin":"yes"}`: 400, `{"name":"\u202e"}`: 422} {
		if got := root.do("PATCH", "/admin/users/maria", body); got.status != status {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	if got := root.do("PATCH", "/admin/users/nobody", object{"disabled": true}); got.status != 404 {
		t.Errorf("nobody: %d", got.status)
	}
	want[object](t, 200, root.do("PATCH", "/admin/users/maria", object{"admin": true, "name": "María"}))
	maria := r.person("maria")
	if got := want[object](t, 200, maria.do("PATCH", "/admin/users/root", object{"admin": false})); got["admin"] != false {
		t.Errorf("got %v", got)
	}
	// Who is no administrator any more is refused at once.
	if got := want[refusalAnswer](t, 403, root.do("GET", "/admin/live", nil)).Error.Code; got != "admin_required" {
		t.Errorf("got %s", got)
	}
	entries := maria.log()
	if entries[0].Action != "user.demote" || entries[0].Target != "root" || entries[1].Action != "user.change" || entries[1].After["name"] != "María" {
		t.Errorf("got %+v", entries)
	}
	want[nothing](t, 204, maria.do("POST", fmt.Sprintf("/admin/log/%d/undo", entries[0].ID), nil))
	users := string(root.do("GET", "/admin/users", nil).body)
	for _, part := range []string{`{"id":"maria","name":"María","admin":true,"disabled":false,`, `{"id":"root","name":"ROOT","admin":true,`} {
		if !strings.Contains(users, part) {
			t.Errorf("%s lacks %s", users, part)
		}
	}
	if got := maria.log()[0]; got.Action != "user.promote" || got.Undoes != entries[0].ID {
		t.Errorf("got %+v", got)
	}
	// The name was changed again since: its undo is refused as a whole.
	want[object](t, 200, root.do("PATCH", "/admin/users/maria", object{"name": "Mary"}))
	refused := want[refusalAnswer](t, 409, root.do("POST", fmt.Sprintf("/admin/log/%d/undo", entries[1].ID), nil))
	if refused.Error.Code != "undo_overtaken" || len(refused.Error.Keys) != 1 || refused.Error.Keys[0] != "name" {
		t.Errorf("got %+v", refused)
	}
}

// Ensure an administrator sees calls and allocations with their rates, and can end both.
func TestEndingCallsAndAllocations(t *testing.T) {
	r := startServer(t)
	root := r.admin("root")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	maria, jose := r.device("maria", hereOne), r.device("jose", hereTwo)
	maria.call("call-0001", jose)
	a, b := r.turn(ctx, turnclient.UDP, "maria", root.sessionOf("maria")), r.turn(ctx, turnclient.UDP, "jose", root.sessionOf("jose"))
	at, err := a.Allocate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	bt, err := b.Allocate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.BindChannel(ctx, bt), b.BindChannel(ctx, at)); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				_ = a.Send(make([]byte, 1000))
			}
		}
	}()
	now := root.live(func(l liveAnswer) bool {
		return len(l.Allocations) == 2 && l.Allocations[0].UpKbps > 1000 && l.Allocations[1].DownKbps > 1000
	})
	close(stop)
	<-done
	if len(now.Calls) != 1 || now.Calls[0].Call != "call-0001" || now.Allocations[0].User != "maria" {
		t.Errorf("got %+v", now)
	}
	id := now.Allocations[0].ID
	want[nothing](t, 204, root.do("DELETE", fmt.Sprintf("/admin/allocations/%d", id), nil))
	if err := a.BindChannel(ctx, bt); codeOf(err) != 437 {
		t.Errorf("the ended allocation: %v, want 437", err)
	}
	if left := root.live(always).Allocations; len(left) != 1 || left[0].User != "jose" {
		t.Errorf("got %+v", left)
	}
	for _, path := range []string{fmt.Sprintf("/admin/allocations/%d", id), "/admin/allocations/x", "/admin/allocations/-1", "/admin/calls/none"} {
		if got := root.do("DELETE", path, nil); got.status != 404 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	want[nothing](t, 204, root.do("DELETE", "/admin/calls/call-0001", nil))
	if ended := hear[*rtc.CallEnded](jose); ended.Reason != rtc.EndByAdmin {
		t.Errorf("got %+v", ended)
	}
	actions := root.log()
	if actions[0].Action != "call.end" || actions[1].Action != "allocation.end" || !strings.HasPrefix(actions[1].Target, "maria 127.0.0.1:") || actions[1].CanUndo {
		t.Errorf("got %+v", actions)
	}
}
