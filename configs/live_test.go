package configs

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// site is a data folder with an overlay and a configuration file.
func site(t *testing.T, file, overlay string) (data, path string) {
	t.Helper()
	data = t.TempDir()
	if overlay != "" {
		if err := os.WriteFile(filepath.Join(data, OverlayName), []byte(overlay), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return data, write(t, "site.yaml", file)
}

func read(t *testing.T, path, data string, environ ...string) Loaded {
	t.Helper()
	loaded, err := Read(path, environ, Flag{Key: "data", Value: data})
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func change(t *testing.T, l Loaded, settings string) Loaded {
	t.Helper()
	next, err := l.Change([]byte(settings))
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func TestOverlayWinsOverTheFileAndLosesToTheRest(t *testing.T) {
	data, path := site(t, "turn: {relay_ports: 50000-50099, kbps: 1000, max_allocations: 7}",
		"turn: {relay_ports: 51000-51099, kbps: 2000}")
	got := read(t, path, data, "FIELDPHONE_TURN_KBPS=3000")
	if r, kbps, most := got.Config.TURN.RelayPorts, got.Config.TURN.Kbps, got.Config.TURN.MaxAllocations; r != (PortRange{51000, 51099}) || kbps != 3000 || most != 7 {
		t.Errorf("got %v, %d, %d", r, kbps, most)
	}
	if diff := cmp.Diff([]string{"limits.kbps"}, got.Fixed()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"turn.relay_ports"}, got.Overlaid()); diff != "" {
		t.Error(diff)
	}
	if got := got.File().TURN.Kbps; got != 1000 {
		t.Errorf("the file says %d", got)
	}
}

// Ensure that a damaged overlay is reported like the file: line, key, what to do.
func TestDamagedOverlay(t *testing.T) {
	for name, tt := range map[string]struct{ overlay, want string }{
		"syntax":      {"turn:\n  kbps: 1\n 5: [", `settings.yaml:2: this is not valid YAML: did not find expected key; mend the line, or the one above it`},
		"value":       {"turn:\n  kbps: many", `settings.yaml:2: turn.kbps is "many": it must be a whole number; write digits only`},
		"rule":        {"turn:\n  relay_ports: 80-90", `settings.yaml:2: turn.relay_ports is 80-90: relay ports are from 1024 to 65535; choose a range in there, like 49160-49359`},
		"other key":   {"turn:\n  realm: x", `settings.yaml:2: turn.realm: this key cannot be set in settings.yaml; put it into the configuration file`},
		"other group": {"tls: {names: [x]}", "settings.yaml:1: tls: this key cannot be set in settings.yaml; put it into the configuration file"},
	} {
		t.Run(name, func(t *testing.T) {
			data, path := site(t, "", tt.overlay)
			_, err := Load(path, nil, Flag{Key: "data", Value: data})
			if err == nil || strings.ReplaceAll(err.Error(), data+"/", "") != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestChangeIsSavedAndLoadedAgain(t *testing.T) {
	data, path := site(t, "turn: {relay_ports: 50000-50099}\nname: Camp 3", "")
	segment := `{"name":"a","clients":["10.0.0.0/8"],"turn_addresses":["10.0.0.1","10.0.0.2:3479"]}`
	next := change(t, read(t, path, data), `{"relay_ports":{"min":51000,"max":51049},"peers":{"deny":["10.9.0.0/16"]},"limits.kbps":5000,"segments":[`+segment+`]}`)
	if err := next.Save(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(data, OverlayName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v, want 0600", info.Mode(), err)
	}
	again := read(t, path, data)
	if diff := cmp.Diff(next.Config, again.Config, compareAddrs); diff != "" {
		t.Errorf("-changed +loaded:\n%s", diff)
	}
	names, err := os.ReadDir(data)
	if err != nil || len(names) != 1 {
		t.Errorf("%v %v: something is left over", names, err)
	}
	// Back to what the file says: it decides again, and there is no overlay.
	back := change(t, again, `{"relay_ports":{"min":50000,"max":50099},"peers":{"deny":[]},"limits":{"kbps":0},"segments":[]}`)
	if err := back.Save(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(data, OverlayName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want no overlay", err)
	}
}

// Ensure that what the environment decides today does not drop out of the overlay.
func TestFixedSettings(t *testing.T) {
	data, path := site(t, "", "turn: {kbps: 2000}")
	fixed := read(t, path, data, "FIELDPHONE_TURN_KBPS=3000")
	_, err := fixed.Change([]byte(`{"limits":{"kbps":4000}}`))
	var ps Problems
	if !errors.As(err, &ps) || len(ps) != 1 || ps[0].Code != "fixed" || SettingName(ps[0].Key) != "limits.kbps" {
		t.Fatalf("got %v", err)
	}
	next := change(t, fixed, `{"limits":{"kbps":3000,"allocations":9}}`)
	if err := next.Save(); err != nil {
		t.Fatal(err)
	}
	again := read(t, path, data)
	if got := again.Config.TURN; got.Kbps != 2000 || got.MaxAllocations != 9 {
		t.Errorf("got %d, %d", got.Kbps, got.MaxAllocations)
	}
}

func TestBadChanges(t *testing.T) {
	data, path := site(t, "", "")
	loaded := read(t, path, data)
	before := string(loaded.Config.Settings()["segments"])
	for _, tt := range []struct{ settings, want string }{
		{`[]`, "invalid "},
		{`{} {}`, "invalid "},
		{`{"relay_ports":{"min":51000,"max":50000}}`, "range_reversed relay_ports"},
		{`{"relay_ports":{"min":80,"max":5000}}`, "range_privileged relay_ports"},
		{`{"relay_ports":{"min":65000,"max":70000}}`, "range_too_high relay_ports"},
		{`{"relay_ports":{"min":3400,"max":3500}}`, "range_own_port relay_ports"},
		{`{"relay_ports":{"min":50000,"max":50001}}`, "range_too_small relay_ports"},
		{`{"relay_ports":{"min":"x"}}`, "invalid relay_ports.min"},
		{`{"relay_ports":{"low":1}}`, "unknown relay_ports.low"},
		{`{"relay_ports":7}`, "invalid relay_ports"},
		{`{"peers":{"mode":"everybody"}}`, "not_one_of peers.mode"},
		{`{"peers":{"mode":7}}`, "invalid peers.mode"},
		{`{"peers":{"mode":null}}`, "invalid peers.mode"},
		{`{"peers":{"deny":["10.0.0.0/8","10.0.0.1/8","x",5]}}`, "invalid peers.deny[2], invalid peers.deny[3], bits_set peers.deny[1]"},
		{`{"peers":{"allow":"10.0.0.0/8"}}`, "invalid peers.allow"},
		{`{"peers":{"allow":[` + strings.Repeat(`"10.0.0.0/8",`, 1000) + `"10.0.0.0/8"]}}`, "too_many peers.allow"},
		{`{"limits":{"kbps":1.5}}`, "invalid limits.kbps"},
		{`{"limits":{"kbps":1e99}}`, "invalid limits.kbps"},
		{`{"limits":{"kbps":true}}`, "invalid limits.kbps"},
		{`{"limits":{"allocations":-1,"bindings_per_second_per_source":0}}`, "out_of_range limits.allocations, out_of_range limits.bindings_per_second_per_source"},
		{`{"limit":{"kbps":1}}`, "unknown limit"},
		{`{"turn.secret":"hunter2hunter2hunter2"}`, "unknown turn.secret"},
		{`{"data":"/tmp"}`, "unknown data"},
		{`{"segments":[{"name":"a","clients":["10.0.0.0/8"],"turn_addresses":["10.0.0.1"],"colour":"red"}]}`, "unknown segments[0].colour"},
		{`{"segments":{}}`, "invalid segments"},
		{`{"segments":[7]}`, "invalid segments[0]"},
	} {
		_, err := loaded.Change([]byte(tt.settings))
		var ps Problems
		errors.As(err, &ps)
		var got []string
		for _, p := range ps {
			got = append(got, p.Code+" "+SettingName(p.Key))
			if strings.Contains(p.Error(), "hunter2") {
				t.Errorf("%s: the message shows a secret: %v", tt.settings, p)
			}
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%.80s:\n got %q\nwant %q", tt.settings, got, tt.want)
		}
	}
	if after := string(loaded.Config.Settings()["segments"]); after != before {
		t.Errorf("a refused change changed %s to %s", before, after)
	}
}

// Ensure that every setting can be sent back as it was given, and every live key is a key.
func TestSettingsRoundTrip(t *testing.T) {
	data, path := site(t, "", "")
	loaded := read(t, path, data)
	settings := loaded.Config.Settings()
	text, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	next := change(t, loaded, string(text))
	if live, restart := Differing(loaded.Config, next.Config); live != nil || restart != nil {
		t.Errorf("differ: %v %v", live, restart)
	}
	for _, key := range LiveKeys() {
		if !slices.Contains(Keys(), key) {
			t.Errorf("%s is not a key", key)
		}
		if value := settings[SettingName(key)]; len(value) == 0 || string(value) == "null" {
			t.Errorf("%s is %s", key, value)
		}
	}
}

func TestDiffering(t *testing.T) {
	a, b := Default(), Default()
	b.TURN.Kbps, b.TURN.Port, b.TURN.Secret = 9, 9, NewSecret("a secret that nobody may see")
	live, restart := Differing(a, b)
	if diff := cmp.Diff([][]string{{"limits.kbps"}, {"turn.port", "turn.secret"}}, [][]string{live, restart}); diff != "" {
		t.Error(diff)
	}
}
