// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A note tells other commands of the same user which process holds the user
// namespace of a VPC. It is locked as long as the VPC lives.
type note struct{ file *os.File }

// notePath is the note's file for a prefix, in a directory of the user's own.
func notePath(prefix string) (string, error) {
	uid := os.Getuid()
	dir := filepath.Join(cmp.Or(os.Getenv("XDG_RUNTIME_DIR"), os.TempDir()), "vpcsim-"+strconv.Itoa(uid))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("create a directory for the VPC's process id: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", fmt.Errorf("look at the directory for the VPC's process id: %w", err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(st.Uid) != uid {
		return "", fmt.Errorf("%s is not a directory of this user's: remove it, or set XDG_RUNTIME_DIR", dir)
	}
	return filepath.Join(dir, filepath.Base(prefix)+".pid"), nil
}

// takeNote opens and locks the note of a prefix.
func takeNote(prefix string) (*note, error) {
	path, err := notePath(prefix)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("note the VPC's process id: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("prefix %s is in use by a VPC of this user's: end that first, or choose another with --prefix", prefix)
	}
	return &note{f}, nil
}

func (n *note) write(pid int) error {
	err := n.file.Truncate(0)
	if err == nil {
		_, err = n.file.WriteAt([]byte(strconv.Itoa(pid)), 0)
	}
	if err != nil {
		return fmt.Errorf("note the VPC's process id: %w", err)
	}
	return nil
}

// remove empties the note rather than deletes it: the lock is on the file.
func (n *note) remove() {
	_ = n.file.Truncate(0)
	_ = n.file.Close()
}

// readNote returns the process that holds the user namespace of a VPC.
func readNote(prefix string) (pid int, err error) {
	path, err := notePath(prefix)
	if err != nil {
		return 0, err
	}
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("read the VPC's process id: %w", err)
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(string(b))); err != nil {
		return 0, notRunning(prefix)
	}
	return pid, nil
}
