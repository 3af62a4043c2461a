package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// dialers is how many connections are opened at once.
const dialers = 16

// swarm is all clients of a round.
type swarm struct {
	server  HubServer
	clients []*hubClient
	began   time.Time
	closing atomic.Bool

	messages, bytes, pings, welcomed, told, signals, started, ended, rang, broken atomic.Int64
	failure                                                                       atomic.Pointer[error]
	free                                                                          []*hubClient // in no call
	busy                                                                          []*hubClient // those in calls, each beside its peer
	readers                                                                       sync.WaitGroup
	talks                                                                         atomic.Bool // whoever is in a call connects, and its caller hangs up
}

func newSwarm(server HubServer, clients, people int) *swarm {
	s := &swarm{server: server, began: time.Now()}
	if len(server.People) > 0 {
		people = min(people, len(server.People))
	}
	for i := range clients {
		c := &hubClient{swarm: s, number: i % people, device: fmt.Sprintf("bench-device-%05d", i), known: make([]uint64, (people+63)/64)}
		if len(server.People) > 0 {
			c.person = server.People[c.number]
		} else {
			c.person = HubPerson{ID: c.device}
		}
		s.clients = append(s.clients, c)
	}
	return s
}

// connect opens connections.
func (s *swarm) connect(ctx context.Context, clients []*hubClient) error {
	return s.each(ctx, clients, func(c *hubClient) error { return c.connect(ctx) })
}

// each does something for many clients, several at a time.
func (s *swarm) each(ctx context.Context, clients []*hubClient, do func(c *hubClient) error) error {
	work := make(chan *hubClient)
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	for range dialers {
		wg.Go(func() {
			for c := range work {
				if failed.Load() != nil {
					continue
				}
				if err := do(c); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	for _, c := range clients {
		if failed.Load() != nil || ctx.Err() != nil {
			break
		}
		work <- c
	}
	close(work)
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return ctx.Err()
}

func dialer(number int) *websocket.Dialer {
	// A source address for each few thousand, as ports are.
	local := &net.TCPAddr{IP: net.IPv4(127, 0, byte(1+number>>8), byte(1+number%250))}
	return &websocket.Dialer{
		NetDialContext: (&net.Dialer{LocalAddr: local}).DialContext,
		// A server of this very run, on this machine, with a certificate of its own.
		TLSClientConfig:  &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}},
		HandshakeTimeout: 30 * time.Second, ReadBufferSize: 1024, WriteBufferSize: 512, WriteBufferPool: &clientBuffers,
	}
}

// signIn lets clients say hello, spread over a time, and waits for the answers.
func (s *swarm) signIn(ctx context.Context, clients []*hubClient, window time.Duration) error {
	began, before := time.Now(), s.welcomed.Load()
	for i, c := range clients {
		due := time.Duration(float64(window) * float64(i) / float64(len(clients)))
		if ahead := due - time.Since(began); ahead > time.Millisecond {
			if err := sleep(ctx, ahead); err != nil {
				return err
			}
		}
		if err := c.send(c.hello()); err != nil {
			return errors.Join(fmt.Errorf("client %d, %v after the first: %w", i, time.Since(began).Round(time.Millisecond), err), s.lost())
		}
		if window == 0 && i%64 == 63 { // as fast as it is answered
			_ = until(ctx, 10*time.Second, func() bool { return s.welcomed.Load()-before > int64(i-256) })
		}
	}
	err := until(ctx, 30*time.Second, func() bool { return s.welcomed.Load()-before >= int64(len(clients)) })
	if err != nil {
		return errors.Join(fmt.Errorf("%d of %d clients were welcomed: %w", s.welcomed.Load()-before, len(clients), err), s.lost())
	}
	return nil
}

// quiet waits until nothing has arrived for a moment.
func (s *swarm) quiet(ctx context.Context) {
	said := func() int64 { return s.messages.Load() - s.pings.Load() }
	for range 60 {
		before := said()
		if sleep(ctx, settleQuiet) != nil || said() == before {
			return
		}
	}
}

// pair lets clients call each other and accept, but for some that stay free.
func (s *swarm) pair(ctx context.Context, free int) error {
	free += free % 2
	n := len(s.clients) - free
	n -= n % 2
	callers := s.couple(n)
	if s.server.People == nil {
		return nil
	}
	if err := s.each(ctx, callers, func(c *hubClient) error { return c.send(c.invite(c.peer, c.call)) }); err != nil {
		return err
	}
	if err := until(ctx, 20*time.Second, func() bool { return s.started.Load() >= int64(n) }); err != nil {
		return fmt.Errorf("%d of %d ends of calls started: %w", s.started.Load(), n, err)
	}
	return nil
}

// couple makes the first n clients peers of one another, each second one a
// caller; it returns those.
func (s *swarm) couple(n int) (callers []*hubClient) {
	s.busy, s.free = s.clients[:n], s.clients[n:]
	for i := 0; i < n; i += 2 {
		a, b := s.busy[i], s.busy[i+1]
		a.peer, b.peer = b, a
		a.call = fmt.Sprintf("bench-call-%06d", i)
		b.call = a.call
		callers = append(callers, a)
	}
	return callers
}

// play lets callers call, one after the other within a time: a call rings, is
// accepted, both ends exchange what connects them, and the caller hangs up.
func (s *swarm) play(ctx context.Context, callers []*hubClient, window time.Duration) error {
	s.talks.Store(true)
	began := time.Now()
	for i, c := range callers {
		due := time.Duration(float64(window) * float64(i) / float64(len(callers)))
		if err := sleep(ctx, due-time.Since(began)); err != nil {
			return err
		}
		c.peer.invited.Store(int64(time.Since(s.began)))
		if err := c.send(c.invite(c.peer, c.call)); err != nil {
			return errors.Join(err, s.lost())
		}
	}
	if err := until(ctx, 10*time.Second, func() bool { return s.ended.Load() >= int64(2*len(callers)) }); err != nil {
		return errors.Join(fmt.Errorf("%d of %d ends of calls ended: %w", s.ended.Load(), 2*len(callers), err), s.lost())
	}
	return nil
}

// chatter sends signals at a steady rate and returns how many.
func (s *swarm) chatter(ctx context.Context, rate int, duration time.Duration) (sent int64, err error) {
	const senders = 2
	var total atomic.Int64
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	began := time.Now()
	for worker := range senders {
		wg.Go(func() {
			mine, next := 0, worker
			for ctx.Err() == nil && time.Since(began) < duration {
				due := int(time.Since(began).Seconds() * float64(rate) / senders)
				if mine >= due {
					pause(200 * time.Microsecond)
					continue
				}
				for ; mine < due; mine++ {
					c := s.busy[next%len(s.busy)]
					next += senders
					if err := c.send(c.signal()); err != nil {
						failed.CompareAndSwap(nil, &err)
						return
					}
					total.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return total.Load(), errors.Join(*err, s.lost())
	}
	return total.Load(), ctx.Err()
}

// ring lets free clients call each other, one call after the other.
func (s *swarm) ring(ctx context.Context, duration time.Duration) error {
	s.rang.Store(0)
	for _, c := range s.free {
		c.peer = nil
	}
	made := int64(0)
	for began, n := time.Now(), 0; time.Since(began) < duration; n++ {
		from, to := s.free[(2*n)%len(s.free)], s.free[(2*n+1)%len(s.free)]
		call := fmt.Sprintf("bench-ring-%06d", n)
		to.invited.Store(int64(time.Since(s.began)))
		if err := from.send(from.invite(to, call)); err != nil {
			return errors.Join(err, s.lost())
		}
		made++
		if err := until(ctx, 10*time.Second, func() bool { return s.rang.Load() >= made }); err != nil {
			return fmt.Errorf("a call did not ring: %w", err)
		}
		if cancel := from.cancel(call); cancel != nil {
			if err := from.send(cancel); err != nil {
				return err
			}
		}
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func (s *swarm) forgetTimes() {
	for _, c := range s.clients {
		c.mu.Lock()
		c.times = nil
		c.mu.Unlock()
	}
}

func (s *swarm) signalTimes() []time.Duration {
	return s.collect(func(c *hubClient) []time.Duration { return c.times })
}

func (s *swarm) ringTimes() []time.Duration {
	return s.collect(func(c *hubClient) []time.Duration { return c.rings })
}

func (s *swarm) collect(of func(c *hubClient) []time.Duration) (all []time.Duration) {
	for _, c := range s.clients {
		c.mu.Lock()
		all = append(all, of(c)...)
		c.mu.Unlock()
	}
	slices.Sort(all)
	return all
}

// missing counts the people that clients have not been told of.
func (s *swarm) missing() (total int64) {
	for _, c := range s.clients {
		total += c.unknown()
	}
	return total
}

// lost is an error if connections broke.
func (s *swarm) lost() error {
	if n := s.broken.Load(); n > 0 {
		err := errors.New("unknown")
		if first := s.failure.Load(); first != nil {
			err = *first
		}
		return fmt.Errorf("%d connections broke, the first by: %w", n, err)
	}
	return nil
}

func (s *swarm) close() {
	s.closing.Store(true)
	for _, c := range s.clients {
		if c.conn != nil {
			c.conn.NetConn().(*tls.Conn).NetConn().Close() // no farewells: the server ends next
		}
	}
	s.readers.Wait()
}

// header authorises a client as a program.
func (c *hubClient) header() http.Header {
	if c.person.Token == "" {
		return nil
	}
	return http.Header{"Authorization": {"Bearer " + c.person.Token}}
}
