package account

import (
	"container/list"
	"sync"
	"time"
)

// rateLimiter holds a token bucket a key, for the keys used last.
type rateLimiter struct {
	burst    float64
	perToken time.Duration
	maxKeys  int

	mu      sync.Mutex
	buckets map[string]*list.Element
	recent  *list.List // of *bucket, most recently used first
}

type bucket struct {
	key    string
	tokens float64
	at     time.Time
}

func newRateLimiter(rate Rate, maxKeys int) *rateLimiter {
	return &rateLimiter{
		burst:    float64(rate.Burst),
		perToken: time.Minute / time.Duration(rate.PerMinute),
		maxKeys:  maxKeys,
		buckets:  make(map[string]*list.Element),
		recent:   list.New(),
	}
}

// take spends a token, or gives a rate_limited error that says how long it
// takes until there is one.
func (l *rateLimiter) take(key string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(key, now)
	if b.tokens < 1 {
		return rateLimited(time.Duration((1 - b.tokens) * float64(l.perToken)))
	}
	b.tokens--
	return nil
}

// giveBack returns a token that take spent.
func (l *rateLimiter) giveBack(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(key, now)
	b.tokens = min(l.burst, b.tokens+1)
}

func (l *rateLimiter) bucket(key string, now time.Time) *bucket {
	if e, ok := l.buckets[key]; ok {
		b, _ := e.Value.(*bucket)
		if gone := now.Sub(b.at); gone > 0 {
			b.tokens = min(l.burst, b.tokens+float64(gone)/float64(l.perToken))
		}
		b.at = now
		l.recent.MoveToFront(e)
		return b
	}
	if len(l.buckets) >= l.maxKeys {
		if oldest, ok := l.recent.Remove(l.recent.Back()).(*bucket); ok {
			delete(l.buckets, oldest.key)
		}
	}
	b := &bucket{key: key, tokens: l.burst, at: now}
	l.buckets[key] = l.recent.PushFront(b)
	return b
}
