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
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the annotations file: %w", err)
	}
	defer w.Close()
	if err := w.Add(filepath.Dir(path)); err != nil {
		return fmt.Errorf("watch the annotations file %s: %w", path, err)
	}
	for {
		annotations, err := Read(path)
		if err != nil {
			fault(err)
		} else {
			emit(annotations)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-w.Events:
		case err := <-w.Errors:
			fault(fmt.Errorf("watch the annotations file: %w", err))
		}
	}
}

// Read reads the annotations file at path; one that is not there has none.
func Read(path string) (map[string]string, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the annotations file: %w", err)
	}
	return ParseAnnotations(string(raw))
}
