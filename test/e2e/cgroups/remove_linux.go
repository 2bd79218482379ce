// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// removePatience is for processes that were killed a moment ago.
const removePatience = 10 * time.Second

// Remove removes the control group NAME and those below it. That there is none
// is success; so is one that somebody else is removing.
func Remove(name string) error {
	all, err := mounted()
	if err != nil {
		return fmt.Errorf("remove control group %s: %w", name, err)
	}
	var errs []error
	for _, h := range all {
		dir := filepath.Join(h.path, name)
		err := removeTree(dir)
		for end := time.Now().Add(removePatience); errors.Is(err, unix.EBUSY) && time.Now().Before(end); err = removeTree(dir) {
			time.Sleep(50 * time.Millisecond)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("remove control group %s: %w", dir, err))
		}
	}
	return errors.Join(errs...)
}

// removeTree removes directories, the deepest first. Their files go with them.
func removeTree(dir string) error {
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			found = append(found, path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, path := range slices.Backward(found) {
		if err := unix.Rmdir(path); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("remove %s: %w", path, err)
		}
	}
	return nil
}
