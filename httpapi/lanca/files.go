package lanca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
)

const (
	blockKey  = "PRIVATE KEY"
	blockCert = "CERTIFICATE"

	modeDir  = 0o700
	modeFile = 0o600
	// Bits that let anyone but the owner in.
	modeOthers = 0o077

	maxFileBytes = 64 << 10
)

// makeDir makes the folder, or closes an open one to others.
func makeDir(dir string, logger *slog.Logger) error {
	if err := os.MkdirAll(dir, modeDir); err != nil {
		return fmt.Errorf("lanca: make the folder for the certificates: %w", err)
	}
	return closeToOthers(dir, modeDir, logger)
}

func closeToOthers(path string, mode os.FileMode, logger *slog.Logger) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("lanca: %w", err)
	}
	if info.Mode().Perm()&modeOthers == 0 {
		return nil
	}
	logger.Warn("others could read the keys: closing it to them", "path", path, "mode", info.Mode().Perm())
	if err := os.Chmod(path, mode); err != nil {
		return fmt.Errorf("lanca: close %s to others: %w", path, err)
	}
	return nil
}

// readPair reads a key and its certificate from one file. One file, because a machine
// that loses power between two would be left with half a CA.
func readPair(path string, logger *slog.Logger) (*pair, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("lanca: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("lanca: %w", err)
	}
	p, err := parsePair(text)
	if err != nil {
		return nil, fmt.Errorf("lanca: %s is damaged: %w", path, err)
	}
	return p, closeToOthers(path, modeFile, logger)
}

func parsePair(text []byte) (*pair, error) {
	if len(text) > maxFileBytes {
		return nil, fmt.Errorf("it is longer than %d bytes", maxFileBytes)
	}
	keyBlock, rest := pem.Decode(text)
	if keyBlock == nil || keyBlock.Type != blockKey {
		return nil, errors.New("it does not begin with a private key")
	}
	certBlock, rest := pem.Decode(rest)
	if certBlock == nil || certBlock.Type != blockCert {
		return nil, errors.New("there is no certificate after the private key")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("there is something after the certificate")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("its private key cannot be read: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("its private key is not an ECDSA key")
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("its certificate cannot be read: %w", err)
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return nil, errors.New("its certificate belongs to another key")
	}
	return &pair{key: key, cert: cert}, nil
}

// writePair replaces the file at once: whoever looks finds the old one or the new one,
// also after a power cut.
func writePair(path string, p *pair) error {
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return fmt.Errorf("lanca: encode the key for %s: %w", path, err)
	}
	text := append(
		pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: blockCert, Bytes: p.cert.Raw})...,
	)
	if err := replaceFile(path, text); err != nil {
		return fmt.Errorf("lanca: save %s: %w", path, err)
	}
	return nil
}

func replaceFile(path string, text []byte) error {
	// CreateTemp makes files with mode 0600.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
