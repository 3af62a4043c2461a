package bench

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"fieldphone/turnsrv/relay"
	"fieldphone/turnsrv/turnclient"
	"fieldphone/turnsrv/wire"

	"github.com/pion/stun/v3"
)

// stamped is the least payload that carries its number and when it was sent.
const stamped = 16

// window is how many packets of all flows may be on their way when there is no
// rate: enough to keep a server busy, too few to overflow a socket of the size
// that kernels grant by default.
const window = 256

// patience is how long a flow waits for what was lost before it goes on.
const patience = 20 * time.Millisecond

// untrusted is for TLS to servers that a bench started itself.
func untrusted(n turnclient.Network) *tls.Config {
	if n != turnclient.TLS {
		return nil
	}
	return &tls.Config{InsecureSkipVerify: true} //nolint:gosec // a load generator believes its own server
}

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

// end is one socket or stream that packets come in at.
type end struct {
	client *turnclient.Client
	peer   *net.UDPConn
	reader *relay.Reader // nil for a stream
	conn   syscall.RawConn
	in     *flow // what arrives here
}

type flows struct {
	ends  []*end
	flows []*flow
	began time.Time
}

// openFlows makes the allocations and what is behind them. What was opened is
// returned in any case.
func openFlows(ctx context.Context, target Target, load RelayLoad, places wire.Places) (*flows, error) {
	fs := &flows{began: time.Now()}
	relayed := make([]netip.AddrPort, load.Clients)
	clients := make([]*end, load.Clients)
	for i := range clients {
		c, at, err := target.open(ctx, rand.IntN(1<<30), places.Client, places.ClientAddress)
		if err != nil {
			return fs, fmt.Errorf("client %d: %w", i+1, err)
		}
		clients[i], relayed[i] = &end{client: c}, at
		fs.ends = append(fs.ends, clients[i])
	}
	if load.Pairs {
		for i := range clients {
			if err := clients[i].client.BindChannel(ctx, relayed[i^1]); err != nil {
				return fs, err
			}
		}
		for i := range clients {
			if err := fs.join(clients[i], clients[i^1], netip.AddrPort{}, load); err != nil {
				return fs, err
			}
		}
		return fs, nil
	}
	for i, c := range clients {
		if err := fs.openPeer(ctx, c, relayed[i], load, places); err != nil {
			return fs, err
		}
	}
	return fs, nil
}

// openPeer gives a client a peer, which answers with STUN first, as those of
// browsers do.
func (fs *flows) openPeer(ctx context.Context, c *end, relayed netip.AddrPort, load RelayLoad, places wire.Places) error {
	p := &end{}
	err := places.Peer(func() (err error) {
		p.peer, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(places.PeerAddress, 0)))
		return err
	})
	if err != nil {
		return err
	}
	fs.ends = append(fs.ends, p)
	_ = p.peer.SetReadBuffer(4 << 20)
	if err := c.client.BindChannel(ctx, p.peer.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
		return err
	}
	check := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	if _, err := p.peer.WriteToUDPAddrPort(check.Raw, relayed); err != nil {
		return err
	}
	if _, err := c.client.Receive(time.Now().Add(5 * time.Second)); err != nil {
		return fmt.Errorf("the peer's check did not arrive: %w", err)
	}
	if load.Up {
		if err := fs.join(c, p, netip.AddrPort{}, load); err != nil {
			return err
		}
	}
	if load.Down {
		return fs.join(p, c, relayed, load)
	}
	return nil
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

func (e *end) listen(conn *net.UDPConn, trains bool) {
	size := 2048
	if trains && relay.JoinTrains(conn) {
		size = relay.TrainBuffer
	}
	if raw, err := conn.SyscallConn(); err == nil {
		e.conn, e.reader = raw, relay.NewReader(16, size)
	}
}

// receive reads until the socket is closed or its deadline is over.
func (e *end) receive(began time.Time) {
	if e.in == nil {
		return
	}
	if e.reader == nil { // a stream
		for {
			data, err := e.client.Receive(time.Now().Add(time.Hour))
			if err != nil {
				return
			}
			e.in.arrived(data, time.Since(began))
		}
	}
	for {
		n, err := e.reader.Read(e.conn)
		if err != nil {
			return
		}
		now := time.Since(began)
		for i := range n {
			d, _ := e.reader.Datagram(i)
			d.Each(func(data []byte) {
				if e.client != nil {
					data = data[min(4, len(data)):]
				}
				e.in.arrived(data, now)
			})
		}
	}
}

type traffic struct {
	sent, received, reordered uint64
	times                     []time.Duration
}

// play sends for the load's duration and counts what arrives until shortly
// after.
func play(ctx context.Context, fs *flows, load RelayLoad) traffic {
	var readers, senders sync.WaitGroup
	fs.began = time.Now()
	for _, e := range fs.ends {
		conn := e.peer
		if e.client != nil && !e.client.Stream() {
			conn = e.client.Conn().(*net.UDPConn)
		}
		if e.client != nil {
			_ = e.client.Conn().SetDeadline(time.Time{}) // that of the last request
		}
		if conn != nil {
			e.listen(conn, load.Train > 1)
		}
		readers.Go(func() { e.receive(fs.began) })
	}
	const workers = 2
	for w := range workers {
		senders.Go(func() { fs.feed(ctx, load, w, workers) })
	}
	senders.Wait()
	settle := time.NewTimer(patience)
	<-settle.C
	for _, e := range fs.ends {
		if e.peer != nil {
			_ = e.peer.SetReadDeadline(time.Unix(1, 0))
		} else {
			_ = e.client.Conn().SetReadDeadline(time.Unix(1, 0))
		}
	}
	readers.Wait()
	var t traffic
	for _, f := range fs.flows {
		t.sent += f.sent
		t.received += f.received.Load()
		t.reordered += f.reordered.Load()
		t.times = append(t.times, f.times...)
	}
	slices.Sort(t.times)
	return t
}

// feed keeps its share of the flows busy.
func (fs *flows) feed(ctx context.Context, load RelayLoad, worker, workers int) {
	var mine []*flow
	for i := worker; i < len(fs.flows); i += workers {
		mine = append(mine, fs.flows[i])
	}
	if len(mine) == 0 {
		return
	}
	share := float64(load.Rate) * float64(len(mine)) / float64(len(fs.flows))
	sent, next := 0, 0
	for ctx.Err() == nil {
		now := time.Since(fs.began)
		if now >= load.Duration {
			return
		}
		if load.Rate > 0 {
			due := int(share * now.Seconds())
			if sent >= due {
				pause(200 * time.Microsecond)
				continue
			}
			for ; sent < due; sent += load.Train {
				if mine[next%len(mine)].send(time.Since(fs.began), load.Train) != nil {
					return
				}
				next++
			}
			continue
		}
		idle := true
		for _, f := range mine {
			if !f.ready(load.Train, uint64(max(window/len(fs.flows), 1))) {
				continue
			}
			idle = false
			if f.send(time.Since(fs.began), load.Train) != nil {
				return
			}
		}
		if idle {
			pause(20 * time.Microsecond)
		}
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

func closeFlows(fs *flows) error {
	if fs == nil {
		return nil
	}
	var errs []error
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, e := range fs.ends {
		switch {
		case e.client != nil:
			// What is still under way must not be taken for a broken server.
			_ = e.client.Release(ctx)
			errs = append(errs, e.client.Close())
		case e.peer != nil:
			errs = append(errs, e.peer.Close())
		}
	}
	return errors.Join(errs...)
}
