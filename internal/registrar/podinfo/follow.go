// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package podinfo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Follow reads the annotations file at path and calls emit with the pod's
// annotations, at once and then after each change, until ctx ends; then it
// returns nil. A file that is not there has none; one that cannot be read is told
// to fault, and what was known stays.
//
// The kubelet replaces the file by exchanging the link "..data" in its
// directory, so the directory is what is watched. Source: Kubernetes,
// pkg/volume/util, AtomicWriter.
func Follow(ctx context.Context, path string, emit func(map[string]string), fault func(error)) error {
	f := follower{path: path, again: again, emit: emit, fault: fault}
	return f.follow(ctx)
}

// again is how often the file is read where it cannot be watched, about as often
// as the kubelet writes it. Inotify instances are counted by user, on the whole
// worker: 128 by default.
const again = time.Minute

type follower struct {
	path  string
	again time.Duration
	emit  func(map[string]string)
	fault func(error)

	last *content
	told string // what was last wrong with watching
}

func (f *follower) follow(ctx context.Context) error {
	for {
		err := f.watch(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err.Error() != f.told {
			f.told = err.Error()
			f.fault(fmt.Errorf("watch the annotations file %s, which is read each %v instead: %w", f.path, f.again, err))
		}
		f.look()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(f.again):
		}
	}
}

// watch follows the file's directory until ctx ends, or says why it cannot.
func (f *follower) watch(ctx context.Context) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.Add(filepath.Dir(f.path)); err != nil {
		return err
	}
	f.told = ""
	for {
		f.look()
		select {
		case <-ctx.Done():
			return nil
		case <-w.Events:
		case err := <-w.Errors:
			f.fault(fmt.Errorf("watch the annotations file: %w", err))
		}
	}
}

// look takes up what the file has, if that is news: one exchange of "..data" is
// five events.
func (f *follower) look() {
	c := read(f.path)
	if f.last != nil && c == *f.last {
		return
	}
	f.last = &c
	if annotations, err := c.parse(); err != nil {
		f.fault(err)
	} else {
		f.emit(annotations)
	}
}

// A content is what the file has, or why it could not be read.
type content struct {
	text, fault string
	missing     bool
}

func read(path string) content {
	raw, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return content{missing: true}
	case err != nil:
		return content{fault: err.Error()}
	}
	return content{text: string(raw)}
}

func (c content) parse() (map[string]string, error) {
	switch {
	case c.missing:
		return nil, nil
	case c.fault != "":
		return nil, fmt.Errorf("read the annotations file: %s", c.fault)
	}
	return ParseAnnotations(c.text)
}

// Read reads the annotations file at path; one that is not there has none.
func Read(path string) (map[string]string, error) { return read(path).parse() }
