package turnsrv

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"

	"fieldphone/turnsrv/relay"
)

// upward takes clients' packets off a UDP listener, many at once, and forwards
// those of channels; the rest is for pion/turn.
type upward struct {
	socket   *relay.Socket
	poller   *relay.Poller[*upward]
	reader   *relay.Reader
	sink     *sink
	got, at  int
	more     bool           // may wait
	rest     relay.Datagram // of a train, what is not handled yet
	endpoint *endpoint
	last     *relayConn // of the last packet
	closing  sync.Once
}

// errNudged is not an error: there is something to do but for a packet.
var errNudged = errors.New("turn: nudged")

func newUpward(conn *net.UDPConn) (*upward, error) {
	socket, err := relay.Take(conn)
	if err != nil {
		return nil, err
	}
	u := &upward{socket: socket, sink: newSink()}
	if u.poller, err = relay.NewPoller[*upward](); err == nil {
		if err = u.poller.Watch(socket, u); err == nil {
			socket.JoinTrains()
			u.reader = relay.NewReader(relay.MaxBatch, relay.TrainBuffer)
			return u, nil
		}
		u.poller.Close()
	}
	socket.Close(nil)
	return nil, err
}

// close ends next; it may be called more than once.
func (u *upward) close() {
	u.closing.Do(func() {
		u.socket.Close(nil)
		u.poller.Close()
	})
}

// next gives the next packet that is not forwarded. Nothing waits to be sent
// when it returns.
func (u *upward) next() (packet []byte, client netip.AddrPort, err error) {
	for {
		for len(u.rest.Data) > 0 {
			one := u.rest
			one.Data, one.Segment = one.Data[:min(u.rest.Segment, len(one.Data))], 0
			u.rest.Data = u.rest.Data[len(one.Data):]
			if !u.forward(one) {
				u.sink.flush()
				return one.Data, one.From, nil
			}
		}
		for u.at < u.got {
			d, truncated := u.reader.Datagram(u.at)
			u.at++
			switch {
			case truncated:
				u.endpoint.server.counters.oversized.Add(1)
			case u.forward(d):
			case d.Segment > 0:
				u.rest = d
			default:
				u.sink.flush()
				return d.Data, d.From, nil
			}
			if len(u.rest.Data) > 0 {
				break
			}
		}
		if len(u.rest.Data) > 0 {
			continue
		}
		u.sink.flush()
		if err := u.read(); err != nil {
			return nil, netip.AddrPort{}, err
		}
	}
}

// read waits for packets, or a nudge.
func (u *upward) read() (err error) {
	u.at, u.got = 0, 0
	if !u.more {
		ready, err := u.poller.Wait(false)
		if err != nil {
			return err
		}
		if len(ready) == 0 {
			return errNudged
		}
	}
	if u.got, err = u.socket.Receive(u.reader, 0, relay.MaxBatch); err != nil {
		u.got, u.more = 0, true
		return err
	}
	u.more = u.got == relay.MaxBatch
	return nil
}

// forward sends a datagram or a whole train on its way, or drops it as the
// policy wants; false leaves it to the caller: a train to be taken apart, a
// single packet for pion/turn.
func (u *upward) forward(d relay.Datagram) bool {
	frame := d.Data
	if d.Segment > 0 {
		frame = frame[:d.Segment]
	}
	if !isChannelData(frame) || len(frame) >= maxRelayed {
		return false
	}
	r := u.last
	if r == nil || r.client != d.From || r.closed.Load() {
		if r = u.endpoint.find(d.From); r == nil {
			return false
		}
		u.last = r
	}
	payload := int(binary.BigEndian.Uint16(frame[2:]))
	if d.Segment > 0 && !evenTrain(d, frame, payload) {
		return false
	}
	return r.forwardUp(d, frame, payload, u.sink)
}

// evenTrain tells whether every packet of a train has the header of the first,
// only the last may be shorter, and none is empty without its header.
func evenTrain(d relay.Datagram, first []byte, payload int) bool {
	if payload == 0 || len(first) != headerSize+payload {
		return false
	}
	for rest := d.Data[d.Segment:]; len(rest) > 0; {
		n := min(d.Segment, len(rest))
		if n <= headerSize || binary.BigEndian.Uint16(rest) != binary.BigEndian.Uint16(first) ||
			int(binary.BigEndian.Uint16(rest[2:])) != n-headerSize {
			return false
		}
		rest = rest[n:]
	}
	return true
}

// forwardUp takes ChannelData of the client: a datagram, or a train of equal
// ones of which first is one. False leaves it to the caller.
func (r *relayConn) forwardUp(d relay.Datagram, first []byte, payload int, out *sink) bool {
	s := r.server
	peer, bound := r.gate.peerOf(binary.BigEndian.Uint16(first))
	if !bound {
		return false
	}
	p, passage := r.gate.way(first[headerSize:headerSize+payload], peer)
	if d.Segment > 0 && (passage != passes || p.gated && !p.answered.Load() || s.limited()) {
		return false // each packet is judged by itself
	}
	packets := d.Count()
	if d.Segment == 0 {
		d.Data = d.Data[:headerSize+payload] // what pads it stays here
	}
	var other *relayConn
	var number uint16
	if passage == passes && p.own {
		if other = p.relay.holder(p.to.Port()); other != nil {
			if number, bound = other.channelFor(r); !bound {
				other = nil // by its socket, for pion/turn to indicate
			}
		}
	}
	r.endpoint.socket.traffic().inMany(packets, len(d.Data))
	switch passage {
	case forbidden:
		s.counters.peerPackets.Add(1)
		return true
	case early:
		s.counters.unanswered.Add(1)
		return true
	}
	bytes := len(d.Data) - packets*headerSize
	if !s.pass(&r.fromClient, &s.fromClients, bytes) {
		return true
	}
	r.fromClient.addMany(packets, bytes)
	if s.shortcuts != nil && r.endpoint.direct != nil {
		s.shortcuts.want(wish{relay: r, number: binary.BigEndian.Uint16(first), peer: peer, path: p})
	}
	if other != nil {
		other.takeOver(r, d, packets, bytes, number, out)
		return true
	}
	out.add(r.socket, &s.counters.relay, [headerSize]byte{}, false, d, headerSize, p.to)
	return true
}

// channelFor is the channel that this allocation's client has bound to another
// allocation of this server.
func (r *relayConn) channelFor(from *relayConn) (number uint16, bound bool) {
	if r.closed.Load() {
		return 0, false
	}
	return r.gate.channelOf(from.told)
}

// takeOver gives the client what another allocation of this server sends to it,
// as if it had come by the relay port.
func (r *relayConn) takeOver(from *relayConn, d relay.Datagram, packets, bytes int, number uint16, out *sink) {
	s := r.server
	s.counters.relay.outMany(packets, bytes)
	s.counters.relay.inMany(packets, bytes)
	payload := d.Data[headerSize:]
	if d.Segment > 0 {
		payload = payload[:d.Segment-headerSize]
	}
	if !r.gate.inbound(payload, from.told, s.peers.now.Load()) {
		s.counters.peerPackets.Add(int64(packets))
		return
	}
	if !s.pass(&r.toClient, &s.toClients, bytes) {
		return
	}
	r.toClient.addMany(packets, bytes)
	e := r.endpoint
	if e.direct == nil {
		d.Each(func(frame []byte) { e.stream.queueData(number, frame[headerSize:]) })
		return
	}
	d.Each(func(frame []byte) { binary.BigEndian.PutUint16(frame, number) }) // the header is the other's now
	out.add(e.direct, e.socket.traffic(), [headerSize]byte{}, false, d, 0, r.client)
}
