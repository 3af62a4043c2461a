package presence

import (
	"context"
	"crypto/tls"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	redisTimeout = 2 * time.Second // for a connection, a read or a write
	callTimeout  = 4 * time.Second // for one script, retries included
	poolSize     = 8               // connections of one node
	batchSize    = 500             // members in one script, so that none holds Redis up
)

//go:embed begin.lua
var beginLua string

//go:embed put.lua
var putLua string

//go:embed remove.lua
var removeLua string

//go:embed since.lua
var sinceLua string

// Config says where NewRedis keeps presence.
type Config struct {
	// URL is redis://[user:password@]host:port[/db], rediss:// for TLS, or
	// unix://path.
	URL string
	// Prefix starts the name of every key; empty means "fieldphone:presence".
	// Nodes with the same URL and prefix see each other's devices.
	Prefix string
	// TLS is used by rediss URLs; nil means the system's certificate authorities.
	TLS *tls.Config
	// Logger hears of entries that cannot be read; nil discards.
	Logger *slog.Logger
}

// Redis keeps presence in a Redis server (5 or later) that several nodes share.
// Deadlines and revisions follow that server's clock alone. Each operation runs
// as one script or a few, each atomic. What Redis loses (a restart, a flush) is
// back when each node has put its devices again; readers get everything anew.
type Redis struct {
	client *redis.Client
	keys   []string
	logger *slog.Logger

	put, remove, since *redis.Script
}

var _ Store = (*Redis)(nil)

// NewRedis connects to Redis and makes sure that it answers and lets this store
// do its work; it gives up after a few seconds. Its errors name the address
// and the configuration key redis.url, never the password.
func NewRedis(ctx context.Context, cfg Config) (*Redis, error) {
	opts, err := options(cfg)
	if err != nil {
		return nil, err
	}
	// The library's one logger is the process's and writes to stderr. All that it
	// would say is returned as errors too.
	redis.SetLogger(&logging.VoidLogger{})

	prefix := cfg.Prefix
	if prefix == "" {
		prefix = "fieldphone:presence"
	}
	logger := cfg.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	r := &Redis{
		client: redis.NewClient(opts),
		keys:   []string{prefix + ":state", prefix + ":entries", prefix + ":deadlines", prefix + ":log"},
		logger: logger,
		put:    redis.NewScript(beginLua + putLua),
		remove: redis.NewScript(beginLua + removeLua),
		since:  redis.NewScript(beginLua + sinceLua),
	}
	if _, err := r.Since(ctx, 0); err != nil {
		_ = r.Close()
		return nil, startError(opts.Addr, err)
	}
	return r, nil
}

// options reads the URL. The parser's own errors quote parts of the URL, which
// may be parts of the password.
func options(cfg Config) (*redis.Options, error) {
	opts, err := redis.ParseURL(cfg.URL)
	if err != nil {
		return nil, errors.New("presence: redis.url is not the address of a Redis server: " +
			"write redis://:PASSWORD@HOST:PORT/0, rediss:// for TLS, or unix://:PASSWORD@/PATH?db=0, " +
			"and percent-encode special characters in the password")
	}
	if opts.TLSConfig != nil && cfg.TLS != nil {
		serverName := opts.TLSConfig.ServerName
		opts.TLSConfig = cfg.TLS.Clone()
		if opts.TLSConfig.ServerName == "" {
			opts.TLSConfig.ServerName = serverName
		}
	}
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout, opts.PoolTimeout = redisTimeout, redisTimeout, redisTimeout, redisTimeout
	opts.ContextTimeoutEnabled = true
	opts.DialerRetries = 1
	opts.MaxRetries = 1
	opts.PoolSize = poolSize
	opts.Protocol = 2
	opts.DisableIdentity = true
	opts.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return opts, nil
}

func startError(addr string, err error) error {
	var answer redis.Error
	switch {
	case redis.IsAuthError(err) || redis.IsPermissionError(err):
		return fmt.Errorf("presence: Redis at %s refuses this user or password: correct redis.url: %w", addr, err)
	case errors.As(err, &answer):
		return fmt.Errorf("presence: Redis at %s cannot run this program's scripts (it must be Redis 5 or later, writable, not a cluster): check redis.url: %w", addr, err)
	default:
		return fmt.Errorf("presence: Redis at %s is out of reach: start it, correct redis.url, or leave redis.url empty to keep presence in this process: %w", addr, err)
	}
}

// Put implements Store. Entries are put in batches; each batch is atomic.
func (r *Redis) Put(ctx context.Context, entries []Entry, ttl time.Duration) error {
	if err := checkPut(ctx, entries, ttl); err != nil {
		return err
	}
	for len(entries) > 0 {
		n := min(batchSize, len(entries))
		args := make([]any, 0, 1+2*n)
		args = append(args, ttl.Milliseconds())
		for _, e := range entries[:n] {
			text, err := json.Marshal(e)
			if err != nil {
				return fmt.Errorf("presence: put: %w", err)
			}
			args = append(args, member(Key{User: e.User, Device: e.Device}), text)
		}
		if _, err := r.run(ctx, r.put, args...); err != nil {
			return fmt.Errorf("presence: put: %w", err)
		}
		entries = entries[n:]
	}
	return nil
}

// Remove implements Store. Entries are removed in batches; each batch is atomic.
func (r *Redis) Remove(ctx context.Context, keys []Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for len(keys) > 0 {
		n := min(batchSize, len(keys))
		args := make([]any, 0, n)
		for _, key := range keys[:n] {
			args = append(args, member(key))
		}
		if _, err := r.run(ctx, r.remove, args...); err != nil {
			return fmt.Errorf("presence: remove: %w", err)
		}
		keys = keys[n:]
	}
	return nil
}

// Since implements Store.
func (r *Redis) Since(ctx context.Context, rev uint64) (Changes, error) {
	reply, err := r.run(ctx, r.since, strconv.FormatUint(rev, 10), MaxTTL.Milliseconds())
	if err != nil {
		return Changes{}, fmt.Errorf("presence: since: %w", err)
	}
	changes, err := r.decode(reply)
	if err != nil {
		return Changes{}, fmt.Errorf("presence: since: %w", err)
	}
	return changes, nil
}

// Ping implements Store.
func (r *Redis) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := r.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("presence: ping: %w", err)
	}
	return nil
}

// Close implements Store.
func (r *Redis) Close() error { return r.client.Close() }

// run runs a script; a nil reply is no error.
func (r *Redis) run(ctx context.Context, script *redis.Script, args ...any) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	args = append([]any{logSize, logAge.Microseconds()}, args...)
	reply, err := script.Run(ctx, r.client, r.keys, args...).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return reply, err
}

var errReply = errors.New("the answer is not that of the script; do other programs use these keys?")

// decode reads the reply of since.lua.
func (r *Redis) decode(reply any) (Changes, error) {
	parts, ok := reply.([]any)
	if !ok || len(parts) != 3 {
		return Changes{}, errReply
	}
	text, okText := parts[0].(string)
	full, okFull := parts[1].(int64)
	items, okItems := parts[2].([]any)
	rev, err := strconv.ParseUint(text, 10, 64)
	if !okText || !okFull || !okItems || err != nil || len(items)%2 != 0 {
		return Changes{}, errReply
	}
	changes := Changes{Rev: rev, Full: full == 1, Items: make([]Change, 0, len(items)/2)}
	for i := 0; i < len(items); i += 2 {
		change, err := decodeChange(items[i], items[i+1])
		if err != nil {
			r.logger.Warn("presence: an entry in Redis cannot be read", "member", items[i], "err", err)
			continue
		}
		changes.Items = append(changes.Items, change)
	}
	return changes, nil
}

func decodeChange(name, text any) (Change, error) {
	member, _ := name.(string)
	entry, _ := text.(string)
	key, err := parseMember(member)
	if err != nil {
		return Change{}, err
	}
	if entry == "" {
		return Change{Entry: Entry{User: key.User, Device: key.Device}, Gone: true}, nil
	}
	var e Entry
	if err := json.Unmarshal([]byte(entry), &e); err != nil {
		return Change{}, err
	}
	if e.User != key.User || e.Device != key.Device {
		return Change{}, errors.New("the entry is of another device than its key")
	}
	return Change{Entry: e}, nil
}

// member is a key as one word: user/device, with any slash in them escaped.
func member(key Key) string { return url.PathEscape(key.User) + "/" + url.PathEscape(key.Device) }

func parseMember(s string) (Key, error) {
	user, device, _ := strings.Cut(s, "/")
	u, err := url.PathUnescape(user)
	if err != nil {
		return Key{}, err
	}
	d, err := url.PathUnescape(device)
	if err != nil {
		return Key{}, err
	}
	return Key{User: u, Device: d}, nil
}
