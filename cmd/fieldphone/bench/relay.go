package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
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
}

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
	for round := range rounds {
		for i, t := range targets {
			rows[i].Name = t.Name
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
func (t Target) open(ctx context.Context, number int, from wire.Place, local netip.Addr) (c *turnclient.Client, relayed netip.AddrPort, err error) {
	err = from(func() error {
		c, err = turnclient.Dial(ctx, turnclient.Target{Network: t.Network, Address: t.Address, TLS: untrusted(t.Network), Local: local})
		return err
	})
	if err != nil {
		return nil, relayed, err
	}
	user, password := t.User, t.Password
	if t.Secret != nil {
		user, password = credential.Issue(t.Secret, "bench", fmt.Sprintf("bench-%d", number), time.Now().Add(time.Hour))
	}
	c.SignIn(user, password)
	if relayed, err = c.Allocate(ctx); err != nil {
		return nil, relayed, errors.Join(err, c.Close())
	}
	return c, relayed, nil
}

// Allocations measures how fast allocations are made and released.
func Allocations(ctx context.Context, targets []Target, duration time.Duration, places wire.Places, rounds int, progress io.Writer) ([]Row, error) {
	const workers = 8
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
				for n := 0; ctx.Err() == nil; n++ {
					err := t.cycle(ctx, worker*1_000_000+n, places)
					mu.Lock()
					if err == nil {
						cycles++
					} else if ctx.Err() == nil {
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

func (t Target) cycle(ctx context.Context, number int, places wire.Places) error {
	c, _, err := t.open(ctx, number, places.Client, places.ClientAddress)
	if err != nil {
		return err
	}
	return errors.Join(c.Release(ctx), c.Close())
}

// Idle makes allocations and reads the server's memory.
func Idle(ctx context.Context, targets []Target, allocations int, places wire.Places, progress io.Writer) ([]Row, error) {
	return interleave(targets, 1, progress, func(t Target) (f Figures, err error) {
		var open []*turnclient.Client
		defer func() {
			for _, c := range open {
				err = errors.Join(err, c.Release(ctx), c.Close())
			}
		}()
		for n := range allocations {
			c, _, err := t.open(ctx, n, places.Client, places.ClientAddress)
			if err != nil {
				return f, fmt.Errorf("allocation %d: %w", n+1, err)
			}
			open = append(open, c)
		}
		return Figures{RSSMB: rssOf(t.PID)}, nil
	})
}
