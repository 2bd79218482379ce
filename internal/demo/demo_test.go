// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/sandboxtest"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
)

func TestMain(m *testing.M) {
	os.Exit(sandboxtest.Main(m, sandboxtest.Options{Registrar: true}))
}

// script is a program that stands in for the registrar.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "registrar")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantNothingLeft fails when a namespace, a process or a goroutine is left.
func wantNothingLeft(t *testing.T) {
	t.Helper()
	if runs, err := netspace.Runs(); err != nil || len(runs) > 0 {
		t.Errorf("left behind: %v, %v", runs, err)
	}
	// This process is the sandbox's first, so orphans have become its children.
	var err error
	for end := time.Now().Add(time.Second); err == nil && time.Now().Before(end); time.Sleep(time.Millisecond) {
		_, err = unix.Wait4(-1, nil, unix.WNOHANG, nil)
	}
	if !errors.Is(err, unix.ECHILD) {
		t.Errorf("a process is left behind (wait4: %v)", err)
	}
	if err := goleak.Find(); err != nil {
		t.Error(err)
	}
}

func TestTheStoryComesTrue(t *testing.T) {
	var out bytes.Buffer
	began := time.Now()
	report, err := Run(t.Context(), Options{Registrar: sandboxtest.Registrar(), Out: &out, Prefix: "story"})
	t.Logf("%s\nafter %v", out.String(), time.Since(began))
	if err != nil || !report.OK {
		t.Fatalf("Run: %v, failed: %q", err, report.Failed)
	}
	wantNothingLeft(t)
	for line := range strings.Lines(out.String()) {
		line = strings.TrimRight(line, "\n")
		if utf8.RuneCountInString(line) > width || strings.TrimRight(line, " ") != line || strings.Contains(line, "\x1b") {
			t.Errorf("too long, ends with a space, or has colours: %q", line)
		}
	}
	if !strings.Contains(out.String(), "All as expected") || len(report.Routed) != 6 || len(report.Failovers) != 5 {
		t.Errorf("the report is %+v", report)
	}
	wantNoRouteLost(t, report)
	for _, f := range report.Failovers {
		for _, m := range f.Families {
			// EC2 needs 100 ms, so a figure below half of that measures something else.
			if m.Lost == 0 || m.Gap < Millis(50*ms) || m.Acknowledged < m.EC2 || m.EC2 < Millis(90*ms) || m.Requested > m.Acknowledged {
				t.Errorf("%s: %+v cannot be", f.Name, m)
			}
		}
	}
	if _, err := json.Marshal(report); err != nil {
		t.Error(err)
	}
}

// wantNoRouteLost checks what a failover across zones costs at most: a call for
// each family and table, where no route was deleted and made again.
func wantNoRouteLost(t *testing.T, report Report) {
	t.Helper()
	seen := 0
	for _, f := range report.Failovers {
		if f.Calls["ReplaceRoute"] == 0 {
			continue
		}
		seen++
		if f.Calls["ReplaceRoute"] != 4 || f.Calls["CreateRoute"]+f.Calls["DeleteRoute"] != 0 {
			t.Errorf("%s: EC2 calls %v, want 4×ReplaceRoute and no other change of a route", f.Name, f.Calls)
		}
	}
	if seen != 2 {
		t.Errorf("%d failovers across zones, want 2", seen)
	}
}

func TestABrokenRegistrarIsSeen(t *testing.T) {
	registrar := sandboxtest.Registrar()
	for _, tc := range []struct{ name, script, want string }{
		{"says it is done and does nothing", "exit 0", "EC2 has the 2 addresses of client"},
		{"fails", "echo sorry; exit 3", "init in client ends with exit code 0: no. registrar init in client: exit status 3"},
		{"hangs", "exec sleep 60", "init in client ends with exit code 0"},
		{"leaves a child behind that holds its output", "sleep 60 & exit 0", "init in client ends with exit code 0"},
		{"has a sidecar that does nothing and is ready", `case $1 in sidecar) exec sleep 60;; wait) exit 0;; esac; exec ` + registrar + ` "$@"`,
			"EC2 has the 4 addresses of active"},
		{"has a sidecar that dies", `case $1 in sidecar) exit 0;; esac; exec ` + registrar + ` "$@"`,
			"the sidecar in active is ready"},
		{"never releases", `case $1 in sidecar) shift; exec ` + registrar + ` sidecar --release never "$@";; esac; exec ` + registrar + ` "$@"`,
			"EC2 is as at the start"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			report, err := Run(t.Context(), Options{Registrar: script(t, tc.script), Out: &out, Prefix: "broken", Patience: 2 * time.Second})
			if !errors.Is(err, ErrNotAsTold) || report.OK || len(report.Failed) == 0 || !strings.Contains(report.Failed[0], tc.want) {
				t.Errorf("Run: %v, failed: %q; want %q\n%s", err, report.Failed, tc.want, out.String())
			}
			if !strings.Contains(out.String(), "Not as expected") {
				t.Errorf("the story does not end with what was wrong:\n%s", out.String())
			}
			wantNothingLeft(t)
		})
	}
}

func TestAMissingRegistrarEndsTheStory(t *testing.T) {
	_, err := Run(t.Context(), Options{Registrar: "/nowhere/registrar", Out: &bytes.Buffer{}, Prefix: "missing"})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Run: %v", err)
	}
	wantNothingLeft(t)
}

// cancelAt is a writer that interrupts the story at some words.
type cancelAt struct {
	words  string
	cancel func()
}

func (c cancelAt) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(c.words)) {
		c.cancel()
	}
	return len(b), nil
}

func TestAnInterruptLeavesNothing(t *testing.T) {
	registrar := sandboxtest.Registrar()
	for _, words := range []string{"1. The VPC", "2. The pods", "active and standby run", "zone b loses power", "cut off"} {
		t.Run(words, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, err := Run(ctx, Options{Registrar: registrar, Out: cancelAt{words, cancel}, Prefix: "interrupted"})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Run: %v, want that it was interrupted", err)
			}
			wantNothingLeft(t)
		})
	}
}
