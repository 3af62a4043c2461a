package configs

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong with a configuration, told so that it can be mended.
type Problem struct {
	Code   string // for programs: out_of_range, not_one_of, reversed, fixed, ...; "invalid" for the rest
	Source string // "site.yaml:12", "FIELDPHONE_TURN_PORT", "command line"; empty: unknown or a default
	Key    string // "turn.port", "segments[0].clients[1]"; empty: the source as a whole
	Value  string // as it is shown: quoted if it is text, "[redacted]" for secrets; empty: not shown
	Rule   string // what must hold
	Fix    string // what to do
}

// Error returns the problem as one sentence: source, key, value, rule, what to do.
func (p Problem) Error() string {
	var b strings.Builder
	if p.Source != "" {
		b.WriteString(p.Source + ": ")
	}
	switch {
	case p.Key != "" && p.Value != "":
		b.WriteString(p.Key + " is " + p.Value + ": ")
	case p.Key != "":
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Rule + "; " + p.Fix)
	return b.String()
}

// Problems are all the problems of a configuration; as an error it has a line for each.
type Problems []Problem

// Error returns one sentence a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives errors.As every Problem.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

func (ps *Problems) add(key string, value any, rule, fix string) {
	ps.refuse("invalid", key, value, rule, fix)
}

func (ps *Problems) refuse(code, key string, value any, rule, fix string) {
	*ps = append(*ps, Problem{Code: code, Key: key, Value: show(value), Rule: rule, Fix: fix})
}

// show makes a value fit for a Problem. It cuts long texts: they come from outside.
func show(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case Secret:
		return v.String()
	case string:
		const most = 80
		if r := []rune(v); len(r) > most {
			return fmt.Sprintf("%q (cut)", string(r[:most]))
		}
		return fmt.Sprintf("%q", v)
	default:
		return formatValue(v)
	}
}
