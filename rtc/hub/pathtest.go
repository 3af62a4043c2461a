package hub

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
)

// Limits of path tests. A device runs one at a time, the others wait.
const (
	MaxPathRuns = 256              // runs of one test
	runLimit    = 90 * time.Second // from path.run to path.result
	waitLimit   = 30 * time.Minute // for the devices to be free
	maxTests    = 16               // tests kept, oldest ended first forgotten
	maxRunning  = 32               // runs at once
)

// Errors of RunPathTest.
var (
	ErrStopped      = errors.New("hub: it has stopped")
	ErrTooManyTests = errors.New("hub: too many path tests run; wait until one has ended")
)

// PathTest is what to test. Its ID is chosen by who asks, unique and not empty.
type PathTest struct {
	ID   string
	Kind rtc.TestKind
	Runs []PathRun // at most MaxPathRuns
}

// PathRun is one device to test its own legs, or two to test those between
// them; the first of two is the offerer.
type PathRun struct {
	Devices    []call.Device
	Transports []rtc.Transport // of two devices; all if empty
}

// Validate says what is wrong with the test.
func (t PathTest) Validate() error {
	switch {
	case t.ID == "":
		return errors.New("hub: a path test needs an id")
	case t.Kind != rtc.TestSelf && t.Kind != rtc.TestPair:
		return fmt.Errorf("hub: %q is no kind of path test; self and pair are", t.Kind)
	case len(t.Runs) == 0 || len(t.Runs) > MaxPathRuns:
		return fmt.Errorf("hub: a path test has 1 to %d runs, not %d", MaxPathRuns, len(t.Runs))
	}
	for _, run := range t.Runs {
		want := 1
		if t.Kind == rtc.TestPair {
			want = 2
		}
		if len(run.Devices) != want || want == 2 && run.Devices[0] == run.Devices[1] {
			return fmt.Errorf("hub: a run of kind %s needs %d devices", t.Kind, want)
		}
		for _, transport := range run.Transports {
			if !slices.Contains(rtc.Transports(), transport) {
				return fmt.Errorf("hub: %q is no transport", transport)
			}
		}
	}
	return nil
}

// RunState says where a run stands.
type RunState string

// The states of a run. One is over with done, gone (a device went away) or
// expired (no result came in time).
const (
	RunWaiting RunState = "waiting"
	RunRunning RunState = "running"
	RunDone    RunState = "done"
	RunGone    RunState = "gone"
	RunExpired RunState = "expired"
)

// PathTestView is a path test as it stands.
type PathTestView struct {
	ID      string
	Kind    rtc.TestKind
	Started time.Time
	Done    time.Time // zero until every run is over
	Runs    []PathRunView
}

// PathRunView is one run as it stands.
type PathRunView struct {
	Name       string // as the devices know it
	State      RunState
	Started    time.Time // zero while it waits
	Ended      time.Time // zero until it is over
	Ends       []PathEnd // one, or two with the offerer first
	Transports []rtc.Transport
	Legs       []rtc.Leg // nil unless it is done
}

// PathEnd is a device of a run. Session and Link are those at its start.
type PathEnd struct {
	User    rtc.User
	Device  string
	Session string
	Link    Link
	Gone    bool // it was not attached, or went away
}
