package lanca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

// clock is a wall clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: start()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

func open(t *testing.T, cfg Config) *Authority {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = filepath.Join(t.TempDir(), "data", "tls")
	}
	if cfg.Now == nil {
		cfg.Now = newClock().Now
	}
	a, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func setNames(t *testing.T, a *Authority, names ...string) bool {
	t.Helper()
	changed, err := a.SetNames(nil, names)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func leafOf(t *testing.T, a *Authority) *x509.Certificate {
	t.Helper()
	served, err := a.GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	return served.Leaf
}

// verify checks cert as a client does that trusts only the CA and came by host.
func verify(a *Authority, cert *x509.Certificate, host string, now time.Time) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.CACertPEM())
	_, err := cert.Verify(x509.VerifyOptions{
		Roots: roots, DNSName: host, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err
}

func TestLeafVerifiesForEveryNameAndAddress(t *testing.T) {
	a := open(t, Config{HostName: "Depot"})
	addrs := []netip.Addr{
		netip.MustParseAddr("192.168.1.10"), netip.MustParseAddr("10.9.8.7"), netip.MustParseAddr("172.31.0.1"),
		netip.MustParseAddr("::ffff:100.64.0.9"), netip.MustParseAddr("169.254.3.4"),
		netip.MustParseAddr("fd12::1"), netip.MustParseAddr("fe80::1%eth0"),
	}
	changed, err := a.SetNames(addrs, []string{"fieldphone.local", "Phone.LAN.", "a.home.arpa", "b.internal", "depot", "192.168.7.7"})
	if err != nil || !changed {
		t.Fatalf("SetNames returned %v, %v; want a change", changed, err)
	}
	if got := a.Refused(); len(got) != 0 {
		t.Errorf("refused %q", got)
	}
	leaf := leafOf(t, a)
	for _, host := range []string{
		"192.168.1.10", "10.9.8.7", "172.31.0.1", "100.64.0.9", "169.254.3.4", "fd12::1", "fe80::1", "192.168.7.7",
		"127.0.0.1", "::1", "localhost", "fieldphone.local", "phone.lan", "a.home.arpa", "b.internal", "depot",
	} {
		if err := verify(a, leaf, host, start()); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, host := range []string{"192.168.1.11", "other.local", "example.com"} {
		if err := verify(a, leaf, host, start()); err == nil {
			t.Errorf("%s: the leaf is accepted for a name it was not given", host)
		}
	}
}

func TestForeignNamesAreLeftOutAndTheLeafLives(t *testing.T) {
	var log bytes.Buffer
	a := open(t, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	_, err := a.SetNames(
		[]netip.Addr{netip.MustParseAddr("192.168.1.10"), netip.MustParseAddr("203.0.113.5"), netip.MustParseAddr("2001:db8::1"), {}},
		[]string{"phone.lan", "example.com", "notlocal", "evil-local", "two words.lan", "*.lan", ""},
	)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"", "*.lan", "2001:db8::1", "203.0.113.5", "evil-local", "example.com", "invalid IP", "notlocal", "two words.lan"}
	if got := a.Refused(); !slices.Equal(got, want) {
		t.Errorf("refused %q, want %q", got, want)
	}
	if !strings.Contains(log.String(), "203.0.113.5") {
		t.Errorf("the log does not name what was left out:\n%s", log.String())
	}
	for _, host := range []string{"192.168.1.10", "phone.lan"} {
		if err := verify(a, leafOf(t, a), host, start()); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// The filter and the constraints must agree: a leaf with one foreign name is refused as a
// whole, for its good names too.
func TestOneForeignNameKillsALeaf(t *testing.T) {
	a := open(t, Config{})
	for what, foreign := range map[string]subjects{
		"name":    {names: []string{"example.com", "phone.lan"}},
		"address": {names: []string{"phone.lan"}, addrs: []netip.Addr{netip.MustParseAddr("203.0.113.5")}},
		"IPv6":    {names: []string{"phone.lan"}, addrs: []netip.Addr{netip.MustParseAddr("2001:db8::1")}},
	} {
		leaf, err := issueLeaf("x", &a.ca.Load().pair, a.leaf.Load().key, foreign, start())
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(a, leaf.cert, "phone.lan", start()); err == nil {
			t.Errorf("a leaf with a foreign %s is accepted: the CA is not constrained", what)
		}
	}
}

func TestWithoutNameConstraints(t *testing.T) {
	a := open(t, Config{NoNameConstraints: true})
	setNames(t, a, "phone.example.com", "203.0.113.5")
	if got := a.Refused(); len(got) != 0 {
		t.Errorf("refused %q", got)
	}
	for _, host := range []string{"phone.example.com", "203.0.113.5"} {
		if err := verify(a, leafOf(t, a), host, start()); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestCertificatesAreWhatClientsAskFor(t *testing.T) {
	a := open(t, Config{SiteName: "Depot 7"})
	ca, leaf := a.ca.Load().cert, leafOf(t, a)
	if !ca.IsCA || ca.MaxPathLen != maxBridges || !ca.PermittedDNSDomainsCritical {
		t.Errorf("CA: IsCA %v, path length %d, critical constraints %v; want true, 3, true", ca.IsCA, ca.MaxPathLen, ca.PermittedDNSDomainsCritical)
	}
	if got, want := ca.NotBefore, start().Add(-48*time.Hour); !got.Equal(want) {
		t.Errorf("CA begins %v, want %v", got, want)
	}
	if got, want := ca.NotAfter, start().AddDate(10, 0, 0); !got.Equal(want) {
		t.Errorf("CA ends %v, want %v", got, want)
	}
	if !strings.HasPrefix(ca.Subject.CommonName, "Depot 7 CA ") {
		t.Errorf("CA is called %q", ca.Subject.CommonName)
	}
	if life := leaf.NotAfter.Sub(leaf.NotBefore) + time.Second; life > 397*24*time.Hour || life < 396*24*time.Hour {
		t.Errorf("leaf lives %v, want 397 days", life)
	}
	if leaf.NotBefore.Before(ca.NotBefore) {
		t.Errorf("leaf begins %v, before the CA at %v", leaf.NotBefore, ca.NotBefore)
	}
	if !slices.Equal(leaf.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) || leaf.IsCA {
		t.Errorf("leaf has key usages %v and IsCA %v", leaf.ExtKeyUsage, leaf.IsCA)
	}
	if other := open(t, Config{SiteName: "Depot 7"}); other.ca.Load().cert.Subject.CommonName == ca.Subject.CommonName {
		t.Error("two CAs have the same name")
	}
}

func TestFingerprintIsThatOfTheInstalledFile(t *testing.T) {
	a := open(t, Config{})
	block, _ := pem.Decode(a.CACertPEM())
	if block == nil || !bytes.Equal(block.Bytes, a.CACertDER()) {
		t.Fatal("CACertPEM and CACertDER differ")
	}
	parts := strings.Split(a.Fingerprint(), ":")
	if len(parts) != 32 || len(parts[0]) != 2 || a.Fingerprint() != strings.ToUpper(a.Fingerprint()) {
		t.Errorf("fingerprint is %q", a.Fingerprint())
	}
}

func TestReopenedIsTheSame(t *testing.T) {
	dir := t.TempDir()
	first := open(t, Config{Dir: dir})
	setNames(t, first, "phone.lan")
	again := open(t, Config{Dir: dir})
	if again.Fingerprint() != first.Fingerprint() {
		t.Error("the CA is another one")
	}
	if !leafOf(t, again).Equal(leafOf(t, first)) {
		t.Error("the leaf is another one")
	}
	if setNames(t, again, "phone.lan") {
		t.Error("the same names issued another leaf")
	}
}

// dial makes a handshake as a client that trusts only the CA.
func dial(t *testing.T, a *Authority, addr, host string, protocols ...string) (tls.ConnectionState, error) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.CACertPEM())
	conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: roots, ServerName: host, Time: start, NextProtos: protocols})
	if err != nil {
		return tls.ConnectionState{}, err
	}
	return conn.ConnectionState(), conn.Close()
}

func TestReissueIsSeenByTheNextHandshake(t *testing.T) {
	a := open(t, Config{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	defer served.Wait()
	defer listener.Close()
	served.Go(func() {
		secure := tls.NewListener(listener, a.TLSConfig())
		for {
			conn, err := secure.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				// The handshake may fail: that is the client's to report.
				_, _ = io.Copy(io.Discard, conn)
				conn.Close()
			})
		}
	})
	addr := listener.Addr().String()

	before, err := dial(t, a, addr, "127.0.0.1", "h2", "http/1.1")
	if err != nil {
		t.Fatal(err)
	}
	if before.NegotiatedProtocol != "http/1.1" {
		t.Errorf("protocol is %q, want http/1.1", before.NegotiatedProtocol)
	}
	if got := before.PeerCertificates; len(got) != 2 || !bytes.Equal(got[1].Raw, a.CACertDER()) {
		t.Errorf("the handshake shows %d certificates, want the leaf and the CA", len(got))
	}
	if _, err := dial(t, a, addr, "phone.lan"); err == nil {
		t.Fatal("phone.lan is accepted before it was given")
	}
	if !setNames(t, a, "phone.lan") {
		t.Fatal("a new name changed nothing")
	}
	after, err := dial(t, a, addr, "phone.lan", "stun.turn")
	if err != nil {
		t.Fatal(err)
	}
	old, renewed := before.PeerCertificates[0], after.PeerCertificates[0]
	if !old.PublicKey.(*ecdsa.PublicKey).Equal(renewed.PublicKey) {
		t.Error("the reissued leaf has another key")
	}
	if old.SerialNumber.Cmp(renewed.SerialNumber) == 0 {
		t.Error("the reissued leaf has the same serial number")
	}
}

// Ensure an address that goes while the server runs costs nobody the warning that they
// accepted, and that a restart forgets it.
func TestALeafThatCoversMoreIsKeptUntilARestart(t *testing.T) {
	dir := t.TempDir()
	a := open(t, Config{Dir: dir})
	if !setNames(t, a, "depot.lan", "tent.lan") {
		t.Fatal("no leaf for the first names")
	}
	before := leafOf(t, a)
	if setNames(t, a, "depot.lan") || !leafOf(t, a).Equal(before) {
		t.Error("a new leaf was issued for a name that went")
	}
	if !setNames(t, a, "depot.lan", "gate.lan") {
		t.Error("no new leaf for a name that came")
	}
	if names := a.Names(); slices.Contains(names, "tent.lan") || !slices.Contains(names, "gate.lan") {
		t.Errorf("the new leaf has %s", names)
	}
	again := open(t, Config{Dir: dir})
	if !setNames(t, again, "depot.lan") || slices.Contains(again.Names(), "gate.lan") {
		t.Errorf("after a restart the leaf has %s", again.Names())
	}
}
