//go:build linux

package relay

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

func bound(t testing.TB) (*Socket, netip.AddrPort) {
	t.Helper()
	conn := udp(t)
	at := where(conn)
	conn.Close()
	s, err := Bind(at)
	if err != nil {
		t.Fatal(err)
	}
	return s, at
}

// Ensure no wake-up is lost: each sender waits for its datagram to be seen before
// it sends the next, so one that is missed is missed for good.
func TestThePollerMissesNothing(t *testing.T) {
	const sockets, rounds = 20, 500
	p, err := NewPoller[int]()
	if err != nil {
		t.Fatal(err)
	}
	all, seen := make([]*Socket, sockets), make([]chan uint32, sockets)
	var senders, reader sync.WaitGroup
	for i := range all {
		s, at := bound(t)
		all[i], seen[i] = s, make(chan uint32, 1)
		if err := p.Watch(s, i); err != nil {
			t.Fatal(err)
		}
		from := udp(t)
		senders.Go(func() {
			patience := time.NewTimer(20 * time.Second)
			defer patience.Stop()
			for n := range uint32(rounds) {
				if _, err := from.WriteToUDPAddrPort(binary.BigEndian.AppendUint32(nil, n), at); err != nil {
					t.Error(err)
					return
				}
				select {
				case got := <-seen[i]:
					if got != n {
						t.Errorf("socket %d: got %d, want %d", i, got, n)
						return
					}
				case <-patience.C:
					t.Errorf("socket %d: %d was never seen", i, n)
					return
				}
			}
		})
	}
	reader.Go(func() {
		r := NewReader(4, 100)
		for {
			ready, err := p.Wait(false)
			if err != nil {
				return
			}
			for _, i := range ready {
				got, err := all[i].Receive(r, 0, 4)
				if err != nil {
					t.Error(err)
				}
				for k := range got {
					d, _ := r.Datagram(k)
					seen[i] <- binary.BigEndian.Uint32(d.Data)
				}
			}
		}
	})
	senders.Wait()
	p.Close()
	reader.Wait()
	for _, s := range all {
		s.Close(nil)
	}
}

// Ensure Nudge and Close end a Wait, and that what is closed is refused.
func TestWaitEnds(t *testing.T) {
	p, err := NewPoller[int]()
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(10*time.Millisecond, p.Nudge)
	if ready, err := p.Wait(false); len(ready) > 0 || err != nil {
		t.Errorf("after a nudge: %v, %v", ready, err)
	}
	time.AfterFunc(10*time.Millisecond, p.Close)
	if _, err := p.Wait(false); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	p.Nudge()
	p.Close()
	s, _ := bound(t)
	if err := p.Watch(s, 1); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Watch after Close: %v", err)
	}
	s.Close(nil)
}

// Ensure the descriptor of a closed socket is kept from others while somebody
// uses it, and that the port is free when then is called.
func TestASocketInUseClosesLater(t *testing.T) {
	s, at := bound(t)
	if !s.use() {
		t.Fatal("an open socket cannot be used")
	}
	closed := false
	s.Close(func() { closed = true })
	if closed || s.use() {
		t.Fatalf("closed %v while in use, or usable again", closed)
	}
	s.done()
	if !closed {
		t.Fatal("nobody closed it")
	}
	if err := s.Send([]byte("late"), at); !errors.Is(err, net.ErrClosed) {
		t.Errorf("sent on a closed socket: %v", err)
	}
	again, err := Bind(at)
	if err != nil {
		t.Fatal("its port is not free:", err)
	}
	again.Close(nil)
}
