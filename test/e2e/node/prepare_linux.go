// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/node/config"
)

// A mount is a new file system of the node's.
type mount struct{ fstype, target string }

// prepare makes the file systems and settings that a node's programs expect.
func prepare(n config.Node) error {
	mounts := []mount{
		{"tmpfs", "/etc"}, // nothing of this machine's configuration
		{"tmpfs", "/var/lib"},
		{"tmpfs", "/var/log"},
	}
	kernel := keepTunables
	if !n.Native {
		mounts, kernel = append(mounts, mount{"cgroup2", "/sys/fs/cgroup"}), clockSpeed
	}
	if err := mountAll(mounts); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_SHARED|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("share mounts with containers: %w", err)
	}
	for name, text := range map[string]string{
		"/etc/passwd":                   "root:x:0:0:root:/root:/bin/sh\n", // the kubelet looks for subordinate ids
		"/etc/group":                    "root:x:0:\n",
		"/etc/hosts":                    "127.0.0.1 localhost\n" + n.Primary.Addr().String() + " " + n.Name + "\n",
		"/etc/machine-id":               fmt.Sprintf("%032x\n", n.Primary.Addr().As4()),
		"/proc/sys/net/ipv4/ip_forward": "1\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	err := unix.Sethostname([]byte(n.Name))
	if err = errors.Join(err, kernel(), networkFiles()); err != nil {
		return err
	}
	// For containerd, which looks for its shim and runc.
	return os.Setenv("PATH", n.Programs+":"+os.Getenv("PATH"))
}

func mountAll(mounts []mount) error {
	for _, m := range mounts {
		if err := unix.Mount("none", m.target, m.fstype, 0, ""); err != nil {
			return fmt.Errorf("mount %s on %s: %w", m.fstype, m.target, err)
		}
	}
	return nil
}

// clockSpeed adds a line to /proc/cpuinfo that User-Mode Linux lacks and
// without which the kubelet does not start.
func clockSpeed() error {
	const real, better = "/proc/cpuinfo", "/run/cpuinfo"
	text, err := os.ReadFile(real)
	if err != nil {
		return err
	}
	with := strings.Replace(string(text), "\nbogomips", "\ncpu MHz\t\t: 3000.000\nbogomips", 1)
	if err := os.WriteFile(better, []byte(with), 0o444); err != nil {
		return err
	}
	return bind(better, real)
}

// bind makes a file or directory seen at another place.
func bind(from, to string) error {
	if err := unix.Mount(from, to, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("show %s at %s: %w", from, to, err)
	}
	return nil
}

// networkFiles copies the CNI configurations to where plugins may write.
func networkFiles() error {
	from := os.DirFS(filepath.Join(config.Share, config.NetworkFiles))
	if err := os.MkdirAll(filepath.Dir(config.Networks), 0o755); err != nil {
		return err
	}
	return os.CopyFS(config.Networks, from)
}
