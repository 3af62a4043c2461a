// Package bench measures: it makes load and says what came of it, beside other
// servers in the same run, because machines are shared and only ratios mean
// anything.
package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
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
}

// fields lists what there is in the order of the table.
func (f *Figures) fields() []*float64 {
	return []*float64{&f.Kpps, &f.LossPct, &f.Reordered, &f.ServerCPU, &f.BoxCPU, &f.P50, &f.P99, &f.P999, &f.Cycles, &f.CycleCPU, &f.RSSMB}
}

func titles() []string {
	return []string{"kpps", "loss %", "reordered", "server µs/pkt", "box µs/pkt", "p50 µs", "p99 µs", "p99.9 µs", "alloc/s", "µs/alloc", "RSS MB"}
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
	for i, field := range out.fields() {
		var all []float64
		for _, round := range r.Rounds {
			all = append(all, *round.fields()[i])
		}
		if len(all) > 0 {
			slices.Sort(all)
			*field = of(all)
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
	used := make([]bool, len(titles()))
	for _, row := range r.Rows {
		median := row.Median()
		for i, f := range median.fields() {
			used[i] = used[i] || *f != 0
		}
	}
	line := func(name string, cell func(i int) string) {
		fmt.Fprintf(t, "%s\t", name)
		for i := range used {
			if used[i] {
				fmt.Fprintf(t, "%s\t", cell(i))
			}
		}
		fmt.Fprintln(t)
	}
	line(r.What, func(i int) string { return titles()[i] })
	for _, row := range r.Rows {
		median, spread := row.Median(), row.Spread()
		line(row.Name, func(i int) string {
			return fmt.Sprintf("%s ±%.0f%%", number(*median.fields()[i]), 50**spread.fields()[i])
		})
	}
	if n := len(r.Rows); n > 1 {
		base := r.Rows[n-1].Median()
		for _, row := range r.Rows[:n-1] {
			median := row.Median()
			line(row.Name+" / "+r.Rows[n-1].Name, func(i int) string {
				if *base.fields()[i] == 0 {
					return "-"
				}
				return fmt.Sprintf("%.2f", *median.fields()[i] / *base.fields()[i])
			})
		}
	}
	return t.Flush()
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
