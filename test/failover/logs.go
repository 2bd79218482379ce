// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// writeLogs leaves what the containers have printed.
func (l *lab) writeLogs() error {
	if l.opts.logs == "" {
		return nil
	}
	dir := filepath.Join(l.opts.logs, l.sc.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("keep the logs: %w", err)
	}
	text := map[string]string{}
	for _, p := range []*pod{l.a, l.b} {
		if p == nil {
			continue
		}
		for _, c := range p.all {
			text[strings.ReplaceAll(c.Name, " ", "-")] += c.Out.String()
		}
	}
	for name, t := range text {
		if err := os.WriteFile(filepath.Join(dir, name+".log"), []byte(t), 0o644); err != nil {
			return fmt.Errorf("keep the logs: %w", err)
		}
	}
	return nil
}
