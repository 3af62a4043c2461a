package crew

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// served is a connection that a crew serves, and the client's end of it.
func served(t *testing.T, c *Crew, patience time.Duration, handle func(conn *Conn) bool) (*Conn, *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dialed, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialed.Close() })
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := c.Adopt(accepted.(*net.TCPConn), patience, 20<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Serve(func() bool { return handle(conn) }); err != nil {
		t.Fatal(err)
	}
	return conn, dialed.(*net.TCPConn)
}

// echo gives back what arrives, and closes at the end.
func echo(conn *Conn) bool {
	var buffer [512]byte
	for {
		n, err := conn.Read(buffer[:])
		if n > 0 {
			_, _ = conn.Write(buffer[:n])
		}
		if err != nil {
			if !errors.Is(err, ErrAgain) {
				_ = conn.Close()
			}
			return false
		}
	}
}

// Ensure that what many connections send, in pieces of any size, comes back
// whole and in order, and that nobody works at one of them twice at once.
func TestManyConnectionsAreServed(t *testing.T) {
	var c Crew
	var wg sync.WaitGroup
	for range 50 {
		alone := 0 // the race detector sees two workers at once
		_, client := served(t, &c, time.Minute, func(conn *Conn) bool { alone++; return echo(conn) })
		sent := make([]byte, 100_000)
		for i := range sent {
			sent[i] = byte(rand.Uint32())
		}
		wg.Go(func() {
			for rest := sent; len(rest) > 0; {
				n := min(len(rest), 1+rand.IntN(5000))
				if _, err := client.Write(rest[:n]); err != nil {
					t.Error(err)
					return
				}
				rest = rest[n:]
			}
			_ = client.CloseWrite()
		})
		wg.Go(func() {
			got, err := io.ReadAll(client)
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("got %d bytes, %v; want the %d that were sent", len(got), err, len(sent))
			}
		})
	}
	wg.Wait()
	c.Stop()
}

// Ensure that what arrives while a connection is being handled is handled
// afterwards, not at the same time, and that a buffer which is too small
// makes no difference.
func TestWhatArrivesMeanwhileIsHandled(t *testing.T) {
	var c Crew
	read, goOn := make(chan struct{}, 10), make(chan struct{})
	var inside atomic.Int32
	_, client := served(t, &c, time.Minute, func(conn *Conn) bool {
		if inside.Add(1) > 1 {
			t.Error("two at once")
		}
		defer inside.Add(-1)
		more := echo(conn)
		read <- struct{}{}
		<-goOn
		return more
	})
	_, other := served(t, &c, time.Minute, echo)
	_ = client.SetDeadline(time.Now().Add(10 * time.Second))
	ask := func(conn *net.TCPConn, bytes int) {
		t.Helper()
		if _, err := conn.Write(make([]byte, bytes)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, bytes)); err != nil {
			t.Fatal(err)
		}
	}
	ask(client, 512*5) // five times the buffer
	<-read
	for range 3 {
		if _, err := client.Write([]byte("more")); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			ask(other, 1) // by then the crew has heard of it
		}
	}
	close(goOn)
	if _, err := io.ReadFull(client, make([]byte, 3*len("more"))); err != nil {
		t.Errorf("what arrived meanwhile was forgotten: %v", err)
	}

	// Nothing is handled after the end.
	handled, end := make(chan struct{}, 10), make(chan struct{})
	_, last := served(t, &c, time.Minute, func(conn *Conn) bool {
		handled <- struct{}{}
		<-end
		_ = conn.Close()
		return false
	})
	for range 2 {
		if _, err := last.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			ask(other, 1)
		}
	}
	close(end)
	for range 100 {
		ask(other, 1)
	}
	if len(handled) != 1 {
		t.Errorf("handled %d times", len(handled))
	}
	c.Stop()
}

// Ensure that more than a client takes is kept for it, and that who writes is
// told once there is room.
func TestWhatCannotBeSentIsKept(t *testing.T) {
	var c Crew
	conn, client := served(t, &c, time.Minute, echo)
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<20) // 16 MiB, more than any buffer
	if n, err := conn.Write(large); n != len(large) || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	if n, err := conn.Write([]byte("end")); n != 3 || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	sent := make(chan struct{})
	if !conn.Unsent(func() { close(sent) }) {
		t.Fatal("all is sent, though nobody reads")
	}
	got := make([]byte, len(large)+3)
	if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, append(large, "end"...)) {
		t.Errorf("something else came, %v", err)
	}
	<-sent
	if conn.Unsent(func() { t.Error("told of nothing") }) {
		t.Error("something is unsent")
	}
	client.Close()
	c.Stop()
}

// Ensure a client that takes nothing is cut off, and that what reads the
// connection comes to know of it.
func TestClientThatTakesNothingIsCutOff(t *testing.T) {
	var c Crew
	over := make(chan struct{})
	conn, _ := served(t, &c, 50*time.Millisecond, func(conn *Conn) bool {
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, ErrAgain) {
			_ = conn.Close()
			close(over)
		}
		return false
	})
	if _, err := conn.Write(make([]byte, 16<<20)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-over:
	case <-time.After(10 * time.Second):
		t.Error("it was not cut off")
	}
	if _, err := conn.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("writing afterwards: %v", err)
	}
	c.Stop()
}

// Ensure a client that asks for ever more answers, and takes none, is cut off.
func TestWhatIsKeptIsBounded(t *testing.T) {
	var c Crew
	over := make(chan struct{})
	_, client := served(t, &c, time.Minute, func(conn *Conn) bool {
		var buffer [512]byte
		for {
			n, err := conn.Read(buffer[:])
			if n > 0 {
				_, _ = conn.Write(make([]byte, 64*n))
			}
			if errors.Is(err, ErrAgain) {
				return false
			}
			if err != nil {
				conn.mu.Lock()
				if kept := len(conn.unsent); kept > 20<<20 {
					t.Errorf("%d bytes were kept", kept)
				}
				conn.mu.Unlock()
				_ = conn.Close()
				close(over)
				return false
			}
		}
	})
	for {
		if _, err := client.Write(make([]byte, 64<<10)); err != nil {
			break // it is over
		}
	}
	select {
	case <-over:
	case <-time.After(10 * time.Second):
		t.Error("it was not cut off")
	}
	c.Stop()
}

// Ensure connections are served while handlers of others are held up, and that
// one which always has more lets others have their turn.
func TestConnectionsAreServedBesideOthers(t *testing.T) {
	var c Crew
	held := make(chan struct{})
	var stuck sync.WaitGroup
	for range 3 * hands() {
		stuck.Add(1)
		var once sync.Once
		_, client := served(t, &c, time.Minute, func(conn *Conn) bool {
			once.Do(func() { defer stuck.Done(); <-held })
			return echo(conn)
		})
		_, _ = client.Write([]byte("x"))
	}
	var enough atomic.Bool
	_, busy := served(t, &c, time.Minute, func(conn *Conn) bool { return !enough.Load() || echo(conn) })
	_, _ = busy.Write([]byte("x"))
	_, client := served(t, &c, time.Minute, echo)
	_ = client.SetDeadline(time.Now().Add(10 * time.Second))
	for range 20 {
		if _, err := client.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(client, make([]byte, 5)); err != nil {
			t.Fatalf("nobody answered beside what is held up: %v", err)
		}
	}
	enough.Store(true)
	close(held)
	stuck.Wait()
	c.Stop() // the connections end with the test, and the worker with the last
}

// Ensure a descriptor that is used again brings nothing of what it was before.
func TestDescriptorIsUsedAgain(t *testing.T) {
	var c Crew
	for range 300 {
		closed := make(chan struct{})
		_, client := served(t, &c, time.Minute, func(conn *Conn) bool {
			if more := echo(conn); more {
				return more
			}
			conn.mu.Lock()
			defer conn.mu.Unlock()
			if conn.closed {
				close(closed)
			}
			return false
		})
		if _, err := client.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadFull(client, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		client.Close()
		select {
		case <-closed:
		case <-time.After(10 * time.Second):
			t.Fatal("the end was not heard")
		}
	}
	conn, client := served(t, &c, time.Minute, echo)
	defer client.Close()
	waitFor(t, func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.polling && conn.state.Load() == resting })
	c.mu.Lock()
	c.poller.events[0] = unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(conn.fd), Pad: conn.generation - 1}
	c.arrived(1)
	if conn.state.Load() != resting {
		t.Error("it heard of what came to another")
	}
	c.mu.Unlock()
	client.Close()
	waitFor(t, func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.conns == 0 })
	c.Stop()
}
