package main

import (
	"strings"
	"sync"
	"time"
)

// lockedBuffer is an output that a test can wait for.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
	news chan struct{}
}

func newLockedBuffer() *lockedBuffer { return &lockedBuffer{news: make(chan struct{}, 1)} }

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.news <- struct{}{}:
	default:
	}
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *lockedBuffer) waitFor(text string, ended <-chan struct{}) bool {
	deadline := time.After(20 * time.Second)
	for !strings.Contains(b.String(), text) {
		select {
		case <-b.news:
		case <-ended:
			return strings.Contains(b.String(), text)
		case <-deadline:
			return false
		}
	}
	return true
}
