package hub

import (
	"net/netip"
	"slices"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
)

// Party is one end of a call or path test. Session is empty for an end that is
// not known, as after a restart.
type Party struct {
	User    string
	Session string
}

// Hooks tell of what happens. Each is called by the hub's goroutine, in order,
// and must return at once. Those that are nil are passed over.
type Hooks struct {
	// OnPaired tells that two devices now exchange signals: in a call, each time
	// that it starts or an end comes back, in a path test, or to pass a file.
	OnPaired func(id string, ends [2]Party)
	// OnParted tells that they do so no more.
	OnParted func(id string)
	// OnCandidate tells of an address that a device signals to the other of a
	// call, path test or file, before the other hears of it.
	OnCandidate func(id string, from, to Party, addr netip.AddrPort)
	// OnCallConnected tells of the first report of a call.
	OnCallConnected func(CallConnected)
	// OnCallEnded tells of each call that was made or claimed, once.
	OnCallEnded func(CallOver)
}

// CallConnected is a call whose media run.
type CallConnected struct {
	Call      string
	Rang      time.Duration // from invite to accept; 0 if it is not known
	Connected time.Duration // from accept to the first report, by the server's clock; 0 if it is not known
	Setup     time.Duration // from call.started to connected media, as the device says; 0 if it does not
}

// CallOver is a call that has ended.
type CallOver struct {
	Call     string
	Media    rtc.Media // what it was rung as
	Reason   rtc.EndReason
	By       string // user id of who ended it; empty if nobody did
	Claimed  bool   // only one end ever said that it was: it may be untrue
	At       time.Time
	Duration time.Duration // since it was answered; 0 if it was not
	Ends     [2]EndOver    // the caller's first
}

// EndOver is one end of a call that has ended.
type EndOver struct {
	Party
	Name  string // of the user
	Link  Link
	Other bool      // its session has another call, path test or file
	Path  *rtc.Path // as last reported; nil if it never was
	Setup time.Duration
}

// party names an end by the session that its device has now.
func (h *Hub) party(user string, key call.Device) Party {
	p := Party{User: user}
	if d := h.devices[key]; d != nil {
		p.Session = d.session
	}
	return p
}

// parties are the ends of a call; ok is false unless both are known.
func (h *Hub) parties(c *call.Call) (ends [2]Party, ok bool) {
	ok = true
	for i, end := range c.Ends() {
		ends[i] = h.party(end.User.ID, end.Device)
		ok = ok && end.Present
	}
	return ends, ok
}

func (h *Hub) paired(c *call.Call) {
	if ends, ok := h.parties(c); ok && h.cfg.OnPaired != nil {
		h.cfg.OnPaired(c.ID(), ends)
	}
}

func (h *Hub) parted(id string) {
	if h.cfg.OnParted != nil {
		h.cfg.OnParted(id)
	}
}

// signalled tells of the addresses in what one end sends to the other.
func (h *Hub) signalled(id string, from, to Party, addrs []netip.AddrPort) {
	if h.cfg.OnCandidate == nil {
		return
	}
	for _, addr := range addrs {
		h.cfg.OnCandidate(id, from, to, addr)
	}
}

// engaged tells whether a party has a call, a path test that runs, or a file
// that goes from device to device.
func (h *Hub) engaged(p Party, except *call.Call) bool {
	other := func(c *call.Call) bool { return c != except }
	for key, d := range h.users[p.User] {
		if d.session != p.Session {
			continue
		}
		if _, tests := h.tests.busy[key]; tests || slices.ContainsFunc(h.calls.held[key], other) {
			return true
		}
	}
	return h.linked(p.Session)
}
