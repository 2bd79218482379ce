// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package warm

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
)

// A journal is a log to look into while it is written.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

// beside tells a story in a bubble of its own time, while run runs.
func beside(t *testing.T, run func(context.Context, *slog.Logger), story func(*testing.T, *journal)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		j := &journal{}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			run(ctx, slog.New(slog.NewTextHandler(j, nil)))
		}()
		defer func() {
			cancel()
			<-done
		}()
		story(t, j)
	})
}
