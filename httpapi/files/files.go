// Package files keeps the content of files that people send each other and that
// do not go from device to device: on disk, a file each, under quotas and for a
// limited time. What is known of a file is in a [Store].
//
// Content comes in chunks, each at an offset: the length of the file on disk is
// how far it has come, so that an upload goes on after any cut. A file can be
// read once it is complete, synced to disk, and its checksum is right.
//
// The order of every change is such that a crash leaves no row that promises
// what is not there, only content without a row; [Service.Clean] removes that.
package files

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Limits that are not configured.
const (
	// ChunkBytes is the most that one [Service.Write] takes.
	ChunkBytes = 1 << 20
	// LeastCharge is what a smaller file counts for in quotas, since names and
	// rows cost something as well.
	LeastCharge = 64 << 10

	partialKeep  = 24 * time.Hour      // of an upload that does not go on
	goneKeep     = 90 * 24 * time.Hour // that a deleted file is remembered
	sweepEvery   = 5 * time.Minute
	sweepPage    = 200
	maxRemember  = 1024 // uploads whose running checksum is kept
	sniffedBytes = 512
)

// State says where a file stands.
type State int

// The states of a file, as numbers that are stored.
const (
	Partial  State = 0 // its content is coming
	Complete State = 1
	Gone     State = 2 // deleted or expired; the row keeps its name from being used again
)

// File is what is known of a file. Kind, Title and Type are as its owner says.
type File struct {
	Name      string // chosen by the owner's client
	Owner     string // user id
	Chat      string // where it was sent, as the owner calls it
	Kind      string
	Title     string // what the owner's device calls it
	Type      string // media type
	Size      int64  // bytes
	Sum       string // SHA-256 in hex: what the owner said or, once it is complete, what it is
	Shown     string // media type under which it may be shown in place; empty: only saved
	State     State
	CreatedAt time.Time
	ExpiresAt time.Time // of a file that is gone: until when it is remembered
}

// Charge is what a file of a size counts for in quotas.
func Charge(size int64) int64 { return max(size, LeastCharge) }

// Limits bound what is kept, in bytes of [Charge].
type Limits struct{ PerOwner, Total int64 }

// What a [Store] answers, wrapped or bare, besides its own failures.
var (
	ErrNotFound    = errors.New("no such file")
	ErrExists      = errors.New("a file has this name")
	ErrOwnerFull   = errors.New("the quota of the owner is used up")
	ErrFull        = errors.New("the quota of all is used up")
	ErrUnavailable = errors.New("database unavailable")
)

// Store keeps what is known of files. Its methods are safe for concurrent use,
// also by several processes on one database.
type Store interface {
	// CreateFile keeps a file that is partial. ErrExists; ErrOwnerFull or ErrFull
	// if it would be charged over a limit, counting all that are not gone.
	CreateFile(ctx context.Context, f File, limits Limits) error
	// File gives one file. ErrNotFound.
	File(ctx context.Context, name string) (File, error)
	// CompleteFile makes a partial file complete. ErrNotFound if it is not partial.
	CompleteFile(ctx context.Context, name, sum, shown string, expires time.Time) error
	// ExtendFile gives a partial file more time. ErrNotFound if it is not partial.
	ExtendFile(ctx context.Context, name string, expires time.Time) error
	// RetireFile makes a file gone, to be remembered until then. ErrNotFound.
	RetireFile(ctx context.Context, name string, until time.Time) error
	// DeleteFile forgets a file; one that is not there is no error.
	DeleteFile(ctx context.Context, name string) error
	// ExpiredFiles gives at most limit files whose time is over, the longest first.
	ExpiredFiles(ctx context.Context, now time.Time, limit int) ([]File, error)
	// FilesOf gives the files of an owner that are not gone, oldest first.
	FilesOf(ctx context.Context, owner string) ([]File, error)
	// FileNames gives at most limit names after one, in order, of files that are
	// not gone.
	FileNames(ctx context.Context, after string, limit int) ([]string, error)
}

// Content is an open file on disk.
type Content interface {
	ReadAt(p []byte, off int64) (int, error)
	WriteAt(p []byte, off int64) (int, error)
	Truncate(size int64) error
	Sync() error
	Stat() (os.FileInfo, error)
	Close() error
}

// Config is what a service is made of.
type Config struct {
	Dir          string // for the content; made if it is missing
	MaxBytes     int64  // of one file
	QuotaPerUser int64
	Quota        int64
	Keep         time.Duration // of a complete file
	MinFree      uint64        // bytes of the disk that files leave free

	// Free tells how much of the disk that holds a path is free; known is false
	// where that cannot be said. Nil: never known.
	Free func(path string) (bytes uint64, known bool)
	// MayRead tells whether a user is in a chat with a message that holds the file.
	// Nil: nobody is.
	MayRead func(ctx context.Context, user, file string) (bool, error)
	// Open opens content. Default: os.OpenFile.
	Open   func(path string, flag int, perm os.FileMode) (Content, error)
	Now    func() time.Time
	Logger *slog.Logger
}

// Service keeps files.
type Service struct {
	cfg   Config
	store Store
	busy  people

	mu      sync.Mutex
	uploads map[string]*upload
}

// New makes the folder and cleans it of what no file stands for.
func New(ctx context.Context, cfg Config, store Store) (*Service, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Open == nil {
		cfg.Open = func(path string, flag int, perm os.FileMode) (Content, error) { return os.OpenFile(path, flag, perm) }
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("files: cannot make the folder: %w; set data to a folder that can be written", err)
	}
	if err := os.Chmod(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("files: cannot protect the folder: %w", err)
	}
	s := &Service{cfg: cfg, store: store, uploads: make(map[string]*upload)}
	s.busy.now = cfg.Now
	if err := s.Clean(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// MaxBytes is the largest file that is taken.
func (s *Service) MaxBytes() int64 { return s.cfg.MaxBytes }
