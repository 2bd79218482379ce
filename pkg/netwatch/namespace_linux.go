// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// openNamespace opens a network namespace by path, nil for the empty path.
func openNamespace(path string) (*os.File, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open network namespace: %w", explain(err))
	}
	return file, nil
}

// inNamespace runs do in a network namespace, nil for that of the caller.
// Sockets stay in the namespace in which they were opened.
func inNamespace(namespace *os.File, do func() error) error {
	if namespace == nil {
		return do()
	}
	done := make(chan error)
	go func() {
		// Never unlocked: the thread ends with the goroutine. To lead it back
		// may fail, and it would then serve other goroutines in the wrong
		// namespace.
		runtime.LockOSThread()
		done <- func() error {
			if err := enter(namespace); err != nil {
				return fmt.Errorf("enter network namespace %s: %w", namespace.Name(), explain(err))
			}
			return do()
		}()
	}()
	return <-done
}

func enter(namespace *os.File) error {
	conn, err := namespace.SyscallConn()
	if err != nil {
		return err
	}
	var enterErr error
	err = conn.Control(func(fd uintptr) { enterErr = unix.Setns(int(fd), unix.CLONE_NEWNET) })
	return errors.Join(err, enterErr)
}

// explain adds the cure to what the kernel answers.
func explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: a namespace other than one's own needs CAP_SYS_ADMIN, and that of a process of another user CAP_SYS_PTRACE", err)
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%w: not a network namespace", err)
	}
	return err
}
