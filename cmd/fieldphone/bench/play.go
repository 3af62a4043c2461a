package bench

import (
	"context"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"
)

// window is how many packets of all flows may be on their way when there is no
// rate: enough to keep a server busy, too few to overflow a socket of the size
// that kernels grant by default.
const window = 256

// patience is how long a flow waits for what was lost before it goes on.
const patience = 20 * time.Millisecond

// feeders send, each its share of the flows.
const feeders = 2

type traffic struct {
	sent, received, reordered uint64
	times                     []time.Duration
}

// play sends for the load's duration and counts what arrives until shortly
// after.
func play(ctx context.Context, fs *flows, load RelayLoad) traffic {
	var readers, senders sync.WaitGroup
	fs.began = time.Now()
	for _, e := range fs.ends {
		conn := e.peer
		if e.client != nil && !e.client.Stream() {
			conn = e.client.Conn().(*net.UDPConn)
		}
		if e.client != nil {
			_ = e.client.Conn().SetDeadline(time.Time{}) // that of the last request
		}
		if conn != nil {
			e.listen(conn, load.Train > 1)
		}
		readers.Go(func() { e.receive(fs.began) })
	}
	// A sender that pauses keeps its processor from the readers for a while: they
	// have their own.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU() + feeders))
	for w := range feeders {
		senders.Go(func() { fs.feed(ctx, load, w, feeders) })
	}
	senders.Wait()
	settle := time.NewTimer(patience)
	<-settle.C
	for _, e := range fs.ends {
		if e.peer != nil {
			_ = e.peer.SetReadDeadline(time.Unix(1, 0))
		} else {
			_ = e.client.Conn().SetReadDeadline(time.Unix(1, 0))
		}
	}
	readers.Wait()
	var t traffic
	for _, f := range fs.flows {
		t.sent += f.sent
		t.received += f.received.Load()
		t.reordered += f.reordered.Load()
		t.times = append(t.times, f.times...)
	}
	slices.Sort(t.times)
	return t
}

// feed keeps its share of the flows busy.
func (fs *flows) feed(ctx context.Context, load RelayLoad, worker, workers int) {
	var mine []*flow
	for i := worker; i < len(fs.flows); i += workers {
		mine = append(mine, fs.flows[i])
	}
	if len(mine) == 0 {
		return
	}
	share := float64(load.Rate) * float64(len(mine)) / float64(len(fs.flows))
	sent, next := 0, 0
	for ctx.Err() == nil {
		now := time.Since(fs.began)
		if now >= load.Duration {
			return
		}
		if load.Rate > 0 {
			due := int(share * now.Seconds())
			if sent >= due {
				pause(200 * time.Microsecond)
				continue
			}
			for ; sent < due; sent += load.Train {
				if mine[next%len(mine)].send(time.Since(fs.began), load.Train) != nil {
					return
				}
				next++
			}
			continue
		}
		idle := true
		for _, f := range mine {
			if !f.ready(load.Train, uint64(max(window/len(fs.flows), 1))) {
				continue
			}
			idle = false
			if f.send(time.Since(fs.began), load.Train) != nil {
				return
			}
		}
		if idle {
			pause(20 * time.Microsecond)
		}
	}
}
