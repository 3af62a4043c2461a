package lanca

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// backupHead starts a backup, for people; PEM readers skip it.
const backupHead = `Backup of a Fieldphone site's certificate authority.
It holds private keys: whoever has it can pose as this server. Keep it where only
the site's administrators can get at it, away from the server.
Put it back with: fieldphone ca restore FILE
`

// Backup returns all that another machine needs to be this server to every device: the
// CA with what devices need that were set up before, and the leaf, whose key some
// clients pin. It is text (PEM) and holds the private keys, not encrypted.
func Backup(cfg Config) ([]byte, error) {
	is, cfg, err := load(cfg)
	if err != nil {
		return nil, err
	}
	text, err := is.encode()
	if err != nil {
		return nil, fmt.Errorf("lanca: encode the CA: %w", err)
	}
	text = append([]byte(backupHead), text...)
	leaf, err := readPair(filepath.Join(cfg.Dir, leafFile), cfg.Logger)
	if errors.Is(err, fs.ErrNotExist) {
		return text, nil
	}
	if err != nil {
		return nil, err
	}
	leafText, err := leaf.encode()
	if err != nil {
		return nil, fmt.Errorf("lanca: encode the leaf: %w", err)
	}
	return append(text, leafText...), nil
}

// ErrOtherCA is a folder with another CA than the one to put there.
var ErrOtherCA = errors.New("lanca: there is another CA here already")

// Restore puts a backup into cfg.Dir. If another CA is there, it returns ErrOtherCA,
// unless replace is true: then that CA's files are kept under other names, which
// Restore returns. It checks everything before it writes anything.
func Restore(cfg Config, backup []byte, replace bool) (ca CA, kept []string, err error) {
	if cfg, err = cfg.complete(); err != nil {
		return ca, nil, err
	}
	root, rest, err := cutPair(backup)
	if err != nil {
		return ca, nil, fmt.Errorf("lanca: this is no backup of a CA: %w", err)
	}
	is, err := newIssuer(root, cfg.Now())
	if err != nil {
		return ca, nil, fmt.Errorf("lanca: this is no backup of a CA: %w", err)
	}
	var leaf *pair
	if len(bytes.TrimSpace(rest)) > 0 {
		if leaf, err = parsePair(rest); err != nil {
			return ca, nil, fmt.Errorf("lanca: the backup's leaf is damaged: %w", err)
		}
	}
	if err := makeDir(cfg.Dir, cfg.Logger); err != nil {
		return ca, nil, err
	}
	if Exists(cfg) {
		if present, _, err := load(cfg); err != nil || !present.cert.Equal(is.cert) {
			if !replace {
				return ca, nil, fmt.Errorf("%w, in %s: devices that trust it would have to be set up again; repeat with --replace to keep its files aside and go on", ErrOtherCA, cfg.Dir)
			}
			if kept, err = putAside(cfg); err != nil {
				return ca, kept, err
			}
		}
	}
	if err := writePair(filepath.Join(cfg.Dir, caFile), root); err != nil {
		return ca, kept, err
	}
	if leaf != nil {
		err = writePair(filepath.Join(cfg.Dir, leafFile), leaf)
	}
	return is.describe(), kept, err
}

// putAside renames the files of a CA that another one replaces.
func putAside(cfg Config) (kept []string, err error) {
	stamp := cfg.Now().UTC().Format("20060102T150405Z")
	for _, name := range []string{caFile, leafFile} {
		from := filepath.Join(cfg.Dir, name)
		to := filepath.Join(cfg.Dir, "replaced-"+stamp+"-"+name)
		switch err := os.Rename(from, to); {
		case err == nil:
			kept = append(kept, to)
		case !errors.Is(err, fs.ErrNotExist):
			return kept, fmt.Errorf("lanca: put the other CA aside: %w", err)
		}
	}
	return kept, nil
}

// Ends returns when the first of the certificates that devices need ends.
func (c CA) Ends() time.Time {
	if c.Issuer.NotAfter.Before(c.Anchor.NotAfter) {
		return c.Issuer.NotAfter
	}
	return c.Anchor.NotAfter
}
