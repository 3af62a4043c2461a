package configs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// liveKey is a key that may change while the server runs.
type liveKey struct {
	name string // in the JSON object of [Config.Settings]
	path string // in the file
}

// liveKeys are in the order in which people see them.
func liveKeys() []liveKey {
	return []liveKey{
		{"relay_ports", "turn.relay_ports"},
		{"peers.mode", "turn.peers.mode"},
		{"peers.allow", "turn.peers.allow"},
		{"peers.deny", "turn.peers.deny"},
		{"limits.allocations_per_session", "turn.max_allocations_per_session"},
		{"limits.allocations", "turn.max_allocations"},
		{"limits.kbps_per_allocation", "turn.kbps_per_allocation"},
		{"limits.kbps", "turn.kbps"},
		{"limits.allocates_per_second_per_source", "turn.allocates_per_second_per_source"},
		{"limits.bindings_per_second_per_source", "turn.bindings_per_second_per_source"},
		{"segments", "segments"},
		{"registration.policy", "registration.policy"},
		{"registration.guests", "registration.guests"},
		{"registration.users_may_invite", "registration.users_may_invite"},
		{"log.level", "log.level"},
	}
}

// LiveKeys returns the keys of the file that may change while the server runs.
func LiveKeys() []string {
	var paths []string
	for _, k := range liveKeys() {
		paths = append(paths, k.path)
	}
	return paths
}

// SettingName returns what a key of the file, or an item of it, is called in the JSON
// object of [Config.Settings]: limits.kbps for turn.kbps. Other keys keep their name.
func SettingName(key string) string {
	for _, k := range liveKeys() {
		if under(key, k.path) {
			return k.name + strings.TrimPrefix(key, k.path)
		}
	}
	return key
}

// Settings returns every live setting under its name, as JSON: numbers, bools, texts as
// the file has them, lists, objects, and a range of ports as {"min","max"}.
func (c Config) Settings() map[string]json.RawMessage {
	values := map[string]json.RawMessage{}
	for _, k := range liveKeys() {
		// What jsonOf gives are texts, numbers, lists and maps: they always marshal.
		values[k.name], _ = json.Marshal(jsonOf(valueAt(&c, k.path)))
	}
	return values
}

func valueAt(cfg *Config, path string) reflect.Value {
	for _, k := range keysOf(cfg) {
		if k.path == path {
			return k.value
		}
	}
	return reflect.Value{}
}

func jsonOf(v reflect.Value) any {
	switch {
	case v.Kind() == reflect.Slice:
		list := make([]any, v.Len())
		for i := range v.Len() {
			list[i] = jsonOf(v.Index(i))
		}
		return list
	case isSection(v.Type()):
		object := map[string]any{}
		for i := range v.NumField() {
			object[v.Type().Field(i).Tag.Get("yaml")] = jsonOf(v.Field(i))
		}
		return object
	case v.Kind() == reflect.Int, v.Kind() == reflect.Bool:
		return v.Interface()
	}
	if r, ok := v.Interface().(PortRange); ok {
		return map[string]int{"min": r.Min, "max": r.Max}
	}
	return formatValue(v.Interface())
}

// Differing returns the names of the live settings that differ between two
// configurations, and the keys of the file that differ and take a restart.
func Differing(a, b Config) (live, restart []string) {
	was := keysOf(&a)
	for i, is := range keysOf(&b) {
		if reflect.DeepEqual(was[i].value.Interface(), is.value.Interface()) {
			continue
		}
		if name := SettingName(is.path); slices.Contains(LiveKeys(), is.path) {
			live = append(live, name)
		} else {
			restart = append(restart, is.path)
		}
	}
	return live, restart
}

// WithLive returns c with the live settings of another configuration.
func (c Config) WithLive(other Config) Config {
	for _, k := range liveKeys() {
		valueAt(&c, k.path).Set(valueAt(&other, k.path))
	}
	return c
}

// Change returns what would be loaded if the live settings were changed: settings is a
// JSON object of names and values as [Config.Settings] gives them, nested or with dots in
// its names; names that are absent stay as they are. The error is [Problems]: what cannot
// be read, what [Config.Validate] finds in the result, and with the code "fixed" what the
// environment or the command line decides.
func (l Loaded) Change(settings []byte) (Loaded, error) {
	next := l
	ld := &loader{cfg: &next.Config, sources: map[string]string{}}
	values, err := settingsIn(settings)
	if err != nil {
		ld.refuse("invalid", "", nil, "the settings are not a JSON object: "+err.Error(), "send them as they were given")
		return Loaded{}, ld.problems
	}
	for _, k := range liveKeys() {
		if value, ok := values[k.name]; ok {
			ld.json(k.path, value, valueAt(ld.cfg, k.path))
			delete(values, k.name)
		}
	}
	for _, name := range sortedKeys(values) {
		ld.refuse("unknown", name, nil, "there is no such setting", "leave it out; other settings take a restart with another configuration file")
	}
	changed, _ := Differing(l.Config, next.Config)
	for _, name := range changed {
		if source, fixed := l.fixed[name]; fixed {
			ld.refuse("fixed", keyOf(name), nil, "it is set by "+source+", which wins over what is set here", "change it there, and restart")
		}
	}
	ld.validate()
	if err := ld.problems.err(); err != nil {
		return Loaded{}, err
	}
	for _, k := range liveKeys() {
		if _, fixed := l.fixed[k.name]; !fixed {
			valueAt(&next.below, k.path).Set(valueAt(&next.Config, k.path))
		}
	}
	return next, nil
}

func keyOf(name string) string {
	for _, k := range liveKeys() {
		if k.name == name {
			return k.path
		}
	}
	return name
}

// settingsIn flattens the object to the names of live settings.
func settingsIn(text []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil, errors.New("it cannot be read")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows it")
	}
	values := map[string]any{}
	for section, value := range object {
		group, nested := value.(map[string]any)
		if !nested || !slices.ContainsFunc(liveKeys(), func(k liveKey) bool { return strings.HasPrefix(k.name, section+".") }) {
			values[section] = value
			continue
		}
		for name, inner := range group {
			values[section+"."+name] = inner
		}
	}
	return values, nil
}

// json sets v, whose key is path, from a decoded JSON value.
func (l *loader) json(path string, value any, v reflect.Value) {
	l.sources[path] = ""
	switch given := value.(type) {
	case nil:
		l.refuse("invalid", path, nil, "it is null", "leave it out to keep it as it is")
	case map[string]any:
		l.jsonObject(path, given, v)
	case []any:
		l.jsonList(path, given, v)
	default:
		kinds := []reflect.Kind{reflect.TypeOf(given).Kind()}
		if _, number := given.(json.Number); number {
			kinds = []reflect.Kind{reflect.Int}
		}
		if kinds[0] == reflect.String { // addresses, networks and times are texts
			kinds = append(kinds, reflect.Struct, reflect.Int64)
		}
		if !slices.Contains(kinds, v.Kind()) {
			l.refuse("invalid", path, nil, "it is of another kind of value", "send it as it was given")
			return
		}
		if bad := parseValue(fmt.Sprint(given), v); bad != nil {
			l.refuse("invalid", path, fmt.Sprint(given), bad.rule, bad.fix)
		}
	}
}

func (l *loader) jsonObject(path string, given map[string]any, v reflect.Value) {
	r, isRange := v.Interface().(PortRange)
	fields := map[string]reflect.Value{}
	switch {
	case isRange:
		fields["min"], fields["max"] = reflect.ValueOf(&r.Min).Elem(), reflect.ValueOf(&r.Max).Elem()
	case isSection(v.Type()):
		for i := range v.NumField() {
			fields[v.Type().Field(i).Tag.Get("yaml")] = v.Field(i)
		}
	default:
		l.refuse("invalid", path, nil, "it is of another kind of value", "send it as it was given")
		return
	}
	for _, name := range sortedKeys(given) {
		if field, known := fields[name]; known {
			l.json(join(path, name), given[name], field)
		} else {
			l.refuse("unknown", join(path, name), nil, "there is no such setting", "leave it out")
		}
	}
	if isRange {
		v.Set(reflect.ValueOf(r))
	}
}

func (l *loader) jsonList(path string, given []any, v reflect.Value) {
	const most = 1000
	switch {
	case v.Kind() != reflect.Slice:
		l.refuse("invalid", path, nil, "it takes one value, not a list", "send it as it was given")
	case len(given) > most:
		l.refuse("too_many", path, nil, fmt.Sprintf("it has %d items", len(given)), fmt.Sprintf("keep it to %d", most))
	case len(given) == 0:
		v.SetZero()
	default:
		v.Set(reflect.MakeSlice(v.Type(), len(given), len(given)))
		for i, item := range given {
			l.json(fmt.Sprintf("%s[%d]", path, i), item, v.Index(i))
		}
	}
}

func (l *loader) refuse(code, key string, value any, rule, fix string) {
	l.problems = append(l.problems, Problem{Code: code, Key: key, Value: show(value), Rule: rule, Fix: fix})
}
