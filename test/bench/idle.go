// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// idle measures a sidecar that is routed and has nothing to do: CPU time, calls
// to EC2, and memory, with connections to EC2 kept open.
func idle(ctx context.Context, l *lab, o options) ([]figure, error) {
	p, err := l.start("active", "idle", "sidecar")
	if err != nil {
		return nil, err
	}
	if err := until(ctx, "the pod is routed", func() bool { return len(l.VPC.Addresses("w1-media")) > 2 && len(l.VPC.Addresses("w1-sig")) > 2 }); err != nil {
		return nil, err
	}
	time.Sleep(time.Second) // the start is not idle
	l.VPC.ResetCalls()
	before, err := cpuTime(p.Process.Pid)
	if err != nil {
		return nil, err
	}
	select {
	case <-time.After(o.idle):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	after, err := cpuTime(p.Process.Pid)
	if err != nil {
		return nil, err
	}
	asked := len(l.VPC.Calls("*"))
	rss, err := residentMB(p.Process.Pid)
	if err != nil {
		return nil, err
	}
	if _, err := p.stop(syscall.SIGTERM); err != nil {
		return nil, err
	}
	anHour := float64(after-before) / float64(o.idle) * 3600
	return []figure{
		of(fmt.Sprintf("CPU while idle, from %v", o.idle), "s an hour", []float64{anHour}, 3, 3, "63"),
		of(fmt.Sprintf("EC2 calls while idle, in %v", o.idle), "calls", []float64{float64(asked)}, 0, 0, "–"),
		of("resident memory while idle, TLS connections kept open", "MB", []float64{rss}, 20, 20, "60"),
	}, nil
}

// cpuTime is what all threads of a process have run. Source: proc(5), schedstat.
func cpuTime(pid int) (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("find the threads of process %d: %v", pid, err)
	}
	var sum time.Duration
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			return 0, fmt.Errorf("read the CPU time: %w", err)
		}
		var ran time.Duration
		if _, err := fmt.Sscan(string(raw), &ran); err != nil {
			return 0, fmt.Errorf("read the CPU time %q: %w", raw, err)
		}
		sum += ran
	}
	return sum, nil
}

// residentMB is a process's resident memory. Source: proc(5), status, VmRSS.
func residentMB(pid int) (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read the memory of the registrar: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			var kb float64
			if _, err := fmt.Sscan(value, &kb); err != nil {
				return 0, fmt.Errorf("read the memory of the registrar: %w", err)
			}
			return kb / 1000, nil
		}
	}
	return 0, fmt.Errorf("process %d has no VmRSS", pid)
}
