package configs

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Validate returns nil or [Problems] with everything that is wrong with c.
func (c Config) Validate() error { return c.check().err() }

func (c Config) check() Problems {
	var ps Problems
	if c.Data == "" {
		ps.add("data", c.Data, "the server needs a folder of its own", "name one, like ./data")
	}
	checkName(&ps, c.Name)
	ps.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	ps.oneOf("log.format", c.Log.Format, "text", "json")
	c.Listen.check(&ps)
	c.checkPorts(&ps)
	c.TLS.check(&ps)
	c.MDNS.check(&ps)
	c.Session.check(&ps)
	c.Registration.check(&ps)
	c.checkStores(&ps)
	c.TURN.check(&ps)
	c.Relay.check(&ps)
	c.checkSegments(&ps)
	c.Signalling.check(&ps)
	c.Announcements.check(&ps)
	c.Limits.check(&ps)
	c.Files.check(&ps)
	return ps
}

// Warnings returns a sentence for each setting that works but is worth a second look.
func (c Config) Warnings() []string {
	var ps Problems
	if c.Session.BcryptCost < 10 {
		ps.add("session.bcrypt_cost", c.Session.BcryptCost, "under 10, stolen password hashes are cheap to guess", "use 10 or more outside tests")
	}
	if c.TURN.AllowLoopbackPeers {
		ps.add("turn.allow_loopback_peers", true, "every client can reach what listens on this machine's loopback alone", "set it to false outside tests")
	}
	if c.TLS.NoNameConstraints {
		ps.add("tls.no_name_constraints", true, "whoever steals the CA's key can pose as any site to everyone who trusts it", "set it to false unless a client refuses constrained CAs")
	}
	if c.TURN.Peers.Mode == "any" {
		ps.add("turn.peers.mode", c.TURN.Peers.Mode, "whoever is signed in can reach every address that this machine reaches, printers and routers included", "use clients")
	}
	if n := c.TURN.RelayPorts.Size(); n < 4*c.TURN.MaxAllocationsPerSession {
		ps.add("turn.relay_ports", c.TURN.RelayPorts, fmt.Sprintf("%d ports can be used up by fewer than four sessions", n), "widen the range, and the firewall's")
	}
	var sentences []string
	for _, p := range ps {
		sentences = append(sentences, p.Error())
	}
	return sentences
}

func (t TLS) check(ps *Problems) {
	for i, name := range t.Names {
		if _, err := parseAddr(name); err != nil && !isDNSName(name) {
			ps.add(fmt.Sprintf("tls.names[%d]", i), name, "it is neither an IP address nor a DNS name", "write it like 192.168.1.10 or phone.lan")
		}
	}
	const bothOrNone = "a certificate and its key belong together"
	switch {
	case t.Cert != "" && t.Key == "":
		ps.add("tls.key", t.Key, bothOrNone, "name the key's file, or leave tls.cert empty to use the site's own CA")
	case t.Key != "" && t.Cert == "":
		ps.add("tls.cert", t.Cert, bothOrNone, "name the certificate's file, or leave tls.key empty to use the site's own CA")
	}
}

func (l Listen) check(ps *Problems) {
	for i, addr := range l.Addresses {
		key := fmt.Sprintf("listen.addresses[%d]", i)
		switch {
		case !addr.IsValid() || addr.IsUnspecified() || addr.IsMulticast():
			ps.add(key, addr, "the server answers from the very address that was asked, so it needs a single one", "name an address of this machine, or leave the list empty for all of them")
		case slices.Contains(l.Addresses[:i], addr):
			ps.add(key, addr, "it is in the list twice", "remove one of the two")
		}
	}
	for i, pattern := range l.SkipInterfaces {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			ps.add(fmt.Sprintf("listen.skip_interfaces[%d]", i), pattern, "it is not a pattern of interface names", "write it like docker* or eth[01]")
		}
	}
}

func (c Config) checkPorts(ps *Problems) {
	const highest = 65535
	ports := []struct {
		key  string
		port int
	}{
		{"listen.https_port", c.Listen.HTTPSPort},
		{"listen.http_port", c.Listen.HTTPPort},
		{"turn.port", c.TURN.Port},
	}
	for i, p := range ports {
		ps.between(p.key, p.port, 0, highest)
		for _, other := range ports[:i] {
			if p.port == other.port && p.port != 0 {
				ps.add(p.key, p.port, other.key+" has the same port", "give each its own; "+
					"the HTTPS port speaks TURN as well, by itself")
			}
		}
	}
	const lowestRelay, fewest = 1024, 4
	r := c.TURN.RelayPorts
	const key = "turn.relay_ports"
	const outside, within = "relay ports are from 1024 to 65535", "choose a range in there, like 49160-49359"
	switch {
	case r.Min > r.Max:
		ps.refuse("range_reversed", key, r, "the range is reversed", fmt.Sprintf("write %d-%d", r.Max, r.Min))
	case r.Min < lowestRelay:
		ps.refuse("range_privileged", key, r, outside, within)
	case r.Max > highest:
		ps.refuse("range_too_high", key, r, outside, within)
	case r.Size() < fewest:
		ps.refuse("range_too_small", key, r, "the range has fewer than 4 ports, and each person in a relayed call takes several", "widen it, like 49160-49359")
	case r.Contains(c.TURN.Port):
		ps.refuse("range_own_port", key, r, fmt.Sprintf("turn.port %d is inside the range", c.TURN.Port), "move one of the two")
	}
}

func (s Session) check(ps *Problems) {
	ps.duration("session.ttl", s.TTL, time.Minute, 30*24*time.Hour)
	ps.duration("session.leeway", s.Leeway, 0, time.Hour)
	if s.Leeway >= s.TTL {
		ps.add("session.leeway", s.Leeway, "it must be shorter than session.ttl "+formatDuration(s.TTL), "use a few minutes")
	}
	ps.between("session.bcrypt_cost", s.BcryptCost, 4, 15)
	if isGiven(s.Secret) && len(s.Secret.Reveal()) < 32 {
		ps.add("session.secret", s.Secret, "it has fewer than 32 bytes and can be guessed", "use a longer random one, or leave it empty to have one made")
	}
}

// mysqlDSN is user:password@tcp(host:port)/database?options or the same as a URL,
// mysql://user:password@host:port/database; a password may hold anything.
const mysqlDSN = `^([^:@/]+(:.*)?@(tcp|unix)\([^()]+\)|mysql://[^/]+(\([^()]+\))?)/[^/?]+(\?.*)?$`

func (c Config) checkStores(ps *Problems) {
	secrets := []struct {
		key    string
		secret Secret
	}{{"database.dsn", c.Database.DSN}, {"redis.url", c.Redis.URL}, {"session.secret", c.Session.Secret}, {"turn.secret", c.TURN.Secret}}
	for _, s := range secrets {
		if s.secret.Reveal() == redacted {
			ps.add(s.key, s.secret, "this is the text that stands for a secret in a printed configuration", "put the secret itself here")
		}
	}
	if dsn := c.Database.DSN; isGiven(dsn) && !regexp.MustCompile(mysqlDSN).MatchString(dsn.Reveal()) {
		ps.add("database.dsn", dsn, "it is not a MySQL data source name", "write it like user:password@tcp(192.168.1.5:3306)/fieldphone, or leave it empty for SQLite")
	}
	ps.oneOf("database.sync", c.Database.Sync, SyncFull, SyncNormal)
	if address := c.Redis.URL; isGiven(address) && !isRedisURL(address.Reveal()) {
		ps.add("redis.url", address, "it is not the URL of a Redis server", "write it like redis://:password@192.168.1.5:6379/0, or leave it empty to keep presence in this process")
	}
}

// isGiven reports whether s is a secret, and not the text that stands for one.
func isGiven(s Secret) bool { return s.IsSet() && s.Reveal() != redacted }

func isRedisURL(text string) bool {
	// The error of url.Parse quotes the URL with its password: it must not be shown.
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "redis", "rediss":
		return u.Hostname() != "" && regexp.MustCompile(`^(/\d*)?$`).MatchString(u.Path)
	case "unix":
		return u.Path != ""
	}
	return false
}

func (s Signalling) check(ps *Problems) {
	const shortest, longest = 10 * time.Millisecond, 10 * time.Minute
	ps.duration("signalling.heartbeat", s.Heartbeat, shortest, longest)
	ps.duration("signalling.presence_ttl", s.PresenceTTL, shortest, longest)
	ps.duration("signalling.resume_window", s.ResumeWindow, shortest, longest)
	ps.duration("signalling.ring_timeout", s.RingTimeout, shortest, longest)
	if s.Heartbeat >= s.PresenceTTL {
		ps.add("signalling.heartbeat", s.Heartbeat, "it must be shorter than signalling.presence_ttl "+formatDuration(s.PresenceTTL), "use a third of it, so that one lost heartbeat does no harm")
	}
	if s.PresenceTTL >= s.ResumeWindow {
		ps.add("signalling.presence_ttl", s.PresenceTTL, "it must be shorter than signalling.resume_window "+formatDuration(s.ResumeWindow), "use half of it")
	}
	ps.between("signalling.send_queue", s.SendQueue, 16, 65536)
}

func (l Limits) check(ps *Problems) {
	const mostBytes, mostRate = 16 << 20, 100_000
	ps.between("limits.max_connections", l.MaxConnections, 1, 1_000_000)
	ps.between("limits.max_connections_per_address", l.MaxConnectionsPerAddress, 1, 1_000_000)
	if l.MaxConnectionsPerAddress > l.MaxConnections {
		ps.add("limits.max_connections_per_address", l.MaxConnectionsPerAddress, fmt.Sprintf("it is more than limits.max_connections %d", l.MaxConnections), "lower it, or raise the other")
	}
	ps.between("limits.body_bytes", l.BodyBytes, 1<<10, mostBytes)
	ps.between("limits.message_bytes", l.MessageBytes, 16<<10, mostBytes)
	ps.between("limits.register_per_minute_per_address", l.RegisterPerMinutePerAddress, 1, mostRate)
	ps.between("limits.sign_in_per_minute_per_address", l.SignInPerMinutePerAddress, 1, mostRate)
	ps.between("limits.sign_in_per_minute_per_user", l.SignInPerMinutePerUser, 1, mostRate)
}

func (ps *Problems) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		ps.refuse("not_one_of", key, value, "it is not one of "+strings.Join(allowed, ", "), "choose one of them")
	}
}

func (ps *Problems) between(key string, value, low, high int) {
	if value < low || value > high {
		ps.refuse("out_of_range", key, value, fmt.Sprintf("it must be from %d to %d", low, high), "choose a number in there")
	}
}

func (ps *Problems) duration(key string, value, low, high time.Duration) {
	if value < low || value > high {
		ps.refuse("out_of_range", key, value, fmt.Sprintf("it must be from %s to %s", formatDuration(low), formatDuration(high)), "choose a time in there")
	}
}

// isDNSName follows RFC 1123 section 2.1: letters, digits and hyphens, 63 a label, 253 in all.
func isDNSName(name string) bool {
	const longest = 253
	label := regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	if len(name) > longest {
		return false
	}
	labels := strings.Split(name, ".")
	last := labels[len(labels)-1]
	// A last label of digits alone is a mistyped IPv4 address (RFC 3696 section 2).
	return !slices.ContainsFunc(labels, func(l string) bool { return !label.MatchString(l) }) &&
		strings.Trim(last, "0123456789") != ""
}
