package files

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// upload is what this process knows of a file whose content is coming.
type upload struct {
	mu   sync.Mutex // one chunk at a time
	refs int        // of Service.uploads
	sum  hash.Hash  // of the first at bytes; nil: begin anew
	at   int64
}

// hold keeps everybody else from the content of a file until release.
func (s *Service) hold(name string) (u *upload, release func()) {
	s.mu.Lock()
	u = s.uploads[name]
	if u == nil {
		u = &upload{}
		s.uploads[name] = u
	}
	u.refs++
	s.mu.Unlock()
	u.mu.Lock()
	return u, func() {
		u.mu.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		// Without the running checksum the whole content is read once more at the end.
		if u.refs--; u.refs == 0 && (u.sum == nil || len(s.uploads) > maxRemember) {
			delete(s.uploads, name)
		}
	}
}

// path is where the content of a file is. Names differ in case alone, and not
// all file systems can tell those apart.
func (s *Service) path(name string) string { return filepath.Join(s.cfg.Dir, blob(name)) }

func blob(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:20])
}

// length is how much of a file is there.
func (s *Service) length(f File) (int64, error) {
	if f.State == Complete {
		return f.Size, nil
	}
	info, err := os.Stat(s.path(f.Name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("files: %w", err)
	}
	return info.Size(), nil
}

// Write adds a chunk to a file of a user, at the offset where its content ends;
// CodeWrongOffset says where that is. digest is the SHA-256 of the chunk, or
// nil. An empty chunk at the end completes a file that could not be completed
// before, or is empty.
func (s *Service) Write(ctx context.Context, user, name string, offset int64, chunk, digest []byte) (end int64, complete bool, err error) {
	done, ok := s.busy.write(user)
	if !ok {
		return 0, false, refuse(CodeRateLimited, "You send too many files at once. Wait a little.")
	}
	defer done()
	if len(chunk) > ChunkBytes {
		return 0, false, refuse(CodeFileTooLarge, "The chunk is too large.")
	}
	if digest != nil {
		if sum := sha256.Sum256(chunk); subtle.ConstantTimeCompare(sum[:], digest) == 0 {
			return 0, false, refuse(CodeWrongChecksum, "The chunk was damaged on the way. Send it again.")
		}
	}
	u, release := s.hold(name)
	defer release()
	f, err := s.own(ctx, user, name)
	if err != nil {
		return 0, false, err
	}
	length, err := s.length(f)
	switch {
	case err != nil:
		return 0, false, err
	case offset != length:
		return 0, false, &Error{Code: CodeWrongOffset, Message: "The content goes on at another offset.", Field: "offset", Offset: length}
	case int64(len(chunk)) > f.Size-offset:
		return 0, false, refuse(CodeFileTooLarge, "This is more than the size that was announced.")
	case f.State == Complete:
		return length, true, nil
	}
	if end, err = s.append(u, f, offset, chunk); err != nil {
		return 0, false, err
	}
	if end == f.Size {
		return end, true, s.complete(ctx, u, f)
	}
	return end, false, s.goOn(ctx, f)
}

// own finds a file of a user that is not gone.
func (s *Service) own(ctx context.Context, user, name string) (File, error) {
	f, err := s.store.File(ctx, name)
	switch {
	case err != nil:
		return File{}, stored(err)
	case f.Owner != user:
		return File{}, noSuchFile()
	case f.State == Gone:
		return File{}, gone()
	}
	return f, nil
}

// append writes a chunk to disk, all of it or nothing.
func (s *Service) append(u *upload, f File, offset int64, chunk []byte) (end int64, err error) {
	if !s.room(int64(len(chunk))) {
		return 0, diskFull(nil)
	}
	content, err := s.cfg.Open(s.path(f.Name), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, written(err)
	}
	_, err = content.WriteAt(chunk, offset)
	if err != nil {
		err = errors.Join(err, content.Truncate(offset))
	}
	if err = errors.Join(err, content.Close()); err != nil {
		return 0, written(err)
	}
	if offset == 0 {
		u.sum, u.at = sha256.New(), 0
	}
	if u.sum != nil && u.at == offset {
		_, _ = u.sum.Write(chunk)
		u.at += int64(len(chunk))
	}
	return offset + int64(len(chunk)), nil
}

// goOn gives an upload that goes on more time, now and then.
func (s *Service) goOn(ctx context.Context, f File) error {
	until := s.cfg.Now().Add(partialKeep)
	if until.Sub(f.ExpiresAt) < time.Hour {
		return nil
	}
	return stored(s.store.ExtendFile(ctx, f.Name, until))
}

// complete checks and syncs what is there, then says so in the store.
func (s *Service) complete(ctx context.Context, u *upload, f File) error {
	content, err := s.cfg.Open(s.path(f.Name), os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	defer func() { _ = content.Close() }()
	if u.sum == nil || u.at != f.Size {
		u.sum, u.at = sha256.New(), f.Size
		if _, err := io.Copy(u.sum, io.NewSectionReader(content, 0, f.Size)); err != nil {
			u.sum = nil
			return fmt.Errorf("files: read back: %w", err)
		}
	}
	sum := hex.EncodeToString(u.sum.Sum(nil))
	if f.Sum != "" && f.Sum != sum {
		u.sum = nil
		if err := content.Truncate(0); err != nil {
			return fmt.Errorf("files: %w", err)
		}
		return refuse(CodeWrongChecksum, "The file was damaged or changed on the way. Send it again from the start.")
	}
	head := make([]byte, min(sniffedBytes, f.Size))
	if _, err := content.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("files: read back: %w", err)
	}
	if err := errors.Join(content.Sync(), syncDir(s.cfg.Dir)); err != nil {
		return written(err)
	}
	if err := s.store.CompleteFile(ctx, f.Name, sum, shownAs(f.Type, head), s.cfg.Now().Add(s.cfg.Keep)); err != nil {
		return stored(err)
	}
	u.sum = nil
	return nil
}
