// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package podinfo

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseAnnotations reads a file of the downward API with the pod's annotations:
// a line KEY="VALUE" each, quoted as Go does. Source: Kubernetes,
// pkg/fieldpath, FormatMap.
func ParseAnnotations(text string) (map[string]string, error) {
	out := map[string]string{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\n")
		if line == "" {
			continue
		}
		key, quoted, ok := strings.Cut(line, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("parse annotations: line %d is not KEY=\"VALUE\"", n)
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, fmt.Errorf("parse annotations: line %d, value of %s: %w", n, key, err)
		}
		out[key] = value
	}
	return out, nil
}
