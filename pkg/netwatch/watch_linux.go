// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// The first retry is at once: an overflow or an interrupted dump is gone
	// by then. Only errors without a good listing between them wait, from
	// firstBackoff (some listings' worth) doubling to maxBackoff: ten attempts
	// a second cost next to nothing, and the delay when the cause ends is small
	// beside a failover.
	firstBackoff = time.Millisecond
	maxBackoff   = 100 * time.Millisecond
)

// Watch calls emit with a snapshot at once, then with every snapshot that
// differs from the one before, one call after the other, until ctx ends; then
// it returns nil. It never gives up: errors are logged, and it starts again
// from the subscription. While emit runs, changes are collected: the next
// snapshot has them all.
//
// What a snapshot points to must not be changed.
func (w *Watcher) Watch(ctx context.Context, emit func(Snapshot)) error {
	s := stream{watcher: w, emit: emit}
	for {
		err := s.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		s.failures++
		s.tellFailure(ctx, err)
		if !pause(ctx, backoff(s.failures)) {
			return nil
		}
	}
}

// A stream is the state of one Watch, which outlives its subscriptions.
type stream struct {
	watcher *Watcher
	emit    func(Snapshot)
	// last is what was emitted last; emitted tells whether anything was.
	last    Snapshot
	emitted bool
	leftOut []leftOut
	// noticed is when the first notification was read that no good listing
	// followed yet, or the zero time.
	noticed  time.Time
	failures int
}

// follow subscribes, then lists after every notification until an error.
func (s *stream) follow(ctx context.Context) error {
	source, err := s.watcher.open()
	if err != nil {
		return err
	}
	defer source.close()
	opened, before := time.Now(), s.failures
	for ctx.Err() == nil {
		if s.noticed.IsZero() {
			s.noticed = time.Now()
		}
		found, err := source.list()
		if err != nil {
			return err
		}
		s.failures = 0
		s.publish(ctx, found)
		if s.noticed, err = source.wait(ctx, s.watcher.relist); err != nil {
			if !errors.Is(err, unix.ENOBUFS) && time.Since(opened) < maxBackoff {
				s.failures = before // a subscription that cannot wait must not spin
			}
			return fmt.Errorf("wait for a change: %w", err)
		}
	}
	return nil
}

func (s *stream) publish(ctx context.Context, found listing) {
	s.tellLeftOut(ctx, found.leftOut)
	snapshot := Snapshot{Noticed: s.noticed, Interfaces: found.interfaces}
	if s.emitted && snapshot.Equal(s.last) {
		return
	}
	s.last, s.emitted = snapshot, true
	s.emit(snapshot)
}

// tellFailure warns of errors that repeat, ever more rarely.
func (s *stream) tellFailure(ctx context.Context, err error) {
	level := slog.LevelDebug
	if s.failures > 1 && bits.OnesCount(uint(s.failures)) == 1 {
		level = slog.LevelWarn
	}
	s.watcher.log.Log(ctx, level, "network namespace has to be subscribed to again",
		"error", err, "failures", s.failures)
}

// tellLeftOut logs each address when it begins to be left out.
func (s *stream) tellLeftOut(ctx context.Context, now []leftOut) {
	for _, left := range now {
		if slices.Contains(s.leftOut, left) {
			continue
		}
		level := slog.LevelDebug
		if left.Reason == reasonFailed {
			level = slog.LevelWarn
		}
		s.watcher.log.Log(ctx, level, "address left out",
			"interface", left.Interface, "address", left.Prefix, "reason", left.Reason)
	}
	s.leftOut = now
}

// backoff is how long to wait after so many failures in a row.
func backoff(failures int) time.Duration {
	if failures <= 1 {
		return 0
	}
	return min(firstBackoff<<min(failures-2, 30), maxBackoff)
}

// pause waits and tells whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
	return ctx.Err() == nil
}
