package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yaml reads one YAML document into v, whose key is path. at names the source of a line.
//
// It walks the nodes itself, because the decoder stops at the first kind of error, loses
// line numbers for what validation finds later, and expands aliases.
func (l *loader) yaml(text []byte, path string, v reflect.Value, at func(line int) string) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return
	case err != nil:
		l.syntax(err, path, at)
		return
	case len(doc.Content) == 0:
		return
	}
	l.node(path, doc.Content[0], v, at)
	var more yaml.Node
	switch err := decoder.Decode(&more); {
	case errors.Is(err, io.EOF):
	case err != nil:
		l.syntax(err, path, at)
	default:
		l.report(at(more.Line), path, nil, "there is a second YAML document", "keep one, and remove the line with three hyphens")
	}
}

// syntax reports an error of the parser, as "yaml: line 3: did not find ...".
func (l *loader) syntax(err error, path string, at func(line int) string) {
	message, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(message); m != nil {
		message = strings.TrimPrefix(message, m[0])
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	fix := "mend the line, or the one above it"
	if strings.Contains(message, "unknown anchor") {
		// The message quotes the value, which may be a secret.
		message, fix = "a value begins with *", "put it in quotes"
	}
	l.report(at(line), path, nil, "this is not valid YAML: "+message, fix)
}

func (l *loader) node(path string, n *yaml.Node, v reflect.Value, at func(line int) string) {
	source := at(n.Line)
	switch {
	case n.Kind == yaml.AliasNode:
		l.report(source, path, nil, "YAML aliases are not supported", "write the value out, in quotes if it begins with *")
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		// A section whose keys are all commented out keeps its defaults.
	case isSection(v.Type()):
		l.section(path, n, v, at)
	case v.Kind() == reflect.Slice:
		l.list(path, n, v, at)
	case n.Kind != yaml.ScalarNode:
		l.report(source, path, nil, "it takes one value, not a list or a section", "write the value after the colon")
	case !slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp"}, n.ShortTag()):
		l.report(source, path, nil, "it has the YAML tag "+n.ShortTag(), "remove the tag")
	default:
		l.value(source, path, n.Value, v)
	}
}

func (l *loader) section(path string, n *yaml.Node, v reflect.Value, at func(line int) string) {
	if n.Kind != yaml.MappingNode {
		l.report(at(n.Line), path, nil, "it takes keys with values", "write a line like \"name: value\" for each")
		return
	}
	fields, names := map[string]reflect.Value{}, []string{}
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("yaml")
		fields[name], names = v.Field(i), append(names, name)
	}
	firstLine := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, child := n.Content[i], n.Content[i+1]
		source, inner := at(name.Line), join(path, name.Value)
		field, known := fields[name.Value]
		switch before, twice := firstLine[name.Value]; {
		case name.Kind != yaml.ScalarNode || !known:
			l.report(source, path, nil, "there is no key "+show(name.Value)+" here", suggestion(name.Value, names, "remove it"))
		case twice:
			l.report(source, "", nil, fmt.Sprintf("%s is set already on line %d", inner, before), "keep one of the two")
		default:
			firstLine[name.Value] = name.Line
			l.sources[inner] = source
			l.node(inner, child, field, at)
		}
	}
}

func (l *loader) list(path string, n *yaml.Node, v reflect.Value, at func(line int) string) {
	if n.Kind != yaml.SequenceNode {
		l.report(at(n.Line), path, nil, "it takes a list", "write it like [a, b], or each item on a line after a hyphen")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, child := range n.Content {
		inner := fmt.Sprintf("%s[%d]", path, i)
		l.sources[inner] = at(child.Line)
		if child.Kind == yaml.ScalarNode && child.ShortTag() == "!!null" {
			l.report(at(child.Line), inner, nil, "this item is empty", "fill it in or remove it")
			continue
		}
		l.node(inner, child, v.Index(i), at)
	}
	if len(n.Content) == 0 {
		v.SetZero()
	}
}

// YAML returns the configuration as Load reads it, with every key, and with each set
// secret as "[redacted]".
func (c Config) YAML() ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(encode(reflect.ValueOf(c))); err != nil {
		return nil, fmt.Errorf("print the configuration: %w", err)
	}
	return out.Bytes(), nil
}

func encode(v reflect.Value) *yaml.Node {
	switch {
	case isSection(v.Type()):
		n := &yaml.Node{Kind: yaml.MappingNode}
		for i := range v.NumField() {
			name := &yaml.Node{Kind: yaml.ScalarNode, Value: v.Type().Field(i).Tag.Get("yaml")}
			n.Content = append(n.Content, name, encode(v.Field(i)))
		}
		return n
	case v.Kind() == reflect.Slice:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		if v.Len() == 0 || !isSection(v.Type().Elem()) {
			n.Style = yaml.FlowStyle
		}
		for i := range v.Len() {
			n.Content = append(n.Content, encode(v.Index(i)))
		}
		return n
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: formatValue(v.Interface())}
	if k := v.Kind(); k != reflect.Int && k != reflect.Bool {
		n.Tag = "!!str" // quotes what would else be read as a number, a bool or null
	}
	return n
}
