package desktop

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"
)

const (
	askTimeout     = 10 * time.Second
	maxAnswerBytes = 64 << 10
)

// Presented is the certificate chain that a site showed in a handshake, not yet trusted.
type Presented struct {
	target Target
	now    time.Time
	chain  []*x509.Certificate
}

// Ask connects to the site and returns its certificates. Nothing is sent to it that depends
// on trust.
func Ask(ctx context.Context, target Target, now time.Time) (*Presented, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", target.Site())
	if err != nil {
		return nil, fmt.Errorf("%s is out of reach: %w; check that this computer is on the server's network and that the server runs", target.Site(), err)
	}
	client := tls.Client(conn, &tls.Config{
		ServerName:         target.URL.Hostname(),
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // the chain is checked by whoever gets it
	})
	defer client.Close()
	if err := client.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("%s is there, but does not speak HTTPS: %w; use the https address that the server shows", target.Site(), err)
	}
	return &Presented{target: target, now: now, chain: client.ConnectionState().PeerCertificates}, nil
}

// Anchor returns the CA that the site shows and that vouches for this server: the one with
// the fingerprint, if there is one to compare.
func (p *Presented) Anchor(want *Fingerprint) (*x509.Certificate, error) {
	candidates := slices.DeleteFunc(slices.Clone(p.chain[1:]), func(c *x509.Certificate) bool { return !c.IsCA })
	// A CA that vouches for itself is the one that people were told of.
	slices.SortStableFunc(candidates, func(a, b *x509.Certificate) int { return rank(a) - rank(b) })
	if len(candidates) == 0 {
		return nil, fmt.Errorf("%s shows no CA of its own, so there is nothing to compare; it is no Fieldphone server, or its certificate comes from a CA that this computer does not know", p.target.Site())
	}
	if want != nil {
		shown := FingerprintOf(candidates[0])
		candidates = slices.DeleteFunc(candidates, func(c *x509.Certificate) bool { return FingerprintOf(c) != *want })
		if len(candidates) == 0 {
			return nil, fmt.Errorf("%w: %s has the CA\n  %s\nand not\n  %s\nThis is another server, or somebody is in between: do not go on before you know why", ErrOtherCA, p.target.Site(), shown, *want)
		}
	}
	var first error
	for _, ca := range candidates {
		err := p.Verify(ca)
		if err == nil {
			return ca, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

func rank(c *x509.Certificate) int {
	if c.CheckSignatureFrom(c) == nil {
		return 0
	}
	return 1
}

// ErrOtherCA is a site whose CA is not the expected one.
var ErrOtherCA = errors.New("another CA than expected")

// Verify checks that ca vouches for the server, for the very name or address asked for, now.
func (p *Presented) Verify(ca *x509.Certificate) error {
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	return p.verify(roots)
}

// TrustedHere reports whether this computer trusts the site without our doing.
func (p *Presented) TrustedHere() bool { return p.verify(nil) == nil }

func (p *Presented) verify(roots *x509.CertPool) error {
	between := x509.NewCertPool()
	for _, c := range p.chain[1:] {
		between.AddCert(c)
	}
	_, err := p.chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: p.now, DNSName: p.target.URL.Hostname(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &name):
		return fmt.Errorf("the server's certificate is not for %s: %w; open it by an address that the server shows", p.target.URL.Hostname(), err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("the server's certificate is not valid at %s, this computer's time: %w; set the clock that is wrong", p.now.Format(time.DateTime), err)
	}
	return fmt.Errorf("the site's CA does not vouch for this server: %w", err)
}

// FingerprintOf returns the fingerprint of a certificate.
func FingerprintOf(c *x509.Certificate) Fingerprint { return sha256.Sum256(c.Raw) }

// LeafPin returns the SHA-256 of the server's public key in base64, as browsers take it. The
// caller has verified the chain.
func (p *Presented) LeafPin() string {
	sum := sha256.Sum256(p.chain[0].RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// CheckServer asks the site whether it is a Fieldphone server, trusting ca alone, or what
// this computer trusts if ca is nil.
func (p *Presented) CheckServer(ctx context.Context, ca *x509.Certificate) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	config := &tls.Config{MinVersion: tls.VersionTLS12, Time: func() time.Time { return p.now }}
	if ca != nil {
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AddCert(ca)
	}
	transport := &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+p.target.Site()+"/api/v1/site", http.NoBody)
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("%s does not answer: %w; try again, and look at the server's log", p.target.Site(), err)
	}
	defer response.Body.Close()
	var site struct {
		Policy string `json:"policy"`
		Guests *bool  `json:"guests"`
	}
	err = json.NewDecoder(io.LimitReader(response.Body, maxAnswerBytes)).Decode(&site)
	if response.StatusCode != http.StatusOK || err != nil || site.Policy == "" || site.Guests == nil {
		return fmt.Errorf("%s is no Fieldphone server: it answers %s to a question that each of them knows; use the address that the server shows", p.target.Site(), response.Status)
	}
	return nil
}
