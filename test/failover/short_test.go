// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/sandboxtest"
)

const (
	// slack is what a busy machine, the race detector and scenarios that run side
	// by side may add to a limit, in packets. It is less than a registrar would
	// add that looks twice a second. The figures of `make failover` have none.
	slack = 300
	// best is of how many runs the best counts: a busy machine adds to a figure,
	// and nothing takes from it. What else is wrong is wrong at once.
	best = 5
)

// TestShortForm: each scenario of the short form ends as it must, no address is
// taken more often than the laws allow, and no more packets are lost than the
// goal, or what holds until it is reached.
func TestShortForm(t *testing.T) {
	o := options{registrar: sandboxtest.Registrar()}
	if err := o.prepare("../.."); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, sc := range matrix() {
		if !sc.short {
			continue
		}
		ran++
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			o := o
			o.logs = filepath.Join(t.TempDir(), "logs")
			var slow []string
			for try := range best {
				r, err := run(t.Context(), sc, o)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%s: %s", sc.what, r.verdict())
				for _, w := range append(r.Wrong, sc.goal.overtaken(r)...) {
					t.Error(w)
				}
				for _, f := range r.Families {
					if f.Sent < int(steady/time.Millisecond) {
						t.Errorf("%s: a client has sent %d packets only", f.way(), f.Sent)
					}
				}
				if slow = sc.goal.broken(r, slack); len(slow) == 0 || t.Failed() {
					break
				}
				t.Logf("run %d of %d was too slow: %v", try+1, best, slow)
			}
			for _, s := range slow {
				t.Error(s)
			}
			if t.Failed() {
				tellLogs(t, o.logs)
			}
		})
	}
	if ran < 10 {
		t.Errorf("%d scenarios are in the short form, want at least 10", ran)
	}
}

func tellLogs(t *testing.T, dir string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*.log"))
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Error(err)
		}
		t.Logf("%s:\n%s", filepath.Base(f), text)
	}
}
