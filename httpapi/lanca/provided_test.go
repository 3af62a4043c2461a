package lanca

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// writeCert puts a certificate and its key into dir as another tool would.
func writeCert(t *testing.T, dir, name string, change func(*x509.Certificate)) ProvidedConfig {
	t.Helper()
	key, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: start().AddDate(0, -1, 0), NotAfter: start().AddDate(0, 2, 0),
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(10, 1, 2, 3)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(template)
	}
	cert, err := sign(template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cfg := ProvidedConfig{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"), Now: start}
	for file, text := range map[string][]byte{cfg.CertFile: encodeCert(cert), cfg.KeyFile: pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: der})} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cfg
}

func TestProvidedCertificateFollowsItsFiles(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		cfg := writeCert(t, dir, "first.example.org", nil)
		cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		p, err := OpenProvided(cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go p.Run(ctx)
		if _, err := p.SetNames([]netip.Addr{netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("10.1.2.4"), netip.IPv6Loopback()}, []string{"localhost", "first.example.org", "phone.lan"}); err != nil {
			t.Fatal(err)
		}
		if got := p.Refused(); !slices.Equal(got, []string{"10.1.2.4", "phone.lan"}) {
			t.Errorf("refused %q", got)
		}
		if err := os.Remove(cfg.KeyFile); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * checkEvery) // the bubble's time
		synctest.Wait()
		if got := p.Names(); !slices.Contains(got, "first.example.org") || !strings.Contains(log.String(), "the ones read before go on") {
			t.Errorf("while the files are replaced it serves %q:\n%s", got, log.String())
		}
		writeCert(t, dir, "second.example.org", nil)
		time.Sleep(2 * checkEvery)
		cancel()
		synctest.Wait()
		served, err := p.GetCertificate(nil)
		if err != nil || served.Leaf.VerifyHostname("second.example.org") != nil {
			t.Errorf("it serves %q (%v), want the new one", p.Names(), err)
		}
	})
}

func TestProvidedCertificateRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*x509.Certificate)
		damage func(t *testing.T, cfg ProvidedConfig)
		want   string
	}{
		"no key": {nil, func(t *testing.T, cfg ProvidedConfig) { remove(t, cfg.KeyFile) }, "tls.cert and tls.key cannot be used"},
		"other's key": {nil, func(t *testing.T, cfg ProvidedConfig) {
			other := writeCert(t, t.TempDir(), "x.lan", nil)
			move(t, other.KeyFile, cfg.KeyFile)
		}, "does not match"},
		"names nobody": {func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, nil }, nil, "names no host"},
		"a client's":   {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, nil, "lacks serverAuth"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := writeCert(t, t.TempDir(), "phone.lan", tt.change)
			if tt.damage != nil {
				tt.damage(t, cfg)
			}
			if _, err := OpenProvided(cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}
