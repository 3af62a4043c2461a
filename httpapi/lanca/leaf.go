package lanca

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// ReadLeaf returns the leaf in cfg.Dir without issuing another. The error is [ErrNoCA] if
// there is none yet.
func ReadLeaf(cfg Config) (*x509.Certificate, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	leaf, err := readPair(filepath.Join(cfg.Dir, leafFile), cfg.Logger)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (looked in %s)", ErrNoCA, cfg.Dir)
	}
	if err != nil {
		return nil, err
	}
	return leaf.cert, nil
}

// Leaf returns the certificate that is served now.
func (p *Provided) Leaf() *x509.Certificate { return p.served.Load().Leaf }
