package bench

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"fieldphone/turnsrv/relay"
	"fieldphone/turnsrv/turnclient"
)

// stamped is the least payload that carries its number and when it was sent.
const stamped = 16

// flow is one direction of one allocation.
type flow struct {
	out   func(f *flow, n int) error // sends n packets
	train []byte                     // n packets one after the other
	size  int                        // of one, with its header

	header int // bytes before the payload
	sent   uint64
	lost   uint64 // taken as lost, so that the window opens again

	received, reordered atomic.Uint64
	highest             uint64
	times               []time.Duration
	stalled             time.Time
}

// join makes the flow from one end to another; a peer sends to the relayed
// address.
func (fs *flows) join(from, to *end, relayed netip.AddrPort, load RelayLoad) error {
	f := &flow{size: load.Size}
	if from.client != nil {
		f.header, f.size = 4, load.Size+4
		if from.client.Stream() {
			f.size = (f.size + 3) &^ 3
		}
	}
	f.train = make([]byte, f.size*load.Train)
	if from.client != nil {
		for i := range load.Train {
			binary.BigEndian.PutUint16(f.train[i*f.size:], turnclient.Channel)
			binary.BigEndian.PutUint16(f.train[i*f.size+2:], uint16(load.Size))
		}
	}
	if err := f.sendBy(from, relayed); err != nil {
		return err
	}
	to.in = f
	fs.flows = append(fs.flows, f)
	return nil
}

func (f *flow) sendBy(from *end, to netip.AddrPort) error {
	conn := from.peer
	if from.client != nil {
		if from.client.Stream() {
			f.out = func(f *flow, n int) error {
				_, err := from.client.Conn().Write(f.train[:n*f.size])
				return err
			}
			return nil
		}
		conn = from.client.Conn().(*net.UDPConn)
		to = conn.RemoteAddr().(*net.UDPAddr).AddrPort()
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	w := relay.NewWriter(relay.MaxBatch, to.Addr().Is6())
	trains := relay.CutsTrains(conn)
	f.out = func(f *flow, n int) error {
		if n > 1 && trains {
			w.AddTrain(nil, f.train[:n*f.size], f.size, 0, to)
		} else {
			for i := range n {
				w.Add(nil, f.train[i*f.size:(i+1)*f.size], to)
			}
		}
		_, err := w.Flush(raw) // what a full socket loses is counted as lost
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
	return nil
}

// send stamps and sends one train.
func (f *flow) send(now time.Duration, n int) error {
	for i := range n {
		if payload := f.train[i*f.size+f.header : (i+1)*f.size]; len(payload) >= stamped {
			binary.BigEndian.PutUint64(payload, f.sent+uint64(i)+1)
			binary.BigEndian.PutUint64(payload[8:], uint64(now))
		}
	}
	f.sent += uint64(n)
	return f.out(f, n)
}

// arrived takes a payload; one goroutine calls it for each flow.
func (f *flow) arrived(data []byte, now time.Duration) {
	f.received.Add(1)
	if len(data) < stamped {
		return
	}
	number := binary.BigEndian.Uint64(data)
	if number < f.highest {
		f.reordered.Add(1)
	}
	f.highest = max(f.highest, number)
	if number%8 == 0 {
		f.times = append(f.times, now-time.Duration(binary.BigEndian.Uint64(data[8:])))
	}
}

// ready tells whether the window has room; what does not come for a while is
// taken as lost.
func (f *flow) ready(n int, window uint64) bool {
	received := f.received.Load()
	if f.sent-min(f.sent, received+f.lost) < max(window, uint64(n)) {
		f.stalled = time.Time{}
		return true
	}
	now := time.Now()
	if f.stalled.IsZero() {
		f.stalled = now
	}
	if now.Sub(f.stalled) > patience {
		f.lost = f.sent - received
		f.stalled = time.Time{}
		return true
	}
	return false
}
