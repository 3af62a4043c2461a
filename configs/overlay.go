package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// OverlayName is the file in the data folder that holds what was set on the dashboard. It
// is read after the configuration file, and may name only the keys of [LiveKeys].
const OverlayName = "settings.yaml"

const overlayHeader = `# What was set on the dashboard while the server ran. It wins over the configuration
# file; the environment and the command line win over it. Delete a key, or the whole file,
# to have the configuration file decide again (then restart, or send SIGHUP).
`

// Loaded is a configuration and what is known of where it came from.
type Loaded struct {
	Config Config

	file  Config            // the default and the configuration file alone
	below Config            // those and the overlay
	fixed map[string]string // name of a live setting: the source that wins over the overlay
}

// Fixed returns the names of the live settings that the environment or the command line
// decides, so that they cannot be changed while the server runs.
func (l Loaded) Fixed() []string { return sortedKeys(l.fixed) }

// File returns the settings that hold where nothing was set on the dashboard.
func (l Loaded) File() Config { return l.file }

// Overlaid returns the keys of the file that the overlay decides: not those that the
// environment or the command line decides after all.
func (l Loaded) Overlaid() []string {
	var keys []string
	for _, k := range liveKeys() {
		_, fixed := l.fixed[k.name]
		if !fixed && !reflect.DeepEqual(valueAt(&l.below, k.path).Interface(), valueAt(&l.file, k.path).Interface()) {
			keys = append(keys, k.path)
		}
	}
	return keys
}

// overlay reads the overlay of the data folder, if there is one.
func (l *loader) overlay(data string) {
	path := filepath.Join(data, OverlayName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return
	}
	inner := &loader{cfg: l.cfg, sources: map[string]string{}}
	inner.file(path)
	for _, key := range sortedKeys(inner.sources) {
		around := slices.ContainsFunc(LiveKeys(), func(live string) bool { return under(live, key) || under(key, live) })
		reported := slices.ContainsFunc(inner.problems, func(p Problem) bool { return p.Key != "" && under(key, p.Key) })
		if !around && !reported {
			inner.report(inner.sources[key], key, nil, "this key cannot be set in "+OverlayName, "put it into the configuration file")
		}
	}
	l.problems = append(l.problems, inner.problems...)
	maps.Copy(l.sources, inner.sources)
}

// Save writes the overlay, readable by its owner alone, so that a crash leaves the old one
// or the new one. Where nothing differs from the configuration file it removes it.
func (l Loaded) Save() error {
	path := filepath.Join(l.Config.Data, OverlayName)
	text, err := l.overlayText()
	if err != nil {
		return err
	}
	if text == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("configs: remove %s: %w", OverlayName, reason(err))
		}
		return syncFolder(l.Config.Data)
	}
	tmp, err := os.CreateTemp(l.Config.Data, "."+OverlayName+"-*") // mode 0600
	if err != nil {
		return fmt.Errorf("configs: write %s: %w", OverlayName, reason(err))
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(text)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("configs: write %s: %w", OverlayName, reason(err))
	}
	return syncFolder(l.Config.Data)
}

// overlayText is the YAML of what differs from the configuration file; nil for nothing.
func (l Loaded) overlayText() ([]byte, error) {
	root := &yaml.Node{Kind: yaml.MappingNode}
	for _, key := range LiveKeys() {
		value := valueAt(&l.below, key)
		if reflect.DeepEqual(value.Interface(), valueAt(&l.file, key).Interface()) {
			continue
		}
		at := root
		names := strings.Split(key, ".")
		for _, section := range names[:len(names)-1] {
			at = sectionIn(at, section)
		}
		at.Content = append(at.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: names[len(names)-1]}, encode(value))
	}
	if len(root.Content) == 0 {
		return nil, nil
	}
	out := bytes.NewBufferString(overlayHeader)
	encoder := yaml.NewEncoder(out)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return nil, fmt.Errorf("configs: print %s: %w", OverlayName, err)
	}
	return out.Bytes(), nil
}

func sectionIn(n *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	section := &yaml.Node{Kind: yaml.MappingNode}
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, section)
	return section
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
