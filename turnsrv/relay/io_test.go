//go:build linux

package relay

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"fieldphone/turnsrv/wire"
	"fieldphone/turnsrv/wire/wiretest"
)

func udp(t testing.TB) *net.UDPConn {
	t.Helper()
	return udpAt(t, "127.0.0.1")
}

func udpAt(t testing.TB, address string) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(address)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func where(conn *net.UDPConn) netip.AddrPort { return conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func raw(t testing.TB, conn *net.UDPConn) syscall.RawConn {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// readAll reads until there are as many datagrams as wanted.
func readAll(t testing.TB, r *Reader, at *net.UDPConn, from netip.AddrPort, want int) [][]byte {
	t.Helper()
	var got [][]byte
	for len(got) < want {
		n, err := r.Read(raw(t, at))
		if err != nil {
			t.Fatalf("after %d of %d: %v", len(got), want, err)
		}
		for i := range n {
			d, truncated := r.Datagram(i)
			if truncated || d.From != from {
				t.Fatalf("from %v, truncated %v", d.From, truncated)
			}
			d.Each(func(data []byte) { got = append(got, bytes.Clone(data)) })
		}
	}
	return got
}

// Ensure what is added arrives whole and in order, empty datagrams too, in one
// batch and in several.
func TestBatches(t *testing.T) {
	from, to := udp(t), udp(t)
	w := NewWriter(8, false)
	r := NewReader(8, 2048)
	var want [][]byte
	for i := range 20 {
		data := bytes.Repeat([]byte{byte(i)}, i*37)
		if !w.Room(1) {
			if failed, err := w.Flush(raw(t, from)); failed > 0 {
				t.Fatal(err)
			}
		}
		w.Add([]byte("head"), data, where(to))
		want = append(want, append([]byte("head"), data...))
	}
	if failed, err := w.Flush(raw(t, from)); failed > 0 {
		t.Fatal(err)
	}
	if got := readAll(t, r, to, where(from), len(want)); !slices.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("got %q", got)
	}
	w.Add(nil, nil, where(to))
	if failed, err := w.Flush(raw(t, from)); failed > 0 {
		t.Fatal(err)
	}
	n, err := r.Read(raw(t, to))
	if d, _ := r.Datagram(0); err != nil || n != 1 || len(d.Data) != 0 {
		t.Errorf("an empty datagram became %d of %d bytes, %v", n, len(d.Data), err)
	}
}

// Ensure a train is cut where it should be, whether or not the kernel joins it
// again on the way, and that heads are changed in each datagram of it.
func TestTrains(t *testing.T) {
	for _, joined := range []bool{false, true} {
		t.Run(fmt.Sprintf("joined=%v", joined), func(t *testing.T) {
			from, to := udp(t), udp(t)
			w := NewWriter(8, false)
			r := NewReader(8, TrainBuffer)
			if joined && !JoinTrains(to) {
				t.Skip("this kernel joins no trains")
			}
			var train []byte
			var want [][]byte
			for i := range 7 {
				size := 504
				if i == 6 {
					size = 100
				}
				one := append([]byte("old:"), bytes.Repeat([]byte{byte('a' + i)}, size-4)...)
				train = append(train, one...)
				want = append(want, append([]byte("newer:"), one[4:]...))
			}
			w.AddTrain([]byte("newer:"), train, 504, 4, where(to))
			if failed, err := w.Flush(raw(t, from)); failed > 0 {
				t.Fatal(err)
			}
			if got := readAll(t, r, to, where(from), len(want)); !slices.EqualFunc(got, want, bytes.Equal) {
				t.Errorf("got %d datagrams: %.80q", len(got), got)
			}
		})
	}
}

// Ensure one that cannot be sent costs none of the others.
func TestAFailureConcernsOneDatagram(t *testing.T) {
	from, to := udp(t), udp(t)
	w := NewWriter(8, false)
	r := NewReader(8, 2048)
	w.Add(nil, []byte("one"), where(to))
	w.Add(nil, make([]byte, 70_000), where(to)) // too long
	w.Add(nil, []byte("two"), where(to))
	failed, err := w.Flush(raw(t, from))
	if failed != 1 || err == nil {
		t.Errorf("failed %d, %v", failed, err)
	}
	if got := readAll(t, r, to, where(from), 2); string(got[0]) != "one" || string(got[1]) != "two" {
		t.Errorf("got %q", got)
	}
}

func TestATruncatedDatagramIsTold(t *testing.T) {
	from, to := udp(t), udp(t)
	r := NewReader(4, 100)
	if _, err := from.WriteToUDPAddrPort(make([]byte, 101), where(to)); err != nil {
		t.Fatal(err)
	}
	n, err := r.Read(raw(t, to))
	if _, truncated := r.Datagram(0); err != nil || n != 1 || !truncated {
		t.Errorf("%d, %v, truncated %v", n, err, truncated)
	}
}

func TestReadEndsWithItsSocket(t *testing.T) {
	conn := udp(t)
	r := NewReader(4, 100)
	time.AfterFunc(10*time.Millisecond, func() { conn.Close() })
	if n, err := r.Read(raw(t, conn)); err == nil {
		t.Errorf("read %d from a closed socket", n)
	}
}

func BenchmarkBatch(b *testing.B) {
	from, to := udp(b), udp(b)
	_ = to.SetReadBuffer(4 << 20)
	w := NewWriter(32, false)
	r := NewReader(32, 2048)
	data, head := make([]byte, 200), make([]byte, 4)
	out, in := raw(b, from), raw(b, to)
	b.ReportAllocs()
	for b.Loop() {
		for range 32 {
			w.Add(head, data, where(to))
		}
		if failed, err := w.Flush(out); failed > 0 {
			b.Fatal(err)
		}
		for got := 0; got < 32; {
			n, err := r.Read(in)
			if err != nil {
				b.Fatal(err)
			}
			got += n
		}
	}
}

// Ensure a train that the kernel refuses goes out one by one: its datagrams have
// to be fragmented, or it has become too long with its heads.
func TestRefusedTrainGoesApart(t *testing.T) {
	train := func(n, size int) (data []byte) {
		for i := range n {
			data = append(data, bytes.Repeat([]byte{byte(i)}, size)...)
		}
		return data[:len(data)-size/2]
	}
	check := func(t *testing.T, from, to *net.UDPConn, n, size int) {
		data, head := train(n, size), []byte("head")
		w := NewWriter(MaxBatch, false)
		w.AddTrain(head, data, size, 0, where(to))
		w.Add(nil, []byte("after it"), where(to))
		if failed, err := w.Flush(raw(t, from)); failed > 0 || err != nil {
			t.Fatalf("%d failed: %v", failed, err)
		}
		got := readAll(t, NewReader(MaxBatch, 4096), to, where(from), n+1)
		for i := range n {
			want := append(bytes.Clone(head), data[i*size:min((i+1)*size, len(data))]...)
			if !bytes.Equal(got[i], want) {
				t.Fatalf("datagram %d has %d bytes, want %d", i, len(got[i]), len(want))
			}
		}
		if string(got[n]) != "after it" {
			t.Errorf("then came %q", got[n])
		}
	}
	t.Run("too long", func(t *testing.T) { check(t, udp(t), udp(t), 64, 1028) })
	t.Run("too large for the link", func(t *testing.T) {
		world := wiretest.New(t)
		if out, err := world.Command("ip link set peers mtu 800").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var ends [2]*net.UDPConn
		for i, place := range []wire.Place{world.Between, world.Peer} {
			if err := place(func() error { ends[i] = udpAt(t, []string{"10.99.2.1", "10.99.2.2"}[i]); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		check(t, ends[0], ends[1], 8, 1200)
	})
}
