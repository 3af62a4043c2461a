package turnsrv

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"time"
)

const (
	// tryingTime bounds the binding of ports to see whether others hold them:
	// about ten thousand ports a second on a small machine.
	tryingTime = 500 * time.Millisecond
	// learningTime is the same for a range that is in use.
	learningTime = 50 * time.Millisecond
	// maxTaken bounds what a Preview lists.
	maxTaken = 1024
)

// Preview is what Settings would do to what is running. Nothing in it keeps
// them from being applied.
type Preview struct {
	// Outside are allocations on ports outside of the range. They keep their
	// ports until they end.
	Outside int
	// Free and Need are of the address that is worst off: ports that would be
	// free, and ports in use now. Short is how many of its running allocations
	// would find no port if they all began again.
	Free, Need, Short int
	// Refused are running allocations with a peer that the policy would cut off.
	Refused int
	// OverQuota are running allocations beyond the quotas of a session and of
	// all. They go on.
	OverQuota int
	// Taken are ports of the range that other processes hold on some address,
	// found by binding each; Sampled tells that time was too short to try all.
	Taken   []uint16
	Sampled bool
}

// Settings returns the settings of now, defaults filled in.
func (s *Server) Settings() Settings { return s.settings.Load().withDefaults() }

// Apply changes the settings while the server runs: all of them, or none if it
// returns an error, which is a *SettingsError unless the server is closed.
//
// Running allocations keep their ports, in the range or not, until they end,
// and go on reaching each other. A policy binds for the very next packet: what
// it refuses is dropped, and refused with 403 when the client refreshes it.
// Peers that answered with STUN under another policy need not answer again.
// Limits bind for what comes.
func (s *Server) Apply(settings Settings) error {
	s.applying.Lock()
	defer s.applying.Unlock()
	before := s.settings.Load()
	after := settings.withDefaults()
	err := settings.validate()
	if err == nil && after.Relay != before.Relay {
		err = s.canMove(after.Relay)
	}
	if err == nil {
		err = s.commit(&after)
	}
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(*before, after) {
		s.log.Info("turn: settings changed", "relay_ports", after.Relay.String(), "peers", after.Policy.String(), "limits", fmt.Sprintf("%+v", after.Limits))
	}
	if after.Relay != before.Relay {
		s.arrange() // the old range may have been in its way
		for _, pool := range s.livePools() {
			pool.learn(time.Now().Add(learningTime))
		}
	}
	return nil
}

// commit checks what may have changed meanwhile, and can then not fail.
func (s *Server) commit(after *Settings) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if err := s.refuseOwnPorts(after.Relay); err != nil {
		return err
	}
	s.settings.Store(after)
	s.shortcuts.flush() // limits bind for the very next packet
	for _, pool := range s.pools {
		pool.move(after.Relay)
	}
	s.peers.setPolicy(after.Policy)
	return nil
}

// refuseOwnPorts keeps relay ports off our own UDP sockets: listeners, and
// those of NAT behaviour discovery; s.mu is held.
func (s *Server) refuseOwnPorts(span PortRange) error {
	var own []netip.AddrPort
	for _, l := range s.listeners {
		if l.UDP != nil {
			own = append(own, addrPort(l.UDP.LocalAddr()))
		}
	}
	if spots := s.discovery.spots.Load(); spots != nil {
		own = slices.AppendSeq(own, maps.Keys(*spots))
	}
	for _, local := range own {
		if span.contains(local.Port()) {
			return &SettingsError{[]Problem{{keyRelayPorts, CodeRangeOwnPort, fmt.Sprintf("this server itself listens on %s/udp, in the middle of %s; choose a range without port %d", local, span, local.Port())}}}
		}
	}
	return nil
}

// canMove refuses a range in which an address would have no port at all.
func (s *Server) canMove(span PortRange) error {
	until := time.Now().Add(tryingTime)
	for _, pool := range s.livePools() {
		o := pool.tryRange(span, until, 1)
		if o.free == 0 && o.inside == 0 {
			return &SettingsError{[]Problem{{keyRelayPorts, CodeRangeTaken, fmt.Sprintf("other programs hold every port of %s on %s; choose another range", span, pool.address)}}}
		}
	}
	return nil
}

// Preview tells what Apply would do, and returns the error that it would. It
// takes up to half a second, since it binds the ports of a new range to see
// which of them other processes hold.
func (s *Server) Preview(settings Settings) (Preview, error) {
	if err := settings.validate(); err != nil {
		return Preview{}, err
	}
	after := settings.withDefaults()
	s.mu.Lock()
	err := s.refuseOwnPorts(after.Relay)
	s.mu.Unlock()
	if err != nil {
		return Preview{}, err
	}
	p, err := s.previewPorts(after.Relay)
	if err != nil {
		return Preview{}, err
	}
	other := *s.peers.fresh()
	other.policy = after.Policy
	for _, r := range s.sessions.all() {
		if !after.Relay.contains(r.port) {
			p.Outside++
		}
		if r.gate.wouldRefuse(&other) {
			p.Refused++
		}
	}
	p.OverQuota = s.sessions.overQuota(after.Limits.AllocationsPerSession, after.Limits.Allocations)
	return p, nil
}

func (s *Server) previewPorts(span PortRange) (Preview, error) {
	p := Preview{Free: span.size()}
	pools := s.livePools()
	start := time.Now()
	for i, pool := range pools {
		until := start.Add(tryingTime * time.Duration(i+1) / time.Duration(len(pools)))
		o := pool.tryRange(span, until, span.size())
		if o.free == 0 && o.inside == 0 && span != s.settings.Load().Relay {
			return Preview{}, s.canMove(span)
		}
		p.Free = min(p.Free, o.free)
		p.Need = max(p.Need, o.used)
		p.Short = max(p.Short, o.used-o.inside-o.free)
		p.Sampled = p.Sampled || o.sampled
		p.Taken = append(p.Taken, o.taken...)
	}
	slices.Sort(p.Taken)
	p.Taken = slices.Compact(p.Taken)
	p.Taken = p.Taken[:min(len(p.Taken), maxTaken)]
	return p, nil
}
