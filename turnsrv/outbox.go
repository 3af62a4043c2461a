package turnsrv

import (
	"encoding/binary"
	"net/netip"
	"sync"
)

// maxOutbox (bytes) is how much may wait for a client that reads slowly, as in
// a socket's buffer: about a second of video. What comes beyond that is lost, so
// that nobody else waits.
const maxOutbox = 256 << 10

// outbox is what waits to be written to a stream. A goroutine is there only
// while something does.
type outbox struct {
	writers *sync.WaitGroup

	mu      sync.Mutex
	waiting []byte
	spare   []byte
	writing bool
}

// queue sends a whole STUN message, or ChannelData with its padding, without
// waiting for the client.
func (t *tcpSocket) queue(frame []byte) { t.queueFrame(frame, nil) }

// queueData sends ChannelData, padded (RFC 8656 section 12.5).
func (t *tcpSocket) queueData(number uint16, data []byte) {
	var head [headerSize]byte
	binary.BigEndian.PutUint16(head[:], number)
	binary.BigEndian.PutUint16(head[2:], uint16(len(data)))
	t.queueFrame(head[:], data)
}

func (t *tcpSocket) queueFrame(head, data []byte) {
	o := &t.outbox
	size := len(head) + len(data)
	padding := -size & 3
	o.mu.Lock()
	if len(o.waiting)+size+padding > maxOutbox {
		o.mu.Unlock()
		t.traffic().sendErrors.Add(1)
		return
	}
	o.waiting = append(append(append(o.waiting, head...), data...), []byte{0, 0, 0}[:padding]...)
	begin := !o.writing
	o.writing = true
	o.mu.Unlock()
	t.traffic().outMany(1, size+padding)
	if begin {
		o.writers.Go(t.writeOut)
	}
}

// writeOut writes until nothing waits. What fails ends the connection.
func (t *tcpSocket) writeOut() {
	o := &t.outbox
	for {
		o.mu.Lock()
		frames := o.waiting
		o.waiting, o.spare = o.spare[:0], nil
		if len(frames) == 0 {
			o.waiting, o.writing = nil, false // an idle client holds no buffer
			o.mu.Unlock()
			return
		}
		o.mu.Unlock()
		t.writeFrames(frames)
		o.mu.Lock()
		o.spare = frames[:0]
		o.mu.Unlock()
	}
}

// writeFrames writes all at once, but over TLS a record for each frame: coturn's
// client takes what one read gives for one message.
func (t *tcpSocket) writeFrames(frames []byte) {
	for len(frames) > 0 {
		size := len(frames)
		if t.via == overTLS {
			size = frameSize(frames)
		}
		if t.write(frames[:size], netip.AddrPort{}) != nil {
			return
		}
		frames = frames[size:]
	}
}
