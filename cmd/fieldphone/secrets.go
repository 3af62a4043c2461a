package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const secretBytes = 32

// loadSecret returns what is configured, else the secret kept in the data
// folder, which is made at first start.
func loadSecret(configured, dir, name string) ([]byte, error) {
	if configured != "" {
		return []byte(configured), nil
	}
	path := filepath.Join(dir, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeSecret(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != secretBytes {
		return nil, fmt.Errorf("%s is damaged: restore it from a backup, or delete it to make a new one (everybody must then sign in again)", path)
	}
	return secret, nil
}

// makeSecret writes a new secret so that a crash leaves all of it or nothing,
// and so that of two servers starting at once both use the same.
func makeSecret(path string) ([]byte, error) {
	secret := make([]byte, secretBytes)
	rand.Read(secret)
	tmp, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("make secret: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(hex.EncodeToString(secret) + "\n")
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return nil, fmt.Errorf("make secret: %w", err)
	}
	if err := os.Link(tmp.Name(), path); errors.Is(err, fs.ErrExist) {
		return loadSecret("", filepath.Dir(path), filepath.Base(path))
	} else if err != nil {
		return nil, fmt.Errorf("make secret: %w", err)
	}
	return secret, nil
}
