// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/node/config"
)

// mountNative does what the first process of a guest does: /proc shows the
// processes of the node, /run is its own, and it sees the directory of the host
// that it shares. Control groups stay this machine's.
func mountNative(share string) error {
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("keep mounts from the others: %w", err)
	}
	if err := mountAll([]mount{{"proc", "/proc"}, {"tmpfs", "/run"}}); err != nil {
		return err
	}
	if err := os.Mkdir(config.Share, 0o755); err != nil {
		return err
	}
	return bind(share, config.Share)
}

// tunables are settings of the kernel that the kubelet changes.
// Source: kubelet, setupKernelTunables.
var tunables = []string{
	"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
	"kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
}

// keepTunables gives the kubelet copies to write to: they are this machine's.
func keepTunables() error {
	for _, t := range tunables {
		real, copied := filepath.Join("/proc/sys", t), filepath.Join("/run/tunables", t)
		value, err := os.ReadFile(real)
		if err == nil {
			err = errors.Join(os.MkdirAll(filepath.Dir(copied), 0o755), os.WriteFile(copied, value, 0o644))
		}
		if err == nil {
			err = bind(copied, real)
		}
		if err != nil {
			return fmt.Errorf("keep the kernel's %s: %w", t, err)
		}
	}
	return nil
}

// forward sends what arrives for pods on to them: the instance's interfaces do
// so only when told.
func forward(n config.Node) error {
	device, err := deviceOf(n.Primary.Addr().String())
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("/proc/sys/net/ipv4/conf", device, "forwarding"), []byte("1"), 0)
}

// deviceOf is the name of the interface that has an address.
func deviceOf(address string) (string, error) {
	links, err := net.Interfaces()
	if err != nil {
		return "", err
	}
	for _, l := range links {
		addrs, err := l.Addrs()
		if err != nil {
			return "", err
		}
		for _, a := range addrs {
			if ip, ok := a.(*net.IPNet); ok && ip.IP.String() == address {
				return l.Name, nil
			}
		}
	}
	return "", fmt.Errorf("no interface has the primary address %s", address)
}
