package pathtest

import (
	"cmp"
	"slices"

	"fieldphone/rtc"
)

// End is one device of a pair test.
type End struct {
	User string
	Site Site
	Legs []rtc.Leg // its own, tested alone; nil if it was not
}

// Pair is what a test between two devices found.
type Pair struct {
	From, To End
	Legs     []rtc.Leg
}

// Cell is one transport between two segments.
type Cell struct {
	From      string        `json:"from"` // a segment's name, empty for devices in none
	To        string        `json:"to"`
	Transport rtc.Transport `json:"transport"`
	State     rtc.LegState  `json:"state"`
	// Leg and Code are the first leg that fails, which may be one end's own.
	Leg     rtc.LegName `json:"leg,omitempty"`
	Code    rtc.LegCode `json:"code,omitempty"`
	MS      float64     `json:"ms,omitempty"`
	Users   [][2]string `json:"users"` // whose devices tested it
	Finding *Finding    `json:"finding,omitempty"`
}

// transportOf names the transport of a pair leg, and the leg that each end needs for it.
var transportOf = map[rtc.LegName]struct {
	transport rtc.Transport
	alone     rtc.LegName
}{
	rtc.LegPairDirect:     {rtc.Direct, ""},
	rtc.LegPairRelayUDP:   {rtc.RelayUDP, rtc.LegTURNUDP},
	rtc.LegPairRelayTCP:   {rtc.RelayTCP, rtc.LegTURNTCP},
	rtc.LegPairRelayTLS:   {rtc.RelayTLS, rtc.LegTURNTLS},
	rtc.LegPairRelayHTTPS: {rtc.RelayHTTPS, rtc.LegTURNHTTPS},
}

// Grid sums pair tests up by segments and transport. Two devices tell about a path in both
// directions, so a pair of segments has one row of cells, whoever offered. Where several
// pairs tested the same cell the worst of them is told.
func Grid(pairs []Pair) []Cell {
	type place struct {
		from, to  string
		transport rtc.Transport
	}
	cells := make(map[place]*Cell)
	for _, pair := range pairs {
		if pair.From.Site.segment().Name > pair.To.Site.segment().Name {
			pair.From, pair.To = pair.To, pair.From
		}
		for _, leg := range pair.Legs {
			about, known := transportOf[leg.Leg]
			if !known {
				continue
			}
			cell := pair.cell(leg, about.transport, about.alone)
			at := place{cell.From, cell.To, cell.Transport}
			before := cells[at]
			if before == nil {
				cells[at] = &cell
				continue
			}
			users := append(before.Users, cell.Users...)
			if badness[cell.State] > badness[before.State] {
				*before = cell
			}
			before.Users = users
		}
	}
	grid := make([]Cell, 0, len(cells))
	for _, cell := range cells {
		grid = append(grid, *cell)
	}
	order := rtc.Transports()
	slices.SortFunc(grid, func(a, b Cell) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To),
			cmp.Compare(slices.Index(order, a.Transport), slices.Index(order, b.Transport)))
	})
	return grid
}

var badness = map[rtc.LegState]int{rtc.LegSkipped: 0, rtc.LegOK: 1, rtc.LegSlow: 2, rtc.LegFailed: 3}

func (p Pair) cell(leg rtc.Leg, transport rtc.Transport, alone rtc.LegName) Cell {
	cell := Cell{
		From: p.From.Site.segment().Name, To: p.To.Site.segment().Name, Transport: transport,
		State: leg.State, MS: leg.MS, Users: [][2]string{{p.From.User, p.To.User}},
	}
	if leg.State != rtc.LegFailed && leg.State != rtc.LegSlow {
		return cell
	}
	cell.Leg, cell.Code = leg.Leg, leg.Code
	for _, end := range []End{p.From, p.To} {
		if finding, own, ok := end.cause(alone); ok && leg.State == rtc.LegFailed {
			cell.Leg, cell.Code, cell.Finding = own.Leg, own.Code, &finding
			return cell
		}
	}
	cell.Finding = p.between(leg, alone)
	return cell
}

// cause is what keeps one end from the relay by the leg that a pair needs.
func (e End) cause(alone rtc.LegName) (Finding, rtc.Leg, bool) {
	d := &diagnosis{site: e.Site, legs: make(map[rtc.LegName]rtc.Leg)}
	for _, leg := range e.Legs {
		d.take(leg)
	}
	leg := d.legs[alone]
	if alone == "" || leg.State != rtc.LegFailed {
		return Finding{}, rtc.Leg{}, false
	}
	findings := Diagnose(e.Legs, e.Site)
	i := slices.IndexFunc(findings, func(f Finding) bool { return f.Leg == alone })
	if i < 0 { // a finding about another leg explains it
		i = slices.IndexFunc(findings, func(f Finding) bool { return f.Level != Info })
	}
	if i < 0 {
		return Finding{}, rtc.Leg{}, false
	}
	return findings[i], leg, true
}

// between judges a leg that no end's own legs explain.
func (p Pair) between(leg rtc.Leg, alone rtc.LegName) *Finding {
	all := slices.Clone(p.Legs)
	for _, own := range [][]rtc.Leg{p.From.Legs, p.To.Legs} {
		for _, other := range own {
			if other.Leg == alone {
				all = append(all, other)
			}
		}
	}
	for _, f := range Diagnose(all, p.From.Site) {
		if f.Leg == leg.Leg {
			return &f
		}
	}
	return nil
}
