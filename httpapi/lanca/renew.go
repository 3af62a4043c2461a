package lanca

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	renewBefore = 30 * 24 * time.Hour
	// Short, because a clock that was set right must not leave clients waiting, nor an
	// admin who has renewed the CA.
	checkEvery = 5 * time.Second
)

// Run issues the leaf again 30 days before it ends, and when the clock has jumped out of
// its validity, until ctx ends. It takes over a CA that was renewed, imported or restored
// on the disk.
func (a *Authority) Run(ctx context.Context) {
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for {
		if err := a.reload(); err != nil {
			a.cfg.Logger.Error("the CA on the disk has changed and is not usable: the one read before goes on", "error", err, "folder", a.cfg.Dir)
		}
		if err := a.renew(); err != nil {
			a.cfg.Logger.Error("the server's certificate could not be renewed: check the folder's space and permissions", "error", err, "folder", a.cfg.Dir)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// reload reads the CA again if its file is another one than before.
func (a *Authority) reload() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	path := filepath.Join(a.cfg.Dir, caFile)
	info, err := os.Stat(path)
	if err != nil || sameFile(info, a.seen) {
		return nil // also if the file is gone: what was read goes on
	}
	a.seen = info
	ca, err := readIssuer(path, a.cfg)
	if err != nil {
		return err
	}
	if ca.same(a.ca.Load()) {
		return nil
	}
	a.ca.Store(ca)
	a.cfg.Logger.Info("took over the CA that is on the disk now", "sha256", fingerprint(ca.anchor), "name", ca.anchor.Subject.CommonName)
	a.warn(ca)
	return a.follow()
}

// follow makes the leaf one of the CA that was just read.
func (a *Authority) follow() error {
	leaf := a.leaf.Load()
	a.leaf.Store(leaf.serve(a.ca.Load().chain))
	if a.asked == nil {
		san := sanOf(leaf.cert)
		a.asked = &request{san.addrs, san.names}
	}
	if _, err := a.cover(true); err != nil {
		return fmt.Errorf("the server's certificate is still the old one: %w", err)
	}
	return nil
}

func (a *Authority) renew() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	leaf := a.leaf.Load()
	if !a.due(leaf, a.cfg.Now()) {
		return nil
	}
	return a.reissue(leaf, sanOf(leaf.cert))
}

// due reports whether a leaf issued now would serve where the current one does not, or
// soon will not. Near or after the CA's own end, and with a clock from before the CA was
// made, it would not, and issuing again each minute would be noise.
func (a *Authority) due(leaf *pair, now time.Time) bool {
	notBefore, notAfter := validity(a.ca.Load().cert, now)
	switch {
	case now.Before(a.ca.Load().cert.NotBefore) || !now.Before(notAfter):
		return false
	case now.Before(leaf.cert.NotBefore):
		return notBefore.Before(leaf.cert.NotBefore)
	case now.After(leaf.cert.NotAfter.Add(-renewBefore)):
		return notAfter.After(leaf.cert.NotAfter)
	}
	return false
}
