package httpapi

import (
	"math"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"fieldphone/httpapi/firewall"
	"fieldphone/httpapi/pathtest"
	"fieldphone/httpapi/segment"
	"fieldphone/turnsrv/credential"

	"github.com/gofiber/fiber/v2"
)

// PathConfig is what path tests ask of the server.
type PathConfig struct {
	// Sweep lets relay ports answer STUN for a while, at the relay's address for clients
	// that reached the server by an address.
	Sweep func(reached netip.Addr) (Sweep, error)
	// NAT is where a client can ask two addresses from one socket (RFC 5780); false if
	// the server has not got two.
	NAT func(reached netip.Addr) (primary, other netip.AddrPort, ok bool)
	// Ports is the range of relay ports now, for the rules of firewalls.
	Ports func() firewall.PortRange
}

// Sweep is relay ports that answer STUN Binding requests as an ICE-lite agent does.
type Sweep struct {
	Address         netip.Addr
	Ports           []uint16
	Ufrag, Password string
	Expires         time.Time
}

// path tells a client which legs to test, and with what.
func (a *App) path(c *fiber.Ctx) error {
	session := sessionOf(c)
	plan := a.cfg.ICE.Plan(visit(c))
	username, password := credential.Issue(a.cfg.ICE.Secret, session.UserID, session.ID, session.ExpiresAt)
	body := pathtest.Plan{
		ServerTime: a.cfg.Now().UnixMilli(), Segment: plan.Segment, Client: remote(c).String(), Server: local(c).String(),
		StartPort: a.cfg.StartPort, Legs: pathtest.Legs(plan), Username: username, Credential: password,
		RelayPorts: pathtest.Ports(a.cfg.Path.Ports()),
	}
	if primary, other, ok := a.cfg.Path.NAT(local(c)); ok && len(plan.STUN) > 0 {
		body.NAT = &pathtest.NAT{Primary: primary.String(), Other: other.String()}
	}
	return c.JSON(body)
}

// sweep opens relay ports for a client to ask. It costs ports, so a session gets few.
func (a *App) sweep(c *fiber.Ctx) error {
	if wait := a.sweeps.take(sessionOf(c).ID, a.cfg.Now()); wait > 0 {
		c.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		return refusal{fiber.StatusTooManyRequests, "rate_limited", "Path tests follow each other too fast. Wait a little.", ""}
	}
	told, ok := udpAddress(a.cfg.ICE.Plan(visit(c)))
	if !ok {
		return refusal{fiber.StatusConflict, "no_relay", "Clients of this network are not offered the relay over UDP.", ""}
	}
	sweep, err := a.cfg.Path.Sweep(local(c))
	if err != nil {
		a.cfg.Logger.Warn("no relay ports for a sweep", "error", err)
		return refusal{fiber.StatusServiceUnavailable, "busy", "There are no relay ports to spare for a test. Try again when fewer calls go on.", ""}
	}
	return c.JSON(fiber.Map{
		"address": told.String(), "ports": sweep.Ports, "ufrag": sweep.Ufrag, "password": sweep.Password, "expires_at": sweep.Expires.UnixMilli(),
	})
}

// udpAddress is the one at which the client finds relay ports: that of STUN, which may
// stand for the server's own behind a router that forwards ports.
func udpAddress(plan segment.Plan) (netip.Addr, bool) {
	if len(plan.STUN) == 0 {
		return netip.Addr{}, false
	}
	at, err := netip.ParseAddrPort(plan.STUN[0][len("stun:"):])
	return at.Addr(), err == nil
}

const (
	sweepBurst  = 3
	sweepEvery  = 20 * time.Second
	maxSweepers = 4096 // sessions remembered
)

// sweepers says who may sweep: each session a few times at once, then one in a while.
type sweepers struct {
	mu   sync.Mutex
	next map[string]time.Time // when the session's budget is whole again
}

// take spends one, or tells how long it takes until there is one.
func (s *sweepers) take(session string, now time.Time) (wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next = make(map[string]time.Time)
	}
	whole := s.next[session]
	if whole.Before(now) {
		whole = now
	}
	if wait := whole.Add(sweepEvery).Sub(now.Add(sweepBurst * sweepEvery)); wait > 0 {
		return wait
	}
	if len(s.next) >= maxSweepers {
		for other, whole := range s.next {
			if whole.Before(now) {
				delete(s.next, other)
			}
		}
	}
	if _, known := s.next[session]; !known && len(s.next) >= maxSweepers {
		return sweepEvery
	}
	s.next[session] = whole.Add(sweepEvery)
	return 0
}
