//go:build services

package presence_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fieldphone/rtc/presence"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

// server is a real Redis on a socket in a folder of its own.
type server struct {
	dir string
	cmd *exec.Cmd
}

func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	dir, err := os.MkdirTemp("", "presence") // short: a socket's path has 108 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	s := &server{dir: dir}
	s.start(t, args...)
	t.Cleanup(func() {
		s.kill()
		_ = os.RemoveAll(dir)
	})
	return s
}

func (s *server) socket() string { return filepath.Join(s.dir, "s") }

func (s *server) start(t testing.TB, args ...string) {
	t.Helper()
	_ = os.Remove(s.socket())
	s.cmd = exec.Command("redis-server", append([]string{
		"--port", "0", "--unixsocket", s.socket(), "--dir", s.dir,
		"--save", "", "--appendonly", "no", "--daemonize", "no", "--logfile", "",
	}, args...)...)
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("redis-server is needed: %v", err)
	}
	redis.SetLogger(&logging.VoidLogger{}) // dialling fails until the server is up
	client := s.client(t)
	poll(t, "redis-server answers", func() bool {
		err := client.Ping(t.Context()).Err()
		return err == nil || redis.IsAuthError(err)
	})
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

func (s *server) client(t testing.TB) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket(), MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func (s *server) open(t testing.TB, prefix string) *presence.Redis {
	t.Helper()
	store, err := presence.NewRedis(t.Context(), presence.Config{URL: "unix://" + s.socket(), Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// poll waits for a condition.
func poll(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("not within 10 s: %s", what)
		case <-tick.C:
		}
	}
}

func TestRedis(t *testing.T) {
	s := startServer(t)
	client := s.client(t)
	now := func(t *testing.T) time.Time {
		t.Helper()
		at, err := client.Time(t.Context()).Result()
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	testContract(t, func(t *testing.T) bench {
		prefix := t.Name()
		return bench{
			open: func(t *testing.T) presence.Store { return s.open(t, prefix) },
			pass: func(t *testing.T, d time.Duration) {
				until := now(t).Add(d + time.Millisecond)
				poll(t, "Redis's clock goes on", func() bool { return !now(t).Before(until) })
			},
		}
	})
}

// afterLoss says what a reader is told when the server lost something.
func afterLoss(t *testing.T, lose func(*server, *redis.Client)) (*reader, presence.Changes, presence.Store) {
	t.Helper()
	s := startServer(t)
	store := s.open(t, "p")
	r := newReader(s.open(t, "p"))
	put(t, store, time.Minute, entry("alice", "phone-00"))
	r.mustRead(t)
	lose(s, s.client(t))
	var changes presence.Changes
	poll(t, "the reader is told again", func() bool {
		var err error
		changes, err = r.read()
		return err == nil
	})
	return r, changes, store
}

func TestRedisFlushed(t *testing.T) {
	r, changes, store := afterLoss(t, func(_ *server, c *redis.Client) {
		if err := c.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	})
	if !changes.Full {
		t.Fatalf("got %+v, want everything", changes)
	}
	wantKnown(t, r)
	put(t, store, time.Minute, entry("alice", "phone-00"))
	if c := r.mustRead(t); c.Full {
		t.Fatalf("after the next heartbeat: got %+v, want a change", c)
	}
	wantKnown(t, r, entry("alice", "phone-00"))
}

func TestRedisRestarted(t *testing.T) {
	r, changes, store := afterLoss(t, func(s *server, _ *redis.Client) {
		s.kill()
		s.start(t)
	})
	if !changes.Full {
		t.Fatalf("got %+v, want everything", changes)
	}
	wantKnown(t, r)
	put(t, store, time.Minute, entry("alice", "phone-00"))
	r.mustRead(t)
	wantKnown(t, r, entry("alice", "phone-00"))
}

// A server that comes back with an old snapshot knows less than its readers, and
// may have handed out revisions that now mean something else.
func TestRedisRestoredFromSnapshot(t *testing.T) {
	bob := entry("bob", "phone-00")
	r, changes, store := afterLoss(t, func(s *server, c *redis.Client) {
		if err := c.Save(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		put(t, s.open(t, "p"), time.Minute, bob)
		s.kill()
		s.start(t)
	})
	if !changes.Full {
		t.Fatalf("got %+v, want everything", changes)
	}
	wantKnown(t, r, entry("alice", "phone-00"))
	put(t, store, time.Minute, bob)
	r.mustRead(t)
	wantKnown(t, r, entry("alice", "phone-00"), bob)
}

// carol's node is dead when keys are lost: she may be forgotten early, but nobody
// may know her for ever.
func TestRedisKeysEvicted(t *testing.T) {
	alice, bob, carol := entry("alice", "phone-00"), entry("bob", "phone-00"), entry("carol", "phone-00")
	for key, want := range map[string][]presence.Entry{
		"p:state":     {alice, bob, carol},
		"p:log":       {alice, bob, carol},
		"p:entries":   {alice, bob},
		"p:deadlines": {alice, bob},
	} {
		t.Run(key, func(t *testing.T) {
			r, _, store := afterLoss(t, func(s *server, c *redis.Client) {
				other := s.open(t, "p")
				put(t, other, time.Minute, carol)
				newReader(other).mustRead(t)
				put(t, other, time.Minute, bob)
				if err := c.Del(t.Context(), key).Err(); err != nil {
					t.Fatal(err)
				}
			})
			put(t, store, time.Minute, alice, bob)
			r.mustRead(t)
			wantKnown(t, r, want...)
		})
	}
}

// A deadline from before the clock was set back must not keep a ghost.
func TestRedisClockSetBack(t *testing.T) {
	_, changes, _ := afterLoss(t, func(_ *server, c *redis.Client) {
		if err := c.ZIncrBy(t.Context(), "p:deadlines", 1e12, "alice/phone-00").Err(); err != nil {
			t.Fatal(err)
		}
	})
	if changes.Full || len(changes.Items) != 1 || !changes.Items[0].Gone {
		t.Fatalf("got %+v, want alice gone", changes)
	}
}

func TestRedisPrefixesAreApart(t *testing.T) {
	s := startServer(t)
	put(t, s.open(t, "one"), time.Minute, entry("alice", "phone-00"))
	r := newReader(s.open(t, "two"))
	r.mustRead(t)
	wantKnown(t, r)
}

func TestNewRedisRefusedSignIn(t *testing.T) {
	s := startServer(t, "--requirepass", "right")
	for name, address := range map[string]string{
		"wrong password": "unix://:s3cr3t@" + s.socket(),
		"no password":    "unix://" + s.socket(),
	} {
		_, err := presence.NewRedis(t.Context(), presence.Config{URL: address})
		if err == nil || !strings.Contains(err.Error(), "correct redis.url") || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: got %v, want a sentence about redis.url without the password", name, err)
		}
	}
}

func BenchmarkRedisTouch(b *testing.B) {
	benchmarkTouch(b, startServer(b).open(b, "p"))
}

// Ensure that a Redis server is described without writing to it.
func TestExamine(t *testing.T) {
	s := startServer(t, "--requirepass", "hunter2")
	before := time.Now()
	state, err := presence.Examine(t.Context(), presence.Config{URL: "unix://:hunter2@" + s.socket() + "?db=0"})
	if err != nil {
		t.Fatal(err)
	}
	if state.Address != s.socket() || !strings.Contains(state.Version, ".") || state.Eviction != "noeviction" ||
		state.RoundTrip <= 0 || state.Clock.Before(before.Add(-time.Second)) || state.Clock.After(time.Now().Add(time.Second)) {
		t.Errorf("got %+v", state)
	}
	_, err = presence.Examine(t.Context(), presence.Config{URL: "unix://:wrong@" + s.socket() + "?db=0"})
	if err == nil || !strings.Contains(err.Error(), "redis.url") || strings.Contains(err.Error(), "wrong@") {
		t.Errorf("a wrong password: %v", err)
	}
}
