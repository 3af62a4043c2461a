package turnsrv

import (
	"crypto/tls"
	"net"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// A TLS client that reads nothing, and to which nothing is being written, would
// hold up its own end by the goodbye that TLS sends first.
func TestClosingTLSDoesNotWaitForTheClient(t *testing.T) {
	web := httptest.NewTLSServer(nil)
	certificate := web.TLS.Certificates[0]
	web.Close()
	near, far := net.Pipe() // a write lasts until the other end reads
	server := tls.Server(near, &tls.Config{Certificates: []tls.Certificate{certificate}, SessionTicketsDisabled: true})
	client := tls.Client(far, &tls.Config{InsecureSkipVerify: true})
	var shaking sync.WaitGroup
	shaking.Go(func() {
		if err := client.Handshake(); err != nil {
			t.Error(err)
		}
	})
	if err := server.Handshake(); err != nil {
		t.Fatal(err)
	}
	shaking.Wait()
	sock := newTCPSocket(server, netip.AddrPort{}, &counters{}, time.Minute)
	start := time.Now()
	sock.close()
	if took := time.Since(start); took > time.Second {
		t.Errorf("close took %v", took)
	}
	far.Close()
}
