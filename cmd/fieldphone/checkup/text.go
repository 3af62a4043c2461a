package checkup

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// The columns of the text form.
const (
	width     = 80
	nameAt    = 11 // after the state
	textAt    = 27 // after the name
	minBeside = 4  // spaces at least of an indented line
)

// Style is how text is decorated.
type Style struct{ Colour bool }

func (s Style) paint(state State, text string) string {
	code := map[State]string{OK: "32", Warning: "33", Failed: "31;1", Skipped: "2"}[state]
	if !s.Colour || code == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// words of the states as people read them: what failed stands out without colour.
var words = map[State]string{OK: "ok", Warning: "warning", Failed: "FAILED", Skipped: "-"}

// Text writes the report for people, in 80 columns.
func (r *Report) Text(w io.Writer, style Style) {
	group := ""
	for _, c := range r.Checks {
		if c.Group != group {
			group = c.Group
			fmt.Fprintf(w, "\n%s\n", strings.ToUpper(group[:1])+group[1:])
		}
		c.text(w, style)
	}
	fmt.Fprintf(w, "\n%s\n", style.paint(r.verdict(), r.summary()))
}

func (c Check) text(w io.Writer, style Style) {
	text := c.Text
	if c.MS >= 1 {
		text += fmt.Sprintf(" (%.0f ms)", c.MS)
	}
	word := words[c.State]
	head := "  " + style.paint(c.State, word) + strings.Repeat(" ", max(1, nameAt-2-len(word)))
	name := c.Name + strings.Repeat(" ", max(1, textAt-nameAt-utf8.RuneCountInString(c.Name)))
	at := max(textAt, nameAt+utf8.RuneCountInString(name))
	for i, line := range wrap(text, width-at, width-textAt) {
		if i == 0 {
			fmt.Fprintf(w, "%s%s%s\n", head, name, line)
			continue
		}
		fmt.Fprintf(w, "%s%s\n", strings.Repeat(" ", textAt), line)
	}
	if c.Hint != "" {
		for i, line := range wrap(c.Hint, width-nameAt-3, width-nameAt-3) {
			arrow := "   "
			if i == 0 {
				arrow = "-> "
			}
			fmt.Fprintf(w, "%s%s%s\n", strings.Repeat(" ", nameAt), arrow, line)
		}
	}
	for _, rule := range c.Rules {
		fmt.Fprintf(w, "%s%s:\n", strings.Repeat(" ", nameAt+3), rule.Label)
		for line := range strings.Lines(rule.Text) {
			fmt.Fprintf(w, "%s%s\n", strings.Repeat(" ", minBeside), strings.TrimRight(line, "\n"))
		}
	}
}

func (r *Report) verdict() State {
	switch {
	case r.Failed > 0:
		return Failed
	case r.Warnings > 0:
		return Warning
	}
	return OK
}

func (r *Report) summary() string {
	switch {
	case r.Failed > 0:
		return fmt.Sprintf("%s failed, %s, of %d checks.", count(r.Failed, "check"), count(r.Warnings, "warning"), len(r.Checks))
	case r.Warnings > 0:
		return fmt.Sprintf("Nothing failed; %s, of %d checks.", count(r.Warnings, "warning"), len(r.Checks))
	}
	return fmt.Sprintf("All is well: %d checks.", len(r.Checks))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// wrap breaks text at spaces, and nowhere else: what is pasted stays whole. A line feed
// ends a line.
func wrap(text string, first, rest int) []string {
	var lines []string
	limit := first
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for word := range strings.FieldsSeq(paragraph) {
			switch {
			case line == "":
				line = word
			case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= limit:
				line += " " + word
			default:
				lines = append(lines, line)
				line, limit = word, rest
			}
		}
		lines = append(lines, line)
		limit = rest
	}
	return lines
}
