package main

import (
	"context"
	"path/filepath"
	"time"

	"fieldphone/cmd/fieldphone/host"
	"fieldphone/httpapi/files"
)

// openFiles opens what people send each other by way of the server.
func (s *server) openFiles(ctx context.Context) (err error) {
	c := s.cfg.Files
	s.files, err = files.New(ctx, files.Config{
		MayRead:  s.chat.MayRead,
		Dir:      filepath.Join(s.cfg.Data, "files"),
		MaxBytes: int64(c.MaxBytes), QuotaPerUser: int64(c.QuotaPerUser), Quota: int64(c.Quota),
		Keep: c.Keep, MinFree: uint64(c.MinFree),
		Free: freeOn, Now: time.Now, Logger: s.log,
	}, s.db.Files())
	return err
}

// dropFile takes away the file of a text that was deleted.
func (s *server) dropFile(ctx context.Context, author, file string) error {
	return s.files.Forget(ctx, author, file)
}

func freeOn(path string) (bytes uint64, known bool) {
	space, known := host.Disk(path)
	return space.Free, known
}
