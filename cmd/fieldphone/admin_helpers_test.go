package main

import (
	"os"
	"path/filepath"
)

// mkdirWithFile makes a folder that cannot be replaced by a file.
func mkdirWithFile(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(path, "file"), nil, 0o600)
}
