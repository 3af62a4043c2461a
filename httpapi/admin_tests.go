package httpapi

import (
	"crypto/rand"
	"errors"
	"slices"

	"fieldphone/httpapi/adminlog"
	"fieldphone/httpapi/firewall"
	"fieldphone/httpapi/pathtest"
	"fieldphone/httpapi/segment"
	"fieldphone/rtc"
	"fieldphone/rtc/call"
	"fieldphone/rtc/hub"

	"github.com/gofiber/fiber/v2"
)

// findingBody is a finding with the rules that mend it.
type findingBody struct {
	pathtest.Finding
	Rules []pathtest.Rule `json:"rules"`
}

func ruled(findings []pathtest.Finding) []findingBody {
	bodies := make([]findingBody, len(findings))
	for i, f := range findings {
		bodies[i] = findingBody{f, f.Rules()}
	}
	return bodies
}

// candidate is a device that can be asked to test.
type candidate struct {
	key     call.Device
	segment string
}

func (a *App) startPathTest(c *fiber.Ctx) error {
	in, err := readBody[struct {
		Kind    string
		People  []string
		Devices []string
	}](c)
	if err != nil {
		return err
	}
	if in.Kind != "self" && in.Kind != "pairs" {
		return refusal{fiber.StatusBadRequest, "bad_request", "kind is self or pairs.", "kind"}
	}
	there := a.attached(in.People, in.Devices)
	test := hub.PathTest{ID: rand.Text(), Kind: rtc.TestSelf}
	if in.Kind == "pairs" {
		test.Kind = rtc.TestPair
		test.Runs = pairsOf(there)
	} else {
		for _, each := range there {
			test.Runs = append(test.Runs, hub.PathRun{Devices: []call.Device{each.key}})
		}
	}
	if len(test.Runs) == 0 {
		return refusal{fiber.StatusConflict, "nobody_to_test", "None of them is connected here, or it takes two. Look who is online.", ""}
	}
	leftOut := max(0, len(test.Runs)-hub.MaxPathRuns)
	test.Runs = test.Runs[:len(test.Runs)-leftOut]
	if err := a.cfg.Hub.RunPathTest(test); err != nil {
		if errors.Is(err, hub.ErrTooManyTests) {
			return refusal{fiber.StatusTooManyRequests, "too_many_tests", "Many path tests are running. Wait until one has ended.", ""}
		}
		return err
	}
	if err := a.record(c, adminlog.Entry{Action: "path_test.start", Target: in.Kind}); err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(fiber.Map{"id": test.ID, "runs": len(test.Runs), "left_out": leftOut})
}

// attached lists the devices that are there, of the people or devices that are named or of
// everybody, taking turns among the segments.
func (a *App) attached(people, devices []string) []candidate {
	table := a.cfg.Admin.Segments.Load()
	bySegment := map[string][]candidate{}
	for _, p := range a.cfg.Hub.People() {
		if len(people) > 0 && !slices.Contains(people, p.User.ID) {
			continue
		}
		for _, d := range p.Devices {
			if d.Away || len(devices) > 0 && !slices.Contains(devices, d.Device) {
				continue
			}
			s, _ := table.Find(d.Link.Remote.Addr())
			bySegment[s.Name] = append(bySegment[s.Name], candidate{call.Device{User: p.User.ID, ID: d.Device}, s.Name})
		}
	}
	var turns []candidate
	for more := true; more; {
		more = false
		for _, name := range sortedNames(bySegment) {
			if left := bySegment[name]; len(left) > 0 {
				turns, bySegment[name], more = append(turns, left[0]), left[1:], true
			}
		}
	}
	return turns
}

// pairsOf makes a pair for each two segments, and for each segment with itself, and takes
// another device each time where there are more.
func pairsOf(there []candidate) []hub.PathRun {
	bySegment := map[string][]call.Device{}
	for _, each := range there {
		bySegment[each.segment] = append(bySegment[each.segment], each.key)
	}
	names := sortedNames(bySegment)
	turn := map[string]int{}
	next := func(name string) call.Device {
		devices := bySegment[name]
		turn[name]++
		return devices[(turn[name]-1)%len(devices)]
	}
	var runs []hub.PathRun
	for i, from := range names {
		for _, to := range names[i:] {
			if from == to && len(bySegment[from]) < 2 {
				continue
			}
			runs = append(runs, hub.PathRun{Devices: []call.Device{next(from), next(to)}})
		}
	}
	return runs
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

type testBody struct {
	ID      string           `json:"id"`
	Kind    string           `json:"kind"`
	Started int64            `json:"started"`
	Done    bool             `json:"done"`
	Devices []testDeviceBody `json:"devices"`
	Grid    []cellBody       `json:"grid"`
}

type testDeviceBody struct {
	User     whoBody       `json:"user"`
	Device   string        `json:"device"`
	Segment  string        `json:"segment"`
	State    hub.RunState  `json:"state"`
	Legs     []rtc.Leg     `json:"legs"`
	Findings []findingBody `json:"findings"`
}

type cellBody struct {
	pathtest.Cell
	Users   []string     `json:"users"` // names
	Finding *findingBody `json:"finding,omitempty"`
}

func (a *App) pathTest(c *fiber.Ctx) error {
	view, ok := a.cfg.Hub.PathTest(c.Params("id"))
	if !ok {
		return fiber.ErrNotFound
	}
	kind := "self"
	if view.Kind == rtc.TestPair {
		kind = "pairs"
	}
	body := testBody{
		ID: view.ID, Kind: kind, Started: view.Started.UnixMilli(), Done: !view.Done.IsZero(),
		Devices: []testDeviceBody{}, Grid: []cellBody{},
	}
	judge := a.judge()
	var pairs []pathtest.Pair
	seen := map[call.Device]bool{}
	for _, run := range view.Runs {
		if len(run.Ends) == 2 && run.State == hub.RunDone {
			pairs = append(pairs, pathtest.Pair{From: judge.end(run.Ends[0]), To: judge.end(run.Ends[1]), Legs: run.Legs})
		}
		for _, end := range run.Ends {
			if key := (call.Device{User: end.User.ID, ID: end.Device}); !seen[key] {
				seen[key] = true
				body.Devices = append(body.Devices, judge.device(run, end))
			}
		}
	}
	for _, cell := range pathtest.Grid(pairs) {
		body.Grid = append(body.Grid, cellBodyOf(cell))
	}
	return c.JSON(body)
}

func cellBodyOf(cell pathtest.Cell) cellBody {
	body := cellBody{Cell: cell, Users: []string{}}
	for _, pair := range cell.Users {
		for _, name := range pair {
			if !slices.Contains(body.Users, name) {
				body.Users = append(body.Users, name)
			}
		}
	}
	if cell.Finding != nil {
		body.Finding = &findingBody{*cell.Finding, cell.Finding.Rules()}
	}
	return body
}

// judge knows the site, and what each device last found out about its own legs.
type judge struct {
	site  firewall.Site
	table *segment.Table
	own   map[call.Device]hub.DeviceView
}

func (a *App) judge() judge {
	j := judge{site: a.cfg.Admin.Firewall(), table: a.cfg.Admin.Segments.Load(), own: map[call.Device]hub.DeviceView{}}
	for _, p := range a.cfg.Hub.People() {
		for _, d := range p.Devices {
			j.own[call.Device{User: p.User.ID, ID: d.Device}] = d
		}
	}
	return j
}

// link is how the end was connected when it was tested, else how it is now.
func (j judge) link(end hub.PathEnd) hub.Link {
	if end.Link.Remote.IsValid() {
		return end.Link
	}
	return j.own[call.Device{User: end.User.ID, ID: end.Device}].Link
}

func (j judge) siteOf(link hub.Link) pathtest.Site {
	return pathtest.Site{Site: j.site, Client: link.Remote.Addr(), Server: link.Local}
}

func (j judge) end(end hub.PathEnd) pathtest.End {
	judged := pathtest.End{User: end.User.Name, Site: j.siteOf(j.link(end))}
	if path := j.own[call.Device{User: end.User.ID, ID: end.Device}].Path; path != nil {
		judged.Legs = path.Legs
	}
	return judged
}

// device of a run: with the legs of a test of its own, since those of a pair are the grid's.
func (j judge) device(run hub.PathRunView, end hub.PathEnd) testDeviceBody {
	link := j.link(end)
	s, _ := j.table.Find(link.Remote.Addr())
	body := testDeviceBody{User: whoBody(end.User), Device: end.Device, Segment: s.Name, State: run.State, Legs: []rtc.Leg{}, Findings: []findingBody{}}
	if len(run.Ends) == 1 {
		body.Legs = list(run.Legs)
		body.Findings = ruled(pathtest.Diagnose(run.Legs, j.siteOf(link)))
	}
	return body
}
