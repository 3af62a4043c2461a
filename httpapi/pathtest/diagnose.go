package pathtest

import (
	"cmp"
	"math"
	"slices"

	"fieldphone/httpapi/firewall"
	"fieldphone/rtc"
)

// Diagnose says what the legs of one client come to. Failures come first, then warnings,
// then what only explains; within them a cause comes before its effects, so that the first
// finding is the first failing leg. Nothing is said of what works.
func Diagnose(legs []rtc.Leg, site Site) []Finding {
	d := &diagnosis{site: site, legs: make(map[rtc.LegName]rtc.Leg)}
	for _, leg := range legs {
		d.take(leg)
	}
	d.server()
	d.relay()
	d.quality()
	d.ports()
	d.nat()
	d.pair()
	for _, leg := range legs {
		if leg.State == rtc.LegFailed && leg.Code == rtc.LegInternal {
			d.add(Warning, TestFailed, leg, nil)
		}
	}
	order := map[Level]int{Failure: 0, Warning: 1, Info: 2}
	slices.SortStableFunc(d.found, func(a, b Finding) int { return cmp.Compare(order[a.Level], order[b.Level]) })
	return d.found
}

// diagnosis is one run of Diagnose.
type diagnosis struct {
	site  Site
	legs  map[rtc.LegName]rtc.Leg // the best of each name
	found []Finding
}

// worth orders states: of two ways of the same kind, the better one counts.
var worth = map[rtc.LegState]int{rtc.LegOK: 3, rtc.LegSlow: 2, rtc.LegFailed: 1, rtc.LegSkipped: 0}

func (d *diagnosis) take(leg rtc.Leg) {
	if before, ok := d.legs[leg.Leg]; !ok || worth[leg.State] > worth[before.State] {
		d.legs[leg.Leg] = leg
	}
}

func (d *diagnosis) works(name rtc.LegName) bool { return worth[d.legs[name].State] >= 2 }

// failed is true only of a leg that was tested and says something about the path.
func (d *diagnosis) failed(name rtc.LegName) bool {
	leg, ok := d.legs[name]
	return ok && leg.State == rtc.LegFailed && leg.Code != rtc.LegInternal && leg.Code != rtc.LegUnsupported
}

func (d *diagnosis) add(level Level, code Code, leg rtc.Leg, params map[string]any, open ...firewall.Why) {
	f := Finding{
		Level: level, Code: code, Leg: leg.Leg, Because: leg.Code, Target: leg.Target,
		Segment: d.site.segment().Name, Params: params, Openings: []firewall.Opening{},
	}
	if len(open) > 0 {
		f.Openings, f.At = d.site.openings(open...)
	}
	d.found = append(d.found, f)
}

// server judges the legs to the HTTPS port.
func (d *diagnosis) server() {
	clock, tls, signalling := d.legs[rtc.LegClock], d.legs[rtc.LegTLS], d.legs[rtc.LegSignalling]
	wrongClock := clock.Code == rtc.LegClockOff && clock.State != rtc.LegOK
	if wrongClock {
		level := Warning
		if clock.State == rtc.LegFailed || tls.Code == rtc.LegUntrusted {
			level = Failure // certificates and sessions are judged by it
		}
		offset, _ := number(clock.Data, "offset_ms")
		d.add(level, ClockOff, clock, map[string]any{"offset_ms": int64(math.Round(offset))})
	}
	for _, leg := range []rtc.Leg{clock, tls, signalling} {
		switch {
		case leg.State != rtc.LegFailed:
			continue
		case leg.Code == rtc.LegNameUnresolved:
			d.add(Failure, NameUnresolved, leg, nil)
			return
		case (leg.Leg == rtc.LegClock || leg.Leg == rtc.LegTLS) && (leg.Code == rtc.LegTimeout || leg.Code == rtc.LegRefused):
			d.add(Failure, ServerUnreachable, leg, nil, firewall.HTTPS)
			return
		case leg.Leg == rtc.LegClock && leg.Code == rtc.LegUnauthorized:
			d.add(Failure, SignInAgain, leg, nil)
		}
	}
	if tls.Code == rtc.LegUntrusted && tls.State != rtc.LegOK && !wrongClock {
		d.add(Warning, Untrusted, tls, nil)
	}
	switch {
	case d.failed(rtc.LegSignalling):
		d.add(Failure, SignallingFailed, signalling, nil, firewall.HTTPS)
	case signalling.Code == rtc.LegFallback:
		d.add(Warning, SignallingFallback, signalling, nil)
	case signalling.State == rtc.LegSlow:
		d.add(Warning, SignallingSlow, signalling, nil)
	}
}

func (d *diagnosis) quality() {
	leg := d.legs[rtc.LegThroughput]
	loss, _ := number(leg.Data, "loss")
	if leg.State == rtc.LegOK || leg.State == rtc.LegSkipped || leg.State == "" || leg.Code == rtc.LegInternal {
		return
	}
	params := map[string]any{}
	for _, name := range []string{"kbps", "rtt_ms", "bytes"} {
		if n, ok := number(leg.Data, name); ok {
			params[name] = n
		}
	}
	small, knowsSmall := number(leg.Data, "small_loss")
	switch {
	case knowsSmall && small < 0.5 && loss > 0.9:
		d.add(Failure, LargeLost, leg, params)
	case leg.Code == rtc.LegLossy, leg.State == rtc.LegFailed && loss > 0:
		params["loss"] = percent(loss)
		d.add(Warning, Lossy, leg, params)
	default:
		d.add(Warning, Slow, leg, params)
	}
}

func (d *diagnosis) nat() {
	leg := d.legs[rtc.LegNAT]
	if mappings, ok := number(leg.Data, "mappings"); ok && mappings > 1 {
		d.add(Info, NATVaries, leg, map[string]any{"mappings": mappings})
	}
}

// pairLegs are those between two devices, by the relay leg that each needs at both ends.
var pairLegs = []struct{ pair, alone rtc.LegName }{
	{rtc.LegPairRelayUDP, rtc.LegTURNUDP},
	{rtc.LegPairRelayTCP, rtc.LegTURNTCP},
	{rtc.LegPairRelayTLS, rtc.LegTURNTLS},
	{rtc.LegPairRelayHTTPS, rtc.LegTURNHTTPS},
}

// pair judges the legs between two devices by themselves; Grid knows both ends' own legs.
func (d *diagnosis) pair() {
	works, gone := d.works(rtc.LegPairDirect), false
	var first rtc.Leg
	tested := d.failed(rtc.LegPairDirect)
	for _, names := range pairLegs {
		leg := d.legs[names.pair]
		works = works || d.works(names.pair)
		gone = gone || d.failed(names.pair) && leg.Code == rtc.LegPeerGone
		if d.failed(names.pair) && first.Leg == "" {
			first, tested = leg, true
		}
	}
	direct := d.legs[rtc.LegPairDirect]
	switch {
	case !tested:
	case !works && (gone || direct.Code == rtc.LegPeerGone):
		d.add(Warning, PairGone, firstOf(first, direct), nil)
		return
	case !works:
		d.add(Failure, PairUnreachable, firstOf(first, direct), nil, firewall.TURNUDP, firewall.Relay)
		return
	}
	if d.failed(rtc.LegPairDirect) {
		d.add(Info, DirectBlocked, direct, nil)
	}
	for _, names := range pairLegs {
		leg := d.legs[names.pair]
		switch {
		case d.failed(names.pair) && d.works(names.alone):
			d.add(Warning, PairRelayFailed, leg, nil)
		case leg.State == rtc.LegSlow:
			d.add(Warning, PairSlow, leg, measured(leg))
		}
	}
}

func firstOf(legs ...rtc.Leg) rtc.Leg {
	for _, leg := range legs {
		if leg.Leg != "" {
			return leg
		}
	}
	return rtc.Leg{}
}

func measured(leg rtc.Leg) map[string]any {
	params := map[string]any{"ms": leg.MS}
	if loss, ok := number(leg.Data, "loss"); ok {
		params["loss"] = percent(loss)
	}
	if trip, ok := number(leg.Data, "rtt_ms"); ok {
		params["rtt_ms"] = trip
	}
	return params
}
