package hub

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
)

// Link is how a connection reached the server.
type Link struct {
	Remote    netip.AddrPort // of the client
	Local     netip.Addr     // of the server, as the client reached it
	Transport string         // TransportWSS or TransportSSE
}

// The transports of signalling.
const (
	TransportWSS = "wss" // a WebSocket
	TransportSSE = "sse" // server-sent events and POST
)

// PersonView is somebody online. Devices are those of this node.
type PersonView struct {
	User    rtc.User
	Status  rtc.Status
	Devices []DeviceView
}

// DeviceView is a device that is attached, or away for less than the resume
// window.
type DeviceView struct {
	Device  string
	Session string
	Link    Link      // the last one while away
	Since   time.Time // attached or, while away, away
	Away    bool
	Path    *PathReport // of its own legs; nil if it never ran a path test
}

// PathReport is the result of a path test of a device's own legs.
type PathReport struct {
	At   time.Time
	Test string // empty if the user ran it alone
	Legs []rtc.Leg
}

// NodeView is a running server as presence shows it.
type NodeView struct {
	Node   string
	Self   bool
	People int
}

// CallView is a call that is not over.
type CallView struct {
	ID      string
	State   rtc.CallState
	Media   rtc.Media
	Gen     int
	Since   time.Time // it was made, or claimed after a restart
	Started time.Time // zero until it is answered
	Ends    [2]EndView
}

// EndView is one end of a call, the caller's first. Of an end that is not
// known only User is set.
type EndView struct {
	User    rtc.User
	Device  string
	Session string
	Link    Link
	Report  *Report // nil until the first
	Samples []Sample
}

// Report is the last report of an end.
type Report struct {
	At time.Time
	rtc.CallReport
}

// Sample is what a report measured.
type Sample struct {
	At               time.Time
	RTTMS, Loss      float64
	UpKbps, DownKbps float64
}

// ask lets the hub's goroutine answer a question; false means that it has
// stopped.
func (h *Hub) ask(question func()) bool {
	answered := make(chan struct{})
	if !h.post(func() { question(); close(answered) }) {
		return false
	}
	select {
	case <-answered:
		return true
	case <-h.done:
		return false
	}
}

// People lists everybody online by name, and those whose devices are away for
// less than the resume window as offline; none once the hub has stopped.
func (h *Hub) People() (people []PersonView) {
	h.ask(func() {
		for id, p := range h.roster.people {
			if endpoint(id) {
				continue
			}
			people = append(people, PersonView{User: rtc.User{ID: id, Name: p.name}, Status: p.shown.Status, Devices: h.deviceViews(id)})
		}
		for id, devices := range h.users {
			if h.roster.people[id] != nil || endpoint(id) {
				continue
			}
			view := PersonView{User: rtc.User{ID: id}, Status: rtc.Offline, Devices: h.deviceViews(id)}
			for _, d := range devices {
				view.User = d.user
			}
			people = append(people, view)
		}
	})
	slices.SortFunc(people, func(a, b PersonView) int {
		if order := strings.Compare(a.User.Name, b.User.Name); order != 0 {
			return order
		}
		return strings.Compare(a.User.ID, b.User.ID)
	})
	return people
}

func (h *Hub) deviceViews(user string) []DeviceView {
	var views []DeviceView
	for _, d := range h.users[user] {
		view := DeviceView{
			Device: d.key.ID, Session: d.session, Link: d.link, Since: d.awaySince, Away: d.port == nil, Path: d.path,
		}
		if d.port != nil {
			view.Since = d.port.attached
		}
		views = append(views, view)
	}
	slices.SortFunc(views, func(a, b DeviceView) int { return strings.Compare(a.Device, b.Device) })
	return views
}

// Nodes lists the running servers that presence knows, this one first.
func (h *Hub) Nodes() []NodeView {
	people := map[string]int{h.cfg.Node: 0}
	h.ask(func() {
		for id, p := range h.roster.people {
			if endpoint(id) {
				continue
			}
			on := make(map[string]bool)
			for _, seat := range p.devices {
				on[seat.node] = true
			}
			for node := range on {
				people[node]++
			}
		}
	})
	nodes := []NodeView{{Node: h.cfg.Node, Self: true, People: people[h.cfg.Node]}}
	delete(people, h.cfg.Node)
	for _, node := range slices.Sorted(maps.Keys(people)) {
		nodes = append(nodes, NodeView{Node: node, People: people[node]})
	}
	return nodes
}

// Calls lists the calls of this node, oldest first; none once the hub has
// stopped.
func (h *Hub) Calls() (views []CallView) {
	h.ask(func() {
		for _, c := range h.calls.byID {
			if c.Caller().ID == rtc.AttentionID {
				continue // hundreds of listeners; the speaker's call stands for them
			}
			views = append(views, h.callView(c))
		}
	})
	slices.SortFunc(views, func(a, b CallView) int {
		if order := a.Since.Compare(b.Since); order != 0 {
			return order
		}
		return strings.Compare(a.ID, b.ID)
	})
	return views
}

func (h *Hub) callView(c *call.Call) CallView {
	view := CallView{ID: c.ID(), State: c.State(), Media: c.Media(), Gen: c.Gen(), Since: c.Made(), Started: c.Started()}
	v := h.calls.vitals[c.ID()]
	for i, end := range c.Ends() {
		view.Ends[i].User = end.User
		if !end.Present {
			continue
		}
		view.Ends[i].Device = end.Device.ID
		if d := h.devices[end.Device]; d != nil {
			view.Ends[i].Session, view.Ends[i].Link = d.session, d.link
		}
		if v != nil {
			view.Ends[i].Report = v.ends[i].last
			view.Ends[i].Samples = slices.Clone(v.ends[i].samples)
		}
	}
	return view
}

// EndCall ends a call for an administrator; false means that there is no such
// call.
func (h *Hub) EndCall(id string) (ended bool) {
	h.ask(func() {
		c := h.calls.byID[id]
		if ended = c != nil; ended {
			h.apply(c, call.Stop{Reason: rtc.EndByAdmin})
		}
	})
	return ended
}
