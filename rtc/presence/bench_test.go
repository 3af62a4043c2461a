package presence_test

import (
	"fmt"
	"testing"
	"time"

	"fieldphone/rtc/presence"
)

// benchmarkTouch is a node's work for 10,000 quiet devices every heartbeat, and
// one look at what changed.
func benchmarkTouch(b *testing.B, store presence.Store) {
	crowd := make([]presence.Entry, 10000)
	for i := range crowd {
		crowd[i] = entry(fmt.Sprint("user-", i), "phone-00")
	}
	var rev uint64
	for b.Loop() {
		if err := store.Put(b.Context(), crowd, time.Minute); err != nil {
			b.Fatal(err)
		}
		changes, err := store.Since(b.Context(), rev)
		if err != nil {
			b.Fatal(err)
		}
		rev = changes.Rev
	}
}
