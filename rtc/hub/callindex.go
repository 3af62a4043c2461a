package hub

import (
	"maps"
	"slices"
	"strings"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
)

// How long the name of a call that is over is remembered, and how many: an
// invite that is sent again starts nothing, and a claim to it restores nothing.
const (
	rememberEnded = 5 * time.Minute
	maxEnded      = 10_000
)

// calls indexes the calls that are not over.
type calls struct {
	byID map[string]*call.Call
	user map[string]map[string]*call.Call // by the id of either user
	held map[call.Device][]*call.Call     // by either end
	kept map[string]standing              // by call: as it is in held
	over map[string]time.Time             // when those that are over ended

	vitals map[string]*vitals // by call
}

func newCalls() calls {
	return calls{
		byID: make(map[string]*call.Call),
		user: make(map[string]map[string]*call.Call),
		held: make(map[call.Device][]*call.Call),
		kept: make(map[string]standing),
		over: make(map[string]time.Time),

		vitals: make(map[string]*vitals),
	}
}

// standing is what the indexes hold of a call.
type standing struct {
	state rtc.CallState
	ends  [2]call.End
}

// of lists the calls of a user, made or received, in a stable order.
func (cs *calls) of(user string) []*call.Call {
	return slices.SortedFunc(maps.Values(cs.user[user]), func(a, b *call.Call) int {
		return strings.Compare(a.ID(), b.ID())
	})
}

func (cs *calls) due(now time.Time) []*call.Call {
	var due []*call.Call
	for _, c := range cs.byID {
		if deadline, ok := c.Deadline(); ok && !now.Before(deadline) {
			due = append(due, c)
		}
	}
	return due
}

func (cs *calls) add(c *call.Call) {
	cs.byID[c.ID()] = c
	cs.vitals[c.ID()] = &vitals{}
	for _, user := range []string{c.Caller().ID, c.Callee().ID} {
		if cs.user[user] == nil {
			cs.user[user] = make(map[string]*call.Call)
		}
		cs.user[user][c.ID()] = c
	}
}

// hold makes held true of a call, and tells which devices the call has just
// left; changed means that it stands otherwise than before.
func (cs *calls) hold(c *call.Call) (left []call.Device, changed bool) {
	before := cs.kept[c.ID()]
	now := standing{state: c.State(), ends: c.Ends()}
	if before == now {
		return nil, false
	}
	cs.kept[c.ID()] = now
	for i, end := range now.ends {
		if was := before.ends[i]; was.Present && was != end {
			cs.release(was.Device, c)
			left = append(left, was.Device)
		}
		if end.Present && before.ends[i] != end {
			cs.held[end.Device] = append(cs.held[end.Device], c)
		}
	}
	return left, true
}

func (cs *calls) release(d call.Device, c *call.Call) {
	rest := slices.DeleteFunc(cs.held[d], func(held *call.Call) bool { return held == c })
	if len(rest) == 0 {
		delete(cs.held, d)
		return
	}
	cs.held[d] = rest
}

func (cs *calls) remove(c *call.Call, now time.Time) {
	delete(cs.byID, c.ID())
	delete(cs.vitals, c.ID())
	cs.remember(c.ID(), now)
	for _, user := range []string{c.Caller().ID, c.Callee().ID} {
		delete(cs.user[user], c.ID())
		if len(cs.user[user]) == 0 {
			delete(cs.user, user)
		}
	}
	for _, d := range c.Devices() {
		cs.release(d, c)
	}
	delete(cs.kept, c.ID())
}

func (cs *calls) remember(id string, now time.Time) {
	if len(cs.over) >= maxEnded {
		clear(cs.over)
	}
	cs.over[id] = now
}

func (cs *calls) forget(now time.Time) {
	maps.DeleteFunc(cs.over, func(_ string, ended time.Time) bool { return now.Sub(ended) > rememberEnded })
}

// load counts the calls that a user makes, is rung by or is in, those from
// endpoints aside; engaged means that another one waits beside one of them.
func (cs *calls) load(user string) (count int, engaged bool) {
	for _, c := range cs.user[user] {
		if c.Occupies(user) && !endpoint(c.Caller().ID) {
			count++
		}
		engaged = engaged || c.Engages(user)
	}
	return count, engaged
}

// shown tells whether a device is in a call as others see it: listening to an
// endpoint is nobody's call.
func (cs *calls) shown(d call.Device) bool {
	return slices.ContainsFunc(cs.held[d], func(c *call.Call) bool { return !endpoint(c.Caller().ID) })
}
