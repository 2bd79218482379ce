// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/vishvananda/netlink"
)

// DefaultRelist is how often a watched namespace is listed without any
// notification. The kernel is not known to change a table in silence, and
// tells when it had to drop a notification; this bounds the harm of a driver
// that forgets one. A listing costs well below a millisecond of CPU.
const DefaultRelist = 5 * time.Minute

// Options tell Open what to watch. The zero value is the own namespace.
type Options struct {
	// Namespace is the path of a network namespace, such as
	// "/run/netns/pod1" or "/proc/4711/ns/net": that needs CAP_SYS_ADMIN.
	// The caller's own is "": that needs no capability.
	Namespace string
	// Logger is told of repeated errors (warn), of addresses that another
	// machine has (warn) and of details (debug). Nil for none.
	Logger *slog.Logger
	// Relist is how often to list without a notification: 0 for
	// DefaultRelist, below 0 for never.
	Relist time.Duration
}

// A Watcher lists one network namespace. Its methods may be called at the
// same time.
type Watcher struct {
	log    *slog.Logger
	relist time.Duration
	// namespace is nil for the caller's own.
	namespace *os.File
	// open subscribes to notifications; tests replace it.
	open func() (source, error)
}

// Open opens the namespace and tries out that it can be watched, so that a
// missing right is told here (fs.ErrPermission, fs.ErrNotExist). The Watcher
// keeps another namespace alive until Close, even if its path is removed.
func Open(o Options) (*Watcher, error) {
	namespace, err := openNamespace(o.Namespace)
	if err != nil {
		return nil, err
	}
	w := newWatcher(o)
	w.namespace = namespace
	w.open = func() (source, error) { return openKernel(namespace, receiveBuffer) }
	trial, err := w.open()
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	trial.close()
	return w, nil
}

func newWatcher(o Options) *Watcher {
	w := &Watcher{log: o.Logger, relist: o.Relist}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	if w.relist == 0 {
		w.relist = DefaultRelist
	}
	return w
}

// Close lets go of another namespace. Snapshot and Watch must not run or be
// called any more.
func (w *Watcher) Close() error {
	if w.namespace == nil {
		return nil
	}
	return w.namespace.Close()
}

// Snapshot lists the namespace once. A listing that changes interrupt is made
// again until ctx ends.
func (w *Watcher) Snapshot(ctx context.Context) (Snapshot, error) {
	for failures := 1; ; failures++ {
		noticed := time.Now()
		found, err := w.listOnce()
		if err == nil {
			return Snapshot{Noticed: noticed, Interfaces: found.interfaces}, nil
		}
		if !errors.Is(err, netlink.ErrDumpInterrupted) || !pause(ctx, backoff(failures)) {
			return Snapshot{}, err
		}
	}
}

func (w *Watcher) listOnce() (listing, error) {
	source, err := w.open()
	if err != nil {
		return listing{}, err
	}
	defer source.close()
	return source.list()
}
