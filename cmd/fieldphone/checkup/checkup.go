// Package checkup is what doctor and probe report: a list of checks, for people in 80
// columns and for programs as JSON.
package checkup

import (
	"encoding/json"
	"io"
	"time"
)

// State is how a check ended.
type State string

// The states. Only Failed makes a command fail.
const (
	OK      State = "ok"
	Warning State = "warning"
	Failed  State = "failed"
	Skipped State = "skipped" // could not be tried; Text says why
)

// Rule is the text of a firewall rule, ready to paste.
type Rule struct {
	Flavour string `json:"flavour"` // nftables, ufw ...
	At      string `json:"at"`      // router or server
	Label   string `json:"label"`
	Text    string `json:"text"`
}

// Check is one thing that was looked at.
type Check struct {
	Group string         `json:"group"` // relay, certificate ...
	Name  string         `json:"check"` // within the group
	State State          `json:"state"`
	Text  string         `json:"text"`            // what was found
	Hint  string         `json:"hint,omitempty"`  // what to do about it
	Rules []Rule         `json:"rules,omitempty"` // firewall rules that mend it
	MS    float64        `json:"ms,omitempty"`    // how long it took, in milliseconds
	Data  map[string]any `json:"data,omitempty"`  // what was measured
}

// Schema is the version of the JSON form. Fields may be added within a version.
const Schema = 1

// Report is all that a command found, in the order in which it looked.
type Report struct {
	Schema   int       `json:"schema"`
	Command  string    `json:"command"`
	Target   string    `json:"target"`
	At       time.Time `json:"at"`
	TookMS   int64     `json:"took_ms"`
	OK       bool      `json:"ok"` // nothing failed
	Failed   int       `json:"failed"`
	Warnings int       `json:"warnings"`
	Checks   []Check   `json:"checks"`
	// Detail is what only one of the commands has.
	Detail any `json:"detail,omitempty"`
}

// Add appends checks and counts them.
func (r *Report) Add(checks ...Check) {
	for _, c := range checks {
		switch c.State {
		case Failed:
			r.Failed++
		case Warning:
			r.Warnings++
		}
		r.Checks = append(r.Checks, c)
	}
}

// Finish sets what is known only at the end.
func (r *Report) Finish(now time.Time) {
	r.Schema = Schema
	r.TookMS = now.Sub(r.At).Milliseconds()
	r.OK = r.Failed == 0
	if r.Checks == nil {
		r.Checks = []Check{}
	}
}

// JSON writes the report for programs.
func (r *Report) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
