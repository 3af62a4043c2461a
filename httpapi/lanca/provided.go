package lanca

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ProvidedConfig names a certificate that somebody else takes care of.
type ProvidedConfig struct {
	CertFile string           // PEM: the server's certificate, then those that issued it
	KeyFile  string           // PEM
	Now      func() time.Time // default: time.Now
	Logger   *slog.Logger     // default: discards
}

// Provided serves a certificate as it is in its files, and reads them again when they
// change. There is no CA of ours then. All methods may be called at any time from any
// goroutine.
type Provided struct {
	cfg    ProvidedConfig
	served atomic.Pointer[tls.Certificate]

	mu      sync.Mutex
	refused []string
	seen    [2]fs.FileInfo
}

// OpenProvided reads the certificate. The error says what is wrong with it.
func OpenProvided(cfg ProvidedConfig) (*Provided, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Provided{cfg: cfg, seen: stat(cfg)}
	if err := p.read(); err != nil {
		return nil, err
	}
	return p, nil
}

func stat(cfg ProvidedConfig) (infos [2]fs.FileInfo) {
	for i, name := range []string{cfg.CertFile, cfg.KeyFile} {
		infos[i], _ = os.Stat(name) // what cannot be looked at is told by reading it
	}
	return infos
}

func (p *Provided) read() error {
	cert, err := tls.LoadX509KeyPair(p.cfg.CertFile, p.cfg.KeyFile)
	if err != nil {
		return fmt.Errorf("lanca: the certificate of tls.cert and tls.key cannot be used: %w", err)
	}
	leaf := cert.Leaf
	if len(leaf.ExtKeyUsage) > 0 && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth) && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return fmt.Errorf("lanca: %s holds no server's certificate: its extended key usage lacks serverAuth", p.cfg.CertFile)
	}
	if len(leaf.DNSNames)+len(leaf.IPAddresses) == 0 {
		return fmt.Errorf("lanca: the certificate of %s names no host (subject alternative names), and browsers refuse it", p.cfg.CertFile)
	}
	if now := p.cfg.Now(); now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		p.cfg.Logger.Error("the certificate is not valid now, and browsers refuse it: set the clock if it is wrong, or replace the files; they are read again by themselves",
			"file", p.cfg.CertFile, "clock", now, "not_before", leaf.NotBefore, "not_after", leaf.NotAfter)
	}
	p.served.Store(&cert)
	p.cfg.Logger.Info("serving the certificate that is configured", "file", p.cfg.CertFile, "names", p.Names(), "not_after", leaf.NotAfter)
	return nil
}

// Run reads the files again when they have changed, until ctx ends. While they are not
// usable, as between the writing of the two, what was read before goes on.
func (p *Provided) Run(ctx context.Context) {
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		infos := stat(p.cfg)
		p.mu.Lock()
		changed := !sameFiles(infos, p.seen)
		p.seen = infos
		p.mu.Unlock()
		if !changed {
			continue
		}
		if err := p.read(); err != nil {
			p.cfg.Logger.Error("the certificate's files have changed and are not usable: the ones read before go on", "error", err)
		}
	}
}

func sameFiles(a, b [2]fs.FileInfo) bool {
	for i := range a {
		if !sameFile(a[i], b[i]) {
			return false
		}
	}
	return true
}

// sameFile reports whether a file is, as far as can be seen from outside, as it was.
func sameFile(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// SetNames looks which of the server's addresses and names the certificate covers; it
// cannot change them. Loopback does not count.
func (p *Provided) SetNames(addrs []netip.Addr, names []string) (changed bool, err error) {
	var refused []string
	leaf := p.served.Load().Leaf
	for _, addr := range addrs {
		if !addr.IsLoopback() {
			names = append(slices.Clone(names), addr.String())
		}
	}
	for _, name := range names {
		if name != "localhost" && leaf.VerifyHostname(name) != nil {
			refused = append(refused, name)
		}
	}
	slices.Sort(refused)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = slices.Compact(refused)
	return false, nil
}

// Refused returns the addresses and names of the last SetNames that the certificate does
// not cover.
func (p *Provided) Refused() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.refused)
}

// Names returns the addresses and names that the certificate covers.
func (p *Provided) Names() []string { return sanOf(p.served.Load().Leaf).texts() }

// GetCertificate is for tls.Config.
func (p *Provided) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return p.served.Load(), nil
}

// TLSConfig is like that of an Authority.
func (p *Provided) TLSConfig() *tls.Config { return serverConfig(p.GetCertificate) }
