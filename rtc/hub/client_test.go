package hub

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fieldphone/rtc"
)

// client is a device of the tests: a Conn in memory.
type client struct {
	t      *testing.T
	hub    *Hub
	user   string
	device string
	port   *Port
	reqs   atomic.Int64

	mu     sync.Mutex
	room   int // frames that its queue still takes; -1 is without end
	closed rtc.Close
	stream string
	seq    uint64
	heard  []rtc.Message
	pings  []time.Time
	mute   bool // does not answer pings
	deaf   bool // does not look at what it gets
}

func (c *client) Send(frames ...[]byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.room >= 0 && c.room < 1 {
		return false
	}
	c.room--
	if c.closed != (rtc.Close{}) {
		panic("a frame after the hub closed the connection")
	}
	for _, frame := range frames {
		if !c.deaf {
			c.hear(frame)
		}
	}
	return true
}

func (c *client) hear(frame []byte) {
	env, msg, err := rtc.Decode(frame)
	if err != nil {
		panic(fmt.Sprintf("the hub sent %s: %v", frame, err))
	}
	if env.Seq != 0 {
		if env.Seq <= c.seq {
			panic(fmt.Sprintf("seq %d after %d", env.Seq, c.seq))
		}
		c.seq = env.Seq
	}
	switch m := msg.(type) {
	case *rtc.Welcome:
		if m.Stream != c.stream {
			c.stream, c.seq = m.Stream, 0
		}
	case *rtc.Ping:
		c.pings = append(c.pings, time.Now())
		if !c.mute {
			go c.request(&rtc.Pong{Seq: c.seq})
		}
		return
	}
	c.heard = append(c.heard, msg)
}

func (c *client) Close(reason rtc.Close) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed == (rtc.Close{}) {
		c.closed = reason
	}
}

// connect signs a device in and says hello.
func connect(t *testing.T, h *Hub, user, device string) *client {
	t.Helper()
	c := &client{t: t, hub: h, user: user, device: device + "-00000000"}
	c.attach()
	c.hello()
	return c
}

func (c *client) attach() {
	c.set(func() { c.room, c.closed, c.mute = -1, rtc.Close{}, false })
	c.port = c.hub.Attach(c, rtc.User{ID: c.user, Name: strings.ToUpper(c.user)}, "session-of-"+c.user, Link{Remote: netip.MustParseAddrPort("10.77.1.9:50000"), Transport: TransportWSS})
}

func (c *client) hello(calls ...rtc.RunningCall) {
	var hello *rtc.Hello
	c.set(func() { hello = &rtc.Hello{Device: c.device, Stream: c.stream, LastSeq: c.seq, Calls: calls} })
	c.say(hello)
}

// set changes what Send and Close look at.
func (c *client) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// closedWith is why the hub closed the connection, zero if it did not.
func (c *client) closedWith() (reason rtc.Close) {
	synctest.Wait()
	c.set(func() { reason = c.closed })
	return reason
}

// back connects the same device again.
func (c *client) back() {
	c.attach()
	c.hello()
}

func (c *client) lose() {
	c.port.Detach()
	synctest.Wait()
}

// say sends a request and lets the hub act on it.
func (c *client) say(msg rtc.Message) {
	c.request(msg)
	synctest.Wait()
}

func (c *client) request(msg rtc.Message) {
	frame, err := rtc.EncodeRequest(msg, fmt.Sprint(c.reqs.Add(1)))
	if err != nil {
		panic(err)
	}
	c.port.Receive(frame)
}

// take returns what was heard of one kind since the last take.
func take[M rtc.Message](c *client) []M {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	var taken []M
	c.heard = slices.DeleteFunc(c.heard, func(msg rtc.Message) bool {
		m, ok := msg.(M)
		if ok {
			taken = append(taken, m)
		}
		return ok
	})
	return taken
}

func one[M rtc.Message](c *client) M {
	c.t.Helper()
	got := take[M](c)
	if len(got) != 1 {
		var want M
		c.t.Fatalf("%s heard %d of %T, want 1; also %s", c.user, len(got), want, c.rest())
	}
	return got[0]
}

func none[M rtc.Message](c *client) {
	c.t.Helper()
	if got := take[M](c); len(got) != 0 {
		text, _ := json.Marshal(got)
		c.t.Fatalf("%s heard %T %s, want none", c.user, got[0], text)
	}
}

func (c *client) rest() string {
	var types []string
	for _, m := range c.heard {
		types = append(types, string(m.Type()))
	}
	return strings.Join(types, " ")
}

func (c *client) refused(code rtc.Code) {
	c.t.Helper()
	if got := one[*rtc.Error](c); got.Code != code {
		c.t.Fatalf("refused with %v, want %s", got, code)
	}
}

// sees tells the last status of a person that the client heard of.
func (c *client) sees(id string) rtc.Status {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	status := rtc.Offline
	for _, msg := range c.heard {
		var people []rtc.Person
		switch m := msg.(type) {
		case *rtc.PresenceSnapshot:
			people, status = m.People, rtc.Offline
		case *rtc.PresenceUpdate:
			people = m.People
		}
		for _, p := range people {
			if p.ID == id {
				status = p.Status
			}
		}
	}
	return status
}
