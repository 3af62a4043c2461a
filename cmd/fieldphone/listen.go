package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"fieldphone/httpapi"
	"fieldphone/web"
)

// listen opens the TCP ports: on the addresses named in the configuration, or
// on all, so that addresses that come later are served as well.
func (s *server) listen(ctx context.Context) error {
	c := s.cfg
	s.conns = &httpapi.ConnLimits{Max: c.Limits.MaxConnections, MaxPerAddress: c.Limits.MaxConnectionsPerAddress}
	hosts := []string{""}
	if len(c.Listen.Addresses) > 0 {
		hosts = nil
		for _, addr := range c.Listen.Addresses {
			hosts = append(hosts, addr.String())
		}
	}
	for _, host := range hosts {
		https, err := s.listenTCP(ctx, host, c.Listen.HTTPSPort, "listen.https_port")
		if err != nil {
			return err
		}
		if https, err = s.shareHTTPS(https); err != nil {
			return err
		}
		s.https = append(s.https, https)
		plain, err := s.listenTCP(ctx, host, c.Listen.HTTPPort, "listen.http_port")
		if err != nil {
			return err
		}
		s.http = append(s.http, plain)
	}
	return nil
}

func (s *server) listenTCP(ctx context.Context, host string, port int, key string) (net.Listener, error) {
	var config net.ListenConfig
	ln, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, fmt.Sprint(port)))
	if err != nil {
		return nil, fmt.Errorf("%w; choose another %s, or stop what uses it", err, key)
	}
	s.defer_(func() error {
		if err := ln.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return s.conns.Listen(ln), nil
}

func portOf(listeners []net.Listener) uint16 {
	return listeners[0].Addr().(*net.TCPAddr).AddrPort().Port()
}

func (s *server) buildApps(turnSecret []byte) error {
	page, err := web.Dist()
	if err != nil {
		return err
	}
	s.app = httpapi.New(httpapi.Config{
		SiteName: s.cfg.Name, Accounts: s.accounts, People: s.people, Export: s.exportParts(), Hub: s.hub, Chat: s.chat, Files: s.files, Announce: s.announce, Attention: s.attention, Page: page, Site: s.site, StartPort: portOf(s.http),
		ICE:     httpapi.ICEConfig{Secret: turnSecret, Plan: s.planFor, Relay: s.relayFor},
		Path:    s.pathConfig(),
		Admin:   s.adminConfig(),
		Metrics: s.metrics(),
		Ready: []httpapi.Check{
			{Name: "database", Ask: s.db.Ping}, {Name: "presence", Ask: s.presence.Ping}, {Name: "hub", Ask: s.hub.Check}, {Name: "relay", Ask: s.checkRelay},
		},
		BodyBytes: s.cfg.Limits.BodyBytes, MessageBytes: s.cfg.Limits.MessageBytes, SendQueue: s.cfg.Signalling.SendQueue,
		Seen: s.seen, Now: time.Now, Logger: s.log,
	})
	s.start, err = httpapi.NewStart(httpapi.StartConfig{
		HTTPSPort: portOf(s.https), Site: s.site, APK: filepath.Join(s.cfg.Data, "app.apk"), Logger: s.log,
	})
	return err
}
