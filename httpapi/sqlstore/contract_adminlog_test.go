package sqlstore_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"fieldphone/httpapi/adminlog"

	"github.com/google/go-cmp/cmp"
)

func logEntry(action string) adminlog.Entry {
	return adminlog.Entry{
		At: day, Node: "camp", Admin: adminlog.Admin{ID: "maria", Name: "María 玛丽亚"}, Action: action, Target: "jose",
		Before: json.RawMessage(`{"a":"` + strings.Repeat("é", 40_000) + `"}`), After: json.RawMessage(`{"a":2}`),
	}
}

func testAdminLog(t *testing.T, b backend) {
	log := b.open(t).AdminLog()
	ctx := t.Context()
	var want []adminlog.Entry
	for i := range 5 {
		entry := logEntry(fmt.Sprintf("settings.%d", i))
		if i == 3 {
			entry.Before, entry.After, entry.Admin = nil, nil, adminlog.Admin{}
		}
		kept, err := log.Append(ctx, entry)
		must(t, err)
		entry.ID = kept.ID
		want = append([]adminlog.Entry{entry}, want...)
	}
	got, err := log.Entries(ctx, 0, 100)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	got, err = log.Entries(ctx, want[1].ID, 2)
	must(t, err)
	if diff := cmp.Diff(want[2:4], got); diff != "" {
		t.Errorf("before %d: -want +got:\n%s", want[1].ID, diff)
	}
	one, err := b.open(t).AdminLog().Entry(ctx, want[0].ID)
	must(t, err)
	if diff := cmp.Diff(want[0], one); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := log.Entry(ctx, want[0].ID+1); !errors.Is(err, adminlog.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

// Ensure an entry is undone once, also when two administrators want to at once.
func testUndoOnce(t *testing.T, b backend) {
	log := b.open(t).AdminLog()
	ctx := t.Context()
	entry, err := log.Append(ctx, logEntry("settings.change"))
	must(t, err)
	results := make([]error, 6)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			undo := logEntry("settings.undo")
			undo.Undoes = entry.ID
			_, results[i] = log.Append(ctx, undo)
		})
	}
	wg.Wait()
	done := 0
	for _, err := range results {
		switch {
		case err == nil:
			done++
		case !errors.Is(err, adminlog.ErrUndone):
			t.Errorf("got %v, want ErrUndone", err)
		}
	}
	got, err := log.Entries(ctx, 0, 100)
	must(t, err)
	if done != 1 || len(got) != 2 || got[1].UndoneBy != got[0].ID || got[0].Undoes != entry.ID {
		t.Errorf("%d were done: %d entries, undone by %d", done, len(got), got[len(got)-1].UndoneBy)
	}
	undo := logEntry("settings.undo")
	undo.Undoes = got[0].ID + 1000
	if _, err := log.Append(ctx, undo); !errors.Is(err, adminlog.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}
