package main

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"fieldphone/configs"
	"fieldphone/httpapi"
	"fieldphone/httpapi/segment"
	"fieldphone/rtc/hub"
	"fieldphone/turnsrv"
)

// turnSettings is what of the configuration the relay takes while it runs.
func turnSettings(cfg configs.Config) turnsrv.Settings {
	const bits = 1000 // in a kbit
	c := cfg.TURN
	return turnsrv.Settings{
		Relay: turnsrv.PortRange{Min: uint16(c.RelayPorts.Min), Max: uint16(c.RelayPorts.Max)},
		Policy: turnsrv.Policy{
			Mode: turnsrv.Mode(c.Peers.Mode), AllowLoopback: c.AllowLoopbackPeers, Allow: c.Peers.Allow, Deny: c.Peers.Deny,
		},
		Limits: turnsrv.Limits{
			AllocationsPerSession: c.MaxAllocationsPerSession, Allocations: c.MaxAllocations,
			BitsPerAllocation: int64(c.KbpsPerAllocation) * bits, Bits: int64(c.Kbps) * bits,
			AllocatesPerSource: float64(c.AllocatesPerSecond), BindingsPerSource: float64(c.BindingsPerSecond),
			TCPConnections:     c.MaxTCPConnections,
			CredentialLifetime: cfg.Session.TTL + cfg.Session.Leeway, // a credential ends with its session
		},
	}
}

// relayView is the relay as administrators see it.
type relayView struct{ turn *turnsrv.Server }

// Allocations implements httpapi.Relay.
func (v relayView) Allocations() []httpapi.Allocation {
	running := v.turn.Allocations()
	out := make([]httpapi.Allocation, len(running))
	for i, a := range running {
		out[i] = httpapi.Allocation{
			ID: a.ID, User: a.User, Session: a.Session, Client: a.Client, Server: a.Server, Relayed: a.Relayed,
			Transport: a.Transport, Peers: a.Peers, Created: a.Created, Expires: a.Expires, Outside: a.Outside,
			BytesUp: a.FromClient.Bytes, BytesDown: a.ToClient.Bytes, Dropped: a.FromClient.Dropped + a.ToClient.Dropped,
		}
	}
	return out
}

// Ports implements httpapi.Relay.
func (v relayView) Ports() []httpapi.PortUse {
	ports := v.turn.Ports()
	out := make([]httpapi.PortUse, len(ports))
	for i, p := range ports {
		out[i] = httpapi.PortUse{
			Address: p.Address, Min: p.Range.Min, Max: p.Range.Max, Used: p.Used, Outside: p.Outside, Free: p.Free,
			Peak: p.Peak, Refused: p.Refused, Taken: p.Taken,
		}
	}
	return out
}

// End implements httpapi.Relay.
func (v relayView) End(id uint64) (whose string, ok bool) {
	for _, a := range v.turn.Allocations() {
		if a.ID == id && v.turn.End(id) {
			return fmt.Sprintf("%s %s", a.User, a.Relayed), true
		}
	}
	return "", false
}

// effectsOf tells what a change of settings would do to what goes on.
type effectsOf struct {
	turn  *turnsrv.Server
	hub   *hub.Hub
	table func(configs.Config) *segment.Table
}

func (e effectsOf) tell(before, after configs.Config) ([]httpapi.SettingProblem, []httpapi.Effect) {
	effects := []httpapi.Effect{}
	if !reflect.DeepEqual(turnSettings(before), turnSettings(after)) {
		problems, found := e.relay(before, after)
		if len(problems) > 0 {
			return problems, nil
		}
		effects = append(effects, found...)
	}
	if !reflect.DeepEqual(before.Segments, after.Segments) {
		effects = append(effects, e.segments(before, after)...)
	}
	if before.Registration.Policy != after.Registration.Policy {
		effects = append(effects, effect("registration", "policy", after.Registration.Policy))
	}
	return nil, effects
}

// effect takes parameters as name, value, name, value.
func effect(code string, params ...any) httpapi.Effect {
	named := map[string]any{}
	for i := 0; i+1 < len(params); i += 2 {
		named[params[i].(string)] = params[i+1]
	}
	return httpapi.Effect{Code: code, Params: named}
}

func (e effectsOf) relay(before, after configs.Config) ([]httpapi.SettingProblem, []httpapi.Effect) {
	settings := turnSettings(after)
	p, err := e.turn.Preview(settings)
	if wrong, ok := errors.AsType[*turnsrv.SettingsError](err); ok {
		return relayProblems(wrong), nil
	}
	if err != nil {
		return []httpapi.SettingProblem{{Key: "relay_ports", Code: "invalid", Message: err.Error()}}, nil
	}
	var effects []httpapi.Effect
	if before.TURN.RelayPorts != after.TURN.RelayPorts {
		if p.Short > 0 {
			return []httpapi.SettingProblem{{
				Key: "relay_ports", Code: "range_too_small_for_calls",
				Message: fmt.Sprintf("%d of the ports in use now would find no place in it when their calls begin again; "+
					"choose a range with at least %d more ports, or end calls first", p.Short, p.Short),
			}}, nil
		}
		if p.Outside > 0 {
			effects = append(effects, effect("ports_kept", "allocations", p.Outside, "calls", e.callsOutside(settings.Relay)))
		}
		effects = append(effects, effect("ports_free", "free", p.Free, "need", p.Need))
		if len(p.Taken) > 0 {
			effects = append(effects, effect("ports_taken", "count", len(p.Taken), "ports", portList(p.Taken), "sampled", p.Sampled))
		}
		effects = append(effects, effect("firewall", "ports", settings.Relay.String()))
	}
	if p.Refused > 0 {
		effects = append(effects, effect("peers_refused", "allocations", p.Refused))
	}
	if p.OverQuota > 0 {
		effects = append(effects, effect("over_quota", "allocations", p.OverQuota))
	}
	const anyPeer = string(turnsrv.ModeAny)
	if after.TURN.Peers.Mode == anyPeer && before.TURN.Peers.Mode != anyPeer {
		effects = append(effects, effect("relay_open"))
	}
	running := len(e.turn.Allocations())
	if lower(before.TURN.KbpsPerAllocation, after.TURN.KbpsPerAllocation) {
		effects = append(effects, effect("slower_each", "kbps", after.TURN.KbpsPerAllocation, "allocations", running))
	}
	if lower(before.TURN.Kbps, after.TURN.Kbps) {
		effects = append(effects, effect("slower_all", "kbps", after.TURN.Kbps, "allocations", running))
	}
	return nil, effects
}

// lower compares limits of which 0 is none.
func lower(before, after int) bool { return after > 0 && (before == 0 || after < before) }

// callsOutside counts the calls that use relay ports outside of a range.
func (e effectsOf) callsOutside(span turnsrv.PortRange) (calls int) {
	outside := map[string]bool{}
	for _, a := range e.turn.Allocations() {
		if port := a.Relayed.Port(); port < span.Min || port > span.Max {
			outside[a.Session] = true
		}
	}
	for _, c := range e.hub.Calls() {
		if slices.ContainsFunc(c.Ends[:], func(end hub.EndView) bool { return outside[end.Session] }) {
			calls++
		}
	}
	return calls
}

// portList is the first of some ports.
func portList(ports []uint16) string {
	const most = 10
	var texts []string
	for _, port := range ports[:min(len(ports), most)] {
		texts = append(texts, fmt.Sprint(port))
	}
	if len(ports) > most {
		texts = append(texts, "...")
	}
	return strings.Join(texts, ", ")
}

// segments tells who would have fewer ways to the relay.
func (e effectsOf) segments(before, after configs.Config) []httpapi.Effect {
	old, fresh := e.table(before), e.table(after)
	people := map[string]int{}
	lost := map[string]map[segment.Transport]int{}
	for _, p := range e.hub.People() {
		for _, d := range p.Devices {
			was, _ := old.Find(d.Link.Remote.Addr())
			is, _ := fresh.Find(d.Link.Remote.Addr())
			people[was.Name]++
			for _, transport := range segment.Transports() {
				if was.Allows(transport) && !is.Allows(transport) {
					if lost[is.Name] == nil {
						lost[is.Name] = map[segment.Transport]int{}
					}
					lost[is.Name][transport]++
				}
			}
		}
	}
	var effects []httpapi.Effect
	for _, s := range old.Segments {
		gone := !slices.ContainsFunc(fresh.Segments, func(other segment.Segment) bool { return other.Name == s.Name })
		if gone && !s.Derived {
			effects = append(effects, effect("segment_gone", "segment", s.Name, "people", people[s.Name]))
		}
	}
	for _, s := range fresh.Segments {
		for _, transport := range segment.Transports() {
			if n := lost[s.Name][transport]; n > 0 {
				effects = append(effects, effect("segment_loses_transport", "segment", s.Name, "transport", transport, "people", n))
			}
		}
	}
	for _, l := range fresh.LeftOut {
		if l.Reason == segment.Absent {
			effects = append(effects, effect("segment_address_absent", "segment", l.Segment, "address", l.Prefix.Addr()))
		}
	}
	return effects
}
