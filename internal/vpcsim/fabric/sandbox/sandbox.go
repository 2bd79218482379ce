// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// marker is set in the environment of everything inside of a sandbox.
const marker = "VPCSIM_SANDBOX"

// ErrUnavailable says that this machine lets the user have no namespaces.
var ErrUnavailable = errors.New("network namespaces are not available")

// Options of Run.
type Options struct {
	// Started, when not nil, is called outside with the process id of the
	// sandbox, before Run waits for it. An error ends the sandbox.
	Started func(pid int) error
}

// Inside reports whether this process runs in a sandbox.
func Inside() bool { return os.Getenv(marker) != "" }

// Run calls inside, and returns its exit code, when this process is in a
// sandbox already. Otherwise it starts the program again, with the same
// arguments and files, and returns that process' exit code; inside is then
// called there and not here. Call it first in main or TestMain.
//
// SIGINT, SIGTERM and SIGHUP are passed on to the process inside, which decides
// when to end. When the process outside dies, so does the one inside.
func Run(opts Options, inside func() int) (code int, err error) {
	if Inside() {
		if os.Getpid() == 1 { // others of the sandbox find it set up
			if err := setup(); err != nil {
				return 1, err
			}
		}
		return inside(), nil
	}
	exe, err := os.Executable()
	if err != nil {
		return 1, fmt.Errorf("find the program to run in a sandbox: %w", err)
	}
	cmd := exec.Command(exe, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), marker+"=1")
	cmd.SysProcAttr = attributes(os.Geteuid(), os.Getegid())

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer signal.Stop(signals)

	runtime.LockOSThread() // Pdeathsig counts from the thread that starts
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return 1, unavailable(err)
	}
	if opts.Started != nil {
		if err := opts.Started(cmd.Process.Pid); err != nil {
			return 1, errors.Join(err, cmd.Process.Kill(), ignoreExit(cmd.Wait()))
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			_ = cmd.Process.Signal(s) // a terminal sends its own to both: once more does no harm
		case err := <-ended:
			return cmd.ProcessState.ExitCode(), ignoreExit(err)
		}
	}
}

func attributes(uid, gid int) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID,
		Pdeathsig:  unix.SIGKILL,
	}
	if uid != 0 {
		a.Cloneflags |= unix.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}}
	}
	return a
}

// setup prepares the first process of a sandbox.
func setup() error {
	if err := unix.Mount("", "/", "none", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return unavailable(err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return unavailable(err)
	}
	// Where parts of /proc are hidden, as in containers, a new one is refused.
	// The old one then shows the processes outside, and serves as well.
	_ = unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("set up the sandbox's loopback interface: %w", err)
	}
	return nil
}

func unavailable(err error) error {
	return fmt.Errorf("%w: run as root, or allow user namespaces (sysctls user.max_user_namespaces, "+
		"kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns): %w", ErrUnavailable, err)
}

// ignoreExit leaves exit codes to the caller; they are not failures of ours.
func ignoreExit(err error) error {
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil
	}
	return err
}
