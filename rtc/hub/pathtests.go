package hub

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
)

// pathTests are those that run and the last of those that are over.
type pathTests struct {
	kept  []*pathTest // in the order in which they were asked for
	byRun map[string]*pathRun
	busy  map[call.Device]*pathRun
}

type pathTest struct {
	view PathTestView
	runs []*pathRun
}

type pathRun struct {
	test    *pathTest
	view    *PathRunView
	devices []call.Device
}

func newPathTests() pathTests {
	return pathTests{byRun: make(map[string]*pathRun), busy: make(map[call.Device]*pathRun)}
}

// RunPathTest asks devices to test their paths. PathTest tells how it goes.
func (h *Hub) RunPathTest(t PathTest) error {
	if err := t.Validate(); err != nil {
		return err
	}
	err := ErrStopped
	h.ask(func() { err = h.beginTest(t) })
	return err
}

// PathTest tells how a test goes; ok is false for one that is not known (any
// more).
func (h *Hub) PathTest(id string) (view PathTestView, ok bool) {
	h.ask(func() {
		for _, t := range h.tests.kept {
			if t.view.ID == id {
				view, ok = t.view, true
				view.Runs = slices.Clone(view.Runs)
				for i := range view.Runs {
					view.Runs[i].Ends = slices.Clone(view.Runs[i].Ends)
				}
			}
		}
	})
	return view, ok
}

func (h *Hub) beginTest(t PathTest) error {
	for _, old := range h.tests.kept {
		if old.view.ID == t.ID {
			return fmt.Errorf("hub: there is a path test %q already", t.ID)
		}
	}
	if !h.tests.makeRoom() {
		return ErrTooManyTests
	}
	test := &pathTest{view: PathTestView{ID: t.ID, Kind: t.Kind, Started: h.cfg.Now(), Runs: make([]PathRunView, len(t.Runs))}}
	for i, run := range t.Runs {
		view := &test.view.Runs[i]
		*view = PathRunView{Name: newName(), State: RunWaiting}
		if t.Kind == rtc.TestPair {
			view.Transports = run.Transports
			if len(view.Transports) == 0 {
				view.Transports = rtc.Transports()
			}
		}
		for _, key := range run.Devices {
			view.Ends = append(view.Ends, PathEnd{User: rtc.User{ID: key.User, Name: h.name(key.User)}, Device: key.ID})
		}
		test.runs = append(test.runs, &pathRun{test: test, view: view, devices: slices.Clone(run.Devices)})
	}
	h.tests.kept = append(h.tests.kept, test)
	h.cfg.Logger.Info("path test begins", "test", t.ID, "kind", t.Kind, "runs", len(t.Runs))
	h.startRuns()
	return nil
}

// makeRoom forgets the oldest test that is over if there are as many as may be
// kept.
func (ts *pathTests) makeRoom() bool {
	if len(ts.kept) < maxTests {
		return true
	}
	for i, t := range ts.kept {
		if !t.view.Done.IsZero() {
			ts.kept = slices.Delete(ts.kept, i, i+1)
			return true
		}
	}
	return false
}

// startRuns starts what waits and whose devices are free.
func (h *Hub) startRuns() {
	for _, t := range h.tests.kept {
		if !t.view.Done.IsZero() {
			continue
		}
		for _, run := range t.runs {
			if run.view.State == RunWaiting && len(h.tests.byRun) < maxRunning && h.tests.free(run) {
				h.startRun(run)
			}
		}
	}
}

func (ts *pathTests) free(run *pathRun) bool {
	for _, key := range run.devices {
		if ts.busy[key] != nil {
			return false
		}
	}
	return true
}

func (h *Hub) startRun(run *pathRun) {
	var there []*device
	for i, key := range run.devices {
		end := &run.view.Ends[i]
		if d := h.devices[key]; d != nil && d.port != nil {
			end.User, end.Session, end.Link = d.user, d.session, d.link
			there = append(there, d)
		} else {
			end.Gone = true
		}
	}
	if len(there) < len(run.devices) {
		h.endRun(run, RunGone)
		return
	}
	run.view.State, run.view.Started = RunRunning, h.cfg.Now()
	h.tests.byRun[run.view.Name] = run
	for _, key := range run.devices {
		h.tests.busy[key] = run
	}
	if len(there) == 1 {
		h.send(there[0], &rtc.PathRun{Test: run.view.Name, Kind: rtc.TestSelf})
		return
	}
	if h.cfg.OnPaired != nil {
		h.cfg.OnPaired(run.view.Name, [2]Party{there[0].party(), there[1].party()})
	}
	for i, role := range []rtc.Role{rtc.Offerer, rtc.Answerer} {
		peer := there[1-i].user
		h.send(there[i], &rtc.PathRun{
			Test: run.view.Name, Kind: rtc.TestPair, Peer: &peer, Role: role, Transports: run.view.Transports,
		})
	}
}

// endRun ends one run and, with the last, its test. What waited for its
// devices is started by the next sweep or result.
func (h *Hub) endRun(run *pathRun, state RunState) {
	now := h.cfg.Now()
	if run.view.State == RunRunning && len(run.devices) == 2 {
		h.parted(run.view.Name)
	}
	run.view.State, run.view.Ended = state, now
	delete(h.tests.byRun, run.view.Name)
	maps.DeleteFunc(h.tests.busy, func(_ call.Device, r *pathRun) bool { return r == run })
	h.stats.ranPath(state)
	for _, other := range run.test.runs {
		if other.view.Ended.IsZero() {
			return
		}
	}
	run.test.view.Done = now
	h.cfg.Logger.Info("path test ends", "test", run.test.view.ID, "kind", run.test.view.Kind)
}

// sweepTests ends the runs that took too long and starts those whose devices
// are free.
func (h *Hub) sweepTests(now time.Time) {
	for _, t := range h.tests.kept {
		if !t.view.Done.IsZero() {
			continue
		}
		for _, run := range t.runs {
			switch {
			case run.view.State == RunRunning && now.Sub(run.view.Started) >= runLimit,
				run.view.State == RunWaiting && now.Sub(t.view.Started) >= waitLimit:
				h.endRun(run, RunExpired)
			}
		}
	}
	h.startRuns()
}

// deviceLeft ends the run and the links of a device that is gone or has begun
// anew, and so knows nothing of them.
func (h *Hub) deviceLeft(key call.Device) {
	h.leaveLinks(key)
	run := h.tests.busy[key]
	if run == nil {
		return
	}
	for i, k := range run.devices {
		if k == key {
			run.view.Ends[i].Gone = true
		}
	}
	h.endRun(run, RunGone)
}

// pathSignal passes on what one device of a pair test says to the other.
func (h *Hub) pathSignal(d *device, m *rtc.PathSignal, addrs []netip.AddrPort) error {
	run := h.tests.byRun[m.Test]
	if run == nil || len(run.devices) != 2 || !slices.Contains(run.devices, d.key) {
		return errNoSuchTest()
	}
	to := run.devices[0]
	if to == d.key {
		to = run.devices[1]
	}
	other := h.devices[to]
	if other == nil {
		return errNoSuchTest()
	}
	h.signalled(m.Test, d.party(), other.party(), addrs)
	h.send(other, &rtc.PathSignal{Test: m.Test, Payload: m.Payload})
	return nil
}

// pathResult takes what a device found.
func (h *Hub) pathResult(d *device, m *rtc.PathResult) error {
	report := &PathReport{At: h.cfg.Now(), Test: m.Test, Legs: m.Legs}
	if m.Test == "" {
		d.path = report
		h.stats.ranLegs(m.Legs)
		return nil
	}
	run := h.tests.byRun[m.Test]
	if run == nil || run.devices[0] != d.key {
		return errNoSuchTest()
	}
	if len(run.devices) == 1 {
		d.path = report
	}
	run.view.Legs = m.Legs
	h.stats.ranLegs(m.Legs)
	h.endRun(run, RunDone)
	h.startRuns()
	return nil
}

func errNoSuchTest() error {
	return rtc.NewError(rtc.CodeNoSuchTest, "there is no such path test, it is over, or this device has no part in it")
}
