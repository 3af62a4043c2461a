package main

import (
	"math"
	"net/netip"
	"time"

	"fieldphone/httpapi"
	"fieldphone/turnsrv"
)

// What makes relay ports tight, as a share of those that there are. The gap between the two
// keeps a warning from coming again and again.
const (
	tightFrom  = 0.8
	tightUntil = 0.7
)

const (
	portsPerCall  = 4.0 // until calls have been seen: both ends, over UDP and TCP
	trendWindow   = 10 * time.Minute
	trendLongest  = 24 * time.Hour
	trendFewest   = 4                // ports of growth that are no accident
	refusedWindow = 10 * time.Minute // that refused allocations are told of
	smoothing     = 0.1              // weight of one look at the ports of a call
)

// forecaster watches how the relay ports of each address fill up.
type forecaster struct {
	byAddress map[netip.Addr]*fill
	perCall   float64
}

// fill is one address' ports over the last minutes.
type fill struct {
	now     turnsrv.PortUse
	state   string // ok, tight or full
	samples []fillSample
}

type fillSample struct {
	at      time.Time
	used    int
	refused int64
}

func newForecaster() *forecaster {
	return &forecaster{byAddress: map[netip.Addr]*fill{}, perCall: portsPerCall}
}

// crossing is an address whose ports have become tight or full, or have enough again.
type crossing struct {
	ports         turnsrv.PortUse
	before, after string
}

// observe takes a look, and tells what has changed for the worse or the better.
func (f *forecaster) observe(now time.Time, ports []turnsrv.PortUse, calls int) (crossings []crossing) {
	used := 0
	known := map[netip.Addr]*fill{}
	for _, p := range ports {
		used += p.Used + p.Outside
		a := f.byAddress[p.Address]
		if a == nil {
			a = &fill{state: "ok"}
		}
		known[p.Address] = a
		if after := stateOf(p, a.state); after != a.state {
			crossings = append(crossings, crossing{p, a.state, after})
			a.state = after
		}
		a.add(fillSample{now, p.Used, p.Refused}, p)
	}
	f.byAddress = known
	if calls > 0 && used > 0 {
		f.perCall += smoothing * (max(1, float64(used)/float64(calls)) - f.perCall)
	}
	return crossings
}

func stateOf(p turnsrv.PortUse, before string) string {
	share := 1.0
	if all := p.Used + p.Free; all > 0 {
		share = float64(p.Used) / float64(all)
	}
	switch {
	case p.Free == 0:
		return "full"
	case share >= tightFrom, before != "ok" && share >= tightUntil:
		return "tight"
	}
	return "ok"
}

func (a *fill) add(s fillSample, p turnsrv.PortUse) {
	if a.now.Range != p.Range {
		a.samples = nil // what was before the range moved says nothing
	}
	a.now = p
	a.samples = append(a.samples, s)
	for len(a.samples) > 0 && s.at.Sub(a.samples[0].at) > trendWindow {
		a.samples = a.samples[1:]
	}
}

// refusedLately counts the allocations that got no port in the last minutes.
func (a *fill) refusedLately() int64 {
	return a.samples[len(a.samples)-1].refused - a.samples[0].refused
}

// fullIn follows the trend of the last minutes, by least squares; 0 for none.
func (a *fill) fullIn() time.Duration {
	first, last := a.samples[0], a.samples[len(a.samples)-1]
	if last.used-first.used < trendFewest {
		return 0
	}
	var n, sumX, sumY, sumXX, sumXY float64
	for _, s := range a.samples {
		x, y := s.at.Sub(first.at).Seconds(), float64(s.used)
		n, sumX, sumY, sumXX, sumXY = n+1, sumX+x, sumY+y, sumXX+x*x, sumXY+x*y
	}
	perSecond := (n*sumXY - sumX*sumY) / (n*sumXX - sumX*sumX)
	if math.IsNaN(perSecond) || perSecond <= 0 {
		return 0
	}
	seconds := float64(a.now.Free) / perSecond
	if seconds > trendLongest.Seconds() {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}

// forecast is about the address with the fewest free ports: a client relays by the address
// that it came by, so free ports elsewhere do not help it.
func (f *forecaster) forecast(mostAllocations int) httpapi.Forecast {
	out := httpapi.Forecast{PerCall: math.Round(f.perCall*10) / 10, State: "ok"}
	used := 0
	var worst *fill
	for _, a := range f.byAddress {
		used += a.now.Used + a.now.Outside
		out.Peak = max(out.Peak, a.now.Peak)
		if worst == nil || a.now.Free < worst.now.Free {
			worst = a
		}
	}
	if worst == nil {
		return out
	}
	free := worst.now.Free
	out.State = worst.state
	out.FullInS = int64(worst.fullIn().Seconds())
	if mostAllocations > 0 && mostAllocations-used < free {
		free = max(0, mostAllocations-used)
		if free == 0 {
			out.State = "full"
		}
	}
	out.CallsLeft = int(float64(free) / f.perCall)
	return out
}
