package main

import (
	"context"
	"net"
	"net/netip"
	"runtime/debug"
	"time"

	"fieldphone/configs"
	"fieldphone/httpapi"
	"fieldphone/httpapi/firewall"
	"fieldphone/httpapi/segment"
)

const segmentsPart = "segments"

// openLive joins the settings that change while the server runs to its parts.
func (s *server) openLive(ctx context.Context, setup setup) error {
	s.live = &live{
		started: setup.loaded.Config, reload: setup.reload, hungUp: setup.hungUp, loaded: setup.loaded,
		entries: s.db.AdminLog(), node: s.node, log: s.log, now: time.Now,
		effects: effectsOf{turn: s.turn, hub: s.hub, table: s.tableOf}.tell,
		parts: []livePart{
			{"relay", func(cfg configs.Config) error { return s.turn.Apply(turnSettings(cfg)) }},
			{"registration", func(cfg configs.Config) error { return s.accounts.SetRegistration(registration(cfg.Registration)) }},
			{segmentsPart, func(cfg configs.Config) error { s.segments.Store(s.tableOf(cfg)); return nil }},
			{"log", func(cfg configs.Config) error { return setup.level.UnmarshalText([]byte(cfg.Log.Level)) }},
		},
	}
	s.segments.Store(s.tableOf(s.cfg))
	return s.live.lastChange(ctx)
}

// openWatch begins to look for what administrators should know.
func (s *server) openWatch() {
	s.watch = &watch{
		relay: s.turn, hub: s.hub, database: s.db.Ping, cert: s.cert, segments: &s.segments, served: s.serves,
		running: s.live.config, now: time.Now, log: s.log, ports: newForecaster(),
	}
	if s.cfg.Redis.URL.IsSet() {
		s.watch.presence = s.presence.Ping
	}
	if s.ca != nil {
		s.watch.caEnds = func() time.Time { return s.ca.CA().Ends() }
	}
}

// serves reports whether the relay is at one of the addresses that a segment's clients use.
func (s *server) serves(in segment.Segment) bool {
	if len(in.ServerAddresses) == 0 {
		return len(s.turn.Addresses()) > 0
	}
	for _, addr := range s.turn.Addresses() {
		for _, wanted := range in.ServerAddresses {
			if addr == wanted {
				return true
			}
		}
	}
	return false
}

func (s *server) adminConfig() httpapi.AdminConfig {
	return httpapi.AdminConfig{
		Node: s.node, Version: version(), Started: time.Now(), Log: s.db.AdminLog(), Settings: s.live,
		Relay: relayView{s.turn}, Watch: s.watch, Segments: &s.segments, Firewall: s.firewallSite,
	}
}

// firewallSite is what a firewall must let through, as it is now.
func (s *server) firewallSite() firewall.Site {
	r := s.turn.Settings().Relay
	return firewall.Site{
		Segments: s.segments.Load().Segments, Addresses: addrsOf(*s.reachable.Load()),
		Ports: firewall.Ports{
			HTTPS: portOf(s.https), HTTP: portOf(s.http), TURN: s.turnPort, Relay: firewall.PortRange{Min: r.Min, Max: r.Max},
		},
	}
}

// tableOf is the segments that a configuration makes of this host's interfaces as they are.
func (s *server) tableOf(cfg configs.Config) *segment.Table {
	configured := make([]segment.Segment, len(cfg.Segments))
	for i, c := range cfg.Segments {
		configured[i] = segment.Segment{Name: c.Name, Clients: c.Clients, ServerAddresses: c.ServerAddresses, TURNAddresses: c.TURNAddresses}
		for _, transport := range c.Transports {
			configured[i].Transports = append(configured[i].Transports, segment.Transport(transport))
		}
	}
	return segment.Build(configured, interfaces(), segment.Rules{Addresses: cfg.Listen.Addresses, Skip: cfg.Listen.SkipInterfaces})
}

// interfaces lists those of this host that are up; none if the system does not tell.
func interfaces() (out []segment.Interface) {
	found, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, iface := range found {
		addrs, err := iface.Addrs()
		if err != nil || iface.Flags&net.FlagUp == 0 {
			continue
		}
		one := segment.Interface{Name: iface.Name, Loopback: iface.Flags&net.FlagLoopback != 0}
		for _, a := range addrs {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil {
				one.Prefixes = append(one.Prefixes, prefix)
			}
		}
		out = append(out, one)
	}
	return out
}

// version is what this binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	const short = 12 // of a revision
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && len(setting.Value) >= short {
			return setting.Value[:short]
		}
	}
	return info.Main.Version
}
