package lanca

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// maxFurther bounds what a CA's file keeps for devices that were set up before.
const maxFurther = 12

// Renewal says how a CA is made anew.
type Renewal struct {
	// NewKey makes another key, and the old CA vouches for it by a bridge, which the
	// server sends along. Without it only time is won: key, name and limits stay.
	NewKey bool
	// DropOld leaves out what devices need that were set up before. After the key was
	// stolen nothing less helps.
	DropOld bool
	// NameConstraints are kept as they are if nil; else made (true) or left out (false).
	NameConstraints *bool
}

// ErrNoCA is a folder without a CA.
var ErrNoCA = errors.New("lanca: there is no CA yet: start the server once, or import a CA")

// Read returns the CA in cfg.Dir without changing anything.
func Read(cfg Config) (CA, error) {
	is, _, err := load(cfg)
	if err != nil {
		return CA{}, err
	}
	return is.describe(), nil
}

func load(cfg Config) (*issuer, Config, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, cfg, err
	}
	is, err := readIssuer(filepath.Join(cfg.Dir, caFile), cfg)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, cfg, fmt.Errorf("%w (looked in %s)", ErrNoCA, cfg.Dir)
	}
	return is, cfg, err
}

// Renew replaces the CA in cfg.Dir. A running server takes the new one over by itself.
// Devices that trust the old one go on, unless how drops them or the error says that
// they cannot.
func Renew(cfg Config, how Renewal) (CA, error) {
	old, cfg, err := load(cfg)
	if err != nil {
		return CA{}, err
	}
	if !selfSigned(old.cert) {
		return CA{}, fmt.Errorf("lanca: %q was issued by another CA: renew it there, and import it", old.cert.Subject.CommonName)
	}
	constrained := isConstrained(old.cert)
	if how.NameConstraints != nil {
		constrained = *how.NameConstraints
	}
	cfg.NoNameConstraints = !constrained
	var fresh *pair
	if how.NewKey {
		fresh, err = newCA(cfg)
	} else {
		fresh, err = prolong(old, cfg, how.NameConstraints)
	}
	if err != nil {
		return CA{}, err
	}
	return succeed(old, fresh, how.DropOld, cfg)
}

// prolong makes a certificate of the same key and name that lasts from now on.
func prolong(old *issuer, cfg Config, constraints *bool) (*pair, error) {
	template, err := caTemplate(old.cert.Subject, cfg.Now())
	if err != nil {
		return nil, err
	}
	template.RawSubject = old.cert.RawSubject
	template.SubjectKeyId = old.cert.SubjectKeyId
	switch {
	case constraints == nil:
		from := old.cert
		template.PermittedDNSDomainsCritical = from.PermittedDNSDomainsCritical
		template.PermittedDNSDomains, template.ExcludedDNSDomains = from.PermittedDNSDomains, from.ExcludedDNSDomains
		template.PermittedIPRanges, template.ExcludedIPRanges = from.PermittedIPRanges, from.ExcludedIPRanges
	case *constraints:
		constrain(template, cfg.HostName)
	}
	return signPair(template, template, old.key, old.key)
}

// succeed puts fresh in the place of old. It saves nothing unless the devices that trust
// old go on, or are dropped on purpose.
func succeed(old *issuer, fresh *pair, dropOld bool, cfg Config) (CA, error) {
	if !dropOld {
		if err := inherit(old, fresh, cfg.Now()); err != nil {
			return CA{}, err
		}
	}
	is, err := newIssuer(fresh, cfg.Now())
	if err != nil {
		return CA{}, fmt.Errorf("lanca: %w", err)
	}
	if err := is.reaches(is.anchor, cfg.Now()); err != nil {
		return CA{}, fmt.Errorf("lanca: devices that trust %q would refuse this server: %w", is.anchor.Subject.CommonName, err)
	}
	if !dropOld {
		if err := is.reaches(old.anchor, cfg.Now()); err != nil && cfg.Now().Before(old.anchor.NotAfter) {
			return CA{}, fmt.Errorf("lanca: devices that trust the old CA would refuse the new one (%w); go on with --drop-old, and install the new certificate on every device", err)
		}
		fresh.further = slices.DeleteFunc(fresh.further, func(c *x509.Certificate) bool {
			return slices.ContainsFunc(is.earlier, c.Equal) && is.reaches(c, cfg.Now()) != nil
		})
		if is, err = newIssuer(fresh, cfg.Now()); err != nil {
			return CA{}, fmt.Errorf("lanca: %w", err)
		}
	}
	return is.describe(), writePair(filepath.Join(cfg.Dir, caFile), fresh)
}

// inherit gives fresh what devices need that trust old, or one before it.
func inherit(old *issuer, fresh *pair, now time.Time) error {
	var bridges []*x509.Certificate
	if !bytes.Equal(old.cert.RawSubjectPublicKeyInfo, fresh.cert.RawSubjectPublicKeyInfo) {
		bridge, err := newBridge(old, fresh.cert)
		if err != nil {
			return err
		}
		bridges = []*x509.Certificate{bridge}
	}
	for _, cert := range append(append(bridges, old.cert), old.further...) {
		if now.Before(cert.NotAfter) && !cert.Equal(fresh.cert) && !slices.ContainsFunc(fresh.further, cert.Equal) {
			fresh.further = append(fresh.further, cert)
		}
	}
	if len(fresh.further) > maxFurther {
		return fmt.Errorf("lanca: the CA was renewed too often to keep all earlier ones; go on with --drop-old, and install the new certificate on every device")
	}
	return nil
}

// newBridge is how old vouches for a CA with another key (RFC 5280 section 3.2, a
// cross-certificate). It lasts as long as both.
func newBridge(old *issuer, ca *x509.Certificate) (*x509.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := *ca
	template.SerialNumber = serial
	if template.NotBefore.Before(old.cert.NotBefore) {
		template.NotBefore = old.cert.NotBefore
	}
	if template.NotAfter.After(old.cert.NotAfter) {
		template.NotAfter = old.cert.NotAfter
	}
	template.SignatureAlgorithm, template.AuthorityKeyId = x509.UnknownSignatureAlgorithm, nil // those of old
	return sign(&template, old.cert, ca.PublicKey, old.key)
}

// Import makes a CA that somebody else made that of this site. certs is its certificate
// in PEM, followed by those that issued it, up to the one that devices trust; key is its
// private key. Devices that trust the CA so far go on, unless dropOld.
func Import(cfg Config, certs, key []byte, dropOld bool) (CA, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return CA{}, err
	}
	fresh, err := readImport(certs, key)
	if err != nil {
		return CA{}, fmt.Errorf("lanca: this CA cannot be imported: %w", err)
	}
	is, err := newIssuer(fresh, cfg.Now())
	if err != nil {
		return CA{}, fmt.Errorf("lanca: this CA cannot be imported: %w", err)
	}
	for _, cert := range append([]*x509.Certificate{fresh.cert}, is.chain...) {
		if now := cfg.Now(); now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
			return CA{}, fmt.Errorf("lanca: this CA cannot be imported: %q is valid from %s to %s, and this machine's clock says %s", cert.Subject.CommonName,
				cert.NotBefore.Format(time.DateOnly), cert.NotAfter.Format(time.DateOnly), now.Format(time.DateOnly))
		}
	}
	if err := makeDir(cfg.Dir, cfg.Logger); err != nil {
		return CA{}, err
	}
	old, _, err := load(cfg)
	switch {
	case errors.Is(err, ErrNoCA):
		return succeed(nil, fresh, true, cfg)
	case err != nil && !dropOld:
		return CA{}, fmt.Errorf("%w; or leave it behind with --drop-old", err)
	}
	return succeed(old, fresh, dropOld, cfg)
}

func readImport(certs, key []byte) (*pair, error) {
	if len(certs) > maxFileBytes || len(key) > maxFileBytes {
		return nil, fmt.Errorf("a file is longer than %d bytes", maxFileBytes)
	}
	chain, _, err := cutCertificates(certs)
	if err != nil {
		return nil, err
	}
	if len(chain) == 0 {
		return nil, errors.New("the certificate's file holds no certificate in PEM form")
	}
	block, rest := pem.Decode(key)
	for block != nil && block.Type == "EC PARAMETERS" {
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, errors.New("the key's file holds no private key in PEM form; a CA without its key cannot sign. To serve a certificate as it is, set tls.cert and tls.key")
	}
	if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
		return nil, errors.New("the private key is encrypted; decrypt it first, for example with: openssl pkey -in KEY -out PLAIN")
	}
	p := &pair{cert: chain[0], further: chain[1:]}
	if p.key, err = parseKey(block); err != nil {
		return nil, err
	}
	if !belongs(p.key, p.cert) {
		return nil, errors.New("the private key does not belong to the first certificate")
	}
	return p, nil
}

// Exists reports whether cfg.Dir holds a CA's file, usable or not.
func Exists(cfg Config) bool {
	_, err := os.Lstat(filepath.Join(cfg.Dir, caFile))
	return err == nil
}
