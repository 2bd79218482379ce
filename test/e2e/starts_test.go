// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"
)

// starts is how long pods took from their creation to the start of their
// application, by kind. User-Mode Linux adds seconds to each: only the
// differences tell something.
var starts = map[string][]time.Duration{}

var startedLine = regexp.MustCompile(`(?m)^started (\S+ \S+ \S+)$`)

// started notes how long a running pod took, whose application runs
// reportStart, and returns when it was started.
func (s *story) started(kind, pod string) (at time.Time) {
	s.Helper()
	until(s.T, 30*time.Second, func() error {
		m := startedLine.FindStringSubmatch(s.logs(pod, application))
		if m == nil {
			return fmt.Errorf("the application of %s has not told when it started", pod)
		}
		var err error
		at, err = time.Parse("2006-01-02 15:04:05.999999999 -0700", m[1])
		return err
	})
	took := at.Sub(s.created[pod])
	starts[kind] = append(starts[kind], took)
	s.say("%s: application started %.1f s after the pod was created (%s)", pod, took.Seconds(), kind)
	return at
}

// printStarts prints what all stories found.
func printStarts() {
	for _, kind := range slices.Sorted(maps.Keys(starts)) {
		all := slices.Sorted(slices.Values(starts[kind]))
		fmt.Printf("pod created to application started, %s: median %.1f s, least %.1f s, most %.1f s of %d\n",
			kind, all[len(all)/2].Seconds(), all[0].Seconds(), all[len(all)-1].Seconds(), len(all))
	}
}
