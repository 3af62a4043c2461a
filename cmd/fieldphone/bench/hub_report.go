package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// HubRow is what several rounds of one signalling server came to.
type HubRow struct {
	Name   string               `json:"name"`
	Order  []string             `json:"figures"`
	Rounds []map[string]float64 `json:"rounds"`
}

func (r *HubRow) add(round hubRound) {
	r.Order = round.order
	r.Rounds = append(r.Rounds, round.values)
}

// of gives a figure of all rounds, sorted.
func (r *HubRow) of(name string) []float64 {
	var all []float64
	for _, round := range r.Rounds {
		if value, ok := round[name]; ok {
			all = append(all, value)
		}
	}
	slices.Sort(all)
	return all
}

// HubReport is a whole run.
type HubReport struct {
	What    string    `json:"what"`
	At      time.Time `json:"at"`
	Machine string    `json:"machine"`
	Rows    []HubRow  `json:"rows"`
}

// WriteJSON writes the report with every round.
func (r HubReport) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteTable writes medians with half the spread, one figure a line, and the
// first server as ratios to the others.
func (r HubReport) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%s\t", r.What)
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%s\t", row.Name)
	}
	for _, row := range r.Rows[min(1, len(r.Rows)):] {
		fmt.Fprintf(t, "/ %s\t", row.Name)
	}
	fmt.Fprintln(t)
	for _, name := range r.Rows[0].Order {
		fmt.Fprintf(t, "%s\t", name)
		for _, row := range r.Rows {
			fmt.Fprintf(t, "%s\t", medianCell(row.of(name)))
		}
		first := r.Rows[0].of(name)
		for _, row := range r.Rows[1:] {
			other := row.of(name)
			if len(first) == 0 || len(other) == 0 || other[len(other)/2] == 0 {
				fmt.Fprint(t, "-\t")
				continue
			}
			fmt.Fprintf(t, "%.2f\t", first[len(first)/2]/other[len(other)/2])
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

func medianCell(sorted []float64) string {
	if len(sorted) == 0 {
		return "-"
	}
	middle := sorted[len(sorted)/2]
	if middle == 0 {
		return fmt.Sprintf("0 (most %g)", sorted[len(sorted)-1])
	}
	return fmt.Sprintf("%s ±%.0f%%", number(middle), 50*(sorted[len(sorted)-1]-sorted[0])/middle)
}
