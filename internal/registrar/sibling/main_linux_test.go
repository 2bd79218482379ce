// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sibling

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// insideVariable tells a test process that it is in namespaces of its own, and
// as whom.
const insideVariable = "SIBLING_TEST_INSIDE"

// TestMain runs the tests in a new user and network namespace, where they may
// do everything, whoever runs them.
func TestMain(m *testing.M) {
	switch os.Getenv(insideVariable) {
	case "root":
		goleak.VerifyTestMain(m)
	case "nobody":
		if err := beNobody(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	again := rerun("root", os.Args[1:]...)
	again.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNET
	again.SysProcAttr.Pdeathsig = syscall.SIGKILL
	again.Stdin, again.Stdout, again.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := again.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		os.Exit(max(exit.ExitCode(), 1))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "these tests need a user namespace (see sysctl user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns):", err)
		os.Exit(1)
	}
}

// rerun is this test binary in a new user namespace, as its user root with all
// capabilities there, or as nobody with none.
func rerun(user string, args ...string) *exec.Cmd {
	id := map[string]int{"root": 0, "nobody": 65534}[user]
	again := exec.Command("/proc/self/exe", args...)
	again.Env = append(os.Environ(), insideVariable+"="+user)
	again.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: id, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: id, HostID: os.Getgid(), Size: 1}},
	}
	return again
}

// beNobody speaks on the interface with this index, without any capability.
func beNobody(interfaceIndex string) error {
	index, err := strconv.Atoi(interfaceIndex)
	if err != nil {
		return err
	}
	if err := unix.Sethostname([]byte("x")); !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("this process has rights: %v", err)
	}
	for _, f := range families {
		s, err := openSocket(f.number, index)
		if err == nil {
			err = s.send(example().appendTo(nil))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}
