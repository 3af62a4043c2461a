package checkup_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fieldphone/cmd/fieldphone/checkup"

	"github.com/google/go-cmp/cmp"
)

func example() *checkup.Report {
	r := &checkup.Report{Command: "doctor", Target: "./data", At: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	r.Add(
		checkup.Check{Group: "configuration", Name: "settings", State: checkup.OK, Text: "site.yaml has no problem"},
		checkup.Check{
			Group: "relay", Name: "loop udp", State: checkup.Failed, MS: 3750.2, Text: "10.77.1.2:3478/udp does not answer",
			Hint: "Let UDP port 3478 and the relay ports 49160-49359 through the firewall of this machine, and try again.",
			Rules: []checkup.Rule{{
				Flavour: "nftables", At: "server", Label: "On this machine (nftables)",
				Text: "nft insert rule inet filter input udp dport { 3478, 49160-49359 } accept comment \"fieldphone\"\n",
			}},
			Data: map[string]any{"sent": 20, "received": 0},
		},
		checkup.Check{Group: "relay", Name: "kernel buffers", State: checkup.Warning, Text: "net.core.rmem_max is 212992", Hint: "sysctl -w net.core.rmem_max=4194304"},
		checkup.Check{Group: "redis", Name: "answers", State: checkup.Skipped, Text: "redis.url is empty: presence is kept in the server itself"},
	)
	r.Finish(r.At.Add(4200 * time.Millisecond))
	return r
}

// Ensure the text stays within 80 columns, but for what is to be pasted whole.
func TestText(t *testing.T) {
	var out bytes.Buffer
	example().Text(&out, checkup.Style{})
	want := `
Configuration
  ok       settings        site.yaml has no problem

Relay
  FAILED   loop udp        10.77.1.2:3478/udp does not answer (3750 ms)
           -> Let UDP port 3478 and the relay ports 49160-49359 through the
              firewall of this machine, and try again.
              On this machine (nftables):
    nft insert rule inet filter input udp dport { 3478, 49160-49359 } accept comment "fieldphone"
  warning  kernel buffers  net.core.rmem_max is 212992
           -> sysctl -w net.core.rmem_max=4194304

Redis
  -        answers         redis.url is empty: presence is kept in the server
                           itself

1 check failed, 1 warning, of 4 checks.
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	for line := range strings.Lines(out.String()) {
		if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 80 && !strings.HasPrefix(line, "    nft") {
			t.Errorf("longer than 80 columns: %s", line)
		}
	}
	var coloured bytes.Buffer
	example().Text(&coloured, checkup.Style{Colour: true})
	if !strings.Contains(coloured.String(), "\x1b[31;1mFAILED\x1b[0m   loop udp") {
		t.Errorf("no colour: %q", coloured.String())
	}
}

// Ensure that programs can rely on the JSON form.
func TestJSON(t *testing.T) {
	var out bytes.Buffer
	if err := example().JSON(&out); err != nil {
		t.Fatal(err)
	}
	want := `{
  "schema": 1,
  "command": "doctor",
  "target": "./data",
  "at": "2026-11-23T09:00:00Z",
  "took_ms": 4200,
  "ok": false,
  "failed": 1,
  "warnings": 1,
  "checks": [
    {
      "group": "configuration",
      "check": "settings",
      "state": "ok",
      "text": "site.yaml has no problem"
    },
`
	if got := out.String(); !strings.HasPrefix(got, want) {
		t.Error(cmp.Diff(want, got[:min(len(got), len(want))]))
	}
	if !strings.Contains(out.String(), `"rules": [
        {
          "flavour": "nftables",
          "at": "server",`) {
		t.Errorf("no rules:\n%s", out.String())
	}
	empty := &checkup.Report{}
	empty.Finish(time.Time{})
	if !empty.OK || empty.Checks == nil {
		t.Errorf("an empty report: %+v", empty)
	}
}
