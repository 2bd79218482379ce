// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/node/config"
)

const (
	// clockPrecision is how well the beginning of a second must be seen.
	clockPrecision = 20 * time.Millisecond
	// clockPatience is for a machine that is too busy to see it.
	clockPatience = 30 * time.Second
)

// setClock sets the clock to that of the machine that runs this node, whose
// logs and EC2's are read side by side: a kernel that boots on a busy machine
// loses up to half a second. Files of Share get their times from the machine,
// but are seen here with whole seconds, so it waits until a second begins.
func setClock() error {
	path := filepath.Join(config.Share, "clock")
	defer os.Remove(path)
	var last time.Time // the second that was seen before
	var before time.Time
	for end := time.Now().Add(clockPatience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		second, err := stamp(path)
		now := time.Now()
		if err != nil {
			return fmt.Errorf("read the machine's clock: %w", err)
		}
		if !last.IsZero() && second.After(last) && now.Sub(before) < clockPrecision {
			return stepClock(second.Sub(before.Add(now.Sub(before) / 2)))
		}
		last, before = second, now
	}
	return errors.New("read the machine's clock: the machine is too busy")
}

// stamp is the time that the machine gives a new file.
func stamp(path string) (time.Time, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return time.Time{}, err
	}
	f, err := os.Create(path)
	if err != nil {
		return time.Time{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

func stepClock(by time.Duration) error {
	by = by.Round(time.Microsecond)
	step := unix.Timex{Modes: unix.ADJ_SETOFFSET | unix.ADJ_NANO}
	sec := by.Truncate(time.Second)
	if sec > by { // the part below a second must not be negative
		sec -= time.Second
	}
	step.Time.Sec, step.Time.Usec = int64(sec/time.Second), int64(by-sec)
	if _, err := unix.Adjtimex(&step); err != nil {
		return fmt.Errorf("step the clock by %v: %w", by, err)
	}
	say("the clock was %v behind", by)
	return nil
}
