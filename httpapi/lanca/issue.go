package lanca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

const (
	caYears = 10
	// Clients accept at most 398 days from public CAs, and some from any. The validity
	// includes its last second (RFC 5280 section 4.1.2.5).
	leafLife = 397*24*time.Hour - time.Second
	// Offline sites have wrong clocks.
	backdate = 48 * time.Hour
)

// earliest is when this code was written. A board without a battery starts in 1970: a CA
// of that day would have ended before the first device saw it.
func earliest() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// pair is a certificate with its key.
type pair struct {
	key    *ecdsa.PrivateKey
	cert   *x509.Certificate
	served *tls.Certificate // set by serve
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("lanca: make a key: %w", err)
	}
	return key, nil
}

// newSerial follows RFC 5280 section 4.1.2.2: positive, at most 20 octets, unique.
func newSerial() (*big.Int, error) {
	const bits = 127
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), bits))
	if err != nil {
		return nil, fmt.Errorf("lanca: make a serial number: %w", err)
	}
	return n.Add(n, big.NewInt(1)), nil
}

func newCA(cfg Config) (*pair, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	now := cfg.Now().UTC()
	if now.Before(earliest()) {
		now = earliest()
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("lanca: encode the CA's key: %w", err)
	}
	id := sha256.Sum256(public)
	template := &x509.Certificate{
		SerialNumber: serial,
		// Clients tell issuers apart by name: two sites on one phone must differ.
		Subject:               pkix.Name{CommonName: fmt.Sprintf("%s CA %X", cfg.SiteName, id[:4])},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.AddDate(caYears, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	if !cfg.NoNameConstraints {
		constrain(template, cfg.HostName)
	}
	return sign(template, template, key, key)
}

// validity returns when a leaf issued now begins and ends. It stays inside the CA's own.
func validity(ca *x509.Certificate, now time.Time) (notBefore, notAfter time.Time) {
	notBefore = now.UTC().Add(-backdate).Truncate(time.Second)
	if notBefore.Before(ca.NotBefore) {
		notBefore = ca.NotBefore
	}
	notAfter = notBefore.Add(leafLife)
	if notAfter.After(ca.NotAfter) {
		notAfter = ca.NotAfter
	}
	return notBefore, notAfter
}

func issueLeaf(siteName string, ca *pair, key *ecdsa.PrivateKey, san subjects, now time.Time) (*pair, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	notBefore, notAfter := validity(ca.cert, now)
	if !now.Before(notAfter) {
		return nil, fmt.Errorf("lanca: the CA ended on %s and can issue nothing more; set the clock if it is wrong, or move the certificates' folder away to start a new CA",
			ca.cert.NotAfter.Format(time.DateOnly))
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: strings.TrimSpace(siteName + " server")},
		NotBefore:    notBefore,
		NotAfter:     notAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		// Says that this is no CA: some clients ask for the extension.
		BasicConstraintsValid: true,
		DNSNames:              san.names,
		IPAddresses:           san.netIPs(),
	}
	return sign(template, ca.cert, key, ca.key)
}

func sign(template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) (*pair, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, fmt.Errorf("lanca: sign the certificate of %s: %w", template.Subject.CommonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.Join(errors.New("lanca: a certificate just signed cannot be read"), err)
	}
	return &pair{key: key, cert: cert}, nil
}

// serve makes p ready for handshakes. The CA goes along, so that a client who knows only
// its fingerprint can check the server by the handshake alone.
func (p *pair) serve(ca *x509.Certificate) *pair {
	p.served = &tls.Certificate{Certificate: [][]byte{p.cert.Raw, ca.Raw}, PrivateKey: p.key, Leaf: p.cert}
	return p
}
