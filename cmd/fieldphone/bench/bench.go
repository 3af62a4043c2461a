// Package bench measures: it makes load and says what came of it, beside other
// servers in the same run, because machines are shared and only ratios mean
// anything.
package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Figures are what one round, or the median of several, came to. Fields that
// were not measured are zero.
type Figures struct {
	Kpps      float64 `json:"kpps"`       // payload packets that arrived, thousands a second
	LossPct   float64 `json:"loss_pct"`   // of those sent
	Reordered float64 `json:"reordered"`  // share of those that arrived after a later one
	ServerCPU float64 `json:"server_cpu"` // µs of the server's CPU for each packet that arrived
	BoxCPU    float64 `json:"box_cpu"`    // the same of server and load generator together
	P50       float64 `json:"p50_us"`     // one way through the server
	P99       float64 `json:"p99_us"`
	P999      float64 `json:"p999_us"`
	Cycles    float64 `json:"cycles"`    // allocations made and released a second
	CycleCPU  float64 `json:"cycle_cpu"` // µs of the server's CPU for each
	RSSMB     float64 `json:"rss_mb"`    // of the server
	// Of a storm: allocations made, and all of them refreshed, a second, and the
	// server's CPU for each in µs; and its memory for each in kB.
	Allocates   float64 `json:"allocates"`
	AllocateCPU float64 `json:"allocate_cpu"`
	Refreshes   float64 `json:"refreshes"`
	RefreshCPU  float64 `json:"refresh_cpu"`
	KBEach      float64 `json:"kb_each"`
}

// column is one figure in a table.
type column struct {
	title string
	of    func(f *Figures) *float64
}

// columns are in the order of the table.
func columns() []column {
	return []column{
		{"kpps", func(f *Figures) *float64 { return &f.Kpps }},
		{"loss %", func(f *Figures) *float64 { return &f.LossPct }},
		{"reordered", func(f *Figures) *float64 { return &f.Reordered }},
		{"server µs/pkt", func(f *Figures) *float64 { return &f.ServerCPU }},
		{"box µs/pkt", func(f *Figures) *float64 { return &f.BoxCPU }},
		{"p50 µs", func(f *Figures) *float64 { return &f.P50 }},
		{"p99 µs", func(f *Figures) *float64 { return &f.P99 }},
		{"p99.9 µs", func(f *Figures) *float64 { return &f.P999 }},
		{"cycles/s", func(f *Figures) *float64 { return &f.Cycles }},
		{"µs/cycle", func(f *Figures) *float64 { return &f.CycleCPU }},
		{"allocates/s", func(f *Figures) *float64 { return &f.Allocates }},
		{"µs/allocate", func(f *Figures) *float64 { return &f.AllocateCPU }},
		{"refreshes/s", func(f *Figures) *float64 { return &f.Refreshes }},
		{"µs/refresh", func(f *Figures) *float64 { return &f.RefreshCPU }},
		{"RSS MB", func(f *Figures) *float64 { return &f.RSSMB }},
		{"kB each", func(f *Figures) *float64 { return &f.KBEach }},
	}
}

// Row is what several rounds of one target came to.
type Row struct {
	Name   string    `json:"name"`
	Rounds []Figures `json:"rounds"`
}

// Median takes the median of each figure by itself.
func (r Row) Median() Figures {
	return r.pick(func(sorted []float64) float64 { return sorted[len(sorted)/2] })
}

// Spread is the difference of the highest and the lowest of each figure, as a
// share of the median.
func (r Row) Spread() Figures {
	return r.pick(func(sorted []float64) float64 {
		middle := sorted[len(sorted)/2]
		if middle == 0 {
			return 0
		}
		return (sorted[len(sorted)-1] - sorted[0]) / middle
	})
}

func (r Row) pick(of func(sorted []float64) float64) Figures {
	var out Figures
	for _, c := range columns() {
		var all []float64
		for _, round := range r.Rounds {
			all = append(all, *c.of(&round))
		}
		if len(all) > 0 {
			slices.Sort(all)
			*c.of(&out) = of(all)
		}
	}
	return out
}

// Report is a whole run.
type Report struct {
	What    string    `json:"what"`
	At      time.Time `json:"at"`
	Machine string    `json:"machine"`
	Rows    []Row     `json:"rows"`
}

// WriteJSON writes the report with every round.
func (r Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteTable writes medians, spreads, and each target as ratios to the last one
// named, leaving out what was not measured.
func (r Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, line := range r.lines() {
		fmt.Fprintln(t, strings.Join(line, "\t")+"\t")
	}
	return t.Flush()
}

// lines are the cells of the table, the titles first.
func (r Report) lines() [][]string {
	used := slices.DeleteFunc(columns(), func(c column) bool {
		return !slices.ContainsFunc(r.Rows, func(row Row) bool {
			median := row.Median()
			return *c.of(&median) != 0
		})
	})
	line := func(name string, cell func(c column) string) []string {
		cells := []string{name}
		for _, c := range used {
			cells = append(cells, cell(c))
		}
		return cells
	}
	lines := [][]string{line(r.What, func(c column) string { return c.title })}
	for _, row := range r.Rows {
		median, spread := row.Median(), row.Spread()
		lines = append(lines, line(row.Name, func(c column) string {
			return fmt.Sprintf("%s ±%.0f%%", number(*c.of(&median)), 50**c.of(&spread))
		}))
	}
	n := len(r.Rows)
	if n < 2 {
		return lines
	}
	base := r.Rows[n-1].Median()
	for _, row := range r.Rows[:n-1] {
		median := row.Median()
		lines = append(lines, line(row.Name+" / "+r.Rows[n-1].Name, func(c column) string {
			if *c.of(&base) == 0 {
				return "-"
			}
			return fmt.Sprintf("%.2f", *c.of(&median) / *c.of(&base))
		}))
	}
	return lines
}

func number(f float64) string {
	switch {
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

// percentile of sorted times, in µs.
func percentile(sorted []time.Duration, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	i := min(int(share*float64(len(sorted))), len(sorted)-1)
	return float64(sorted[i]) / 1000
}
