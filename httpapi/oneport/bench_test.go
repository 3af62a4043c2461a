package oneport_test

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"fieldphone/httpapi/oneport"
)

// BenchmarkHTTPS compares requests with and without the port being shared: each
// on a connection of its own, and all on one.
func BenchmarkHTTPS(b *testing.B) {
	for name, shared := range map[string]bool{"alone": false, "shared": true} {
		for way, keep := range map[string]bool{"connect": false, "keep": true} {
			b.Run(way+"/"+name, func(b *testing.B) { request(b, shared, keep) })
		}
	}
}

func request(b *testing.B, shared, keep bool) {
	config, roots := certificate(b)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	if shared {
		port := oneport.New(ln, oneport.Config{TLS: config, Logger: slog.New(slog.DiscardHandler)})
		defer func() { _ = port.Close() }()
		serveHTTP(b, port.HTTPS())
	} else {
		serveHTTP(b, tls.NewListener(ln, config))
	}
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: !keep, TLSClientConfig: &tls.Config{RootCAs: roots, NextProtos: []string{"http/1.1"}},
	}}
	defer client.CloseIdleConnections()
	for b.Loop() {
		resp, err := client.Get("https://" + ln.Addr().String() + "/")
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}
