package lanca

import (
	"crypto"
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
	// maxBridges is how often the CA's key can be changed before those who trust the
	// first one are left behind.
	maxBridges = 3
)

// earliest is when this code was written. A board without a battery starts in 1970: a CA
// of that day would have ended before the first device saw it.
func earliest() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// pair is a certificate with its key.
type pair struct {
	key     crypto.Signer
	cert    *x509.Certificate
	further []*x509.Certificate // a CA's: its chain, bridges, and earlier certificates
	served  *tls.Certificate    // a leaf's: set by serve
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
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("lanca: encode the CA's key: %w", err)
	}
	id := sha256.Sum256(public)
	// Clients tell issuers apart by name: two sites on one phone must differ.
	template, err := caTemplate(pkix.Name{CommonName: fmt.Sprintf("%s CA %X", cfg.SiteName, id[:4])}, cfg.Now())
	if err != nil {
		return nil, err
	}
	if !cfg.NoNameConstraints {
		constrain(template, cfg.HostName)
	}
	return signPair(template, template, key, key)
}

// caTemplate is a CA of ten years. Its path length leaves room for the bridges by which
// it vouches for those that come after it.
func caTemplate(subject pkix.Name, now time.Time) (*x509.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	now = now.UTC()
	if now.Before(earliest()) {
		now = earliest()
	}
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               subject,
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.AddDate(caYears, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLen:            maxBridges,
	}, nil
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

func issueLeaf(siteName string, ca *pair, key crypto.Signer, san subjects, now time.Time) (*pair, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	notBefore, notAfter := validity(ca.cert, now)
	if !now.Before(notAfter) {
		return nil, fmt.Errorf("lanca: the CA ended on %s and can issue nothing more; set the clock if it is wrong, or run: fieldphone ca renew",
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
	return signPair(template, ca.cert, key, ca.key)
}

func signPair(template, parent *x509.Certificate, key, signer crypto.Signer) (*pair, error) {
	cert, err := sign(template, parent, key.Public(), signer)
	return &pair{key: key, cert: cert}, err
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return nil, fmt.Errorf("lanca: sign the certificate of %s: %w", template.Subject.CommonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.Join(errors.New("lanca: a certificate just signed cannot be read"), err)
	}
	return cert, nil
}

// serve returns p ready for handshakes, followed by chain.
func (p *pair) serve(chain []*x509.Certificate) *pair {
	served := &tls.Certificate{Certificate: [][]byte{p.cert.Raw}, PrivateKey: p.key, Leaf: p.cert}
	for _, cert := range chain {
		served.Certificate = append(served.Certificate, cert.Raw)
	}
	return &pair{key: p.key, cert: p.cert, served: served}
}
