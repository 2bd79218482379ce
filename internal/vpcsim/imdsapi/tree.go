// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package imdsapi

import (
	"maps"
	"slices"
	"strings"
)

// A tree is metadata by path: a directory has children, a leaf a text.
type tree struct {
	text     string
	children map[string]*tree
}

// put sets the text at a path such as "placement/region". An empty text is no
// metadata: IMDS answers 404.
func (t *tree) put(path, text string) {
	if text == "" {
		return
	}
	for name := range strings.SplitSeq(path, "/") {
		if t.children == nil {
			t.children = map[string]*tree{}
		}
		if t.children[name] == nil {
			t.children[name] = &tree{}
		}
		t = t.children[name]
	}
	t.text = text
}

// read returns the text of a leaf, or the listing of a directory: a name per
// line, those of directories with a slash.
func (t *tree) read(path string) (text string, ok bool) {
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if name == "" {
			continue
		}
		if t = t.children[name]; t == nil {
			return "", false
		}
	}
	if t.children == nil {
		return t.text, true
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(t.children)) {
		if t.children[name].children != nil {
			name += "/"
		}
		names = append(names, name)
	}
	return strings.Join(names, "\n"), true
}
