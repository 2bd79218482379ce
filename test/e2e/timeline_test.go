// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/ec2api"
)

// A timeline is what happened when in a pod's start.
type timeline struct {
	created time.Time
	// told is when containerd was told to start the first container, and running
	// when it said that it runs: the registrar's, or without it the application's.
	told, running time.Time
	application   time.Time
	// routing are the times in which addresses waited for the registrar. The
	// first begins with its first line of log.
	routing []span
	// waits are those of single addresses. One that was there before the
	// registrar begins with its first line of log.
	waits []span
	// ec2 is how long EC2 had calls in hand.
	ec2 time.Duration
}

type span struct{ from, to time.Time }

func (s span) took() time.Duration { return s.to.Sub(s.from) }

// timeline is that of a pod whose application started at some time.
func (s *story) timeline(p pod, applicationStarted time.Time) timeline {
	s.Helper()
	found, err := s.pod(p.name)
	if err != nil {
		s.Fatal(err)
	}
	status := found.Status.ContainerStatuses[0]
	if p.inject != "" {
		status = found.Status.InitContainerStatuses[0]
	}
	_, id, _ := strings.Cut(status.ContainerID, "://")
	told, running, err := containerStarted(p.worker.run(s.T, "grep", "StartContainer", "/run/share/containerd.log"), id)
	if err != nil {
		s.Fatal(err)
	}
	l := timeline{created: s.created[p.name], told: told, running: running, application: applicationStarted}
	if p.inject == "" {
		return l
	}
	log := s.registrarLog(p.name)
	l.routing, l.waits, l.ec2 = routingSpans(log), addressWaits(log), ec2Time(s.T, p.worker, l.created)
	if len(l.routing) == 0 {
		s.Fatalf("the registrar of %s has assigned nothing", p.name)
	}
	return l
}

var startLine = regexp.MustCompile(`^time="([^"]+)" .* msg="StartContainer for \\"([0-9a-f]+)\\"( returns successfully)?"`)

// containerStarted is when containerd was told to start a container, and when
// it said that it runs, by its log.
func containerStarted(log, id string) (told, running time.Time, err error) {
	for line := range strings.Lines(log) {
		m := startLine.FindStringSubmatch(line)
		if m == nil || m[2] != id {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, m[1])
		if err != nil {
			return told, running, fmt.Errorf("read containerd's log: %w", err)
		}
		if m[3] == "" {
			told = at
		} else {
			running = at
		}
	}
	if told.IsZero() || running.IsZero() {
		err = fmt.Errorf("containerd's log has no start of container %s", id)
	}
	return told, running, err
}

// routingSpans begin when an address appears while no other one waits, and
// end when all are assigned. What lies between is the kernel's: an IPv6
// address appears when duplicate address detection ends.
func routingSpans(log []event) []span {
	var all []span
	waiting := 0
	for _, e := range log {
		switch e.Msg {
		case appeared:
			if waiting++; waiting == 1 {
				all = append(all, span{from: e.Time})
			}
		case assigned:
			waiting--
			all[len(all)-1].to = e.Time
		}
	}
	if len(all) > 0 {
		all[0].from = log[0].Time // it has found the ENIs meanwhile
	}
	return all
}

// together is how soon one after the other addresses appear that were all there
// before the registrar.
const together = 20 * time.Millisecond

// addressWaits are the times from when an address could be used to when it was
// assigned.
func addressWaits(log []event) []span {
	var all []span
	var first time.Time
	at := map[string]time.Time{}
	for _, e := range log {
		switch e.Msg {
		case appeared:
			if first.IsZero() {
				first = e.Time
			}
			at[e.Address] = e.Time
			if e.Time.Sub(first) < together {
				at[e.Address] = log[0].Time
			}
		case assigned:
			all = append(all, span{from: at[e.Address], to: e.Time})
		}
	}
	return all
}

// ec2Time is how long EC2 had at least one call of a worker in hand, since then.
func ec2Time(t *testing.T, w worker, since time.Time) time.Duration {
	t.Helper()
	type served struct {
		Time     time.Time
		Worker   string
		Duration string
	}
	var log struct{ Calls []served }
	control(t, http.MethodGet, ec2api.AdminPath+"calls", nil, &log)
	var busy time.Duration
	var until time.Time
	slices.SortFunc(log.Calls, func(a, b served) int { return a.Time.Compare(b.Time) })
	for _, c := range log.Calls {
		if c.Worker != string(w) || c.Time.Before(since) {
			continue
		}
		took, err := time.ParseDuration(c.Duration)
		if err != nil {
			t.Fatal(err)
		}
		from, to := c.Time, c.Time.Add(took)
		if from.Before(until) {
			from = until
		}
		if to.After(from) {
			busy += to.Sub(from)
			until = to
		}
	}
	return busy
}
