// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
)

// A where is how to reach a running VPC.
type where struct {
	// pid is the process in whose user namespace it lives; 0 for this one.
	pid int
	// root is that process' root directory.
	root   string
	record vpcsim.Record
}

// find looks for a running VPC: root's in this machine's namespaces, another
// user's in the user namespace that the user's note leads to.
func find(prefix string) (w where, err error) {
	w.root = "/"
	if os.Geteuid() != 0 {
		if w.pid, err = readNote(prefix); err != nil {
			return w, err
		}
		w.root = fmt.Sprintf("/proc/%d/root", w.pid)
	}
	w.record, err = vpcsim.ReadRecord(w.root, prefix)
	if errors.Is(err, vpcsim.ErrNotRunning) || errors.Is(err, os.ErrPermission) {
		return w, notRunning(prefix)
	}
	return w, err
}

func notRunning(prefix string) error {
	return fmt.Errorf("%w with prefix %s: start one with \"vpcsim up -f FILE\", as the same user, or name another with --prefix",
		vpcsim.ErrNotRunning, prefix)
}
