package main

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"fieldphone/configs"
)

// addressPoll is how often interfaces are looked at for addresses that came
// or went (a hotspot switched on, a DHCP lease that changed).
const addressPoll = 3 * time.Second

// place is an address of this host that clients can use, with its network, and
// the interface that has it.
type place struct {
	Addr      netip.Addr
	Interface string
	Network   netip.Prefix
}

// findPlaces lists where clients can reach this host, best first. Loopback,
// link-local and skipped interfaces are left out; addresses named in the
// configuration are taken as they are.
func findPlaces(cfg configs.Listen) ([]place, error) {
	interfaces, err := hostInterfaces()
	if err != nil {
		return nil, err
	}
	found, _ := addressRules(cfg).Places(interfaces)
	places := make([]place, len(found))
	for i, p := range found {
		places[i] = place{p.Prefix.Addr(), p.Interface, p.Prefix.Masked()}
	}
	return places, nil
}

func addrsOf(places []place) []netip.Addr {
	addrs := make([]netip.Addr, len(places))
	for i, p := range places {
		addrs[i] = p.Addr
	}
	return addrs
}

// relayAddrs are those that the relay can serve: pion/turn relays IPv4 only.
func relayAddrs(places []place) []netip.Addr {
	var addrs []netip.Addr
	for _, p := range places {
		if p.Addr.Is4() {
			addrs = append(addrs, p.Addr)
		}
	}
	return addrs
}

// interfaceOf is the interface that has an address, or had it when last looked
// at; empty if none has.
func interfaceOf(places []place, addr netip.Addr) string {
	for _, p := range places {
		if p.Addr == addr {
			return p.Interface
		}
	}
	return ""
}

// watchPlaces calls changed with the new places whenever they differ, until
// ctx ends; again at each look while it fails.
func watchPlaces(ctx context.Context, cfg configs.Listen, known []place, changed func(places []place, again bool) error) {
	tried := known
	tick := time.NewTicker(addressPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			places, err := findPlaces(cfg)
			if err != nil || slices.Equal(places, known) {
				continue
			}
			if changed(places, slices.Equal(places, tried)) == nil {
				known = places
			}
			tried = places
		}
	}
}
