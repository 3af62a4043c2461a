package files_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"fieldphone/httpapi/files"
	"fieldphone/httpapi/sqlstore"
)

const mib = 1 << 20

// site is a database and a folder that outlive a service.
type site struct {
	t   *testing.T
	db  *sqlstore.DB
	dir string
	now time.Time
}

func newSite(t *testing.T) *site {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &site{t: t, db: db, dir: filepath.Join(t.TempDir(), "files"), now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
}

// start gives a service as after a start of the server.
func (s *site) start(change ...func(*files.Config)) *files.Service {
	s.t.Helper()
	cfg := files.Config{
		Dir: s.dir, MaxBytes: 64 * mib, QuotaPerUser: 128 * mib, Quota: 256 * mib, Keep: 14 * 24 * time.Hour,
		Now: func() time.Time { return s.now },
	}
	for _, c := range change {
		c(&cfg)
	}
	service, err := files.New(s.t.Context(), cfg, s.db.Files())
	if err != nil {
		s.t.Fatal(err)
	}
	return service
}

func noise(n int) []byte {
	content := make([]byte, n)
	source := rand.NewChaCha8([32]byte{2})
	_, _ = source.Read(content)
	return content
}

func described(name string, content []byte) files.File {
	sum := sha256.Sum256(content)
	return files.File{
		Name: name, Owner: "maria", Chat: "jose", Kind: "file", Title: "a", Size: int64(len(content)), Sum: hex.EncodeToString(sum[:]),
	}
}

func create(t *testing.T, s *files.Service, f files.File) (offset int64) {
	t.Helper()
	_, offset, _, err := s.Create(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return offset
}

func write(t *testing.T, s *files.Service, name string, offset int64, chunk []byte) bool {
	t.Helper()
	_, complete, err := s.Write(t.Context(), "maria", name, offset, chunk, nil)
	if err != nil {
		t.Fatal(err)
	}
	return complete
}

func content(t *testing.T, s *files.Service, name string) []byte {
	t.Helper()
	f, r, err := s.Read(t.Context(), "maria", name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	all, err := io.ReadAll(io.NewSectionReader(r, 0, f.Size))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (s *site) onDisk() int {
	s.t.Helper()
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	return len(entries)
}

// Ensure an upload goes on after the server was killed, and its checksum is
// still that of the whole.
func TestUploadGoesOnAfterARestart(t *testing.T) {
	s := newSite(t)
	want := noise(3*mib + 5)
	f := described("file-0001", want)
	one := s.start()
	create(t, one, f)
	write(t, one, f.Name, 0, want[:mib])
	two := s.start() // the first just stops, as if killed
	if offset := create(t, two, f); offset != mib {
		t.Fatalf("goes on at %d", offset)
	}
	write(t, two, f.Name, mib, want[mib:2*mib])
	three := s.start()
	write(t, three, f.Name, 2*mib, want[2*mib:3*mib])
	if !write(t, three, f.Name, 3*mib, want[3*mib:]) {
		t.Fatal("not complete")
	}
	if !bytes.Equal(content(t, s.start(), f.Name), want) {
		t.Error("other content comes back")
	}
	info, err := os.Stat(s.dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v, %v", info.Mode(), err)
	}
}

// Ensure a file whose last step failed is completed by an empty chunk.
func TestUploadIsCompletedLater(t *testing.T) {
	s := newSite(t)
	broken := true
	service := s.start(func(c *files.Config) {
		c.Open = func(path string, flag int, perm os.FileMode) (files.Content, error) {
			f, err := os.OpenFile(path, flag, perm)
			return unsynced{f, &broken}, err
		}
	})
	f := described("file-0001", noise(1000))
	create(t, service, f)
	if _, _, err := service.Write(t.Context(), "maria", f.Name, 0, noise(1000), nil); err == nil {
		t.Fatal("complete without having been synced")
	}
	if _, _, err := service.Read(t.Context(), "maria", f.Name); files.CodeOf(err) != files.CodeNoSuchFile {
		t.Errorf("read before it was synced: %v", err)
	}
	broken = false
	if !write(t, service, f.Name, 1000, nil) {
		t.Error("not complete")
	}
}

type unsynced struct {
	*os.File
	broken *bool
}

func (u unsynced) Sync() error {
	if *u.broken {
		return errors.New("input/output error")
	}
	return u.File.Sync()
}

func TestFilesExpire(t *testing.T) {
	s := newSite(t)
	service := s.start()
	whole, part, slow := described("file-0001", noise(1000)), described("file-0002", noise(1000)), described("file-0003", noise(3000))
	for _, f := range []files.File{whole, part, slow} {
		create(t, service, f)
	}
	write(t, service, whole.Name, 0, noise(1000))
	write(t, service, part.Name, 0, noise(1000)[:10])
	write(t, service, slow.Name, 0, noise(3000)[:10])

	s.now = s.now.Add(20 * time.Hour)
	write(t, service, slow.Name, 10, noise(3000)[10:20]) // goes on, and so lives on
	s.now = s.now.Add(5 * time.Hour)
	sweep(t, service)
	if n := s.onDisk(); n != 2 {
		t.Errorf("after a day %d files are on disk, want the complete and the slow one", n)
	}
	if _, _, err := service.Status(t.Context(), "maria", part.Name); files.CodeOf(err) != files.CodeNoSuchFile {
		t.Errorf("the part: %v", err)
	}
	create(t, service, part) // its owner is back
	s.now = s.now.Add(15 * 24 * time.Hour)
	sweep(t, service)
	if n := s.onDisk(); n != 0 {
		t.Errorf("after two weeks %d files are on disk", n)
	}
	if _, _, err := service.Read(t.Context(), "maria", whole.Name); files.CodeOf(err) != files.CodeFileGone {
		t.Errorf("the complete one: %v", err)
	}
	s.now = s.now.Add(91 * 24 * time.Hour)
	sweep(t, service)
	if _, _, err := service.Read(t.Context(), "maria", whole.Name); files.CodeOf(err) != files.CodeNoSuchFile {
		t.Errorf("months later: %v", err)
	}
}

func sweep(t *testing.T, s *files.Service) {
	t.Helper()
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Ensure a crash between the row and the content leaves nothing for ever, and
// that what is not ours is left alone.
func TestStartCleansUp(t *testing.T) {
	s := newSite(t)
	service := s.start()
	kept, dead := described("file-0001", noise(10)), described("file-0002", noise(10))
	for _, f := range []files.File{kept, dead} {
		create(t, service, f)
		write(t, service, f.Name, 0, noise(10))
	}
	if err := s.db.Files().RetireFile(t.Context(), dead.Name, s.now.Add(time.Hour)); err != nil { // and then the power went
		t.Fatal(err)
	}
	notes := filepath.Join(s.dir, "notes.txt")
	if err := os.WriteFile(notes, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	service = s.start()
	if n := s.onDisk(); n != 2 {
		t.Errorf("%d files are on disk, want the kept one and the notes", n)
	}
	if !bytes.Equal(content(t, service, kept.Name), noise(10)) {
		t.Error("the kept one is lost")
	}
}

// Ensure two devices that send the same chunks at once make one right file.
func TestTwoSendTheSame(t *testing.T) {
	s := newSite(t)
	service := s.start()
	want := noise(2 * mib)
	f := described("file-0001", want)
	create(t, service, f)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for at := int64(0); at < int64(len(want)); {
				end, _, err := service.Write(context.Background(), "maria", f.Name, at, want[at:min(at+64<<10, int64(len(want)))], nil)
				if wrong, ok := errors.AsType[*files.Error](err); ok && wrong.Code == files.CodeWrongOffset {
					end, err = wrong.Offset, nil
				}
				if err != nil {
					t.Error(err)
					return
				}
				at = end
			}
		})
	}
	wg.Wait()
	if !bytes.Equal(content(t, service, f.Name), want) {
		t.Error("other content comes back")
	}
}

func TestOnePersonIsBounded(t *testing.T) {
	s := newSite(t)
	service := s.start()
	f := described("file-0001", noise(10))
	create(t, service, f)
	write(t, service, f.Name, 0, noise(10))
	var readers []*files.Reader
	for {
		_, r, err := service.Read(t.Context(), "maria", f.Name)
		if files.CodeOf(err) == files.CodeRateLimited {
			break
		}
		if err != nil || len(readers) > 100 {
			t.Fatalf("after %d: %v", len(readers), err)
		}
		readers = append(readers, r)
	}
	for _, r := range readers {
		_ = r.Close()
	}
	content(t, service, f.Name)
	refused := 0
	for i := range 200 {
		if _, _, _, err := service.Create(t.Context(), described(fmt.Sprintf("many-%04d", i), []byte{1})); files.CodeOf(err) == files.CodeRateLimited {
			refused++
		}
	}
	if refused < 90 {
		t.Errorf("200 files at once: %d were refused", refused)
	}
	if err := service.DeleteAllOf(t.Context(), "maria"); err != nil {
		t.Error(err)
	}
	if mine, err := service.Of(t.Context(), "maria"); err != nil || len(mine) > 0 || s.onDisk() > 0 {
		t.Errorf("%d are left (%v), %d on disk", len(mine), err, s.onDisk())
	}
}
