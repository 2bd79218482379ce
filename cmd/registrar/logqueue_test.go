// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A stuckReader reads nothing until it is let go of.
type stuckReader struct {
	bytes.Buffer
	wait chan struct{}
}

func (s *stuckReader) Write(b []byte) (int, error) {
	<-s.wait
	return s.Buffer.Write(b)
}

// TestNobodyWaitsForTheLog: a log that nobody reads takes no time, tells what it
// lost when it is read again, and does not keep the program from ending.
func TestNobodyWaitsForTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stuckReader{wait: make(chan struct{})}
		q := newLogQueue(out, func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) })
		log := slog.New(slog.NewTextHandler(q, nil))
		start := time.Now()
		for range queueLines + 100 {
			log.Info("line")
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("%d lines took %v", queueLines+100, took)
		}
		synctest.Wait()
		close(out.wait)
		synctest.Wait()
		log.Info("last")
		q.close()
		got := out.String()
		if n := strings.Count(got, "msg=line"); n < queueLines || n > queueLines+1 {
			t.Errorf("%d lines are kept", n)
		}
		if !strings.Contains(got, "lines were lost") || !strings.HasSuffix(got, "msg=last\n") {
			t.Errorf("the log ends with %s", got[max(0, len(got)-300):])
		}
	})
	synctest.Test(t, func(t *testing.T) {
		out := &stuckReader{wait: make(chan struct{})}
		q := newLogQueue(out, func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) })
		slog.New(slog.NewTextHandler(q, nil)).Info("line")
		start := time.Now()
		q.close()
		if took := time.Since(start); took != queueFlush {
			t.Errorf("the end took %v", took)
		}
		close(out.wait)
	})
}
