package main

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"
)

func TestTheMDNSNameIsInTheCertificate(t *testing.T) {
	for _, tt := range []struct{ setting, has, hasNot string }{
		{"", "localhost", "fieldphone.local"},
		{"Depot", "depot.local", "fieldphone.local"},
	} {
		r := startServer(t, "MDNS_NAME="+tt.setting)
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
