package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"fieldphone/httpapi/onboard"
)

// accepted polls until a device that trusts only pool opens the server, or not.
func (r *runner) accepted(pool *tls.Config, want bool) bool {
	r.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(r.url, "https://"), pool)
		if err == nil {
			conn.Close()
		}
		if (err == nil) == want {
			return true
		}
		tick := time.NewTimer(100 * time.Millisecond)
		<-tick.C
	}
	return false
}

// page reads the start page.
func (r *runner) page() string {
	r.t.Helper()
	resp, err := http.Get(r.start + "?lang=en")
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	var text strings.Builder
	if _, err := io.Copy(&text, resp.Body); err != nil {
		r.t.Fatal(err)
	}
	return text.String()
}

// Ensure a running server takes over a renewed CA: devices of the old one go on, those of
// the new one are accepted, and page and command line show the same new numbers.
func TestRunningServerTakesOverARenewedCA(t *testing.T) {
	r := startServer(t)
	before := r.tls
	numbers := regexp.MustCompile(`(\d{5} ){5}\d{5}`)
	old := numbers.FindString(r.stdout.String())
	if old == "" || !strings.Contains(r.page(), old) {
		t.Fatalf("the start page does not show the banner's numbers %q", old)
	}
	code, stdout, stderr := fieldphone(t, "", "ca", "renew", "--new-key", "--data", r.data)
	fresh := numbers.FindString(stdout)
	if code != 0 || fresh == "" || fresh == old || !strings.Contains(stdout, "Earlier    "+old) {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	_, pemText, _ := fieldphone(t, "", "ca", "export", "--data", r.data)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(pemText)) {
		t.Fatalf("export gives %q", pemText)
	}
	if !r.accepted(&tls.Config{RootCAs: pool}, true) {
		t.Error("the server did not take the new CA over")
	}
	if !r.accepted(before, true) {
		t.Error("a device that trusts the old CA is refused")
	}
	if !strings.Contains(r.page(), fresh) {
		t.Error("the start page does not show the new numbers")
	}
	if code, _, stderr := fieldphone(t, "", "ca", "renew", "--new-key", "--drop-old", "--data", r.data); code != 0 {
		t.Fatal(stderr)
	}
	if !r.accepted(before, false) {
		t.Error("a device that trusts a CA that was dropped is still accepted")
	}
}

// Ensure that another machine becomes the same server to every device.
func TestBackupMakesAnotherMachineTheSameServer(t *testing.T) {
	r := startServer(t)
	trusted := r.tls
	backup := filepath.Join(t.TempDir(), "ca.backup")
	if code, _, stderr := fieldphone(t, "", "ca", "backup", backup, "--data", r.data); code != 0 || !strings.Contains(stderr, "not encrypted") {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if info, err := os.Stat(backup); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup has mode %v (%v)", info.Mode(), err)
	}
	if code, _, stderr := fieldphone(t, "", "ca", "backup", backup, "--data", r.data); code != 1 || !strings.Contains(stderr, "is there already") {
		t.Errorf("a second backup over the first: exit %d, %s", code, stderr)
	}
	r.wait(0)

	fresh := filepath.Join(t.TempDir(), "new", "data")
	if code, _, stderr := fieldphone(t, "", "ca", "restore", backup, "--data", fresh); code != 0 {
		t.Fatal(stderr)
	}
	again := startServerOn(t, fresh)
	if !again.accepted(trusted, true) {
		t.Error("a device that trusted the first machine is warned of the second")
	}
	other := filepath.Join(t.TempDir(), "data")
	startServerOn(t, other).wait(0)
	if code, _, stderr := fieldphone(t, "", "ca", "restore", backup, "--data", other); code != 1 || !strings.Contains(stderr, "--replace") {
		t.Errorf("over another CA: exit %d, %s", code, stderr)
	}
	if code, stdout, stderr := fieldphone(t, "", "ca", "restore", backup, "--replace", "--data", other); code != 0 || strings.Count(stdout, "Put aside") != 2 {
		t.Errorf("with --replace: exit %d, %s%s", code, stdout, stderr)
	}
}

// writePair puts a certificate and its key where an organisation would.
func writePair(t *testing.T, template *x509.Certificate) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(5), time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestImportedCAServes(t *testing.T) {
	cert, key := writePair(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Harbour CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	data := filepath.Join(t.TempDir(), "data")
	code, stdout, stderr := fieldphone(t, "", "ca", "import", "--cert", cert, "--key", key, "--data", data)
	if code != 0 || !strings.Contains(stdout, "not limited to local names") || !strings.Contains(stderr, "others on this machine can read") {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	r := startServerOn(t, data)
	text, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	if !r.accepted(&tls.Config{RootCAs: pool}, true) {
		t.Error("a device that trusts the imported CA is refused")
	}
	if !strings.Contains(r.page(), "can pose as any site") {
		t.Error("the start page does not say that this CA is not limited")
	}
}

func TestConfiguredCertificateServes(t *testing.T) {
	cert, key := writePair(t, &x509.Certificate{Subject: pkix.Name{CommonName: "phone"}, DNSNames: []string{"phone.example.org"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true})
	t.Setenv("FIELDPHONE_TLS_CERT", cert)
	t.Setenv("FIELDPHONE_TLS_KEY", key)
	data := filepath.Join(t.TempDir(), "data")
	r := startUntrusted(t, data)
	pool := x509.NewCertPool()
	text, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool.AppendCertsFromPEM(text)
	if !r.accepted(&tls.Config{RootCAs: pool}, true) {
		t.Error("the configured certificate is not served")
	}
	if !strings.Contains(r.page(), "There is nothing to install.") || strings.Contains(r.stdout.String(), "SHA-256") {
		t.Error("page or banner speak of a CA")
	}
	if _, err := os.Stat(filepath.Join(data, "tls", "ca.pem")); err == nil {
		t.Error("a CA was made all the same")
	}
	if code, stdout, stderr := fieldphone(t, "", "poster", "--data", data, "--url", "http://10.0.0.1:8080/"); code != 0 || strings.Contains(stdout, "?ca=") || strings.Contains(stdout, "SHA-256") {
		t.Errorf("poster: exit %d, %s", code, stderr)
	}
}

func TestCACommandLine(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	startServerOn(t, data).wait(0)
	damaged := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(filepath.Join(damaged, "tls"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(damaged, "tls", "ca.pem"), []byte("not ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	for _, tt := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{"ca"}, 2, "", "ca takes show, export"},
		{[]string{"ca", "bogus"}, 2, "", "ca takes show, export"},
		{[]string{"ca", "show", "x"}, 2, "", "takes 0 file name(s)"},
		{[]string{"ca", "show", "--new-key"}, 2, "", "ca show takes no --new-key"},
		{[]string{"ca", "backup"}, 2, "", "takes 1 file name(s)"},
		{[]string{"ca", "import", "--cert", "x"}, 2, "", "takes --cert FILE and --key FILE"},
		{[]string{"ca", "renew", "--name-constraints", "--no-name-constraints", "--data", data}, 2, "", "exclude each other"},
		{[]string{"ca", "export", "--der", "--pem", "--data", data}, 2, "", "choose one of"},
		{[]string{"ca", "show", "--data", empty}, 1, "", "there is no CA yet: start the server once"},
		{[]string{"ca", "show", "--data", damaged}, 1, "", "ca.pem is damaged"},
		{[]string{"ca", "restore", filepath.Join(damaged, "tls", "ca.pem"), "--data", empty}, 1, "", "this is no backup of a CA"},
		{[]string{"ca", "show", "--data", data}, 0, "(99 bits of the SHA-256)", ""},
		{[]string{"ca", "show", "--data", data}, 0, "addresses of local networks", ""},
		{[]string{"ca", "export", "--mobileconfig", "--data", data}, 0, "com.apple.security.root", ""},
		{[]string{"ca", "renew", "--no-name-constraints", "--data", data}, 0, "Limits     none: whoever has its key", ""},
		{[]string{"poster", "--data", empty, "--url", "http://10.0.0.1/"}, 1, "", "there is no CA yet"},
		{[]string{"poster", "--data", data, "--url", "ftp://x"}, 2, "", "--url is the start page's address"},
		{[]string{"poster", "--data", data, "--paper", "a0"}, 2, "", "--paper is a4 or letter"},
		{[]string{"poster", "--data", data, "--wifi-password-file", "x"}, 2, "", "goes with --ssid"},
		{[]string{"poster", "--data", data, "--ssid", "Camp", "--wifi-password-file", filepath.Join(empty, "none")}, 1, "", "--wifi-password-file"},
		{[]string{"poster", "--data", data, "--ssid", strings.Repeat("x", 33), "--url", "http://10.0.0.1/"}, 1, "", "1 to 32 bytes"},
		{[]string{"poster", "--data", data, "--url", "http://10.0.0.1:8080/"}, 0, "http://10.0.0.1:8080/<", ""},
	} {
		code, stdout, stderr := fieldphone(t, "", tt.args...)
		if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
			t.Errorf("%q: exit %d, want %d\nstdout: %.300s\nwant:   %s\nstderr: %s\nwant:   %s", tt.args, code, tt.code, stdout, tt.stdout, stderr, tt.stderr)
		}
	}
	// The password comes from standard input, and is on the paper.
	code, stdout, stderr := fieldphone(t, "pass;word\n", "poster", "--data", data, "--url", "http://10.0.0.1/", "--ssid", "Camp", "--wifi-password-file", "-")
	if code != 0 || !strings.Contains(stdout, "pass;word<") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	_, der, _ := fieldphone(t, "", "ca", "export", "--der", "--data", data)
	if !strings.Contains(stdout, onboard.FingerprintOf([]byte(der)).Digits()) {
		t.Error("the poster shows other numbers than those of the certificate")
	}
}
