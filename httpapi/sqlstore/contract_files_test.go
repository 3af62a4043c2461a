package sqlstore_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldphone/httpapi/files"

	"github.com/google/go-cmp/cmp"
)

const mib = 1 << 20

var roomy = files.Limits{PerOwner: 100 * mib, Total: 1000 * mib}

func storedFile(name, owner string, size int64) files.File {
	return files.File{
		Name: name, Owner: owner, Chat: "jose", Kind: "picture", Title: "Größe 照片 👩🏽‍🚒'); DROP TABLE files;--.png", Type: "image/png",
		Size: size, CreatedAt: day, ExpiresAt: day.Add(24 * time.Hour),
	}
}

// Ensure a file is kept as it was said, and goes from partial to complete to
// gone, once each.
func testFiles(t *testing.T, b backend) {
	store, ctx := b.open(t).Files(), t.Context()
	want := storedFile("file-0001", "maria", 5*mib)
	must(t, store.CreateFile(ctx, want, roomy))
	if err := store.CreateFile(ctx, storedFile("file-0001", "jose", 1), roomy); !errors.Is(err, files.ErrExists) {
		t.Errorf("the same name again: got %v, want ErrExists", err)
	}
	must(t, store.CreateFile(ctx, storedFile("FILE-0001", "jose", 1), roomy)) // names are told apart by case
	got, err := b.open(t).Files().File(ctx, "file-0001")
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	must(t, store.ExtendFile(ctx, want.Name, day.Add(48*time.Hour)))
	sum := strings.Repeat("ab", 32)
	must(t, store.CompleteFile(ctx, want.Name, sum, "image/png", day.Add(72*time.Hour)))
	if err := store.CompleteFile(ctx, want.Name, sum, "", day); !errors.Is(err, files.ErrNotFound) {
		t.Errorf("completed twice: got %v, want ErrNotFound", err)
	}
	if err := store.ExtendFile(ctx, want.Name, day); !errors.Is(err, files.ErrNotFound) {
		t.Errorf("extended when complete: got %v, want ErrNotFound", err)
	}
	want.State, want.Sum, want.Shown, want.ExpiresAt = files.Complete, sum, "image/png", day.Add(72*time.Hour)
	got, err = store.File(ctx, want.Name)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	must(t, store.RetireFile(ctx, want.Name, day.Add(96*time.Hour)))
	got, err = store.File(ctx, want.Name)
	must(t, err)
	if got.State != files.Gone || got.Title != "" || !got.ExpiresAt.Equal(day.Add(96*time.Hour)) {
		t.Errorf("gone: %+v", got)
	}
	must(t, store.DeleteFile(ctx, want.Name))
	must(t, store.DeleteFile(ctx, want.Name))
	if _, err := store.File(ctx, want.Name); !errors.Is(err, files.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if err := store.RetireFile(ctx, want.Name, day); !errors.Is(err, files.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

// Ensure lists leave nothing out, whatever their pages.
func testFileLists(t *testing.T, b backend) {
	store, ctx := b.open(t).Files(), t.Context()
	for i := range 7 {
		f := storedFile(fmt.Sprintf("file-%04d", i), "maria", mib)
		f.CreatedAt, f.ExpiresAt = day.Add(time.Duration(i)*time.Second), day.Add(time.Duration(7-i)*time.Hour)
		must(t, store.CreateFile(ctx, f, roomy))
	}
	must(t, store.CreateFile(ctx, storedFile("file-of-jose", "jose", mib), roomy))
	must(t, store.CompleteFile(ctx, "file-0003", "", "", day.Add(4*time.Hour)))
	must(t, store.RetireFile(ctx, "file-0006", day.Add(90*time.Minute)))

	expired, err := store.ExpiredFiles(ctx, day.Add(4*time.Hour), 10)
	must(t, err)
	if got := namesOf(expired); !slices.Equal(got, []string{"file-0006", "file-0005", "file-0004", "file-0003"}) {
		t.Errorf("expired: %v", got)
	}
	expired, err = store.ExpiredFiles(ctx, day.Add(4*time.Hour), 2)
	must(t, err)
	if got := namesOf(expired); !slices.Equal(got, []string{"file-0006", "file-0005"}) {
		t.Errorf("the first two: %v", got)
	}
	own, err := store.FilesOf(ctx, "maria")
	must(t, err)
	if got := namesOf(own); len(got) != 6 || got[0] != "file-0000" || got[5] != "file-0005" {
		t.Errorf("of maria: %v", got)
	}
	var names []string
	for after := ""; ; after = names[len(names)-1] {
		page, err := store.FileNames(ctx, after, 3)
		must(t, err)
		if names = append(names, page...); len(page) < 3 {
			break
		}
	}
	if len(names) != 7 || !slices.IsSorted(names) || slices.Contains(names, "file-0006") {
		t.Errorf("names: %v", names)
	}
}

// Ensure that many who send at once do not pass the quotas together, and that
// what is gone counts no more.
func testFileQuotas(t *testing.T, b backend) {
	one, two, ctx := b.open(t).Files(), b.open(t).Files(), t.Context()
	limits := files.Limits{PerOwner: 4 * mib, Total: 6 * mib}
	results := make([]error, 12)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			store := one
			if i%2 == 0 {
				store = two
			}
			results[i] = store.CreateFile(ctx, storedFile(fmt.Sprintf("file-%04d", i), []string{"maria", "jose"}[i%2], mib), limits)
		})
	}
	wg.Wait()
	kept := map[string]int{}
	for i, err := range results {
		switch {
		case err == nil:
			kept[[]string{"maria", "jose"}[i%2]]++
		case !errors.Is(err, files.ErrOwnerFull) && !errors.Is(err, files.ErrFull):
			t.Errorf("got %v, want a quota", err)
		}
	}
	if kept["maria"] > 4 || kept["jose"] > 4 || kept["maria"]+kept["jose"] != 6 {
		t.Errorf("kept %v, want 6 in all and at most 4 of one", kept)
	}
	if err := one.CreateFile(ctx, storedFile("file-anna", "anna", 1), limits); !errors.Is(err, files.ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	mine, err := one.FilesOf(ctx, "maria")
	must(t, err)
	must(t, one.RetireFile(ctx, mine[0].Name, day))
	must(t, one.DeleteFile(ctx, mine[1].Name))
	must(t, one.CreateFile(ctx, storedFile("file-anna", "anna", 2*mib-1), limits))
	if err := one.CreateFile(ctx, storedFile("file-bert", "bert", 1), limits); !errors.Is(err, files.ErrFull) {
		t.Errorf("a byte costs %d: got %v, want ErrFull", files.Charge(1), err)
	}
}

func namesOf(list []files.File) []string {
	var names []string
	for _, f := range list {
		names = append(names, f.Name)
	}
	return names
}
