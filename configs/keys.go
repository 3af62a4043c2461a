package configs

import (
	"net/netip"
	"reflect"
	"strings"
)

// envPrefix starts the name of every environment variable of ours.
const envPrefix = "FIELDPHONE_"

// key is one setting of a Config: a value or a list, never a section.
type key struct {
	path  string // turn.port
	value reflect.Value
}

// env is the variable that sets the key: FIELDPHONE_TURN_PORT for turn.port.
func (k key) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(k.path, ".", "_"))
}

func (k key) secret() bool {
	_, ok := k.value.Interface().(Secret)
	return ok
}

// Keys returns the name of every key, in the order of the example file.
func Keys() []string {
	cfg := Default()
	var paths []string
	for _, k := range keysOf(&cfg) {
		paths = append(paths, k.path)
	}
	return paths
}

// keysOf lists the keys of cfg with values that can be set.
func keysOf(cfg *Config) []key {
	return appendKeys(nil, "", reflect.ValueOf(cfg).Elem())
}

func appendKeys(keys []key, path string, v reflect.Value) []key {
	if !isSection(v.Type()) {
		return append(keys, key{path: path, value: v})
	}
	for i := range v.NumField() {
		keys = appendKeys(keys, join(path, v.Type().Field(i).Tag.Get("yaml")), v.Field(i))
	}
	return keys
}

// isSection reports whether t is a struct with keys of its own.
func isSection(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[Secret](), reflect.TypeFor[PortRange](),
		reflect.TypeFor[netip.Addr](), reflect.TypeFor[netip.AddrPort](), reflect.TypeFor[netip.Prefix]():
		return false
	}
	return t.Kind() == reflect.Struct
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// nearest returns the candidate that is most like word, empty if none is close.
func nearest(word string, candidates []string) string {
	const longest = 64 // the word comes from outside, and the comparison is quadratic
	if len(word) > longest {
		return ""
	}
	// The prefix that all variables share makes nothing alike.
	best, bestDistance := "", len(strings.TrimPrefix(word, envPrefix))/3+1
	for _, c := range candidates {
		if d := distance(word, c); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
