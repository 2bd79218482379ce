// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package usernstest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// userVariable tells a process that it is in a namespace of its own, and as whom.
const userVariable = "USERNS_TEST_USER"

// The users, and their ids.
const (
	root, rootID     = "root", 0
	nobody, nobodyID = "nobody", 65534
)

// Main runs the tests there and returns the exit code for TestMain. A goroutine
// that is left at the end fails them. A process that Nobody starts calls
// beNobody with its arguments instead.
func Main(m *testing.M, beNobody func(args []string) error) (code int) {
	var err error
	switch os.Getenv(userVariable) {
	case root:
		goleak.VerifyTestMain(m, goleak.Cleanup(func(c int) { code = c }))
	case nobody:
		err = beNobody(os.Args[1:])
	default:
		code, err = runInside()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// Nobody is this test binary as a user who may do nothing, in the network
// namespace of the tests.
func Nobody(args ...string) *exec.Cmd { return as(nobody, nobodyID, args) }

// as is this test binary in a new user namespace.
func as(user string, id int, args []string) *exec.Cmd {
	again := exec.Command("/proc/self/exe", args...)
	again.Env = append(os.Environ(), userVariable+"="+user)
	again.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: id, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: id, HostID: os.Getgid(), Size: 1}},
	}
	return again
}

// runInside runs this program once more, with all capabilities in namespaces of
// its own.
func runInside() (code int, err error) {
	again := as(root, rootID, os.Args[1:])
	again.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNET
	again.SysProcAttr.Pdeathsig = syscall.SIGKILL
	again.Stdin, again.Stdout, again.Stderr = os.Stdin, os.Stdout, os.Stderr
	runtime.LockOSThread() // Pdeathsig counts from the thread that starts
	defer runtime.UnlockOSThread()
	err = again.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(again.ProcessState.ExitCode(), 1), nil
	}
	if err != nil {
		return 1, fmt.Errorf("these tests need a user namespace (see sysctl user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns): %w", err)
	}
	return 0, nil
}
