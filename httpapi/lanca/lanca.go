// Package lanca is the site's own certificate authority. Browsers give camera and
// microphone only to pages from a secure context, and a site without internet has nobody
// to vouch for it: so the server makes a CA at its first start, people trust it once, and
// the CA signs one leaf for every address and name of the server.
//
// The CA vouches only for local names and private addresses (critical name constraints,
// RFC 5280 section 4.2.1.10), so that trusting it costs little even if its key is stolen.
package lanca

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	caFile   = "ca.pem"
	leafFile = "leaf.pem"
)

// Config says where an Authority lives and whom it may vouch for.
type Config struct {
	// Dir is the folder of the key files, made with mode 0700 if it is missing.
	Dir string
	// SiteName starts the names of the CA and the leaf as devices list them. Default:
	// Fieldphone.
	SiteName string
	// HostName is the host's own name. If it is a single label, the CA may vouch for it.
	HostName string
	// NoNameConstraints makes a CA that may vouch for any name. Like SiteName and
	// HostName, it counts only when the CA is made.
	NoNameConstraints bool
	Now               func() time.Time // default: time.Now
	Logger            *slog.Logger     // default: discards
}

// Authority is the CA and its current leaf. All methods may be called at any time from
// any goroutine.
type Authority struct {
	cfg Config

	mu      sync.Mutex // held while a leaf is issued or the CA is read again
	asked   *request   // the last SetNames
	refused []string
	seen    fs.FileInfo // the CA's file as it was when it was read

	ca   atomic.Pointer[issuer]
	leaf atomic.Pointer[pair]
}

// request is what a leaf was asked to cover.
type request struct {
	addrs []netip.Addr
	names []string
}

// Open loads the CA and the leaf from cfg.Dir, or makes them if there are none. It never
// replaces a CA: every device that trusts it would have to be set up again. If a file is
// damaged, the error names it and says what to do.
func Open(cfg Config) (*Authority, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	a := &Authority{cfg: cfg}
	if err := makeDir(cfg.Dir, cfg.Logger); err != nil {
		return nil, err
	}
	madeCA, err := a.openCA()
	if err != nil {
		return nil, err
	}
	if err := a.openLeaf(madeCA); err != nil {
		return nil, err
	}
	return a, nil
}

func (cfg Config) complete() (Config, error) {
	if cfg.Dir == "" {
		return cfg, errors.New("lanca: no folder for the certificates; name one in Config.Dir")
	}
	if cfg.SiteName == "" {
		cfg.SiteName = "Fieldphone"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg, nil
}

func (a *Authority) openCA() (made bool, err error) {
	path := filepath.Join(a.cfg.Dir, caFile)
	a.seen, _ = os.Stat(path)
	ca, err := readIssuer(path, a.cfg)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(filepath.Join(a.cfg.Dir, leafFile)); err == nil {
			return false, fmt.Errorf("lanca: %s is missing, but the leaf it signed is there; restore it from a backup, or move %s away to start a new CA that every device has to trust anew", path, leafFile)
		}
		return true, a.makeCA(path)
	}
	if err != nil {
		return false, err
	}
	a.ca.Store(ca)
	a.warn(ca)
	if constrained := isConstrained(ca.anchor); constrained == a.cfg.NoNameConstraints {
		a.cfg.Logger.Warn("the CA keeps what it was made with: the setting for name constraints counts only at the first start; change it with: fieldphone ca renew",
			"constrained", constrained)
	}
	return false, nil
}

// readIssuer reads a CA's file. Its errors say what to do.
func readIssuer(path string, cfg Config) (*issuer, error) {
	p, err := readPair(path, cfg.Logger)
	if err != nil {
		return nil, fmt.Errorf("%w; restore the file from a backup, or move the folder away to start a new CA that every device has to trust anew", err)
	}
	ca, err := newIssuer(p, cfg.Now())
	if err != nil {
		return nil, fmt.Errorf("lanca: %s is not usable: %w; restore the file from a backup, or import a CA", path, err)
	}
	return ca, nil
}

// warn tells of an end that has come or comes soon, while there is time to renew.
func (a *Authority) warn(ca *issuer) {
	const soon = 365 * 24 * time.Hour
	now := a.cfg.Now()
	for _, cert := range []*x509.Certificate{ca.cert, ca.anchor} {
		switch {
		case now.Before(cert.NotBefore) || now.After(cert.NotAfter):
			a.cfg.Logger.Error("the CA is not valid now: set the clock if it is wrong, or run: fieldphone ca renew",
				"folder", a.cfg.Dir, "clock", now, "not_before", cert.NotBefore, "not_after", cert.NotAfter)
			return
		case now.After(cert.NotAfter.Add(-soon)):
			a.cfg.Logger.Warn("the CA ends within a year: renew it now (fieldphone ca renew), so that devices have time to install the new certificate", "not_after", cert.NotAfter)
			return
		}
	}
}

func (a *Authority) makeCA(path string) error {
	ca, err := newCA(a.cfg)
	if err != nil {
		return err
	}
	if err := writePair(path, ca); err != nil {
		return err
	}
	is, err := newIssuer(ca, a.cfg.Now())
	if err != nil {
		return fmt.Errorf("lanca: %w", err)
	}
	a.seen, _ = os.Stat(path)
	a.ca.Store(is)
	a.cfg.Logger.Info("made the certificate authority of this site", "sha256", a.Fingerprint())
	return nil
}

// openLeaf loads the leaf. A missing one is made: the power may have failed between the
// two files. One of another CA, as after a restored backup, is issued again.
func (a *Authority) openLeaf(madeCA bool) error {
	path := filepath.Join(a.cfg.Dir, leafFile)
	leaf, err := readPair(path, a.cfg.Logger)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if !madeCA {
			a.cfg.Logger.Warn("there is no leaf: making one with a new key, which clients that pin the key will refuse", "file", path)
		}
		key, err := newKey()
		if err != nil {
			return err
		}
		san, _ := filterSAN(a.ca.Load().binding(), nil, nil)
		if leaf, err = issueLeaf(a.cfg.SiteName, &a.ca.Load().pair, key, san, a.cfg.Now()); err != nil {
			return err
		}
		if err := writePair(path, leaf); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("%w; restore the file from a backup, or move it away to have a leaf made with a new key", err)
	case !signedBy(leaf.cert, a.ca.Load().cert):
		a.cfg.Logger.Warn("the leaf is signed by another CA: issuing it again", "file", path)
		san, _ := filterSAN(a.ca.Load().binding(), sanOf(leaf.cert).addrs, sanOf(leaf.cert).names)
		return a.reissue(leaf, san)
	}
	a.leaf.Store(leaf.serve(a.ca.Load().chain))
	return nil
}

// SetNames makes the leaf cover these addresses and names, and localhost with its
// addresses. A new leaf with the same key is issued if the current one lacks one of them,
// or, at the first call, if it has more; changed tells so. While the server runs, a leaf
// that covers too much is kept: who accepted its warning would be warned again, for an
// address that is gone. What the CA may not vouch for is left out, logged, and
// returned by Refused: one such name would make clients refuse the whole leaf.
//
// If err is not nil and changed is true, the new leaf serves but could not be saved.
func (a *Authority) SetNames(addrs []netip.Addr, names []string) (changed bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := a.asked == nil
	a.asked = &request{slices.Clone(addrs), slices.Clone(names)}
	return a.cover(first)
}

// cover issues a leaf for what was asked for, if the current one is not for that: exactly,
// or with more.
func (a *Authority) cover(exactly bool) (changed bool, err error) {
	san, refused := filterSAN(a.ca.Load().binding(), a.asked.addrs, a.asked.names)
	if len(refused) > 0 && !slices.Equal(refused, a.refused) {
		a.cfg.Logger.Warn("the certificate cannot cover some names of this server: its CA vouches only for local names and private addresses", "left_out", refused)
	}
	a.refused = refused
	current := a.leaf.Load()
	has := sanOf(current.cert)
	fits := san.equal(has) || !exactly && has.covers(san)
	if fits && signedBy(current.cert, a.ca.Load().cert) {
		return false, nil
	}
	err = a.reissue(current, san)
	return a.leaf.Load() != current, err
}

// reissue signs a leaf for san with the key of old, and serves it even if the disk is
// full: a leaf on the disk that is out of date is mended at the next start.
func (a *Authority) reissue(old *pair, san subjects) error {
	leaf, err := issueLeaf(a.cfg.SiteName, &a.ca.Load().pair, old.key, san, a.cfg.Now())
	if err != nil {
		return err
	}
	a.leaf.Store(leaf.serve(a.ca.Load().chain))
	a.cfg.Logger.Info("issued the server's certificate", "names", san.texts(), "not_after", leaf.cert.NotAfter)
	return writePair(filepath.Join(a.cfg.Dir, leafFile), leaf)
}

// Names returns the addresses and names that the current leaf covers, sorted.
func (a *Authority) Names() []string { return sanOf(a.leaf.Load().cert).texts() }

// Refused returns the addresses and names of the last SetNames that the leaf cannot cover.
func (a *Authority) Refused() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.refused)
}

// GetCertificate is for tls.Config. It returns the current leaf whatever name the client
// sends: clients that came by an IP address send none (RFC 6066 section 3).
func (a *Authority) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return a.leaf.Load().served, nil
}

// TLSConfig returns a configuration for servers: TLS 1.2 or later, HTTP/1.1, and TURN for
// clients that name it (RFC 7443). A reissued leaf serves from the next handshake on.
func (a *Authority) TLSConfig() *tls.Config { return serverConfig(a.GetCertificate) }

func serverConfig(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: get,
		// The first that the client offers as well: coturn's clients offer HTTP beside TURN,
		// browsers never offer TURN beside HTTP.
		NextProtos: []string{"stun.turn", "http/1.1"},
		// Small records would spare slow links a moment, once; each costs a system call.
		DynamicRecordSizingDisabled: true,
	}
}

// CA returns the CA that devices are to trust now.
func (a *Authority) CA() CA { return a.ca.Load().describe() }

// CACertDER returns the CA's certificate as devices install it.
func (a *Authority) CACertDER() []byte { return slices.Clone(a.ca.Load().anchor.Raw) }

// CACertPEM returns the CA's certificate in PEM.
func (a *Authority) CACertPEM() []byte { return encodeCert(a.ca.Load().anchor) }

// Fingerprint returns the SHA-256 of the CA's certificate as devices show it: upper-case
// hex with colons.
func (a *Authority) Fingerprint() string { return fingerprint(a.ca.Load().anchor) }

func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}
