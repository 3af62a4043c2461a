//go:build !windows

package configs

import (
	"errors"
	"fmt"
	"os"
)

// syncFolder makes a rename in the folder outlast a loss of power.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("configs: %w", reason(err))
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("configs: %w", reason(err))
	}
	return nil
}
