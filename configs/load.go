package configs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
)

const (
	maxFileBytes   = 1 << 20
	maxSecretBytes = 64 << 10
)

// reserved are variables with our prefix that are not keys: the command line reads them.
func reserved() []string { return []string{envPrefix + "PASSWORD", envPrefix + "WIFI_PASSWORD"} }

// Flag is a setting from the command line: a key and the text given for it, written as in
// the environment.
type Flag struct{ Key, Value string }

// Load builds the configuration: [Default], then the YAML file at path (none if path is
// empty), then the overlay in the data folder ([OverlayName], if there is one), then
// environ ("NAME=value" as os.Environ gives it), then flags.
//
// A key's variable is FIELDPHONE_ and the key in capitals with underscores for dots. An
// empty variable counts as not set. Lists are separated by commas, except segments, which
// are YAML. A secret may also be named by a file: FIELDPHONE_TURN_SECRET_FILE.
//
// The error, if any, is [Problems]: everything wrong in any source and everything that
// [Config.Validate] finds in the result.
func Load(path string, environ []string, flags ...Flag) (Config, error) {
	loaded, err := Read(path, environ, flags...)
	return loaded.Config, err
}

// Read is [Load] that tells more.
func Read(path string, environ []string, flags ...Flag) (Loaded, error) {
	cfg := Default()
	l := &loader{cfg: &cfg, sources: map[string]string{}}
	if path != "" {
		l.file(path)
	}
	file := cfg
	l.overlay(dataFolder(cfg, environ, flags))
	below, belowSources := cfg, maps.Clone(l.sources)
	l.environment(environ)
	for _, f := range flags {
		l.flag(f)
	}
	l.validate()
	if err := l.problems.err(); err != nil {
		return Loaded{}, err
	}
	fixed := map[string]string{}
	for _, k := range liveKeys() {
		if source := l.sources[k.path]; source != belowSources[k.path] {
			fixed[k.name] = source
		}
	}
	return Loaded{Config: cfg, file: file, below: below, fixed: fixed}, nil
}

// dataFolder is the data folder that all sources together will name.
func dataFolder(file Config, environ []string, flags []Flag) string {
	data := file.Data
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, envPrefix+"DATA="); ok && value != "" {
			data = value
		}
	}
	for _, f := range flags {
		if f.Key == "data" {
			data = f.Value
		}
	}
	return data
}

// loader collects what the sources say and what is wrong with it.
type loader struct {
	cfg      *Config
	problems Problems
	sources  map[string]string // by key, also of list items
}

func (l *loader) report(source, key string, value any, rule, fix string) {
	l.problems = append(l.problems, Problem{Code: "invalid", Source: source, Key: key, Value: show(value), Rule: rule, Fix: fix})
}

func (l *loader) file(path string) {
	text, err := readBounded(path, maxFileBytes)
	if err != nil {
		l.report(path, "", nil, "the configuration file cannot be read: "+err.Error(), "check its path and permissions")
		return
	}
	l.yaml(text, "", reflect.ValueOf(l.cfg).Elem(), func(line int) string {
		return fmt.Sprintf("%s:%d", path, line)
	})
}

func (l *loader) environment(environ []string) {
	given := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, envPrefix) && value != "" && !slices.Contains(reserved(), name) {
			given[name] = value
		}
	}
	var known []string
	for _, k := range keysOf(l.cfg) {
		name, fileName := k.env(), k.env()+"_FILE"
		known = append(known, name)
		text, direct := given[name]
		delete(given, name)
		if k.secret() {
			known = append(known, fileName)
			path, byFile := given[fileName]
			delete(given, fileName)
			switch {
			case direct && byFile:
				l.report(name, k.path, nil, "it is set both here and by "+fileName, "unset one of the two")
				continue
			case byFile:
				l.secretFile(fileName, path, k)
				continue
			}
		}
		if direct {
			l.text(name, k.path, text, k.value)
		}
	}
	l.unknown(given, known)
}

// unknown reports the variables that are nobody's; known are the right ones.
func (l *loader) unknown(given map[string]string, known []string) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if direct := strings.TrimSuffix(name, "_FILE"); direct != name && slices.Contains(known, direct) {
			l.report(name, "", nil, "only secrets are read from files", "set "+direct+" itself")
			continue
		}
		l.report(name, "", nil, "there is no such variable", suggestion(name, known, "unset it"))
	}
}

func (l *loader) secretFile(variable, path string, k key) {
	text, err := readBounded(path, maxSecretBytes)
	if err != nil {
		l.report(variable, k.path, nil, "the file with the secret cannot be read: "+err.Error(), "check its path and permissions")
		return
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		l.report(variable, k.path, nil, "the file "+path+" is empty", "write the secret into it, or unset the variable")
		return
	}
	l.text(variable, k.path, secret, k.value)
}

func (l *loader) flag(f Flag) {
	const source = "command line"
	for _, k := range keysOf(l.cfg) {
		if k.path == f.Key {
			l.text(source, k.path, f.Value, k.value)
			return
		}
	}
	l.report(source, f.Key, nil, "there is no such key", suggestion(f.Key, Keys(), "leave it out"))
}

// text sets one key from a text that is not YAML, except for lists of sections.
func (l *loader) text(source, path, text string, v reflect.Value) {
	l.sources[path] = source
	if v.Kind() != reflect.Slice {
		l.value(source, path, text, v)
		return
	}
	if isSection(v.Type().Elem()) {
		l.yaml([]byte(text), path, v, func(int) string { return source })
		return
	}
	v.SetZero()
	if text == "" {
		return
	}
	for i, item := range strings.Split(text, ",") {
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		l.value(source, fmt.Sprintf("%s[%d]", path, i), strings.TrimSpace(item), v.Index(i))
	}
}

func (l *loader) value(source, path, text string, v reflect.Value) {
	l.sources[path] = source
	if bad := parseValue(text, v); bad != nil {
		l.report(source, path, text, bad.rule, bad.fix)
	}
}

// validate adds what Validate finds, with the source of each key. What could not be read
// is reported already and would only be reported again for being empty.
func (l *loader) validate() {
	for _, p := range l.cfg.check() {
		unread := func(q Problem) bool { return q.Key != "" && under(p.Key, q.Key) }
		if !slices.ContainsFunc(l.problems, unread) {
			p.Source = l.source(p.Key)
			l.problems = append(l.problems, p)
		}
	}
}

// source finds where key, or the list or section around it, came from.
func (l *loader) source(key string) string {
	for key != "" {
		if s, ok := l.sources[key]; ok {
			return s
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return ""
}

// under reports whether key is parent or inside it.
func under(key, parent string) bool {
	rest, ok := strings.CutPrefix(key, parent)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// suggestion names the nearest candidate, or else says what to do without one.
func suggestion(word string, candidates []string, otherwise string) string {
	if near := nearest(word, candidates); near != "" {
		return "did you mean " + near + "?"
	}
	return otherwise + ", see fieldphone config print --example for every key"
}

// readBounded reads a whole file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, reason(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, reason(err)
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("%s is longer than %d bytes", path, limit)
	}
	return text, nil
}

// reason is err with its path, but without the name of the system call.
func reason(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s: %w", pe.Path, pe.Err)
	}
	return err
}
