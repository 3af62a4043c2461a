package main

import (
	"context"
	"net/netip"
	"runtime/debug"
	"slices"
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
			{segmentsPart, func(cfg configs.Config) error { s.setSegments(cfg); return nil }},
			{"log", func(cfg configs.Config) error { return setup.level.UnmarshalText([]byte(cfg.Log.Level)) }},
		},
	}
	s.setSegments(s.cfg)
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
	served := s.turn.Addresses()
	if len(in.ServerAddresses) == 0 {
		return len(served) > 0
	}
	return slices.ContainsFunc(in.ServerAddresses, func(wanted netip.Addr) bool { return slices.Contains(served, wanted) })
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
