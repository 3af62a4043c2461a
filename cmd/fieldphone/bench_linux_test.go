package main

import (
	"os"
	"strings"
	"testing"
)

// Ensure the benchmarks play through real servers and say what they saw; how fast
// is no matter of a test.
func TestBenchmarksOfTheRelay(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("network namespaces take root")
	}
	t.Setenv(asServer, "1") // the servers are this program
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args []string
		want []string
	}{
		"pairs": {
			[]string{"relay", "--case", "pairs", "--rounds", "1", "--for", "200ms", "--clients", "4", "this=" + self + " bench turn --listen {address}:{port} --secret {secret} --path user"},
			[]string{"one hop", "IP forwarding", "IP forwarding / this", "kpps"},
		},
		"trains": {
			[]string{"relay", "--case", "trains", "--rounds", "1", "--for", "200ms", "--clients", "4", "this=" + self + " bench turn --listen {address}:{port} --secret {secret} --path user"},
			[]string{"kpps"},
		},
		"allocations": {
			[]string{"relay", "--case", "allocations", "--rounds", "1", "--for", "200ms", "this=" + self + " bench turn --listen {address}:{port} --secret {secret} --path plain"},
			[]string{"cycles/s"},
		},
		"soak": {
			[]string{"soak", "--for", "1s", "--every", "300ms", "--callers", "2", "--abandon", "0"},
			[]string{"start ", "\nend ", " 0 failed", " 0 allocations,     0 kernel flows"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := fieldphone(t, "", append([]string{"bench"}, tt.args...)...)
			if code != 0 {
				t.Fatalf("exit %d:\n%s%s", code, stdout, stderr)
			}
			for _, want := range tt.want {
				if !strings.Contains(stdout, want) {
					t.Errorf("no %q in:\n%s", want, stdout)
				}
			}
		})
	}
}
