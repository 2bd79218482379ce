// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package uml

import (
	"bufio"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// defaultModules are what network tests need, beside what is built in
// (AF_PACKET). IPv6 is a module in older kernels: ipvlan depends on it.
func defaultModules() []string {
	return []string{"veth", "tun", "dummy", "bridge", "ipvlan"}
}

// moduleOrder reads a modules.dep file (depmod(8)) and returns the files to
// load for the names, each after those that it depends on.
func moduleOrder(dependencies io.Reader, names []string) ([]string, error) {
	needs := map[string][]string{}
	lines := bufio.NewScanner(dependencies)
	for lines.Scan() {
		if file, others, ok := strings.Cut(lines.Text(), ":"); ok {
			needs[moduleName(file)] = append([]string{file}, strings.Fields(others)...)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read modules.dep: %w", err)
	}
	var order []string
	for _, name := range names {
		files, ok := needs[moduleName(name)]
		if !ok {
			return nil, fmt.Errorf("no kernel module %s", name)
		}
		// The file says: the module, then what it depends on, the deepest last.
		for _, file := range slices.Backward(files) {
			if !slices.Contains(order, file) {
				order = append(order, file)
			}
		}
	}
	return order, nil
}

// moduleName is a module's name: its file's, where - and _ are the same.
func moduleName(file string) string {
	return strings.ReplaceAll(strings.TrimSuffix(path.Base(file), ".ko"), "-", "_")
}
