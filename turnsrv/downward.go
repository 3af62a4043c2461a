package turnsrv

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"

	"github.com/pion/stun/v3"

	"fieldphone/turnsrv/relay"
)

const (
	// relayBatch is how many packets of one allocation are taken at once, and
	// relayTurns how often before the others have their turn.
	relayBatch, relayTurns = 8, 8
	// downwardBuffers is how many packets may wait to be sent.
	downwardBuffers = 64
	// maxScratch (bytes) of indications may wait to be sent.
	maxScratch = 64 << 10
)

// downward takes packets off the relay ports of many allocations, and forwards
// what belongs to a channel and indicates the rest. One goroutine does it for
// all of its allocations, so that an idle one costs neither a goroutine nor a
// buffer.
type downward struct {
	server  *Server
	poller  *relay.Poller[*relayConn]
	reader  *relay.Reader
	used    int // of the reader's buffers; they wait to be sent
	sink    *sink
	again   []*relayConn // which may have more
	scratch []byte       // indications that wait to be sent
}

func newDownward(s *Server) (*downward, error) {
	poller, err := relay.NewPoller[*relayConn]()
	if err != nil {
		return nil, err
	}
	return &downward{server: s, poller: poller, reader: relay.NewReader(downwardBuffers, relay.TrainBuffer), sink: newSink()}, nil
}

// run works until the poller is closed.
func (w *downward) run() {
	var before []*relayConn
	for {
		ready, err := w.poller.Wait(len(w.again) > 0)
		if err != nil {
			return
		}
		before, w.again = w.again, before[:0]
		for _, r := range before {
			w.drain(r)
		}
		for _, r := range ready {
			w.drain(r)
		}
		w.flush()
	}
}

// flush sends what waits; then the reader's buffers are free.
func (w *downward) flush() {
	w.sink.flush()
	w.used, w.scratch = 0, w.scratch[:0]
}

// drain takes what waits at a relay port.
func (w *downward) drain(r *relayConn) {
	for range relayTurns {
		if w.used+relayBatch > downwardBuffers {
			w.flush()
		}
		got, err := r.socket.Receive(w.reader, w.used, relayBatch)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // it concerned one packet
		}
		first := w.used
		w.used += got
		for i := first; i < w.used; i++ {
			if d, truncated := w.reader.Datagram(i); truncated {
				w.oversized(d)
			} else {
				w.handle(r, d)
			}
		}
		if got < relayBatch {
			return
		}
		r.socket.JoinTrains()
	}
	w.again = append(w.again, r)
}

func (w *downward) oversized(d relay.Datagram) {
	w.server.counters.relay.in(len(d.Data))
	w.server.counters.oversized.Add(1)
}

// handle takes a datagram, or a train, which it takes apart if it must.
func (w *downward) handle(r *relayConn, d relay.Datagram) {
	if d.Segment > 0 {
		if !w.forward(r, d) {
			d.Each(func(data []byte) { w.handle(r, relay.Datagram{Data: data, From: d.From}) })
		}
		return
	}
	if len(d.Data) >= maxRelayed {
		w.oversized(d)
		return
	}
	w.forward(r, d)
}

// forward takes what came to a relay port. False means that each packet of the
// train must be judged by itself.
func (w *downward) forward(r *relayConn, d relay.Datagram) bool {
	if r.closed.Load() {
		return true
	}
	s := w.server
	from := r.sender(d.From)
	packets, first := d.Count(), d.Data
	if d.Segment > 0 {
		first = d.Data[:d.Segment]
		if d.Segment >= maxRelayed || s.limited() || !r.gate.open(from.told, from.rules) {
			return false
		}
	}
	number, bound := r.gate.channelOf(from.told)
	if d.Segment > 0 && !bound {
		return false // indications are made one by one
	}
	s.counters.relay.inMany(packets, len(d.Data))
	if from.own && !from.relay.holds(d.From.Port()) || !r.gate.inbound(first, from.told, from.rules) {
		s.counters.peerPackets.Add(int64(packets))
		return true
	}
	if !s.pass(&r.toClient, &s.toClients, len(d.Data)) {
		return true
	}
	r.toClient.addMany(packets, len(d.Data))
	if !bound {
		w.indicate(r, d.Data, from.told)
		return true
	}
	if s.shortcuts != nil && r.endpoint.direct != nil {
		if p := r.gate.find(from.told, from.rules); p != nil {
			s.shortcuts.want(wish{relay: r, number: number, peer: from.told, path: p})
		}
	}
	w.deliver(r, d, first, number)
	return true
}

// deliver sends ChannelData to the client.
func (w *downward) deliver(r *relayConn, d relay.Datagram, first []byte, number uint16) {
	e := r.endpoint
	if e.direct == nil {
		d.Each(func(data []byte) { e.stream.queueData(number, data) })
		return
	}
	var head [headerSize]byte
	binary.BigEndian.PutUint16(head[:], number)
	binary.BigEndian.PutUint16(head[2:], uint16(len(first)))
	last := relay.Datagram{From: d.From}
	if d.Segment > 0 {
		// The header tells the length: a short end goes by itself.
		last.Data = d.Data[len(d.Data)-len(d.Data)%d.Segment:]
		d.Data = d.Data[:len(d.Data)-len(last.Data)]
	}
	if len(d.Data) == d.Segment {
		d.Segment = 0
	}
	w.sink.add(e.direct, e.socket.traffic(), head, true, d, 0, r.client)
	if len(last.Data) > 0 {
		w.deliver(r, last, last.Data, number)
	}
}

// indicate sends a Data indication (RFC 8656 section 11.4), which takes a
// permission; a channel to another port is none.
func (w *downward) indicate(r *relayConn, data []byte, peer netip.AddrPort) {
	if !peer.Addr().Is4() || !r.gate.permitted(peer.Addr()) {
		return
	}
	if len(w.scratch) > maxScratch {
		w.sink.flush()
		w.scratch = w.scratch[:0]
	}
	start := len(w.scratch)
	w.scratch = appendIndication(w.scratch, data, peer)
	frame := w.scratch[start:]
	e := r.endpoint
	if e.direct == nil {
		e.stream.queue(frame)
		w.scratch = w.scratch[:start]
		return
	}
	w.sink.add(e.direct, e.socket.traffic(), [headerSize]byte{}, false, relay.Datagram{Data: frame}, 0, r.client)
}

// magicCookie starts a transaction ID (RFC 8489 section 5).
const magicCookie = 0x2112a442

func appendIndication(p, data []byte, peer netip.AddrPort) []byte {
	order := binary.BigEndian
	padding := -len(data) & 3
	p = order.AppendUint16(p, stun.NewType(stun.MethodData, stun.ClassIndication).Value())
	p = order.AppendUint16(p, uint16(4+8+4+len(data)+padding))
	p = order.AppendUint32(p, magicCookie)
	p = order.AppendUint32(p, rand.Uint32())
	p = order.AppendUint64(p, rand.Uint64())
	p = order.AppendUint16(p, uint16(stun.AttrXORPeerAddress))
	p = append(p, 0, 8, 0, familyIPv4)
	p = order.AppendUint16(p, peer.Port()^uint16(magicCookie>>16))
	address := peer.Addr().As4()
	p = order.AppendUint32(p, order.Uint32(address[:])^magicCookie)
	p = order.AppendUint16(p, uint16(stun.AttrData))
	p = order.AppendUint16(p, uint16(len(data)))
	p = append(p, data...)
	return append(p, 0, 0, 0)[:len(p)+padding]
}
