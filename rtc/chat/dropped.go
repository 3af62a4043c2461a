package chat

import (
	"context"
	"time"
)

const (
	droppedLength = 256 // that wait; what is more stays until it expires
	droppedLimit  = 5 * time.Second
)

// dropped is a file whose text was deleted by, or taken from, who sent it.
type dropped struct{ author, file string }

// drop hands on what texts that are deleted for good have left behind.
func (s *Service) drop(files []dropped) {
	for _, d := range files {
		select {
		case s.dropped <- d:
		default:
		}
	}
}

func (s *Service) runDropped(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-s.dropped:
			if err := s.dropFile(ctx, d); err != nil && ctx.Err() == nil {
				s.cfg.Logger.Warn("chat: the file of a deleted text stays until it expires", "file", d.file, "error", err)
			}
		}
	}
}

// dropFile takes a file away unless another text still has it.
func (s *Service) dropFile(ctx context.Context, d dropped) error {
	ctx, cancel := context.WithTimeout(ctx, droppedLimit)
	defer cancel()
	used, err := s.store.FileUsed(ctx, d.file)
	if err != nil || used {
		return err
	}
	return s.cfg.DropFile(ctx, d.author, d.file)
}
