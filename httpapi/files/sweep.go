package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// Delete takes a file of a user back.
func (s *Service) Delete(ctx context.Context, user, name string) error {
	f, err := s.own(ctx, user, name)
	if err != nil {
		return err
	}
	return s.remove(ctx, f)
}

// Forget takes a file of a user back, if there is one: nobody else's, and not
// one that is gone already.
func (s *Service) Forget(ctx context.Context, user, name string) error {
	err := s.Delete(ctx, user, name)
	if code := CodeOf(err); code == CodeNoSuchFile || code == CodeFileGone {
		return nil
	}
	return err
}

// DeleteAllOf takes back everything that a user has sent.
func (s *Service) DeleteAllOf(ctx context.Context, user string) error {
	all, err := s.store.FilesOf(ctx, user)
	if err != nil {
		return stored(err)
	}
	for _, f := range all {
		err = errors.Join(err, s.remove(ctx, f))
	}
	return err
}

// Of lists what a user has sent and is kept, oldest first.
func (s *Service) Of(ctx context.Context, user string) ([]File, error) {
	all, err := s.store.FilesOf(ctx, user)
	return all, stored(err)
}

// Run deletes what has expired until ctx ends.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Logger.Warn("files: cannot delete what has expired; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Sweep deletes what has expired now.
func (s *Service) Sweep(ctx context.Context) error {
	for {
		expired, err := s.store.ExpiredFiles(ctx, s.cfg.Now(), sweepPage)
		if err != nil {
			return stored(err)
		}
		for _, f := range expired {
			if err := s.remove(ctx, f); err != nil {
				return err
			}
		}
		if len(expired) < sweepPage {
			return nil
		}
	}
}

// remove first says in the store that a file is no more, so that after a crash
// in between only content without a row is left. A complete file is remembered,
// so that people hear that it was there, and its name serves no other.
func (s *Service) remove(ctx context.Context, f File) error {
	u, release := s.hold(f.Name)
	defer release()
	u.sum = nil
	var err error
	if f.State == Complete {
		err = s.store.RetireFile(ctx, f.Name, s.cfg.Now().Add(goneKeep))
	} else {
		err = s.store.DeleteFile(ctx, f.Name)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return stored(err)
	}
	if err := os.Remove(s.path(f.Name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.cfg.Logger.Warn("files: cannot delete content; the next start tries again", "path", s.path(f.Name), "error", err)
	}
	return nil
}

// Clean deletes content that no file stands for: what a crash left behind.
func (s *Service) Clean(ctx context.Context) error {
	entries, err := os.ReadDir(s.cfg.Dir)
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	if len(entries) == 0 {
		return nil
	}
	// The names come after the folder was read, so that no file is missed that was
	// made meanwhile.
	known := make(map[string]bool)
	for after := ""; ; {
		names, err := s.store.FileNames(ctx, after, sweepPage)
		if err != nil {
			return stored(err)
		}
		for _, name := range names {
			known[blob(name)] = true
		}
		if len(names) < sweepPage {
			break
		}
		after = names[len(names)-1]
	}
	ours := regexp.MustCompile(`^[0-9a-f]{40}$`)
	removed := 0
	for _, entry := range entries {
		if known[entry.Name()] || !ours.MatchString(entry.Name()) {
			continue
		}
		if err := os.Remove(filepath.Join(s.cfg.Dir, entry.Name())); err != nil {
			return fmt.Errorf("files: %w", err)
		}
		removed++
	}
	if removed > 0 {
		s.cfg.Logger.Info("files: deleted content that no file stands for", "files", removed)
	}
	return nil
}
