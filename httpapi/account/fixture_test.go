package account_test

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/sqlstore"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	here     = netip.MustParseAddr("192.0.2.10")
	signKey  = []byte("0123456789abcdef0123456789abcdef")
	start    = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	password = "correct horse"
)

// clock stands still until it is told otherwise.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// hasher is a quick one that counts, and waits for gate if there is one.
type hasher struct {
	mu       sync.Mutex
	compares int
	hashes   int
	running  int
	most     int // running at once
	gate     chan struct{}
}

func (h *hasher) Hash(password string) (string, error) {
	h.work(&h.hashes)
	return "hash of " + password, nil
}

func (h *hasher) Matches(hash, password string) (bool, error) {
	h.work(&h.compares)
	return hash == "hash of "+password, nil
}

func (h *hasher) work(count *int) {
	h.mu.Lock()
	*count++
	h.running++
	h.most = max(h.most, h.running)
	gate := h.gate
	h.mu.Unlock()
	if gate != nil {
		<-gate
	}
	h.mu.Lock()
	h.running--
	h.mu.Unlock()
}

func (h *hasher) close() (open func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	gate := make(chan struct{})
	h.gate = gate
	return func() {
		h.mu.Lock()
		h.gate = nil
		h.mu.Unlock()
		close(gate)
	}
}

func (h *hasher) counts() (compares, hashes, running, most int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.compares, h.hashes, h.running, h.most
}

// site is a database and what its services share.
type site struct {
	dir    string
	clock  *clock
	hasher *hasher
}

func newSite(t *testing.T) *site {
	return &site{dir: t.TempDir(), clock: &clock{now: start}, hasher: &hasher{}}
}

func (s *site) config() account.Config {
	return account.Config{SigningKey: signKey, Hasher: s.hasher, Now: s.clock.Now}
}

// store opens a handle of its own, as another process would.
func (s *site) store(t *testing.T) account.Store {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{Dir: s.dir})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db.Accounts()
}

// service gives a Service on a store handle of its own; change may alter its
// configuration.
func (s *site) service(t *testing.T, change ...func(*account.Config)) *account.Service {
	t.Helper()
	cfg := s.config()
	for _, c := range change {
		c(&cfg)
	}
	service, err := account.New(t.Context(), cfg, s.store(t))
	must(t, err)
	return service
}

// run lets a service hear of what others do until the test ends.
func run(t *testing.T, service *account.Service) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- service.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	if got := account.CodeOf(err); got != code {
		t.Errorf("%s: got %v, want code %q", what, err, code)
	}
}

// within waits for a condition.
func within(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("not within %v: %s", limit, what)
		case <-tick.C:
		}
	}
}

func addUser(t *testing.T, s *account.Service, id string) {
	t.Helper()
	_, err := s.AddUser(t.Context(), id, strings.ToUpper(id), password, false)
	must(t, err)
}

func signIn(t *testing.T, s *account.Service, id string) account.Grant {
	t.Helper()
	grant, err := s.SignIn(t.Context(), id, password, here)
	must(t, err)
	return grant
}
