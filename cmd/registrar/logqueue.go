// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// queueLines is how many lines wait for a reader of the log that stands still:
	// some hours of a quiet pod, less than 1 MiB.
	queueLines = 1024
	// queueFlush is how long the end of the program waits for that reader.
	queueFlush = time.Second
)

// A logQueue takes lines at once, whoever reads them: where the container runtime
// hangs, its pipe fills, and a failover must not wait for that. What has no room
// is lost, and counted.
type logQueue struct {
	lines chan []byte
	done  chan struct{}
	told  *slog.Logger // writes to out, past the queue

	mu     sync.Mutex
	lost   int
	closed bool
}

func newLogQueue(out io.Writer, handler func(io.Writer) slog.Handler) *logQueue {
	q := &logQueue{lines: make(chan []byte, queueLines), done: make(chan struct{}), told: slog.New(handler(out))}
	go func() {
		defer close(q.done)
		for line := range q.lines {
			// An error has nobody to be told to.
			_, _ = out.Write(line)
			if n := q.takeLost(); n > 0 {
				q.told.Warn("log lines were lost: nobody read the log for a while", "lines", n)
			}
		}
	}()
	return q
}

// Write takes a line. It never fails.
func (q *logQueue) Write(line []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return len(line), nil
	}
	select {
	case q.lines <- bytes.Clone(line):
	default:
		q.lost++
	}
	return len(line), nil
}

func (q *logQueue) takeLost() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.lost
	q.lost = 0
	return n
}

// close has what waits written, within queueFlush.
func (q *logQueue) close() {
	q.mu.Lock()
	q.closed = true
	close(q.lines)
	q.mu.Unlock()
	select {
	case <-q.done:
	case <-time.After(queueFlush):
	}
}
