// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package uml

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// stopGrace is what the kernel gets to end by itself; it needs milliseconds.
const stopGrace = 2 * time.Second

// boot runs the kernel until it ends, or ctx, and returns when none of its
// processes is left and everything that it wrote has been passed on.
func boot(ctx context.Context, program string, args []string, memory string, start func(*exec.Cmd) error, console, output io.Writer) error {
	var copies sync.WaitGroup
	defer copies.Wait()
	consoleEnd, err := passOn(&copies, console)
	if err != nil {
		return err
	}
	defer consoleEnd.Close()
	outputEnd, err := passOn(&copies, output)
	if err != nil {
		return err
	}
	defer outputEnd.Close()

	kernel := exec.CommandContext(ctx, program, args...)
	kernel.Env = append(os.Environ(), "TMPDIR="+memory)
	kernel.Stderr = consoleEnd
	kernel.ExtraFiles = []*os.File{outputEnd} // number 3
	kernel.SysProcAttr = &syscall.SysProcAttr{
		// All its processes are in one group: one per guest process, and some
		// helpers, which outlive a kernel that is killed.
		Setpgid: true,
		// SIGTERM makes the kernel end its processes, should this one be killed.
		Pdeathsig: unix.SIGTERM,
	}
	kernel.Cancel = func() error { return kernel.Process.Signal(unix.SIGTERM) }
	kernel.WaitDelay = stopGrace

	// The kernel gets Pdeathsig when the thread that started it ends.
	ended := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := start(kernel)
		if err == nil {
			err = kernel.Wait()
			err = errors.Join(err, killGroup(kernel.Process.Pid))
		}
		ended <- err
	}()
	return <-ended
}

// killGroup ends what is left of a group of processes. Its number cannot have
// been given to others while any is left.
func killGroup(group int) error {
	if err := unix.Kill(-group, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("end the guest's processes: %w", err)
	}
	return nil
}

// passOn returns the end of a pipe to write to. What is written is passed on
// until every holder of that end has closed it.
func passOn(copies *sync.WaitGroup, to io.Writer) (*os.File, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	copies.Go(func() {
		_, _ = io.Copy(to, read) // the reader's trouble is the caller's own
		_ = read.Close()
	})
	return write, nil
}

// memoryDirectory is where the kernel keeps the guest's memory, as a file
// without a name: in RAM where there is room (a container's /dev/shm has 64
// MiB, and the kernel dies when it is full), else in directory.
func memoryDirectory(directory string, mib int) string {
	const shm = "/dev/shm"
	var s unix.Statfs_t
	if unix.Statfs(shm, &s) == nil && s.Type == unix.TMPFS_MAGIC && uint64(s.Bsize)*s.Bavail >= uint64(mib)<<20 {
		return shm
	}
	return directory
}
