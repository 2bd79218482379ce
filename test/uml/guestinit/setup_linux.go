// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/uml/job"
	"golang.org/x/sys/unix"
)

// mountAll makes the file systems that a program expects. The kernel may have
// mounted /dev by itself.
func mountAll(hostDirectory string) error {
	for _, m := range []struct{ fstype, target, options string }{
		{"proc", "/proc", ""},
		{"sysfs", "/sys", ""},
		{"devtmpfs", "/dev", ""},
		{"tmpfs", "/run", "mode=755"},
		{"tmpfs", "/tmp", "mode=1777"},
		{"tmpfs", "/var/tmp", "mode=1777"},
		{"devpts", "/dev/pts", ""},
		{"tmpfs", "/dev/shm", "mode=1777"},
		{"hostfs", job.Directory, hostDirectory},
	} {
		if err := mount(m.fstype, m.target, m.options, 0); err != nil && !errors.Is(err, unix.EBUSY) {
			return err
		}
	}
	return os.MkdirAll("/run/netns", 0o755)
}

// showDirectory makes a directory of the host seen, read-only, where it lies
// below one of the guest's own.
func showDirectory(path string) error {
	if _, err := os.Stat(path); path == "" || err == nil {
		return nil
	}
	return mount("hostfs", path, path, unix.MS_RDONLY)
}

func mount(fstype, target, options string, flags uintptr) error {
	// Where the root file system lacks the directory, it cannot be made.
	_ = os.MkdirAll(target, 0o755)
	if err := unix.Mount("none", target, fstype, flags, options); err != nil {
		return fmt.Errorf("mount %s on %s: %w", fstype, target, err)
	}
	return nil
}

func loadModules(paths []string) error {
	for _, path := range paths {
		if err := loadModule(path); err != nil {
			return fmt.Errorf("load kernel module %s: %w", path, err)
		}
	}
	return nil
}

func loadModule(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	err = unix.FinitModule(int(file.Fd()), "", 0)
	if errors.Is(err, unix.EEXIST) {
		err = nil
	}
	return errors.Join(err, file.Close())
}

// loopbackUp brings lo up; the kernel then gives it its addresses.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open socket: %w", err)
	}
	lo, err := unix.NewIfreq("lo")
	if err == nil {
		lo.SetUint16(unix.IFF_UP)
		err = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
	}
	if err = errors.Join(err, unix.Close(fd)); err != nil {
		return fmt.Errorf("bring lo up: %w", err)
	}
	return nil
}
