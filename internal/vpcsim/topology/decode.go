// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxNodes bounds how many nodes are visited, so that aliases that contain
// aliases cannot blow a small file up.
const maxNodes = 200_000

// A decoder turns YAML nodes into values. The YAML module's own decoder stops
// at the first text that a type refuses, and does not tell where a value came
// from; this one reports everything and remembers the line of every path.
type decoder struct {
	file   string
	lines  map[string]int
	faults []Fault
	nodes  int
	// broken are the paths whose values could not be read.
	broken []string
}

func (d *decoder) fault(line int, path, text, cure string) {
	d.faults = append(d.faults, Fault{File: d.file, Line: line, Path: path, Text: text, Cure: cure})
}

func (d *decoder) err() error { return join(d.faults) }

// report is fault for a checker, which knows paths but not lines. What stands
// at or below a place that could not be read has been reported already.
func (d *decoder) report(path, text, cure string) {
	for _, b := range d.broken {
		if path == b || strings.HasPrefix(path, b+".") || strings.HasPrefix(path, b+"[") {
			return
		}
	}
	d.fault(d.line(path), path, text, cure)
}

// line is the line of path, or of the nearest thing around it.
func (d *decoder) line(path string) int {
	for {
		if l, ok := d.lines[path]; ok {
			return l
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return d.lines[""]
		}
		path = path[:i]
	}
}

func (d *decoder) wrong(n *yaml.Node, path, text, cure string) {
	d.broken = append(d.broken, path)
	d.fault(n.Line, path, text, cure)
}

// value decodes n into v.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string) {
	d.lines[path] = n.Line
	if d.nodes++; d.nodes > maxNodes {
		if d.nodes == maxNodes+1 {
			d.wrong(n, path, "the file is too large once its aliases are expanded", "write the repeated parts out")
		}
		return
	}
	for hops := 0; n.Kind == yaml.AliasNode; hops++ {
		if hops > 100 || n.Alias == nil {
			return
		}
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return // absent
	}
	if scalar(v.Type()) {
		d.scalar(n, v, path)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.mapping(n, v, path)
	case reflect.Map:
		d.table(n, v, path)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			d.wrong(n, path, "here a list is wanted", "write [a, b], or one line with \"- \" per element")
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, e := range n.Content {
			d.value(e, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	}
}

// mapping decodes a mapping whose keys are v's fields.
func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string) {
	fields := map[string]int{}
	var names []string
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("yaml")
		fields[name] = i
		names = append(names, name)
	}
	d.pairs(n, path, func(key, val *yaml.Node, at string) {
		i, ok := fields[key.Value]
		if !ok {
			d.fault(key.Line, at, "this key is not known here", knownKeys(key.Value, names))
			return
		}
		d.value(val, v.Field(i), at)
	})
}

// table decodes a mapping of free keys to texts.
func (d *decoder) table(n *yaml.Node, v reflect.Value, path string) {
	v.Set(reflect.MakeMap(v.Type()))
	d.pairs(n, path, func(key, val *yaml.Node, at string) {
		text := reflect.New(v.Type().Elem()).Elem()
		d.value(val, text, at)
		v.SetMapIndex(reflect.ValueOf(key.Value), text)
	})
}

// pairs calls f for each pair of a mapping whose key is there once.
func (d *decoder) pairs(n *yaml.Node, path string, f func(key, val *yaml.Node, at string)) {
	if n.Kind != yaml.MappingNode {
		d.wrong(n, path, "here a mapping is wanted", "write \"key: value\" lines, or {key: value}")
		return
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		at := key.Value
		if path != "" {
			at = path + "." + key.Value
		}
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
			d.fault(key.Line, path, "keys must be plain words", "write the keys out; merging with << is not supported")
			continue
		}
		if line, twice := first[key.Value]; twice {
			d.fault(key.Line, at, fmt.Sprintf("this key is already there, at line %d", line), "remove one of the two")
			continue
		}
		first[key.Value] = key.Line
		f(key, val, at)
	}
}

// knownKeys is the cure for an unknown key.
func knownKeys(got string, names []string) string {
	for _, n := range names {
		if strings.EqualFold(strings.NewReplacer("_", "", "-", "").Replace(got), strings.ReplaceAll(n, "-", "")) {
			return fmt.Sprintf("did you mean %q?", n)
		}
	}
	slices.Sort(names)
	return "known are " + strings.Join(names, ", ")
}
