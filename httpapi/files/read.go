package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Status tells a user who may read a file, or sends it, how far it has come.
func (s *Service) Status(ctx context.Context, user, name string) (f File, offset int64, err error) {
	if f, err = s.readable(ctx, user, name); err != nil {
		return File{}, 0, err
	}
	offset, err = s.length(f)
	return f, offset, err
}

// Reader is the content of a complete file. Close it.
type Reader struct {
	io.ReaderAt
	close func() error
	done  func()
}

// Close implements io.Closer.
func (r *Reader) Close() error {
	r.done()
	return r.close()
}

// Read opens a complete file for a user who may read it.
func (s *Service) Read(ctx context.Context, user, name string) (File, *Reader, error) {
	f, err := s.readable(ctx, user, name)
	if err != nil {
		return File{}, nil, err
	}
	if f.State != Complete {
		return File{}, nil, noSuchFile()
	}
	done, ok := s.busy.read(user)
	if !ok {
		return File{}, nil, refuse(CodeRateLimited, "You fetch too many files at once. Wait a little.")
	}
	content, err := s.cfg.Open(s.path(name), os.O_RDONLY, 0)
	if err != nil {
		done()
		if errors.Is(err, fs.ErrNotExist) {
			s.cfg.Logger.Warn("files: the content of a file is not in the folder", "file", name, "path", s.path(name))
			return File{}, nil, noSuchFile()
		}
		return File{}, nil, err
	}
	return f, &Reader{ReaderAt: content, close: content.Close, done: done}, nil
}

// readable finds a file for its owner, or for somebody in a chat that holds a
// message with it. In a chat of two only the one whom it was sent to, so that
// nobody passes on what is not theirs by its name alone.
func (s *Service) readable(ctx context.Context, user, name string) (File, error) {
	f, err := s.store.File(ctx, name)
	if err != nil {
		return File{}, stored(err)
	}
	if f.Owner != user {
		if f.Chat != user && !strings.HasPrefix(f.Chat, "#") || s.cfg.MayRead == nil {
			return File{}, noSuchFile()
		}
		switch may, err := s.cfg.MayRead(ctx, user, name); {
		case err != nil:
			return File{}, err
		case !may:
			return File{}, noSuchFile()
		}
	}
	if f.State == Gone {
		return File{}, gone()
	}
	return f, nil
}
