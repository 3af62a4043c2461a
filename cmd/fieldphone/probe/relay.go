package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"fieldphone/httpapi/pathtest"
	"fieldphone/rtc"
	"fieldphone/turnsrv"
	"fieldphone/turnsrv/turnclient"
)

const (
	legTimeout = 8 * time.Second
	smallBytes = 100
	largeBytes = 1200 // with the headers of TURN, UDP and IP what browsers send
	smallCount = 50
	lossTold   = 0.03
	tripTold   = 400 * time.Millisecond // ITU-T G.114, both ways
	kbpsTold   = 700
	sweepAtOne = 16 // ports asked at once
)

// names of the legs as people read them.
var legTitles = map[rtc.LegName]string{
	rtc.LegSTUN: "stun", rtc.LegTURNUDP: "turn udp", rtc.LegTURNTCP: "turn tcp", rtc.LegTURNTLS: "turn tls", rtc.LegTURNHTTPS: "turn https port",
}

func code(err error) rtc.LegCode { return rtc.LegCode(turnclient.Failure(err)) }

// relay tries STUN and every way to the relay, then what media would meet.
func (r *run) relay(ctx context.Context) {
	planned := r.guessed()
	switch {
	case r.plan != nil:
		planned = r.plan.Legs
	case !r.at.Addr().Is4():
		r.skip(groupRelay, "all", "STUN and TURN serve IPv4: probe an IPv4 address of the server, or sign in")
		return
	}
	best := -1
	for _, p := range planned {
		works := r.way(ctx, p)
		if i := slices.Index(preferred, p.Leg); works && i >= 0 && (best < 0 || i < slices.Index(preferred, planned[best].Leg)) {
			best = slices.Index(planned, p)
		}
	}
	if r.plan == nil {
		return
	}
	if best >= 0 {
		r.throughput(ctx, planned[best])
	}
	r.ports(ctx)
	r.discover(ctx, planned)
}

// preferred ways to the relay, as calls take them.
var preferred = []rtc.LegName{rtc.LegTURNUDP, rtc.LegTURNTCP, rtc.LegTURNHTTPS, rtc.LegTURNTLS}

// guessed are the ways of a server that has the usual ports.
func (r *run) guessed() []pathtest.Planned {
	turn := netip.AddrPortFrom(r.at.Addr(), r.TURNPort).String()
	return []pathtest.Planned{
		{Leg: rtc.LegSTUN, URL: "stun:" + turn},
		{Leg: rtc.LegTURNUDP, URL: "turn:" + turn + "?transport=udp"},
		{Leg: rtc.LegTURNTCP, URL: "turn:" + turn + "?transport=tcp"},
		{Leg: rtc.LegTURNHTTPS, URL: "turn:" + r.at.String() + "?transport=tcp"},
	}
}

// way tries one leg.
func (r *run) way(ctx context.Context, p pathtest.Planned) (works bool) {
	ctx, cancel := context.WithTimeout(ctx, legTimeout)
	defer cancel()
	s := step{group: groupRelay, name: legTitles[p.Leg]}
	target, err := r.target(ctx, p.URL)
	if err != nil {
		s.leg, s.text = leg(p.Leg, short(p.URL), 0, rtc.LegNameUnresolved), err.Error()
		r.add(s)
		return false
	}
	began := time.Now()
	switch {
	case p.Leg == rtc.LegSTUN:
		s.text, err = r.bind(ctx, target)
	case r.plan == nil:
		s.text, err = challenge(ctx, target)
	default:
		return r.pair(ctx, s, p.Leg, target)
	}
	s.leg = leg(p.Leg, target.String(), time.Since(began), "")
	if err != nil {
		s.leg = leg(p.Leg, target.String(), time.Since(began), code(err))
		s.text = describe(target, err)
		if r.plan == nil && p.Leg != rtc.LegTURNHTTPS {
			s.text += "; without an account the port is assumed, --turn-port names another"
		}
	}
	r.add(s)
	return err == nil
}

// bind asks STUN over UDP.
func (r *run) bind(ctx context.Context, target turnclient.Target) (string, error) {
	client, err := turnclient.Dial(ctx, target)
	if err != nil {
		return "", err
	}
	defer client.Close()
	mapped, err := client.Bind(ctx)
	if err != nil {
		return "", err
	}
	if mapped == client.Local() {
		return fmt.Sprintf("%s sees %s: no NAT on the way", target, mapped), nil
	}
	return fmt.Sprintf("%s sees %s, which is %s here: a NAT is on the way", target, mapped, client.Local()), nil
}

// challenge finds out whether TURN is spoken, without an account.
func challenge(ctx context.Context, target turnclient.Target) (string, error) {
	client, err := turnclient.Dial(ctx, target)
	if err != nil {
		return "", err
	}
	defer client.Close()
	if err := client.Challenge(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s speaks TURN (more takes an account)", target), nil
}

// pair makes two allocations and sends small packets from one relay port to the other.
func (r *run) pair(ctx context.Context, s step, name rtc.LegName, target turnclient.Target) bool {
	began := time.Now()
	pair, err := turnclient.DialPair(ctx, target, r.plan.Username, r.plan.Credential)
	s.leg = leg(name, target.String(), time.Since(began), "")
	if err != nil {
		s.leg = leg(name, target.String(), time.Since(began), code(err))
		s.text = describe(target, err)
		r.add(s)
		return false
	}
	defer pair.Close()
	out, err := turnclient.Exchange(ctx, pair.From, pair.To, turnclient.Load{Packets: smallCount, Bytes: smallBytes, Every: 5 * time.Millisecond, Wait: time.Second})
	s.leg.Data = map[string]float64{"sent": float64(out.Sent), "loss": round(out.Loss(), 4), "rtt_ms": milliseconds(out.Median)}
	s.text = fmt.Sprintf("%s: %d of %d packets through two relay ports, in %.1f ms", target, out.Received, out.Sent, milliseconds(out.Median))
	switch {
	case out.Received == 0:
		s.leg.State, s.leg.Code = rtc.LegFailed, rtc.LegTimeout
		s.hint = "The relay gives ports, and nothing passes between them. On the server: fieldphone doctor."
		if err != nil {
			s.text += ": " + err.Error()
		}
	case out.Loss() > lossTold:
		s.leg.State, s.leg.Code = rtc.LegSlow, rtc.LegLossy
	}
	r.add(s)
	return out.Received > 0
}

func describe(target turnclient.Target, err error) string {
	var refusal *turnclient.Error
	switch {
	case errors.As(err, &refusal):
		return fmt.Sprintf("%s refuses %s with %d %s", target, refusal.Method, refusal.Code, refusal.Reason)
	case turnclient.Failure(err) == "timeout":
		return fmt.Sprintf("%s does not answer", target)
	case turnclient.Failure(err) == "refused":
		return fmt.Sprintf("%s refuses the connection", target)
	}
	return fmt.Sprintf("%s: %v", target, err)
}

// throughput loads the best way for a while, within bounds.
func (r *run) throughput(ctx context.Context, p pathtest.Planned) {
	ctx, cancel := context.WithTimeout(ctx, r.Duration+2*legTimeout)
	defer cancel()
	target, err := r.target(ctx, p.URL)
	if err != nil {
		return // the way has just worked
	}
	s := step{group: groupMedia, name: "throughput"}
	pair, err := turnclient.DialPair(ctx, target, r.plan.Username, r.plan.Credential)
	if err != nil {
		s.leg, s.text = leg(rtc.LegThroughput, target.String(), 0, code(err)), describe(target, err)
		r.add(s)
		return
	}
	defer pair.Close()
	every := time.Duration(float64(largeBytes*8) / float64(r.Kbps) * float64(time.Millisecond))
	load := turnclient.Load{Packets: max(1, int(r.Duration/every)), Bytes: largeBytes, Every: every, Wait: time.Second}
	out, err := turnclient.Exchange(ctx, pair.From, pair.To, load)
	if err != nil && out.Received == 0 {
		s.leg, s.text = leg(rtc.LegThroughput, target.String(), 0, code(err)), describe(target, err)
		r.add(s)
		return
	}
	s.leg = rtc.Leg{Leg: rtc.LegThroughput, State: rtc.LegOK, Target: target.String(), Data: map[string]float64{
		"sent": float64(out.Sent), "loss": round(out.Loss(), 4), "kbps": round(out.Kbps(), 0), "rtt_ms": milliseconds(out.Median),
		"longest_ms": milliseconds(out.Longest), "bytes": largeBytes, "small_loss": r.smallLoss(p.Leg),
	}}
	s.text = fmt.Sprintf("%.0f kbit/s each way, %.1f %% lost, %.1f ms (at most %.1f)", out.Kbps(), out.Loss()*100, milliseconds(out.Median), milliseconds(out.Longest))
	switch {
	case out.Received == 0:
		s.leg.State, s.leg.Code = rtc.LegFailed, rtc.LegLossy
	case out.Loss() > lossTold:
		s.leg.State, s.leg.Code = rtc.LegSlow, rtc.LegLossy
	case out.Median > tripTold, out.Kbps() < min(kbpsTold, float64(r.Kbps)/2):
		s.leg.State, s.leg.Code = rtc.LegSlow, rtc.LegTooSlow
	}
	r.add(s)
}

// smallLoss is what a way lost of small packets: where large ones alone are lost the MTU is
// at fault.
func (r *run) smallLoss(name rtc.LegName) float64 {
	for _, s := range r.steps {
		if s.leg.Leg == name {
			return s.leg.Data["loss"]
		}
	}
	return 0
}

// ports sweeps a sample of the relay range.
func (r *run) ports(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*legTimeout)
	defer cancel()
	var sweep struct {
		Address netip.Addr
		Ports   []uint16
	}
	if err := r.api.do(ctx, http.MethodPost, "/api/v1/path/sweep", nil, &sweep); err != nil {
		r.skip(groupMedia, "relay ports", "none to sweep: %v", err)
		return
	}
	var mu sync.Mutex
	var blocked []int
	var asking sync.WaitGroup
	slots := make(chan struct{}, sweepAtOne)
	for _, port := range sweep.Ports {
		slots <- struct{}{}
		asking.Go(func() {
			defer func() { <-slots }()
			if _, err := turnsrv.Probe(ctx, netip.AddrPortFrom(sweep.Address, port)); err != nil {
				mu.Lock()
				defer mu.Unlock()
				blocked = append(blocked, int(port))
			}
		})
	}
	asking.Wait()
	slices.Sort(blocked)
	asked := len(sweep.Ports)
	l := rtc.Leg{Leg: rtc.LegPorts, State: rtc.LegOK, Target: sweep.Address.String() + "/udp", Blocked: blocked, Data: map[string]float64{
		"asked": float64(asked), "answered": float64(asked - len(blocked)),
	}}
	if len(blocked) > 0 {
		l.State, l.Code = rtc.LegFailed, rtc.LegBlockedPorts
	}
	r.add(step{group: groupMedia, name: "relay ports", leg: l, text: fmt.Sprintf("%d of %d sampled ports answer", asked-len(blocked), asked)})
}

// discover tells how NATs on the way behave (RFC 5780).
func (r *run) discover(ctx context.Context, planned []pathtest.Planned) {
	i := slices.IndexFunc(planned, func(p pathtest.Planned) bool { return p.Leg == rtc.LegSTUN })
	if i < 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, legTimeout)
	defer cancel()
	target, err := r.target(ctx, planned[i].URL)
	if err != nil {
		return
	}
	nat, err := turnsrv.DiscoverNAT(ctx, target.Address)
	switch {
	case err != nil: // STUN has been told to fail
		return
	case !nat.Other.IsValid():
		r.skip(groupMedia, "nat", "its behaviour can be told only where the server has two addresses")
		return
	}
	mappings := 1.
	if nat.Mapping == turnsrv.AddressDependent || nat.Mapping == turnsrv.AddressAndPortDependent {
		mappings = 2
	}
	words := func(b turnsrv.Behaviour) string { return strings.ReplaceAll(string(b), "_", " ") }
	l := rtc.Leg{Leg: rtc.LegNAT, State: rtc.LegOK, Target: target.String(), Data: map[string]float64{"mappings": mappings}}
	r.add(step{group: groupMedia, name: "nat", leg: l, text: fmt.Sprintf("mapping %s, filtering %s", words(nat.Mapping), words(nat.Filtering))})
}
