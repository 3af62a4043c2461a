package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v3"

	"fieldphone/turnsrv/turnclient"
	"fieldphone/turnsrv/wire"
)

// ServerAccount is what a relay process tells of itself.
type ServerAccount struct {
	Allocations int     `json:"allocations"`
	KernelFlows int     `json:"kernel_flows"` // entries of the kernel path's map
	KernelMpkt  float64 `json:"kernel_mpkt"`  // millions of packets that the kernel has forwarded
	Goroutines  int     `json:"goroutines"`
	HeapMB      float64 `json:"heap_mb"` // after a collection
}

// SoakLoad is churn: calls that begin, go on for a while and end, each in its own way.
type SoakLoad struct {
	Callers         int // at the same time
	Duration, Every time.Duration
	// Abandon is one of so many calls whose clients go without a word; over UDP
	// the server keeps their allocations until they expire. 0: none.
	Abandon int
}

const (
	soakPackets = 100
	soakPace    = 5 * time.Millisecond
	// allocationsExpire is the server's usual lifetime, and some patience.
	allocationsExpire = 11 * time.Minute
)

// Soak plays calls and writes what the server holds meanwhile. The error says
// what it still holds when every allocation is gone.
func Soak(ctx context.Context, target Target, load SoakLoad, places wire.Places, ask func() (ServerAccount, error), out io.Writer) error {
	first, err := ask()
	if err != nil {
		return err
	}
	descriptors := fdsOf(target.PID)
	began := time.Now()
	var calls, failed, lost atomic.Int64
	line := func(when string) (ServerAccount, error) {
		a, err := ask()
		fmt.Fprintf(out, "%-8s %8d calls, %d failed, %d packets lost; %5d allocations, %5d kernel flows (%.2f Mpkt), %4d goroutines, heap %.1f MB, RSS %.1f MB, %d descriptors\n",
			when, calls.Load(), failed.Load(), lost.Load(), a.Allocations, a.KernelFlows, a.KernelMpkt, a.Goroutines, a.HeapMB, rssOf(target.PID), fdsOf(target.PID))
		return a, err
	}
	if _, err := line("start"); err != nil {
		return err
	}
	playing, stop := context.WithTimeout(ctx, load.Duration)
	defer stop()
	var callers sync.WaitGroup
	for range load.Callers {
		callers.Go(func() {
			for playing.Err() == nil {
				missing, err := soakCall(ctx, target, places, load.Abandon > 0 && rand.IntN(load.Abandon) == 0)
				calls.Add(1)
				lost.Add(int64(missing))
				if err != nil && ctx.Err() == nil {
					failed.Add(1)
					fmt.Fprintln(out, "a call failed:", err)
				}
			}
		})
	}
	tick := time.NewTicker(load.Every)
	defer tick.Stop()
	for playing.Err() == nil {
		select {
		case <-playing.Done():
		case <-tick.C:
			if _, err := line(time.Since(began).Round(time.Second).String()); err != nil {
				return err
			}
		}
	}
	callers.Wait()
	deadline := time.Now().Add(allocationsExpire)
	for {
		a, err := ask()
		switch {
		case err != nil:
			return err
		case a.Allocations == 0 || time.Now().After(deadline):
			if a, err = line("end"); err != nil {
				return err
			}
			return soakLeft(first, a, descriptors, fdsOf(target.PID))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

func soakLeft(first, last ServerAccount, descriptors, now int) error {
	var errs []error
	if last.Allocations > 0 || last.KernelFlows > 0 {
		errs = append(errs, fmt.Errorf("%d allocations and %d kernel flows are left", last.Allocations, last.KernelFlows))
	}
	if now > descriptors {
		errs = append(errs, fmt.Errorf("%d descriptors are left of what was %d", now, descriptors))
	}
	if last.Goroutines > first.Goroutines+1 {
		errs = append(errs, fmt.Errorf("%d goroutines are left of what was %d", last.Goroutines, first.Goroutines))
	}
	return errors.Join(errs...)
}

// openAfterOthers opens an allocation; where the system gave it the port of a
// client that went without a word, whose allocation is still there, by another.
func (t Target) openAfterOthers(ctx context.Context, places wire.Places) (*turnclient.Client, netip.AddrPort, error) {
	for {
		c, relayed, err := t.open(ctx, rand.IntN(1<<30), places.Client, places.ClientAddress)
		var refusal *turnclient.Error
		if !errors.As(err, &refusal) || refusal.Code != int(stun.CodeAllocMismatch) {
			return c, relayed, err
		}
	}
}

// soakCall makes two allocations, sends from one to the other, and ends them.
func soakCall(ctx context.Context, target Target, places wire.Places, abandoned bool) (lost int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var ends [2]*turnclient.Client
	var relayed [2]netip.AddrPort
	defer func() {
		for _, c := range ends {
			if c == nil {
				continue
			}
			if !abandoned {
				err = errors.Join(err, c.Release(ctx))
			}
			err = errors.Join(err, c.Close())
		}
	}()
	for i := range ends {
		t := target
		t.Network = []turnclient.Network{turnclient.UDP, turnclient.UDP, turnclient.UDP, turnclient.TCP}[rand.IntN(4)]
		if ends[i], relayed[i], err = t.openAfterOthers(ctx, places); err != nil {
			return 0, err
		}
	}
	for i, c := range ends {
		if err := c.BindChannel(ctx, relayed[1-i]); err != nil {
			return 0, err
		}
	}
	if rand.IntN(4) == 0 { // ends while packets fly
		for range soakPackets / 4 {
			_ = ends[0].Send(make([]byte, 200))
		}
		return 0, nil
	}
	outcome, err := turnclient.Exchange(ctx, ends[0], ends[1], turnclient.Load{Packets: soakPackets, Bytes: 200, Every: soakPace, Wait: 3 * time.Second})
	return outcome.Sent - outcome.Received, err
}
