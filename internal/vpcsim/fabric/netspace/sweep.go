// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netspace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// A Run is one prefix that is taken, by a living process or a dead one.
type Run struct {
	Prefix string
	Alive  bool
	// PID is the process, 0 when unknown.
	PID int
	// Namespaces are the names that it has taken.
	Namespaces []string
}

// Runs lists the runs on this machine, or in this user namespace.
func Runs() ([]Run, error) {
	dirs, err := os.ReadDir(StateDir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	var runs []Run
	for _, d := range dirs {
		dir := filepath.Join(StateDir, d.Name())
		if _, err := os.Stat(filepath.Join(dir, namesDir)); err != nil {
			continue // not a run's
		}
		r := Run{Prefix: d.Name()}
		r.PID, _ = strconv.Atoi(readPID(filepath.Join(dir, lockFile)))
		names, err := os.ReadDir(filepath.Join(dir, namesDir))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("list runs: %w", err)
		}
		for _, n := range names {
			r.Namespaces = append(r.Namespaces, n.Name())
		}
		c, err := lock(r.Prefix)
		switch {
		case errors.Is(err, ErrInUse):
			r.Alive = true
		case err != nil:
			return nil, err
		default:
			_ = c.lock.Close() // only a look
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// Sweep removes what dead runs have left and returns their prefixes. Living
// runs, and namespaces that no run has noted, are left alone.
func Sweep() ([]string, error) {
	runs, err := Runs()
	if err != nil {
		return nil, err
	}
	var swept []string
	var errs []error
	for _, r := range runs {
		if r.Alive {
			continue
		}
		c, err := lock(r.Prefix)
		if errors.Is(err, ErrInUse) {
			continue // came alive meanwhile
		}
		if err == nil {
			err = c.Release()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("sweep %s: %w", r.Prefix, err))
			continue
		}
		swept = append(swept, r.Prefix)
	}
	return swept, errors.Join(errs...)
}
