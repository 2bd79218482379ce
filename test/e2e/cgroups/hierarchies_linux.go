// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cgroups

import (
	"os"
	"slices"
	"strings"
)

// root is where every distribution mounts the hierarchies. A container runtime
// may have mounted them elsewhere again.
const root = "/sys/fs/cgroup"

// The types of file systems.
const (
	version1 = "cgroup"
	version2 = "cgroup2"
)

// A hierarchy is a mounted tree of control groups.
type hierarchy struct{ fstype, path string }

// mounted lists the hierarchies of this machine.
func mounted() ([]hierarchy, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	return hierarchies(string(text)), err
}

// hierarchies finds those in a mountinfo.
// Source: Linux, proc_pid_mountinfo(5).
func hierarchies(mountinfo string) []hierarchy {
	var all []hierarchy
	for line := range strings.Lines(mountinfo) {
		mount, device, _ := strings.Cut(line, " - ")
		fields, fstype := strings.Fields(mount), strings.Fields(device)
		if len(fields) < 5 || len(fstype) == 0 {
			continue
		}
		h := hierarchy{fstype[0], fields[4]}
		ours := h.path == root || strings.HasPrefix(h.path, root+"/")
		if ours && (h.fstype == version1 || h.fstype == version2) {
			all = append(all, h)
		}
	}
	return all
}

// controlling leaves out that of version 2 where there are some of version 1:
// it has no controllers then. The kubelet uses it all the same.
func controlling(all []hierarchy) []hierarchy {
	if !slices.ContainsFunc(all, func(h hierarchy) bool { return h.fstype == version1 }) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(h hierarchy) bool { return h.fstype == version2 })
}
