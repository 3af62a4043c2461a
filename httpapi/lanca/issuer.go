package lanca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

// issuer is a CA that can sign, as it was read from its file. It never changes.
type issuer struct {
	pair
	anchor  *x509.Certificate   // what devices install
	chain   []*x509.Certificate // sent after the leaf
	earlier []*x509.Certificate // what devices that were set up before may still trust
}

// CA is a certificate authority as people see it.
type CA struct {
	Anchor  *x509.Certificate   // what devices install
	Issuer  *x509.Certificate   // what signs the server's certificates; mostly the Anchor
	Earlier []*x509.Certificate // anchors of devices that were set up before, and go on
	Bridges int                 // certificates by which earlier CAs vouch for this one
	Limits  Limits              // of the Anchor
}

// SHA256 is the anchor's fingerprint.
func (c CA) SHA256() [sha256.Size]byte { return sha256.Sum256(c.Anchor.Raw) }

// PEM returns the anchor as most tools want it.
func (c CA) PEM() []byte { return encodeCert(c.Anchor) }

func (is *issuer) describe() CA {
	bridges := 0
	for _, cert := range is.chain {
		if isBridge(is.cert, cert) {
			bridges++
		}
	}
	return CA{Anchor: is.anchor, Issuer: is.cert, Earlier: slices.Clone(is.earlier), Bridges: bridges, Limits: LimitsOf(is.anchor)}
}

// isBridge reports whether cert is how another CA vouches for the key of ca.
func isBridge(ca, cert *x509.Certificate) bool {
	return bytes.Equal(ca.RawSubjectPublicKeyInfo, cert.RawSubjectPublicKeyInfo) && !selfSigned(cert) && !ca.Equal(cert)
}

// newIssuer sorts what a CA's file holds. The error says what is wrong with the file.
func newIssuer(p *pair, now time.Time) (*issuer, error) {
	if err := canSign(p); err != nil {
		return nil, err
	}
	is := &issuer{pair: *p, anchor: p.cert}
	var path []*x509.Certificate
	for !selfSigned(is.anchor) && len(path) <= len(p.further) {
		path = append(path, is.anchor)
		i := slices.IndexFunc(p.further, func(c *x509.Certificate) bool { return signedBy(is.anchor, c) })
		if i < 0 {
			return nil, fmt.Errorf("its certificate was issued by %q, which is missing; append that CA's certificate, up to the one that devices trust", is.anchor.Issuer.CommonName)
		}
		is.anchor = p.further[i]
	}
	is.chain = path
	for _, cert := range p.further {
		switch {
		case now.After(cert.NotAfter) || cert.Equal(is.anchor) || slices.ContainsFunc(path, cert.Equal):
		case selfSigned(cert):
			is.earlier = append(is.earlier, cert)
		default:
			is.chain = append(is.chain, cert)
		}
	}
	// The anchor goes along, so that a client who knows only its fingerprint can check the
	// server by the handshake alone.
	is.chain = append(is.chain, is.anchor)
	return is, nil
}

// canSign returns what keeps p from being a CA that browsers accept.
func canSign(p *pair) error {
	const fewestBits = 2048
	cert := p.cert
	switch key := p.key.(type) {
	case *ecdsa.PrivateKey:
	case *rsa.PrivateKey:
		if key.N.BitLen() < fewestBits {
			return fmt.Errorf("its RSA key has %d bits, and browsers want at least %d", key.N.BitLen(), fewestBits)
		}
	default:
		return fmt.Errorf("its key is of a kind (%s) that browsers do not accept; use ECDSA or RSA", cert.PublicKeyAlgorithm)
	}
	switch {
	case !cert.IsCA || !cert.BasicConstraintsValid:
		return errors.New("it holds a certificate that is no CA's")
	case cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return errors.New("its certificate may not sign others: its key usage lacks keyCertSign")
	case len(cert.ExtKeyUsage) > 0 && !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageServerAuth) && !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny):
		return errors.New("its certificate may not vouch for servers: its extended key usage lacks serverAuth")
	}
	return nil
}

func selfSigned(cert *x509.Certificate) bool { return signedBy(cert, cert) }

func signedBy(cert, parent *x509.Certificate) bool {
	return bytes.Equal(cert.RawIssuer, parent.RawSubject) && cert.CheckSignatureFrom(parent) == nil
}

// binding are all certificates whose name constraints a leaf must keep to, so that no
// device that trusts any of the anchors refuses it.
func (is *issuer) binding() []*x509.Certificate {
	return append(append([]*x509.Certificate{is.cert}, is.chain...), is.earlier...)
}

// reaches returns nil if a device that trusts only anchor accepts the leaves of is.
func (is *issuer) reaches(anchor *x509.Certificate, now time.Time) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	san, _ := filterSAN(is.binding(), nil, nil)
	leaf, err := issueLeaf("", &is.pair, key, san, now)
	if err != nil {
		return err
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(anchor)
	for _, cert := range is.chain {
		between.AddCert(cert)
	}
	_, err = leaf.cert.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now})
	return err
}

// Limits say whom a CA may vouch for (name constraints, RFC 5280 section 4.2.1.10).
type Limits struct {
	Names    []string // permitted domains with what is below them; empty: any name
	Networks []string // permitted networks; empty: any address
	// Local is true if names are limited to Names, and addresses to those that are not
	// routed on the internet.
	Local bool
}

// LimitsOf returns whom cert may vouch for.
func LimitsOf(cert *x509.Certificate) Limits {
	l := Limits{Names: slices.Clone(cert.PermittedDNSDomains)}
	local := &x509.Certificate{}
	constrain(local, "")
	l.Local = len(cert.PermittedDNSDomains) > 0 && len(cert.PermittedIPRanges) > 0
	for _, n := range cert.PermittedIPRanges {
		l.Networks = append(l.Networks, n.String())
		l.Local = l.Local && slices.ContainsFunc(local.PermittedIPRanges, func(p *net.IPNet) bool { return contains(p, n) })
	}
	return l
}

// contains reports whether every address of inner is in outer.
func contains(outer, inner *net.IPNet) bool {
	outerOnes, outerBits := outer.Mask.Size()
	innerOnes, innerBits := inner.Mask.Size()
	return outerBits == innerBits && innerOnes >= outerOnes && outer.Contains(inner.IP)
}

func (is *issuer) same(other *issuer) bool {
	return is.cert.Equal(other.cert) && slices.EqualFunc(is.further, other.further, (*x509.Certificate).Equal)
}
