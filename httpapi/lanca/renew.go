package lanca

import (
	"context"
	"time"
)

const (
	renewBefore = 30 * 24 * time.Hour
	// Short, because a clock that was set right must not leave clients waiting.
	checkEvery = time.Minute
)

// Run issues the leaf again 30 days before it ends, and when the clock has jumped out of
// its validity, until ctx ends.
func (a *Authority) Run(ctx context.Context) {
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for {
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
	notBefore, notAfter := validity(a.ca.cert, now)
	switch {
	case now.Before(a.ca.cert.NotBefore) || !now.Before(notAfter):
		return false
	case now.Before(leaf.cert.NotBefore):
		return notBefore.Before(leaf.cert.NotBefore)
	case now.After(leaf.cert.NotAfter.Add(-renewBefore)):
		return notAfter.After(leaf.cert.NotAfter)
	}
	return false
}
