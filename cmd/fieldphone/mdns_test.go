package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheMDNSNameIsInTheCertificate(t *testing.T) {
	for _, tt := range []struct{ setting, has, hasNot string }{
		{"", "localhost", "fieldphone.local"},
		{"Depot", "depot.local", "fieldphone.local"},
	} {
		config := filepath.Join(t.TempDir(), "site.yaml") // an empty variable would count as not set
		if err := os.WriteFile(config, fmt.Appendf(nil, "mdns: {name: %q}\n", tt.setting), 0o600); err != nil {
			t.Fatal(err)
		}
		r := startServer(t, "--config="+config)
		conn, err := tls.Dial("tcp", strings.TrimPrefix(r.url, "https://"), r.tls)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		names := conn.ConnectionState().PeerCertificates[0].DNSNames
		if !slices.Contains(names, tt.has) || slices.Contains(names, tt.hasNot) {
			t.Errorf("with mdns.name %q the certificate has %s", tt.setting, names)
		}
		r.wait(0)
	}
}
