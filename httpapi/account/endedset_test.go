package account

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestEndedSetTellsOnce: however a process's own ends and the feed are
// interleaved, each end is news once, and known from then on.
func TestEndedSetTellsOnce(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		set := newEndedSet(100)
		count := rapid.IntRange(1, 20).Draw(t, "count")
		var feed, own []EndedSession
		for i := range count {
			end := EndedSession{Session: Session{ID: fmt.Sprint(i), ExpiresAt: now}, Seq: int64(i + 1)}
			feed = append(feed, end)
			if rapid.Bool().Draw(t, "own") {
				own = append(own, end)
			}
		}
		own = rapid.Permutation(own).Draw(t, "order of own calls")
		var told []string
		hear := func(fresh []Session) {
			for _, session := range fresh {
				told = append(told, session.ID)
				if ended, sure := set.has(session.ID, now); !ended || !sure {
					t.Fatalf("%s was told and is not known", session.ID)
				}
			}
		}
		for len(feed) > 0 || len(own) > 0 {
			if len(own) > 0 && (len(feed) == 0 || rapid.Bool().Draw(t, "own call next")) {
				hear(set.addOwn(own[:1]))
				own = own[1:]
			} else {
				n := rapid.IntRange(1, len(feed)).Draw(t, "page")
				hear(set.addFeed(feed[:n]))
				feed = feed[n:]
			}
		}
		slices.Sort(told)
		if len(told) != count || len(slices.Compact(told)) != count {
			t.Fatalf("told %v, want each of %d once", told, count)
		}
		if len(set.ahead) != 0 || set.position() != int64(count) {
			t.Fatalf("left over: %v, position %d", set.ahead, set.position())
		}
		set.forget(now.Add(endedRetention))
		if len(set.until) != 0 {
			t.Fatalf("%d are remembered for ever", len(set.until))
		}
	})
}
