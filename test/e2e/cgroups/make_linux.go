// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// inherited are settings of version 1 that a new group has not, and without
// which nothing can be in it.
var inherited = []string{"cpuset.cpus", "cpuset.mems"}

// first is the most of the CPU that a group can have, by the name of the
// setting in version 1 and in version 2.
var first = map[string]string{"cpu.shares": "262144", "cpu.weight": "10000"}

// needed are the controllers that a kubelet looks for in its root.
var needed = []string{"cpu", "cpuset", "hugetlb", "memory", "pids"}

// Make makes the control group NAME below the root of every hierarchy: what is
// in it goes before what else runs on this machine. On error some may be there:
// Remove removes them.
func Make(name string) error {
	all, err := mounted()
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("nothing is mounted at %s", root)
	}
	for _, h := range controlling(all) {
		if err == nil {
			err = h.makeGroup(name)
		}
	}
	if err != nil {
		return fmt.Errorf("make control group %s: %w", name, err)
	}
	return nil
}

func (h hierarchy) makeGroup(name string) error {
	if err := os.Mkdir(filepath.Join(h.path, name), 0o755); err != nil {
		return err
	}
	if h.fstype == version2 {
		if err := h.enable(); err != nil {
			return err
		}
	}
	settings := maps.Clone(first)
	for _, setting := range inherited {
		value, err := os.ReadFile(filepath.Join(h.path, setting))
		switch {
		case err == nil:
			settings[setting] = string(value)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	for setting, value := range settings {
		path := filepath.Join(h.path, name, setting)
		if _, err := os.Stat(path); err != nil {
			continue // another controller's
		}
		if err := os.WriteFile(path, []byte(value), 0); err != nil {
			return err
		}
	}
	return nil
}

// enable gives the groups below the root of version 2 the controllers. Those
// stay enabled: it changes nothing for other groups.
func (h hierarchy) enable() error {
	available, err := os.ReadFile(filepath.Join(h.path, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, controller := range strings.Fields(string(available)) {
		if !slices.Contains(needed, controller) {
			continue
		}
		if err := os.WriteFile(filepath.Join(h.path, "cgroup.subtree_control"), []byte("+"+controller), 0); err != nil {
			return fmt.Errorf("enable controller %s: %w", controller, err)
		}
	}
	return nil
}
