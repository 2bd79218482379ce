// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// starts is how long pods took from their creation to the start of their
// application, by kind; routing is the registrar's own part, from its first
// line to EC2's last acknowledgement. User-Mode Linux adds seconds to the
// first: there, only the differences tell something.
var starts, routing = map[string][]time.Duration{}, map[string][]time.Duration{}

// noting is held where a story notes what all of them found: some are told together.
var noting sync.Mutex

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
	note(starts, kind, took)
	s.say("%s: application started %.1f s after the pod was created (%s)", pod, took.Seconds(), kind)
	if p, err := s.pod(pod); err == nil && len(p.Spec.InitContainers) > 0 {
		first, last := s.registrarTimes(pod)
		if last.IsZero() {
			s.Fatalf("the registrar of %s has assigned nothing", pod)
		}
		note(routing, kind, last.Sub(first))
	}
	return at
}

func note(found map[string][]time.Duration, kind string, took time.Duration) {
	noting.Lock()
	defer noting.Unlock()
	found[kind] = append(found[kind], took)
}

// registrarTimes are those of the registrar's first line and of its last
// acknowledgement, which is zero where there is none.
func (s *story) registrarTimes(pod string) (first, last time.Time) {
	s.Helper()
	for _, e := range s.registrarLog(pod) {
		if first.IsZero() {
			first = e.Time
		}
		if e.Msg == assigned {
			last = e.Time
		}
	}
	return first, last
}

// An event is a line of a registrar's log.
type event struct {
	Time    time.Time
	Msg     string
	Address string
}

// What the registrar logs of an address.
const appeared, assigned = "address appeared", "address assigned"

func (s *story) registrarLog(pod string) []event {
	s.Helper()
	var all []event
	for line := range strings.Lines(s.logs(pod, injected)) {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			s.Fatalf("read the registrar's log: %v\n%s", err, line)
		}
		all = append(all, e)
	}
	return all
}

// printStarts prints what all stories found.
func printStarts() {
	for what, found := range map[string]map[string][]time.Duration{
		"pod created to application started": starts, "registrar started to addresses routed": routing,
	} {
		for _, kind := range slices.Sorted(maps.Keys(found)) {
			all := slices.Sorted(slices.Values(found[kind]))
			fmt.Printf("%s, %s: least %.1f s, median %.1f s, most %.1f s of %d\n",
				what, kind, all[0].Seconds(), all[len(all)/2].Seconds(), all[len(all)-1].Seconds(), len(all))
		}
	}
}
