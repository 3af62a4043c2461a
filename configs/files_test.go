package configs

import "testing"

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{
		"0B": 0, "1B": 1, "1536B": 1536, "500MB": 500 << 20, "2 GB": 2 << 30, "64TB": 64 << 40,
	} {
		got, err := parseSize(text)
		if err != nil || got != want {
			t.Errorf("%q is %d (%v), want %d", text, got, err, want)
		}
		if again, err := parseSize(want.String()); err != nil || again != want {
			t.Errorf("%d is written as %s, which is read as %d (%v)", want, want, again, err)
		}
	}
	for _, text := range []string{"", "1", "B", "-1B", "1.5GB", "9999999999TB", "1gb", "1GB2"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q is taken as %d", text, got)
		}
	}
}
