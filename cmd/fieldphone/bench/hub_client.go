package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// clientBuffers are shared by all clients of this process.
var clientBuffers sync.Pool

// hubClient is one device.
type hubClient struct {
	swarm  *swarm
	number int // of its person
	person HubPerson
	device string
	conn   *websocket.Conn
	peer   *hubClient
	call   string

	writing sync.Mutex
	seq     atomic.Uint64 // last seen
	invited atomic.Int64  // when, since the swarm began
	got     int           // signals of its call

	mu    sync.Mutex
	known []uint64 // people, as bits
	times []time.Duration
	rings []time.Duration
}

func (c *hubClient) connect(ctx context.Context) error {
	path := "/api/v1/ws"
	if c.swarm.server.People == nil {
		path = "/ws?id=" + c.person.ID
	}
	conn, answer, err := dialer(c.number).DialContext(ctx, "wss://"+c.swarm.server.Address+path, c.header())
	if answer != nil {
		defer answer.Body.Close()
	}
	if err != nil {
		if answer != nil {
			err = fmt.Errorf("%w: %s", err, answer.Status)
		}
		return fmt.Errorf("connect: %w", err)
	}
	c.conn = conn
	c.swarm.readers.Go(c.read)
	return nil
}

func (c *hubClient) send(frame []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.conn.WriteMessage(websocket.TextMessage, frame)
}

func (c *hubClient) read() {
	var frame bytes.Buffer
	for {
		_, reader, err := c.conn.NextReader()
		if err == nil {
			frame.Reset()
			_, err = io.Copy(&frame, reader)
		}
		if err == nil {
			err = c.take(frame.Bytes())
		}
		if err != nil {
			if s := c.swarm; !s.closing.Load() {
				s.broken.Add(1)
				s.failure.CompareAndSwap(nil, &err)
			}
			return
		}
		if frame.Cap() > 16<<10 {
			frame = bytes.Buffer{} // a list of people
		}
	}
}

// take handles one message of the server. It is read no further than needed:
// the load must cost less than what is measured.
func (c *hubClient) take(frame []byte) error {
	s := c.swarm
	s.messages.Add(1)
	s.bytes.Add(int64(len(frame)))
	if seq, ok := numberAfter(frame[:min(len(frame), 100)], `"seq":`); ok {
		c.seq.Store(uint64(seq))
	}
	switch kind := typeOf(frame); kind {
	case "ping":
		s.pings.Add(1)
		return c.send(fmt.Appendf(nil, `{"type":"pong","data":{"seq":%d}}`, c.seq.Load()))
	case "welcome":
		s.welcomed.Add(1)
	case "presence.snapshot", "presence.update":
		c.learn(frame)
	case "profile.update":
		s.told.Add(1)
	case "call.signal":
		c.note(&c.times, frame)
		s.signals.Add(1)
		if c.got++; s.talks.Load() && c.got == callSignals && c.number%2 == 0 {
			return c.send(fmt.Appendf(nil, `{"type":"call.hangup","data":{"call":%q}}`, c.call))
		}
	case "call.incoming":
		if c.peer == nil || s.talks.Load() {
			c.mu.Lock()
			c.rings = append(c.rings, time.Since(s.began)-time.Duration(c.invited.Load()))
			c.mu.Unlock()
			s.rang.Add(1)
		}
		if c.peer != nil && bytes.Contains(frame, []byte(c.call)) {
			return c.send(fmt.Appendf(nil, `{"type":"call.accept","id":"a","data":{"call":%q,"media":"audio"}}`, c.call))
		}
	case "call.started":
		s.started.Add(1)
		if s.talks.Load() {
			return c.connectCall()
		}
	case "call.ended":
		s.ended.Add(1)
	case "error":
		return fmt.Errorf("the server says: %s", frame)
	case "":
		return errors.New("the server sent no message")
	}
	return nil
}

func typeOf(frame []byte) string {
	rest, ok := bytes.CutPrefix(frame, []byte(`{"type":"`))
	if !ok {
		return ""
	}
	kind, _, _ := bytes.Cut(rest[:min(len(rest), 40)], []byte(`"`))
	return string(kind)
}

func numberAfter(text []byte, mark string) (int64, bool) {
	_, rest, ok := bytes.Cut(text, []byte(mark))
	if !ok {
		return 0, false
	}
	end := bytes.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	n, err := strconv.ParseInt(string(rest[:max(end, 0)]), 10, 64)
	return n, err == nil
}

// note takes the time that a stamped message was under way.
func (c *hubClient) note(times *[]time.Duration, frame []byte) {
	if at, ok := numberAfter(frame, `"stamp":`); ok {
		c.mu.Lock()
		*times = append(*times, time.Since(c.swarm.began)-time.Duration(at))
		c.mu.Unlock()
	}
}

// PersonName is what a person of a bench is called; learn finds it again.
func PersonName(number int) string { return fmt.Sprintf("Bench %05d", number) }

func (c *hubClient) learn(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mark := []byte(`"name":"Bench `)
	for {
		_, rest, ok := bytes.Cut(frame, mark)
		if !ok || len(rest) < 5 {
			return
		}
		if n, err := strconv.Atoi(string(rest[:5])); err == nil && n/64 < len(c.known) {
			c.known[n/64] |= 1 << (n % 64)
		}
		frame = rest
	}
}

func (c *hubClient) unknown() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.swarm.clients)
	for _, word := range c.known {
		n -= bits.OnesCount64(word)
	}
	return int64(n)
}

func (c *hubClient) hello() []byte {
	return fmt.Appendf(nil, `{"type":"hello","id":"h","data":{"device":%q,"name":%q}}`, c.device, PersonName(c.number))
}

// signal is as large as an ICE candidate.
func (c *hubClient) signal() []byte {
	return fmt.Appendf(nil, `{"type":"call.signal"%s,"data":{"call":%q,"gen":1,"payload":{"candidate":{"candidate":`+
		`"candidate:842163049 1 udp 1677729535 192.168.1.10 46154 typ host generation 0","sdpMid":"0","sdpMLineIndex":0},"stamp":%d}}}`,
		c.to(c.peer), c.call, time.Since(c.swarm.began))
}

// callSignals is how many messages an end needs to connect a call: a description
// and some candidates.
const callSignals = 8

// description is as large as a browser's of a call with video.
var description = strings.Repeat("a=rtpmap:96 VP8/90000", 150)

func (c *hubClient) connectCall() error {
	kind := "offer"
	if c.number%2 == 1 {
		kind = "answer"
	}
	err := c.send(fmt.Appendf(nil, `{"type":"call.signal","data":{"call":%q,"gen":1,"payload":{"description":{"type":%q,"sdp":%q}}}}`, c.call, kind, description))
	for range callSignals - 1 {
		err = errors.Join(err, c.send(c.signal()))
	}
	return err
}

func (c *hubClient) invite(to *hubClient, call string) []byte {
	return fmt.Appendf(nil, `{"type":"call.invite"%s,"data":{"call":%q,"to":%q,"media":"audio"}}`, c.to(to), call, to.person.ID)
}

func (c *hubClient) cancel(call string) []byte {
	if c.swarm.server.People == nil {
		return nil
	}
	return fmt.Appendf(nil, `{"type":"call.cancel","data":{"call":%q}}`, call)
}

// to names the receiver where the server knows no calls.
func (c *hubClient) to(peer *hubClient) string {
	if c.swarm.server.People != nil {
		return ""
	}
	return fmt.Sprintf(`,"to":%q`, peer.person.ID)
}

// toldText makes a message of about 200 bytes.
func toldText(n int) string { return fmt.Sprintf("%02d at the north pier, back at six", n) }
