package files

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Limits on a description, in bytes.
const (
	maxTitle = 255
	maxType  = 127 // RFC 6838, section 4.2
	maxChat  = 80
)

var (
	nameRule = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)
	chatRule = regexp.MustCompile(`^#?[A-Za-z0-9._-]{1,64}$`)
	sumRule  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Create makes room for a file of f.Owner, or finds the one that Create made
// before; offset is how much of it is there, made tells which.
func (s *Service) Create(ctx context.Context, f File) (kept File, offset int64, made bool, err error) {
	f.Sum = strings.ToLower(f.Sum)
	if err := s.check(f); err != nil {
		return File{}, 0, false, err
	}
	if kept, offset, err = s.again(ctx, f); err == nil || CodeOf(err) != CodeNoSuchFile {
		return kept, offset, false, err
	}
	if !s.busy.mayCreate(f.Owner) {
		return File{}, 0, false, refuse(CodeRateLimited, "You send too many files at once. Wait a little.")
	}
	if !s.room(f.Size) {
		return File{}, 0, false, diskFull(nil)
	}
	f.State, f.Shown, f.CreatedAt, f.ExpiresAt = Partial, "", s.cfg.Now(), s.cfg.Now().Add(partialKeep)
	err = s.store.CreateFile(ctx, f, Limits{PerOwner: s.cfg.QuotaPerUser, Total: s.cfg.Quota})
	if errors.Is(err, ErrExists) { // made meanwhile
		kept, offset, err = s.again(ctx, f)
		return kept, offset, false, err
	}
	return f, 0, err == nil, stored(err)
}

// again finds a file that was made before with the same description.
func (s *Service) again(ctx context.Context, f File) (File, int64, error) {
	old, err := s.store.File(ctx, f.Name)
	switch {
	case err != nil:
		return File{}, 0, stored(err)
	case old.Owner != f.Owner || old.Size != f.Size || old.Chat != f.Chat:
		return File{}, 0, stored(ErrExists)
	case old.State == Gone:
		return File{}, 0, gone()
	}
	offset, err := s.length(old)
	return old, offset, err
}

func (s *Service) check(f File) error {
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	switch {
	case !nameRule.MatchString(f.Name):
		return invalid("file", "must be 8 to 64 of A-Z a-z 0-9 _ -")
	case !chatRule.MatchString(f.Chat) || len(f.Chat) > maxChat:
		return invalid("chat", "must be a user's id, or # and a group's name")
	case f.Kind != "file" && f.Kind != "picture" && f.Kind != "voice":
		return invalid("kind", "must be file, picture or voice")
	case strings.TrimSpace(f.Title) == "" || len(f.Title) > maxTitle || !utf8.ValidString(f.Title) || strings.ContainsFunc(f.Title, control):
		return invalid("name", "must be one line of at most 255 bytes")
	case len(f.Type) > maxType || strings.ContainsFunc(f.Type, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return invalid("type", "must be a media type")
	case f.Sum != "" && !sumRule.MatchString(f.Sum):
		return invalid("sha256", "must be 64 hexadecimal digits")
	case f.Size < 0:
		return invalid("size", "must be a number of bytes")
	case f.Size > s.cfg.MaxBytes:
		return refuse(CodeFileTooLarge, "The file is larger than this server takes.")
	}
	return nil
}

// room tells whether the disk can take so many bytes more.
func (s *Service) room(bytes int64) bool {
	if s.cfg.Free == nil {
		return true
	}
	free, known := s.cfg.Free(s.cfg.Dir)
	return !known || free >= s.cfg.MinFree && free-s.cfg.MinFree >= uint64(bytes)
}

// CodeOf is the code of an [Error], or empty.
func CodeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
