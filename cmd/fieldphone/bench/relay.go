package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"fieldphone/turnsrv/credential"
	"fieldphone/turnsrv/turnclient"
	"fieldphone/turnsrv/wire"
)

// Target is a TURN server to measure.
type Target struct {
	Name    string
	Address netip.AddrPort
	Network turnclient.Network
	// Secret makes a credential for each client (see package credential); else
	// User and Password are everybody's.
	Secret         []byte
	User, Password string
	PID            int // of the server; 0: its CPU and memory are not measured
	// Control has no server: clients and peers send to each other.
	Control Control
}

// Control is how much is done without a relay.
type Control int

const (
	// Forwarding lets the server's kernel forward IP packets to the peers.
	Forwarding Control = iota + 1
	// OneHop has the peers where the server would be.
	OneHop
)

// RelayLoad is what a round sends.
type RelayLoad struct {
	Clients int
	Size    int // bytes of payload
	Train   int // datagrams sent at once on a flow
	// Up sends from clients to peers, Down the other way.
	Up, Down bool
	// Pairs makes clients each other's peers, by their relay ports.
	Pairs    bool
	Rate     int // packets a second in all; 0: as many as get through
	Duration time.Duration
}

// Relay plays rounds of load on all targets by turns, and tells progress.
func Relay(ctx context.Context, targets []Target, load RelayLoad, places wire.Places, rounds int, progress io.Writer) ([]Row, error) {
	return interleave(targets, rounds, progress, func(t Target) (Figures, error) { return relayRound(ctx, t, load, places) })
}

func interleave(targets []Target, rounds int, progress io.Writer, measure func(Target) (Figures, error)) ([]Row, error) {
	rows := make([]Row, len(targets))
	for i, t := range targets {
		rows[i].Name = t.Name
	}
	for round := range rounds {
		for i, t := range targets {
			fmt.Fprintf(progress, "\rround %d of %d: %-20s", round+1, rounds, t.Name)
			figures, err := measure(t)
			if err != nil {
				fmt.Fprintln(progress)
				return rows, fmt.Errorf("%s: %w", t.Name, err)
			}
			rows[i].Rounds = append(rows[i].Rounds, figures)
		}
	}
	fmt.Fprintf(progress, "\r%-40s\r", "")
	return rows, nil
}

// relayRound makes the allocations, sends for a while, and takes everything down.
func relayRound(ctx context.Context, target Target, load RelayLoad, places wire.Places) (f Figures, err error) {
	setup, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	flows, err := openFlows(setup, target, load, places)
	defer func() { err = errors.Join(err, closeFlows(flows)) }()
	if err != nil {
		return Figures{}, err
	}
	server, own := cpuOf(target.PID), cpuOf(selfPID())
	traffic := play(ctx, flows, load)
	server, own = cpuOf(target.PID)-server, cpuOf(selfPID())-own
	if traffic.received == 0 {
		return Figures{}, errors.New("nothing arrived")
	}
	packets := float64(traffic.received)
	f = Figures{
		Kpps:      packets / load.Duration.Seconds() / 1000,
		LossPct:   100 * (1 - packets/float64(traffic.sent)),
		Reordered: float64(traffic.reordered) / packets,
		BoxCPU:    float64(server+own) / 1000 / packets,
		P50:       percentile(traffic.times, 0.5), P99: percentile(traffic.times, 0.99), P999: percentile(traffic.times, 0.999),
	}
	if target.PID != 0 {
		f.ServerCPU = float64(server) / 1000 / packets
		f.RSSMB = rssOf(target.PID)
	}
	return f, nil
}

// open makes a client of the target, with an allocation.
func (t Target) open(ctx context.Context, number int, from wire.Place, local netip.Addr) (*turnclient.Client, netip.AddrPort, error) {
	clients, err := t.dial(ctx, 1, from, local)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	c := clients[0]
	relayed, err := t.allocate(ctx, number, c)
	if err != nil {
		return nil, relayed, errors.Join(err, c.Close())
	}
	return c, relayed, nil
}

// dial makes clients that have asked for nothing yet. To enter a namespace costs
// as much as an allocation, so several enter it at once.
func (t Target) dial(ctx context.Context, clients int, from wire.Place, local netip.Addr) (all []*turnclient.Client, err error) {
	err = from(func() error {
		for range clients {
			c, err := turnclient.Dial(ctx, turnclient.Target{Network: t.Network, Address: t.Address, TLS: untrusted(t.Network), Local: local})
			if err != nil {
				return err
			}
			all = append(all, c)
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(append([]error{err}, closeClients(all)...)...)
	}
	return all, nil
}

func closeClients(all []*turnclient.Client) (errs []error) {
	for _, c := range all {
		errs = append(errs, c.Close())
	}
	return errs
}

// allocate signs a client in and gets it a relay port.
func (t Target) allocate(ctx context.Context, number int, c *turnclient.Client) (netip.AddrPort, error) {
	user, password := t.User, t.Password
	if t.Secret != nil {
		user, password = credential.Issue(t.Secret, "bench", fmt.Sprintf("bench-%d", number), time.Now().Add(time.Hour))
	}
	c.SignIn(user, password)
	return c.Allocate(ctx)
}

// workers ask for allocations at the same time, each with so many sockets ready.
const workers, ready = 8, 32

// Allocations measures how fast allocations are made and released.
func Allocations(ctx context.Context, targets []Target, duration time.Duration, places wire.Places, rounds int, progress io.Writer) ([]Row, error) {
	return interleave(targets, rounds, progress, func(t Target) (Figures, error) {
		ctx, cancel := context.WithTimeout(ctx, duration)
		defer cancel()
		var wg sync.WaitGroup
		var mu sync.Mutex
		var failed error
		cycles := 0
		before, began := cpuOf(t.PID), time.Now()
		for worker := range workers {
			wg.Go(func() {
				for n := 0; ctx.Err() == nil; n += ready {
					done, err := t.cycle(ctx, worker*1_000_000+n, places)
					mu.Lock()
					if cycles += done; err != nil {
						failed = err
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if cycles == 0 {
			return Figures{}, errors.Join(errors.New("no allocation was made"), failed)
		}
		return Figures{
			Cycles:   float64(cycles) / time.Since(began).Seconds(),
			CycleCPU: float64(cpuOf(t.PID)-before) / 1000 / float64(cycles),
		}, nil
	})
}

// cycle makes and releases allocations, one after the other, until ctx ends. The last is
// finished: one that is left would be in the way of the next client on its port.
func (t Target) cycle(ctx context.Context, number int, places wire.Places) (done int, failed error) {
	clients, err := t.dial(context.WithoutCancel(ctx), ready, places.Client, places.ClientAddress)
	if err != nil {
		return 0, err
	}
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	for i, c := range clients {
		if ctx.Err() == nil {
			_, err := t.allocate(patient, number+i, c)
			if err == nil {
				err = c.Release(patient)
			}
			if err == nil {
				done++
			}
			failed = errors.Join(failed, err)
		}
		failed = errors.Join(failed, c.Close())
	}
	return done, failed
}

// Hold makes allocations, as fast as it can, keeps them all while it refreshes
// each, and reads what they cost the server.
func Hold(ctx context.Context, targets []Target, allocations int, places wire.Places, rounds int, progress io.Writer) ([]Row, error) {
	return interleave(targets, rounds, progress, func(t Target) (f Figures, err error) {
		open := make([]*turnclient.Client, allocations)
		defer func() {
			err = errors.Join(err, spread(open, func(i int) error {
				if open[i] == nil {
					return nil
				}
				return errors.Join(open[i].Release(ctx), open[i].Close())
			}))
		}()
		memory, before, began := rssOf(t.PID), cpuOf(t.PID), time.Now()
		err = spread(open, func(i int) (err error) {
			if open[i], _, err = t.open(ctx, i, places.Client, places.ClientAddress); err != nil {
				return fmt.Errorf("allocation %d: %w", i+1, err)
			}
			return nil
		})
		if err != nil {
			return f, err
		}
		f.RSSMB = rssOf(t.PID)
		f.KBEach = max(f.RSSMB-memory, 0) * 1000 / float64(allocations)
		f.Allocates = float64(allocations) / time.Since(began).Seconds()
		f.AllocateCPU = float64(cpuOf(t.PID)-before) / 1000 / float64(allocations)
		before, began = cpuOf(t.PID), time.Now()
		err = spread(open, func(i int) error { return open[i].Refresh(ctx) })
		f.Refreshes = float64(allocations) / time.Since(began).Seconds()
		f.RefreshCPU = float64(cpuOf(t.PID)-before) / 1000 / float64(allocations)
		return f, err
	})
}

// spread does something for each of the clients, a few at a time, and gives the
// first error.
func spread(all []*turnclient.Client, do func(i int) error) error {
	var wg sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, workers)
	for w := range workers {
		wg.Go(func() {
			for errs[w] == nil {
				i := int(next.Add(1)) - 1
				if i >= len(all) {
					return
				}
				errs[w] = do(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
