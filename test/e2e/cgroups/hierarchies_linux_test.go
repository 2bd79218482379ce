// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cgroups

import (
	"slices"
	"testing"
)

func TestHierarchies(t *testing.T) {
	const system = `24 30 0:22 / /proc rw,relatime shared:13 - proc proc rw
35 24 0:30 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs rw,mode=755
`
	for _, test := range []struct {
		name, mountinfo   string
		want, controlling []hierarchy
	}{
		{"version 1 beside an empty version 2", system +
			"36 35 0:31 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw\n" +
			"37 35 0:32 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct\n" +
			"38 35 0:33 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n",
			[]hierarchy{{version2, "/sys/fs/cgroup/unified"}, {version1, "/sys/fs/cgroup/cpu,cpuacct"}, {version1, "/sys/fs/cgroup/systemd"}},
			[]hierarchy{{version1, "/sys/fs/cgroup/cpu,cpuacct"}, {version1, "/sys/fs/cgroup/systemd"}}},
		{"version 2", "36 24 0:31 / /sys/fs/cgroup rw shared:10 - cgroup2 cgroup2 rw,nsdelegate\n",
			[]hierarchy{{version2, root}}, []hierarchy{{version2, root}}},
		{"elsewhere too", "36 24 0:31 / /sys/fs/cgroup rw - cgroup2 none rw\n37 24 0:31 /a /sys/fs/cgroups rw - cgroup2 none rw\n" +
			"38 24 0:31 / /var/lib/x/cgroup rw - cgroup2 none rw\n", []hierarchy{{version2, root}}, []hierarchy{{version2, root}}},
		{"none", system, nil, nil},
		{"not a mountinfo", "cgroup /sys/fs/cgroup cgroup rw 0 0\n - cgroup\n", nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := hierarchies(test.mountinfo)
			if !slices.Equal(got, test.want) {
				t.Errorf("hierarchies = %v, want %v", got, test.want)
			}
			if got := controlling(got); !slices.Equal(got, test.controlling) {
				t.Errorf("controlling = %v, want %v", got, test.controlling)
			}
		})
	}
}
