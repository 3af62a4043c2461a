package main

import (
	"net/netip"
	"slices"

	"fieldphone/httpapi/localname"
)

// openName makes the responder for the mDNS name, none if it is switched off.
func (s *server) openName() error {
	if s.cfg.MDNS.Name == "" {
		return nil
	}
	var err error
	if s.name, err = localname.New(localname.Config{Label: s.cfg.MDNS.Name, Logger: s.log}); err != nil {
		return err
	}
	s.defer_(s.name.Close)
	return nil
}

// serveName answers for the name on the segments that there are now. Loopback is no
// segment: whoever is there has localhost.
func (s *server) serveName(places []place) {
	if s.name != nil {
		s.name.SetAddresses(slices.DeleteFunc(addrsOf(places), netip.Addr.IsLoopback))
	}
}
