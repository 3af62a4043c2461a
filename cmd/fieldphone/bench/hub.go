package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// HubTarget is a signalling server to measure.
type HubTarget struct {
	Name string
	// Start runs it anew in a process of its own, so that no round inherits the
	// memory of the one before.
	Start func(ctx context.Context) (HubServer, error)
	Calls bool // it knows calls, and does not only pass messages on
}

// HubServer is one that runs.
type HubServer struct {
	Address string // host and port of wss
	PID     int
	Stop    func()
	// People have accounts there. Without, the server takes who comes and passes
	// on by the envelope's `to` (see PlainHub).
	People []HubPerson
	// Tell makes the server send a text to every client.
	Tell func(ctx context.Context, text string) error
}

// HubPerson is somebody who can sign in.
type HubPerson struct{ ID, Token string }

// HubLoad is what a round does.
type HubLoad struct {
	Clients  int
	People   int           // that the clients are devices of
	Rate     int           // messages routed in a second, in all
	Duration time.Duration // of routing
	Settle   time.Duration // from the last sign-in until memory is read
}

// What the rounds measure, with units.
const (
	HubAccept   = "accept ms CPU"    // TLS, upgrade, authorisation of one client
	HubSignIn   = "sign-in ms CPU"   // hello to the whole list of people, of one client
	HubIdle     = "kB/idle client"   // resident memory above that of the empty server
	HubBeat     = "heartbeat µs CPU" // one ping and pong
	HubRouted   = "µs CPU/message"
	HubRoute99  = "route p99 ms"
	HubFanCPU   = "fan-out ms CPU"
	HubFanWall  = "fan-out ms"
	HubRing50   = "ring p50 ms" // invite to incoming call, under the same load
	HubRing99   = "ring p99 ms"
	HubCallCPU  = "ms CPU/call" // from invite to hang-up, both ends, above what the idle clients take
	HubStormCPU = "storm CPU s"
	HubMessages = "messages" // to clients
	HubMB       = "MB"
	HubDropped  = "dropped" // connections, and people that a client was not told of
)

// hubRound holds figures by their names; order is that of the table.
type hubRound struct {
	order  []string
	values map[string]float64
}

func (r *hubRound) set(name string, value float64) {
	if r.values == nil {
		r.values = make(map[string]float64)
	}
	r.order = append(r.order, name)
	r.values[name] = value
}

// settleQuiet is how long nothing arrives at a client before something is
// measured that heartbeats would disturb.
const settleQuiet = 300 * time.Millisecond

// HubClients lets many clients sign in and stay, and measures what each costs,
// what a message between two of them costs, how fast a call rings meanwhile,
// and what it takes to tell something to all.
func HubClients(ctx context.Context, targets []HubTarget, load HubLoad, rounds int, progress io.Writer) ([]HubRow, error) {
	return interleaveHubs(ctx, targets, rounds, progress, func(s HubServer, r *hubRound) error {
		return clientsRound(ctx, s, load, r)
	})
}

// HubStorm lets everybody sign in within ten seconds, over connections that are
// open already, and counts what that costs and what is lost.
func HubStorm(ctx context.Context, targets []HubTarget, people, rounds int, progress io.Writer) ([]HubRow, error) {
	return interleaveHubs(ctx, targets, rounds, progress, func(s HubServer, r *hubRound) error {
		return stormRound(ctx, s, people, r)
	})
}

func interleaveHubs(ctx context.Context, targets []HubTarget, rounds int, progress io.Writer, measure func(HubServer, *hubRound) error) ([]HubRow, error) {
	rows := make([]HubRow, len(targets))
	for round := range rounds {
		for i, t := range targets {
			rows[i].Name = t.Name
			fmt.Fprintf(progress, "\rround %d of %d: %-30s", round+1, rounds, t.Name)
			server, err := t.Start(ctx)
			if err != nil {
				fmt.Fprintln(progress)
				return rows, fmt.Errorf("%s: %w", t.Name, err)
			}
			var figures hubRound
			err = measure(server, &figures)
			server.Stop()
			if err != nil {
				fmt.Fprintln(progress)
				return rows, fmt.Errorf("%s: %w", t.Name, err)
			}
			rows[i].add(figures)
		}
	}
	fmt.Fprintf(progress, "\r%-50s\r", "")
	return rows, nil
}

func clientsRound(ctx context.Context, server HubServer, load HubLoad, r *hubRound) (err error) {
	swarm := newSwarm(server, load.Clients, load.People)
	defer swarm.close()
	empty := rssOf(server.PID)
	if err := swarm.arrive(ctx, r); err != nil {
		return err
	}
	cpu, pings := meter(server.PID), swarm.pings.Load()
	if err := sleep(ctx, load.Settle); err != nil {
		return err
	}
	swarm.quiet(ctx)
	r.set(HubIdle, (rssOf(server.PID)-empty)*1000/float64(load.Clients))
	if n := swarm.pings.Load() - pings; n > 0 {
		r.set(HubBeat, cpu().Seconds()*1e6/float64(n))
	}
	if err := fanOut(ctx, server, swarm, r); err != nil {
		return err
	}
	if load.Rate == 0 {
		return swarm.lost()
	}
	if err := swarm.pair(ctx, load.Clients/20); err != nil {
		return err
	}
	swarm.quiet(ctx)
	if err := routed(ctx, server, swarm, load, r); err != nil {
		return err
	}
	if err := rings(ctx, swarm, load, r); err != nil {
		return err
	}
	return swarm.lost()
}

// arrive connects the clients and signs them in, some at a time: a server need
// not wait for long to be told who a connection is.
func (s *swarm) arrive(ctx context.Context, r *hubRound) error {
	const batch = 1000
	all := s.clients
	var signIn time.Duration
	for from := 0; from < len(all); from += batch {
		clients := all[from:min(from+batch, len(all))]
		cpu := meter(s.server.PID)
		if err := s.connect(ctx, clients); err != nil {
			return err
		}
		if from == 0 { // nobody else is there yet
			r.set(HubAccept, cpu().Seconds()*1000/float64(len(clients)))
		}
		cpu = meter(s.server.PID)
		if err := s.signIn(ctx, clients, 0); err != nil {
			return err
		}
		signIn += cpu()
	}
	s.quiet(ctx)
	r.set(HubSignIn, signIn.Seconds()*1000/float64(len(all)))
	return nil
}

// fanOut tells all clients 200 bytes, a few times.
func fanOut(ctx context.Context, server HubServer, swarm *swarm, r *hubRound) error {
	const times = 5
	var cpus, walls []time.Duration
	for n := range times {
		swarm.quiet(ctx)
		before, cpu := swarm.told.Load(), meter(server.PID)
		want := before + int64(len(swarm.clients))
		if err := server.Tell(ctx, toldText(n)); err != nil {
			return err
		}
		// From the first who hears it to the last.
		if err := until(ctx, 10*time.Second, func() bool { return swarm.told.Load() > before }); err != nil {
			return fmt.Errorf("fan-out: %w", err)
		}
		began := time.Now()
		if err := until(ctx, 10*time.Second, func() bool { return swarm.told.Load() >= want }); err != nil {
			return fmt.Errorf("fan-out: %d of %d clients got it: %w", swarm.told.Load()-before, len(swarm.clients), err)
		}
		walls, cpus = append(walls, time.Since(began)), append(cpus, cpu())
	}
	slices.Sort(cpus)
	slices.Sort(walls)
	r.set(HubFanCPU, cpus[times/2].Seconds()*1000)
	r.set(HubFanWall, walls[times/2].Seconds()*1000)
	return nil
}

// routed lets clients signal to each other at a steady rate.
func routed(ctx context.Context, server HubServer, swarm *swarm, load HubLoad, r *hubRound) error {
	swarm.forgetTimes()
	before, cpu := swarm.signals.Load(), meter(server.PID)
	sent, err := swarm.chatter(ctx, load.Rate, load.Duration)
	if err != nil {
		return err
	}
	if err := until(ctx, 10*time.Second, func() bool { return swarm.signals.Load()-before >= sent }); err != nil {
		return fmt.Errorf("%d of %d messages arrived: %w", swarm.signals.Load()-before, sent, err)
	}
	r.set(HubRouted, cpu().Seconds()*1e6/float64(sent))
	r.set(HubRoute99, percentile(swarm.signalTimes(), 0.99)/1000)
	return nil
}

// rings lets idle clients call each other while the others signal.
func rings(ctx context.Context, swarm *swarm, load HubLoad, r *hubRound) error {
	chat := make(chan error, 1)
	go func() {
		_, err := swarm.chatter(ctx, load.Rate, load.Duration)
		chat <- err
	}()
	err := swarm.ring(ctx, load.Duration)
	if err := errors.Join(err, <-chat); err != nil {
		return err
	}
	times := swarm.ringTimes()
	r.set(HubRing50, percentile(times, 0.5)/1000)
	r.set(HubRing99, percentile(times, 0.99)/1000)
	return nil
}

// stormWindow is a little less than the ten seconds that a server may give a
// connection to say who it is.
const stormWindow = 9500 * time.Millisecond

func stormRound(ctx context.Context, server HubServer, people int, r *hubRound) error {
	swarm := newSwarm(server, people, people)
	defer swarm.close()
	if err := swarm.connect(ctx, swarm.clients); err != nil {
		return err
	}
	messages, bytes := swarm.messages.Load(), swarm.bytes.Load()
	cpu := meter(server.PID)
	if err := swarm.signIn(ctx, swarm.clients, stormWindow); err != nil {
		return err
	}
	// Until everybody knows of everybody, or does not learn it any more.
	missing := swarm.missing()
	_ = until(ctx, 3*time.Second, func() bool { missing = swarm.missing(); return missing == 0 })
	r.set(HubStormCPU, cpu().Seconds())
	r.set(HubMessages, float64(swarm.messages.Load()-messages))
	r.set(HubMB, float64(swarm.bytes.Load()-bytes)/1e6)
	r.set(HubDropped, float64(missing+swarm.broken.Load()))
	return nil
}

// HubCalls lets people make calls within a time, and measures what one costs and
// how fast it rings.
func HubCalls(ctx context.Context, targets []HubTarget, calls int, window time.Duration, rounds int, progress io.Writer) ([]HubRow, error) {
	return interleaveHubs(ctx, targets, rounds, progress, func(s HubServer, r *hubRound) error {
		return callsRound(ctx, s, calls, window, r)
	})
}

func callsRound(ctx context.Context, server HubServer, calls int, window time.Duration, r *hubRound) error {
	swarm := newSwarm(server, 2*calls, 2*calls)
	defer swarm.close()
	if err := swarm.arrive(ctx, &hubRound{}); err != nil {
		return err
	}
	const idle = 10 * time.Second // two heartbeats
	cpu := meter(server.PID)
	if err := sleep(ctx, idle); err != nil {
		return err
	}
	resting := cpu()
	began, cpu := time.Now(), meter(server.PID)
	if err := swarm.play(ctx, swarm.couple(2*calls), window); err != nil {
		return err
	}
	spent := cpu() - time.Duration(float64(resting)*time.Since(began).Seconds()/idle.Seconds())
	r.set(HubCallCPU, spent.Seconds()*1000/float64(calls))
	times := swarm.ringTimes()
	r.set(HubRing50, percentile(times, 0.5)/1000)
	r.set(HubRing99, percentile(times, 0.99)/1000)
	return swarm.lost()
}

// meter measures a process's CPU from now on.
func meter(pid int) func() time.Duration {
	began := cpuOf(pid)
	return func() time.Duration { return cpuOf(pid) - began }
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// until polls a condition.
func until(ctx context.Context, limit time.Duration, condition func() bool) error {
	for began := time.Now(); !condition(); {
		if time.Since(began) > limit {
			return fmt.Errorf("not within %v", limit)
		}
		if err := sleep(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
