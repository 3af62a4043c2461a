package presence

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

// RedisState is what a Redis server says about itself.
type RedisState struct {
	Address   string        // without secrets
	Version   string        // of the server
	RoundTrip time.Duration // of one command
	Clock     time.Time     // the server's, halfway through RoundTrip
	Eviction  string        // maxmemory-policy; empty if it does not tell
}

// Examine asks a Redis server without writing to it. Its errors name the address and the
// configuration key redis.url, never the password.
func Examine(ctx context.Context, cfg Config) (RedisState, error) {
	opts, err := options(cfg)
	if err != nil {
		return RedisState{}, err
	}
	redis.SetLogger(&logging.VoidLogger{})
	state := RedisState{Address: opts.Addr}
	client := redis.NewClient(opts)
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := client.Ping(ctx).Err(); err != nil {
		return state, startError(opts.Addr, err)
	}
	began := time.Now()
	now, err := client.Time(ctx).Result()
	if err != nil {
		return state, startError(opts.Addr, err)
	}
	state.RoundTrip = time.Since(began)
	state.Clock = now.Add(state.RoundTrip / 2)
	text, err := client.Info(ctx).Result()
	if err != nil {
		return state, fmt.Errorf("presence: Redis at %s does not tell its version: let this user run INFO: %w", opts.Addr, err)
	}
	for line := range strings.Lines(text) {
		switch key, value, _ := strings.Cut(strings.TrimSpace(line), ":"); key {
		case "redis_version":
			state.Version = value
		case "maxmemory_policy":
			state.Eviction = value
		}
	}
	return state, nil
}
