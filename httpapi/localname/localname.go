// Package localname answers multicast DNS (RFC 6762) for one name, such as
// fieldphone.local, so that people can type a name on a network without a DNS server.
//
// Every segment hears the address that the server has in that very segment: the answer is
// chosen by the network that the question came from, never by the interface alone. The name
// is a convenience: whatever goes wrong here is logged once and ends nothing.
//
// Questions and answers go over IPv4, as every mDNS client sends them; an interface's IPv6
// addresses are answered too.
package localname

import (
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// Config says which name is answered.
type Config struct {
	// Label is the name without .local: one DNS label of letters, digits and hyphens
	// (RFC 1123 section 2.1).
	Label  string
	Logger *slog.Logger
}

// Responder answers for the name on the segments that it was told of. Its methods may be
// called from any goroutine.
type Responder struct {
	name dnsmessage.Name
	log  *onceLog

	mu     sync.Mutex
	server *server // nil while there is no segment or no socket
	closed bool
}

// New makes a Responder that stays silent until SetAddresses.
func New(cfg Config) (*Responder, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`).MatchString(cfg.Label) {
		return nil, fmt.Errorf("localname: %q is not one DNS label; use letters, digits and hyphens, like fieldphone", cfg.Label)
	}
	name, err := dnsmessage.NewName(FQDN(cfg.Label) + ".")
	if err != nil {
		return nil, fmt.Errorf("localname: %w", err)
	}
	return &Responder{name: name, log: &onceLog{log: cfg.Logger, told: map[string]bool{}}}, nil
}

// FQDN returns the name that a label stands for, without the final dot.
func FQDN(label string) string { return strings.ToLower(label) + ".local" }

// SetAddresses makes the Responder answer on the segments where this host has addrs, and
// on no others. Segments that stay keep their name without asking for it again. IPv6
// addresses count as further ones of their interface.
func (r *Responder) SetAddresses(addrs []netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	links, err := findLinks(addrs)
	if err != nil {
		r.log.warn("interfaces", "mDNS cannot list the network interfaces; people reach the server by its addresses", "error", err)
	}
	var old []*link
	if r.server != nil {
		if old = r.server.links; slices.EqualFunc(old, links, (*link).sameAs) {
			return
		}
		r.server.stop(false)
		r.server = nil
	}
	for i, l := range links {
		if at := slices.IndexFunc(old, l.sameAs); at >= 0 {
			links[i] = old[at]
		}
	}
	if len(links) == 0 {
		return
	}
	if r.server, err = startServer(r.name, links, r.log); err != nil {
		r.log.warn("socket", "mDNS cannot listen; people reach the server by its addresses", "error", err)
	}
}

// Close says goodbye on every segment and stops answering.
func (r *Responder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.server != nil {
		r.server.stop(true)
		r.server = nil
	}
	return nil
}

// onceLog tells each trouble once: a network without multicast is no news every second.
type onceLog struct {
	log  *slog.Logger
	mu   sync.Mutex
	told map[string]bool
}

func (o *onceLog) warn(key, message string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.told[key] {
		o.told[key] = true
		o.log.Warn(message, args...)
	}
}
