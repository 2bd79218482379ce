// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// The names in a mounted Secret of type kubernetes.io/tls, cert-manager's too.
const (
	certFile = "tls.crt"
	keyFile  = "tls.key"
)

// lookAgain is how often the files are read without a notification: they are
// small, and some file systems do not notify.
const lookAgain = time.Minute

// Files follows tls.crt and tls.key in a directory that somebody else fills: a
// mounted Secret, by cert-manager or by hand.
type Files struct {
	Dir  string
	Pair *Pair
	Log  *slog.Logger
	// Failed counts loads that failed; nil for none.
	Failed func()
}

// Run loads the files and follows them until ctx ends. What cannot be loaded is
// told, and what was in use stays: the two files may be written one after the
// other. The directory must exist.
func (f *Files) Run(ctx context.Context) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch %s: %w", f.Dir, err)
	}
	defer w.Close()
	// The directory, not the files: the kubelet swaps a link beside them.
	if err := w.Add(f.Dir); err != nil {
		return fmt.Errorf("watch %s: %w (mount the Secret with the certificate there)", f.Dir, err)
	}
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		f.load()
		select {
		case <-ctx.Done():
			return nil
		case <-w.Events:
		case err := <-w.Errors:
			f.Log.Warn("certificate files: a notification got lost", "error", err)
		case <-ticker.C:
		}
	}
}

func (f *Files) load() {
	cert, err := os.ReadFile(filepath.Join(f.Dir, certFile))
	if err != nil {
		f.fail(err)
		return
	}
	key, err := os.ReadFile(filepath.Join(f.Dir, keyFile))
	if err != nil {
		f.fail(err)
		return
	}
	changed, err := f.Pair.Set(cert, key)
	if err != nil {
		f.fail(err)
		return
	}
	if changed {
		f.Log.Info("certificate loaded", "source", f.Dir, "expires", f.Pair.Expiry())
	}
}

func (f *Files) fail(err error) {
	if f.Failed != nil {
		f.Failed()
	}
	f.Log.Error("certificate not loaded", "error", err, "cure", "put a certificate and its key, PEM, into "+certFile+" and "+keyFile+" of "+f.Dir)
}
