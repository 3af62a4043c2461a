package lanca

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// accepts reports what a device that trusts only anchor says to what a sends in a
// handshake.
func accepts(t *testing.T, a *Authority, anchor *x509.Certificate, host string, now time.Time) error {
	t.Helper()
	served, err := a.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(anchor)
	for _, der := range served.Certificate[1:] {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		between.AddCert(cert)
	}
	_, err = served.Leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: host, CurrentTime: now})
	return err
}

func no() *bool  { return new(bool) }
func yes() *bool { b := true; return &b }

// Every renewal must leave each device that was set up before without a warning.
func TestRenewedCAKeepsOldDevices(t *testing.T) {
	for name, tt := range map[string]struct {
		first    Config
		renewals []Renewal
		want     []bool // does a device that trusts the n-th CA go on? The last is the new one
		names    string // covered in the end
		refused  string // not covered, for the sake of old devices
	}{
		"same key":                 {Config{}, []Renewal{{}}, []bool{true, true}, "phone.lan", ""},
		"same key, thrice":         {Config{}, []Renewal{{}, {}, {}}, []bool{true, true, true, true}, "phone.lan", ""},
		"new key":                  {Config{}, []Renewal{{NewKey: true}}, []bool{true, true}, "phone.lan", ""},
		"new key, thrice":          {Config{}, []Renewal{{NewKey: true}, {NewKey: true}, {NewKey: true}}, []bool{true, true, true, true}, "phone.lan", ""},
		"new key, then same":       {Config{}, []Renewal{{NewKey: true}, {}}, []bool{true, true, true}, "phone.lan", ""},
		"same key, then new":       {Config{}, []Renewal{{}, {NewKey: true}}, []bool{true, true, true}, "phone.lan", ""},
		"new key, dropped":         {Config{}, []Renewal{{NewKey: true, DropOld: true}}, []bool{false, true}, "phone.lan", ""},
		"constraints taken away":   {Config{}, []Renewal{{NameConstraints: no()}}, []bool{true, true}, "phone.lan", "phone.example.com"},
		"taken away, new key":      {Config{}, []Renewal{{NewKey: true, NameConstraints: no()}}, []bool{true, true}, "phone.lan", "phone.example.com"},
		"taken away, old dropped":  {Config{}, []Renewal{{NewKey: true, DropOld: true, NameConstraints: no()}}, []bool{false, true}, "phone.example.com", ""},
		"constraints made":         {Config{NoNameConstraints: true}, []Renewal{{NameConstraints: yes()}}, []bool{true, true}, "phone.lan", "phone.example.com"},
		"constraints stay, new":    {Config{}, []Renewal{{NewKey: true}}, []bool{true, true}, "phone.lan", "phone.example.com"},
		"unconstrained stays, new": {Config{NoNameConstraints: true}, []Renewal{{NewKey: true}}, []bool{true, true}, "phone.example.com", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				wall := newClock()
				cfg := tt.first
				cfg.Dir, cfg.Now = dir, wall.Now
				a := open(t, cfg)
				setNames(t, a, "phone.lan", "phone.example.com")
				key := leafOf(t, a).PublicKey.(*ecdsa.PublicKey)
				anchors := []*x509.Certificate{a.CA().Anchor}
				ctx, cancel := context.WithCancel(t.Context())
				defer func() { cancel(); synctest.Wait() }()
				go a.Run(ctx)
				for _, how := range tt.renewals {
					wall.set(wall.Now().AddDate(1, 0, 0))
					ca, err := Renew(Config{Dir: dir, Now: wall.Now}, how)
					if err != nil {
						t.Fatal(err)
					}
					anchors = append(anchors, ca.Anchor)
					time.Sleep(2 * checkEvery) // the bubble's time: the running server looks at the file
					if got := a.CA().Anchor; !got.Equal(ca.Anchor) {
						t.Fatalf("the running server has %s, want %s", got.Subject, ca.Anchor.Subject)
					}
				}
				for i, anchor := range anchors {
					if err := accepts(t, a, anchor, tt.names, wall.Now()); (err == nil) != tt.want[i] {
						t.Errorf("a device that trusts CA %d: %v, want accepted %v", i, err, tt.want[i])
					}
				}
				if tt.refused != "" && !slices.Contains(a.Refused(), tt.refused) {
					t.Errorf("%s is not among the refused %v", tt.refused, a.Refused())
				}
				if !leafOf(t, a).PublicKey.(*ecdsa.PublicKey).Equal(key) {
					t.Error("the leaf's key was not kept, and clients that pin it are lost")
				}
				again := open(t, Config{Dir: dir, Now: wall.Now})
				if err := accepts(t, again, anchors[len(anchors)-1], "localhost", wall.Now()); err != nil {
					t.Errorf("after a restart: %v", err)
				}
			})
		})
	}
}

func TestRenewedCALastsAnotherTenYears(t *testing.T) {
	wall := newClock()
	a := open(t, Config{Now: wall.Now})
	first := a.CA()
	wall.set(start().AddDate(9, 11, 0))
	ca, err := Renew(Config{Dir: a.cfg.Dir, Now: wall.Now}, Renewal{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := ca.Ends(), start().AddDate(19, 11, 0); !got.Equal(want) {
		t.Errorf("ends %v, want %v", got, want)
	}
	if ca.SHA256() == first.SHA256() || ca.Anchor.Subject.String() != first.Anchor.Subject.String() || len(ca.Earlier) != 1 {
		t.Errorf("got %v with %d earlier, was %v", ca.Anchor.Subject, len(ca.Earlier), first.Anchor.Subject)
	}
	// The old one ends: what was kept for it goes.
	wall.set(start().AddDate(12, 0, 0))
	if ca, err = Renew(Config{Dir: a.cfg.Dir, Now: wall.Now}, Renewal{NewKey: true}); err != nil || len(ca.Earlier) != 1 || ca.Bridges != 1 {
		t.Errorf("%d earlier, %d bridges (%v), want one each", len(ca.Earlier), ca.Bridges, err)
	}
}

func TestExpiredCAIsRenewed(t *testing.T) {
	wall := newClock()
	a := open(t, Config{Now: wall.Now})
	wall.set(start().AddDate(11, 0, 0))
	if _, err := Renew(Config{Dir: a.cfg.Dir, Now: wall.Now}, Renewal{}); err != nil {
		t.Fatal(err)
	}
	again := open(t, Config{Dir: a.cfg.Dir, Now: wall.Now})
	setNames(t, again, "phone.lan")
	if err := accepts(t, again, again.CA().Anchor, "phone.lan", wall.Now()); err != nil {
		t.Error(err)
	}
}

// A CA of an early version has no room for a bridge: its devices must not be cut off
// unawares.
func TestBridgeThatOldDevicesWouldRefuseIsRefused(t *testing.T) {
	cert, key := makeCA(t, nil, func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, true })
	cfg := Config{Dir: t.TempDir(), Now: start}
	if _, err := Import(cfg, cert, key, false); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(filepath.Join(cfg.Dir, caFile))
	if _, err := Renew(cfg, Renewal{NewKey: true}); err == nil || !strings.Contains(err.Error(), "devices that trust the old CA would refuse the new one") {
		t.Errorf("got %v", err)
	}
	if after, _ := os.ReadFile(filepath.Join(cfg.Dir, caFile)); string(after) != string(before) {
		t.Error("the file was changed all the same")
	}
	if _, err := Renew(cfg, Renewal{NewKey: true, DropOld: true}); err != nil {
		t.Error(err)
	}
}

// makeCA is somebody else's CA, in PEM. by, if given, issues it.
func makeCA(t *testing.T, by *issued, change func(*x509.Certificate)) (cert, key []byte) {
	t.Helper()
	is := issueCA(t, by, change)
	der, err := x509.MarshalPKCS8PrivateKey(is.key)
	if err != nil {
		t.Fatal(err)
	}
	return encodeCert(is.cert), pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: der})
}

type issued struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func issueCA(t *testing.T, by *issued, change func(*x509.Certificate)) *issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Harbour CA"}, NotBefore: start().AddDate(-1, 0, 0), NotAfter: start().AddDate(9, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, MaxPathLen: -1,
	}
	if change != nil {
		change(template)
	}
	parent, signer := template, crypto.Signer(key)
	if by != nil {
		parent, signer = by.cert, by.key
	}
	cert, err := sign(template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return &issued{cert, key}
}

func TestImportedCASigns(t *testing.T) {
	root := issueCA(t, nil, func(c *x509.Certificate) { c.Subject.CommonName = "Harbour Root" })
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaCert, err := sign(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Old RSA CA"}, NotBefore: start(), NotAfter: start().AddDate(5, 0, 0), IsCA: true, BasicConstraintsValid: true,
	}, &x509.Certificate{Subject: pkix.Name{CommonName: "Old RSA CA"}}, rsaKey.Public(), rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	ecCert, ecKey := makeCA(t, nil, nil)
	subCert, subKey := makeCA(t, root, nil)
	for name, tt := range map[string]struct {
		certs, key []byte
		anchor     string
	}{
		"ECDSA":        {ecCert, ecKey, "Harbour CA"},
		"RSA, PKCS #1": {encodeCert(rsaCert), pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)}), "Old RSA CA"},
		"intermediate": {append(slices.Clone(subCert), encodeCert(root.cert)...), subKey, "Harbour Root"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, there := range []string{"nothing", "our CA"} {
				dir := filepath.Join(t.TempDir(), "tls")
				cfg := Config{Dir: dir, Now: start}
				var old *x509.Certificate
				if there == "our CA" {
					old = open(t, cfg).CA().Anchor
				}
				ca, err := Import(cfg, tt.certs, tt.key, false)
				if err != nil {
					t.Fatal(err)
				}
				if ca.Anchor.Subject.CommonName != tt.anchor || ca.Limits.Local {
					t.Errorf("devices install %s, local %v", ca.Anchor.Subject, ca.Limits.Local)
				}
				a := open(t, cfg)
				setNames(t, a, "phone.lan")
				for _, anchor := range []*x509.Certificate{ca.Anchor, old} {
					if anchor != nil {
						if err := accepts(t, a, anchor, "phone.lan", start()); err != nil {
							t.Errorf("over %s, a device that trusts %s: %v", there, anchor.Subject, err)
						}
					}
				}
			}
		})
	}
}

func TestImportRefuses(t *testing.T) {
	cert, key := makeCA(t, nil, nil)
	_, otherKey := makeCA(t, nil, nil)
	leafCert, leafKey := makeCA(t, nil, func(c *x509.Certificate) { c.IsCA, c.KeyUsage, c.MaxPathLen = false, x509.KeyUsageDigitalSignature, 0 })
	noSignCert, noSignKey := makeCA(t, nil, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })
	oldCert, oldKey := makeCA(t, nil, func(c *x509.Certificate) { c.NotAfter = start().AddDate(0, 0, -1) })
	mailCert, mailKey := makeCA(t, nil, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} })
	subCert, subKey := makeCA(t, issueCA(t, nil, func(c *x509.Certificate) { c.Subject.CommonName = "Harbour Root" }), nil)
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edTemplate := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Ed"}, NotBefore: start(), NotAfter: start().AddDate(5, 0, 0), IsCA: true, BasicConstraintsValid: true}
	edCert, err := sign(edTemplate, edTemplate, edPublic, edKey)
	if err != nil {
		t.Fatal(err)
	}
	edDER, err := x509.MarshalPKCS8PrivateKey(edKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		cert, key []byte
		want      string
	}{
		"no certificate":    {nil, key, "holds no certificate"},
		"without its key":   {cert, cert, "its private key cannot be read"},
		"empty key":         {cert, nil, "a CA without its key cannot sign"},
		"another's key":     {cert, otherKey, "does not belong to the first certificate"},
		"encrypted key":     {cert, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"), "openssl pkey"},
		"a server's":        {leafCert, leafKey, "no CA's"},
		"may not sign":      {noSignCert, noSignKey, "lacks keyCertSign"},
		"only for mail":     {mailCert, mailKey, "lacks serverAuth"},
		"expired":           {oldCert, oldKey, "2026-06-30, and this machine's clock says 2026-07-01"},
		"root is missing":   {subCert, subKey, `issued by "Harbour Root", which is missing`},
		"unusual algorithm": {encodeCert(edCert), pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: edDER}), "browsers do not accept"},
		"huge":              {make([]byte, maxFileBytes+1), key, "longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Config{Dir: t.TempDir(), Now: start}
			if _, err := Import(cfg, tt.cert, tt.key, false); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if Exists(cfg) {
				t.Error("it was saved all the same")
			}
		})
	}
}

// A restored machine is the same server to every device, also to those that pin the leaf.
func TestRestoreOnAFreshMachine(t *testing.T) {
	first := open(t, Config{})
	setNames(t, first, "phone.lan")
	anchor := first.CA().Anchor
	if _, err := Renew(Config{Dir: first.cfg.Dir, Now: start}, Renewal{NewKey: true}); err != nil {
		t.Fatal(err)
	}
	backup, err := Backup(Config{Dir: first.cfg.Dir, Now: start})
	if err != nil {
		t.Fatal(err)
	}
	fresh := Config{Dir: filepath.Join(t.TempDir(), "data", "tls"), Now: start}
	ca, kept, err := Restore(fresh, backup, false)
	if err != nil || len(kept) != 0 {
		t.Fatal(kept, err)
	}
	a := open(t, fresh)
	setNames(t, a, "phone.lan")
	for _, trusted := range []*x509.Certificate{anchor, ca.Anchor} {
		if err := accepts(t, a, trusted, "phone.lan", start()); err != nil {
			t.Errorf("a device that trusts %s: %v", trusted.Subject, err)
		}
	}
	if !leafOf(t, a).PublicKey.(*ecdsa.PublicKey).Equal(leafOf(t, first).PublicKey) {
		t.Error("the leaf's key is another one")
	}
	for _, name := range []string{caFile, leafFile} {
		if info, err := os.Stat(filepath.Join(fresh.Dir, name)); err != nil || info.Mode().Perm() != modeFile {
			t.Errorf("%s: mode %v (%v)", name, info.Mode(), err)
		}
	}
	if _, _, err := Restore(fresh, backup, false); err != nil {
		t.Errorf("the same again: %v", err)
	}
}

func TestRestoreNeverLosesAnotherCA(t *testing.T) {
	backup, err := Backup(Config{Dir: open(t, Config{}).cfg.Dir, Now: start})
	if err != nil {
		t.Fatal(err)
	}
	other := open(t, Config{})
	text, err := os.ReadFile(filepath.Join(other.cfg.Dir, caFile))
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Dir: other.cfg.Dir, Now: start}
	if _, _, err := Restore(cfg, backup, false); !errors.Is(err, ErrOtherCA) {
		t.Errorf("got %v", err)
	}
	_, kept, err := Restore(cfg, backup, true)
	if err != nil || len(kept) != 2 {
		t.Fatal(kept, err)
	}
	if got, err := os.ReadFile(kept[0]); err != nil || string(got) != string(text) {
		t.Errorf("the other CA is not in %s (%v)", kept[0], err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"empty":    func([]byte) []byte { return nil },
		"cut":      func(b []byte) []byte { return b[:len(b)-200] },
		"no CA":    func([]byte) []byte { return []byte("hello") },
		"too long": func([]byte) []byte { return make([]byte, maxFileBytes+1) },
	} {
		dir := t.TempDir()
		if _, _, err := Restore(Config{Dir: dir, Now: start}, damage(slices.Clone(backup)), false); err == nil || Exists(Config{Dir: dir}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnusableCAOnTheDiskDoesNotStopTheServer(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		a := open(t, Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		ctx, cancel := context.WithCancel(t.Context())
		go a.Run(ctx)
		synctest.Wait()
		before := a.Fingerprint()
		if err := os.WriteFile(filepath.Join(dir, caFile), []byte("half of a file that is being copied"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * checkEvery) // the bubble's time
		cancel()
		synctest.Wait()
		if a.Fingerprint() != before || accepts(t, a, a.CA().Anchor, "localhost", start()) != nil {
			t.Error("the server took over a damaged file")
		}
		if got := strings.Count(log.String(), "the CA on the disk has changed and is not usable"); got != 1 {
			t.Errorf("said %d times:\n%s", got, log.String())
		}
	})
}
