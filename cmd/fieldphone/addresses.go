package main

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"path"
	"slices"
	"time"

	"fieldphone/configs"
)

// addressPoll is how often interfaces are looked at for addresses that came
// or went (a hotspot switched on, a DHCP lease that changed).
const addressPoll = 3 * time.Second

// place is an address of this host and the interface that has it.
type place struct {
	Addr      netip.Addr
	Interface string
}

// findPlaces lists where clients can reach this host, best first. Loopback,
// link-local and skipped interfaces are left out; addresses named in the
// configuration are taken as they are.
func findPlaces(cfg configs.Listen) ([]place, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var places []place
	for _, iface := range interfaces {
		addrs, err := iface.Addrs()
		if err != nil || iface.Flags&net.FlagUp == 0 {
			continue
		}
		for _, a := range addrs {
			prefix, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			addr, _ := netip.AddrFromSlice(prefix.IP)
			addr = addr.Unmap()
			if len(cfg.Addresses) > 0 {
				if slices.Contains(cfg.Addresses, addr) {
					places = append(places, place{addr, iface.Name})
				}
				continue
			}
			if usable(addr) && !skipped(cfg.SkipInterfaces, iface.Name) {
				places = append(places, place{addr, iface.Name})
			}
		}
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(rank(a.Addr), rank(b.Addr)) })
	return places, nil
}

func usable(addr netip.Addr) bool {
	return addr.IsGlobalUnicast() && !addr.IsLoopback()
}

func skipped(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		match, err := path.Match(pattern, name)
		return err == nil && match
	})
}

// rank puts private IPv4 first: it is what people can type and what every
// device has.
func rank(addr netip.Addr) int {
	switch {
	case addr.Is4() && addr.IsPrivate():
		return 0
	case addr.Is4():
		return 1
	case addr.IsPrivate():
		return 2
	}
	return 3
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
