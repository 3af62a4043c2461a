package peer

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"
)

func relayNetOf(t *testing.T, config *tls.Config) *relayNet {
	t.Helper()
	n, err := newRelayNet(t.Context(), &net.Dialer{}, config)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestUsableURLs(t *testing.T) {
	relays := relayNetOf(t, nil)
	servers := []iceServer{
		{URLs: []string{"stun:10.0.0.1:3478", "nonsense"}},
		{URLs: []string{
			"turn:10.0.0.1:3478?transport=udp", "turn:10.0.0.1:8443?transport=tcp", "turns:10.0.0.1:8443?transport=tcp",
			"turn:10.0.0.2:3478?transport=udp",
		}, Username: "u", Credential: "c"},
	}
	keep := func(address string) bool { return address != "turn:10.0.0.2:3478?transport=udp" }
	got := usable(servers, keep, relays, slog.New(slog.DiscardHandler))
	want := []string{"turn:10.0.0.1:3478?transport=udp", "turn:240.0.0.1:8443?transport=udp", "turn:240.0.0.2:8443?transport=udp"}
	if len(got) != 2 || !slices.Equal(got[0].URLs, []string{"stun:10.0.0.1:3478"}) || !slices.Equal(got[1].URLs, want) || got[1].Username != "u" || got[1].Credential != "c" {
		t.Errorf("got %+v", got)
	}
	secure := map[bool]string{}
	for _, target := range relays.relays {
		secure[target.secure] = target.address
	}
	if secure[true] != "10.0.0.1:8443" || secure[false] != "10.0.0.1:8443" {
		t.Errorf("got %v, want the same port with and without TLS", relays.relays)
	}
	if none := usable(servers, func(string) bool { return false }, relays, slog.New(slog.DiscardHandler)); len(none) != 0 {
		t.Errorf("got %+v, want none", none)
	}
}

// stream is a relay's end: it records what came and sends answer in small parts.
func stream(t *testing.T, listener net.Listener, size int, answer []byte) <-chan []byte {
	t.Helper()
	got := make(chan []byte, 1)
	go func() {
		defer close(got)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			return
		}
		buf := make([]byte, size)
		if _, err := io.ReadFull(conn, buf); err != nil {
			return
		}
		got <- buf
		for part := range slices.Chunk(answer, 5) {
			if _, err := conn.Write(part); err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, conn)
	}()
	return got
}

// standIn gives the relay at an address a stand-in, as pion would be told it.
func standIn(t *testing.T, n *relayNet, url string) *net.UDPAddr {
	t.Helper()
	list := usable([]iceServer{{URLs: []string{url}}}, nil, n, slog.New(slog.DiscardHandler))
	if len(list) != 1 {
		t.Fatalf("%s is of no use", url)
	}
	for at := range n.relays {
		return net.UDPAddrFromAddrPort(at)
	}
	t.Fatalf("%s got no stand-in", url)
	return nil
}

func TestRelayOverStream(t *testing.T) {
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	pool := x509.NewCertPool()
	pool.AddCert(certified.Certificate())
	trust := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	binding := append([]byte{0, 1, 0, 4}, bytes.Repeat([]byte{7}, 20)...)
	channel := []byte{0x40, 0, 0, 5, 'h', 'e', 'l', 'l', 'o'}
	padded := append(slices.Clone(channel), 0, 0, 0)

	for protocol, scheme := range map[string]string{"tcp": "turn:", "tls": "turns:"} {
		t.Run(protocol, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			if protocol == "tls" {
				listener = tls.NewListener(listener, certified.TLS)
			}
			got := stream(t, listener, len(binding)+len(padded), slices.Concat(padded, binding, channel, []byte{9, 9, 9}))
			n := relayNetOf(t, trust)
			to := standIn(t, n, scheme+listener.Addr().String()+"?transport=tcp")
			conn, err := n.ListenPacket("udp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			type message struct{ text, from string }
			read := make(chan message, 3)
			go func() { // as pion does: reading begins before anything is written
				defer close(read)
				buf := make([]byte, 1500)
				for range 3 {
					size, from, err := conn.ReadFrom(buf)
					if err != nil {
						return
					}
					read <- message{string(buf[:size]), from.String()}
				}
			}()
			for _, packet := range [][]byte{binding, channel} {
				if size, err := conn.WriteTo(packet, to); err != nil || size != len(packet) {
					t.Fatalf("wrote %d, %v", size, err)
				}
			}
			if want := slices.Concat(binding, padded); !bytes.Equal(<-got, want) {
				t.Error("the relay got something else than the two messages, padded")
			}
			for _, want := range [][]byte{channel, binding, channel} {
				if m := <-read; m.text != string(want) || m.from != to.String() {
					t.Errorf("got %q from %s, want %q from %v", m.text, m.from, want, to)
				}
			}
			port := conn.LocalAddr().(*net.UDPAddr).Port
			if used := n.protocol(uint16(port)); used != protocol {
				t.Errorf("got protocol %s, want %s", used, protocol)
			}
		})
	}
}

func TestRelayNotTrusted(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	n := relayNetOf(t, &tls.Config{MinVersion: tls.VersionTLS12})
	to := standIn(t, n, "turns:"+server.Listener.Addr().String()+"?transport=tcp")
	conn, err := n.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.WriteTo(make([]byte, stunHeader), to); err == nil {
		t.Error("an unknown certificate was trusted")
	}
}

// Over UDP the socket is used as it is, and Close ends a read in either form.
func TestRelayOverUDP(t *testing.T) {
	n := relayNetOf(t, nil)
	a, err := n.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := a.WriteTo([]byte("hello"), b.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1500)
	if err := b.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if size, _, err := b.ReadFrom(buf); err != nil || string(buf[:size]) != "hello" {
		t.Errorf("got %q, %v", buf[:size], err)
	}
	ended := make(chan error)
	go func() {
		_, _, err := a.ReadFrom(buf)
		ended <- err
	}()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("a read from a closed socket succeeded")
	}
	if used := n.protocol(uint16(mustPort(t, a.LocalAddr()))); used != "udp" {
		t.Errorf("got protocol %s, want udp", used)
	}
}

func mustPort(t *testing.T, addr net.Addr) int {
	t.Helper()
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

// What a relay sends is not to be trusted.
func TestRelayBadMessages(t *testing.T) {
	for name, answer := range map[string][]byte{
		"neither STUN nor ChannelData": bytes.Repeat([]byte{0xff}, 40),
		"longer than any packet":       append([]byte{0x40, 0, 0xff, 0xff}, make([]byte, 100)...),
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		got := stream(t, listener, stunHeader, answer)
		n := relayNetOf(t, nil)
		to := standIn(t, n, "turn:"+listener.Addr().String()+"?transport=tcp")
		conn, err := n.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.WriteTo(make([]byte, stunHeader), to); err != nil {
			t.Fatal(err)
		}
		<-got
		if size, _, err := conn.ReadFrom(make([]byte, 1500)); err == nil {
			t.Errorf("%s: got %d bytes, want an error", name, size)
		}
		conn.Close()
		listener.Close()
	}
}
