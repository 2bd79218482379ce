// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
)

// startConfined starts a program as the restricted Pod Security Standard has
// it: as nobody, without capabilities, and without a way to get them. In the
// sandbox of a user without root there is nobody but root; there the
// capabilities alone are taken away.
func startConfined(ns *netspace.Namespace, cmd *exec.Cmd) error {
	if haveNobody() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread's rights go with it
		if err := renounce(); err != nil {
			done <- err
			return
		}
		done <- ns.Start(cmd)
	}()
	return <-done
}

// renounce takes from what this thread starts, not from the thread itself, all
// capabilities and the way to others.
func renounce() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	for c := uintptr(0); ; c++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if errors.Is(err, unix.EINVAL) {
			return nil // one more than the kernel has
		}
		if err != nil {
			return fmt.Errorf("give up capability %d: %w", c, err)
		}
	}
}

// haveNobody says whether this user namespace has the user nobody.
func haveNobody() bool {
	raw, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return false
	}
	for l := range strings.Lines(string(raw)) {
		f := strings.Fields(l)
		if len(f) != 3 {
			continue
		}
		first, err1 := strconv.ParseUint(f[0], 10, 64)
		size, err2 := strconv.ParseUint(f[2], 10, 64)
		if err1 == nil && err2 == nil && first <= nobody && nobody < first+size {
			return true
		}
	}
	return false
}

// capabilities are those that a process has or could get.
func capabilities(pid int) (all uint64, err error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3, Pid: int32(pid)}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return 0, fmt.Errorf("read the capabilities of process %d: %w", pid, err)
	}
	for i, d := range data {
		all |= uint64(d.Effective|d.Permitted|d.Inheritable) << (32 * i)
	}
	return all, nil
}
