package lanca

import (
	"bytes"
	"crypto"
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
	p, rest, err := cutPair(text)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("there is something after the certificate")
	}
	return p, nil
}

// cutPair reads a private key and the certificates that follow it, the key's own first.
func cutPair(text []byte) (p *pair, rest []byte, err error) {
	if len(text) > maxFileBytes {
		return nil, nil, fmt.Errorf("it is longer than %d bytes", maxFileBytes)
	}
	keyBlock, rest := pem.Decode(text)
	if keyBlock == nil || keyBlock.Type != blockKey {
		return nil, nil, errors.New("it does not begin with a private key")
	}
	p = &pair{}
	if p.key, err = parseKey(keyBlock); err != nil {
		return nil, nil, err
	}
	var certs []*x509.Certificate
	if certs, rest, err = cutCertificates(rest); err != nil {
		return nil, nil, err
	}
	if len(certs) == 0 {
		return nil, nil, errors.New("there is no certificate after the private key")
	}
	p.cert, p.further = certs[0], certs[1:]
	if !belongs(p.key, p.cert) {
		return nil, nil, errors.New("its certificate belongs to another key")
	}
	return p, rest, nil
}

// cutCertificates reads certificates until something else comes.
func cutCertificates(text []byte) (certs []*x509.Certificate, rest []byte, err error) {
	for {
		block, after := pem.Decode(text)
		if block == nil || block.Type != blockCert {
			return certs, text, nil
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, nil, fmt.Errorf("its certificate cannot be read: %w", err)
		}
		certs, text = append(certs, cert), after
	}
}

// parseKey reads a key in any of the forms that tools write: PKCS #8 (RFC 5208), SEC 1
// (RFC 5915) and PKCS #1 (RFC 8017).
func parseKey(block *pem.Block) (crypto.Signer, error) {
	var parsed any
	var err error
	switch block.Type {
	case "EC PRIVATE KEY":
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, fmt.Errorf("its private key cannot be read: %w", err)
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, errors.New("its private key cannot sign")
	}
	return key, nil
}

// belongs reports whether key is the one that cert was made for.
func belongs(key crypto.Signer, cert *x509.Certificate) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(cert.PublicKey)
}

// writePair replaces the file at once: whoever looks finds the old one or the new one,
// also after a power cut.
func writePair(path string, p *pair) error {
	text, err := p.encode()
	if err != nil {
		return fmt.Errorf("lanca: encode the key for %s: %w", path, err)
	}
	if err := replaceFile(path, text); err != nil {
		return fmt.Errorf("lanca: save %s: %w", path, err)
	}
	return nil
}

// encode is the reverse of parsePair.
func (p *pair) encode() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: der})
	for _, cert := range append([]*x509.Certificate{p.cert}, p.further...) {
		text = append(text, encodeCert(cert)...)
	}
	return text, nil
}

func encodeCert(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: blockCert, Bytes: cert.Raw})
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
