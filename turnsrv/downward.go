package turnsrv

import (
	"encoding/binary"
	"net"
	"net/netip"
	"runtime"

	"fieldphone/turnsrv/relay"
)

// downward is what the reader of a relay port keeps between packets.
type downward struct {
	receive func(fd uintptr) bool // made once
	station *station
	got, at int
	rest    relay.Datagram // of a train, what is not handled yet
}

// readFast is ReadFrom of the user path: it forwards what belongs to a channel
// and returns the next packet that pion/turn has to indicate.
func (r *relayConn) readFast(p []byte) (int, net.Addr, error) {
	for failures := 0; ; {
		if n, addr := r.drain(p); n >= 0 {
			return n, addr, nil
		}
		err := r.await()
		if err == nil {
			failures = 0
			continue
		}
		if r.deleted.Load() {
			runtime.Goexit() // see deleted
		}
		if failures++; r.closed.Load() || failures > maxReadFailures {
			return 0, nil, err
		}
	}
}

// await waits for packets; a station is only taken once there are some.
func (r *relayConn) await() error {
	w := &r.down
	if w.receive == nil {
		w.receive = func(fd uintptr) bool {
			w.station = r.server.takeStation()
			if w.station.reader.Receive(fd) {
				return true
			}
			r.giveBack()
			return false
		}
	}
	if err := r.raw.Read(w.receive); err != nil {
		return err
	}
	var err error
	if w.got, err = w.station.reader.Got(); err != nil {
		w.got = 0
		r.giveBack()
	}
	w.at = 0
	return err
}

func (r *relayConn) giveBack() {
	if st := r.down.station; st != nil {
		r.down.station = nil
		r.server.stations.Put(st)
	}
}

// drain handles what was read; it returns a packet for pion/turn, or -1 when all
// is done.
func (r *relayConn) drain(p []byte) (int, net.Addr) {
	w := &r.down
	if w.station == nil {
		return -1, nil
	}
	for w.at < w.got || len(w.rest.Data) > 0 {
		d := w.rest
		if len(d.Data) > 0 {
			d.Data, d.Segment = d.Data[:min(d.Segment, len(d.Data))], 0
			w.rest.Data = w.rest.Data[len(d.Data):]
		} else {
			var truncated bool
			d, truncated = w.station.reader.Datagram(w.at)
			w.at++
			if truncated {
				r.server.counters.relay.in(len(d.Data))
				r.server.counters.oversized.Add(1)
				continue
			}
		}
		if d.Segment == 0 && len(d.Data) >= min(len(p), maxRelayed) {
			r.server.counters.relay.in(len(d.Data))
			r.server.counters.oversized.Add(1)
			continue
		}
		done, peer := r.forwardDown(d)
		switch {
		case done:
		case d.Segment > 0:
			w.rest = d
		default:
			w.station.sink.flush()
			return copy(p, d.Data), peer
		}
	}
	w.station.sink.flush()
	w.got, w.at = 0, 0
	r.giveBack()
	return -1, nil
}

// forwardDown takes what came to the relay port: a datagram or a train. Not done
// means a train to be taken apart, or a packet that pion/turn has to indicate.
func (r *relayConn) forwardDown(d relay.Datagram) (done bool, peer net.Addr) {
	s := r.server
	counters := &s.counters
	from := r.sender(d.From)
	packets, first := 1, d.Data
	if d.Segment > 0 {
		packets, first = (len(d.Data)+d.Segment-1)/d.Segment, d.Data[:d.Segment]
		if d.Segment >= maxRelayed || s.limited() || !r.gate.open(from.told, from.rules) {
			return false, nil // each packet is judged by itself
		}
	}
	number, bound := r.gate.channelOf(from.told)
	if d.Segment > 0 && !bound {
		return false, nil // pion/turn indicates one by one
	}
	counters.relay.inMany(packets, len(d.Data))
	if from.own && !from.relay.holds(d.From.Port()) || !r.gate.inbound(first, from.told, from.rules) {
		counters.peerPackets.Add(int64(packets))
		return true, nil
	}
	if !s.pass(&r.toClient, &s.toClients, len(d.Data)) {
		return true, nil
	}
	r.toClient.addMany(packets, len(d.Data))
	if !bound {
		return false, from.addr
	}
	if s.shortcuts != nil && r.endpoint.raw != nil {
		if p := r.gate.find(from.told, from.rules); p != nil {
			s.shortcuts.want(wish{relay: r, number: number, peer: from.told, path: p})
		}
	}
	r.deliver(d, first, number)
	return true, nil
}

// deliver sends ChannelData to the client.
func (r *relayConn) deliver(d relay.Datagram, first []byte, number uint16) {
	e := r.endpoint
	var head [headerSize]byte
	binary.BigEndian.PutUint16(head[:], number)
	if e.raw == nil {
		d.Each(func(data []byte) { r.deliverFrame(head, data) })
		return
	}
	last := len(d.Data)
	if d.Segment > 0 {
		last = len(d.Data) % d.Segment
	}
	if d.Segment > 0 && last != 0 {
		// The header tells the length: the short end goes by itself.
		short := relay.Datagram{Data: d.Data[len(d.Data)-last:], From: d.From}
		d.Data = d.Data[:len(d.Data)-last]
		defer r.deliver(short, short.Data, number)
	}
	binary.BigEndian.PutUint16(head[2:], uint16(len(first)))
	if d.Segment > 0 && len(d.Data) == d.Segment {
		d.Segment = 0
	}
	r.down.station.sink.add(e.raw, e.socket.traffic(), head, true, d, 0, r.client)
}

// deliverFrame writes a padded frame to a stream (RFC 8656 section 12.5). Only
// this allocation waits for a client that reads slowly.
func (r *relayConn) deliverFrame(head [headerSize]byte, data []byte) {
	binary.BigEndian.PutUint16(head[2:], uint16(len(data)))
	var frame [frameBuffer]byte
	n := copy(frame[:], head[:])
	n += copy(frame[n:], data)
	padded := (n + 3) &^ 3
	err := r.endpoint.socket.write(frame[:padded], netip.AddrPort{})
	r.endpoint.socket.traffic().out(padded, err)
}
