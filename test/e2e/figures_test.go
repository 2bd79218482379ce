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

// figurePods is how many pods of each kind are started, one after the other.
const figurePods = 3

// A phase is a part of a pod's start, from the one before.
type phase struct {
	name string
	took time.Duration
}

// What a pod's start takes without the registrar, in mode init and in mode
// sidecar, and what of the difference is whose.
func TestFigures(t *testing.T) {
	s := tell(t)
	s.apply(staticN3)
	created, phases := map[string][]time.Duration{}, map[string]map[string][]time.Duration{}
	kinds := []string{"without", "init", "sidecar"}
	for i := range figurePods {
		for k, kind := range kinds {
			host := 91 + i*len(kinds) + k // its own: mode init releases nothing
			p := pod{
				name: fmt.Sprintf("%s-%d", kind, i), worker: worker1,
				addresses: []string{fmt.Sprintf("10.0.3.%d/24", host), fmt.Sprintf("2001:db8:0:3::%d/64", host)},
			}
			if kind != "without" {
				p.inject = kind
			}
			forgetCalls(t)
			s.apply(pods(p))
			s.running(p.name)
			at := s.started(kind, p.name)
			created[kind] = append(created[kind], at.Sub(s.created[p.name]))
			if p.inject != "" {
				for _, f := range s.phases(p, at) {
					if phases[kind] == nil {
						phases[kind] = map[string][]time.Duration{}
					}
					phases[kind][f.name] = append(phases[kind][f.name], f.took)
				}
			}
			s.gone(p.name)
		}
	}
	base := median(created["without"])
	for _, kind := range kinds {
		s.say("pod created to application started, %s: median %v of %d", kind, round(median(created[kind])), figurePods)
	}
	for _, kind := range kinds[1:] {
		own := median(phases[kind][ownPhase])
		s.say("%s: the registrar adds %v; of it: %s", kind, round(median(created[kind])-base), describePhases(phases[kind]))
		if own > ownLimit {
			t.Errorf("%s: the registrar itself takes %v, more than %v", kind, own, ownLimit)
		}
	}
}

// The names of phases, in their order.
const (
	startPhase = "start of the container's process"
	ownPhase   = "the registrar itself"
	ec2Phase   = "waiting for EC2"
	gatePhase  = "the kubelet's, until the application runs"
)

// ownLimit is for User-Mode Linux on a machine that does other things too. A
// native node's is 300 ms, with EC2.
const ownLimit = 5 * time.Second

// phases are those of a pod whose application started at some time.
func (s *story) phases(p pod, application time.Time) []phase {
	s.Helper()
	found, err := s.pod(p.name)
	if err != nil {
		s.Fatal(err)
	}
	_, id, _ := strings.Cut(found.Status.InitContainerStatuses[0].ContainerID, "://")
	run, err := containerStarted(p.worker.run(s.T, "cat", "/run/share/containerd.log"), id)
	if err != nil {
		s.Fatal(err)
	}
	first, last := s.registrarTimes(p.name)
	waiting := ec2Time(s.T)
	return []phase{
		{startPhase, first.Sub(run)},
		{ownPhase, last.Sub(first) - waiting},
		{ec2Phase, waiting},
		{gatePhase, application.Sub(last)},
	}
}

var containerdLine = regexp.MustCompile(`^time="([^"]+)" .* msg="(.*)"$`)

// containerStarted is when a container was to be started, by containerd's log.
func containerStarted(log, id string) (time.Time, error) {
	for line := range strings.Lines(log) {
		m := containerdLine.FindStringSubmatch(strings.TrimSpace(line))
		if m != nil && strings.Contains(m[2], "StartContainer for ") && strings.Contains(m[2], id) && !strings.Contains(m[2], "returns") {
			return time.Parse(time.RFC3339Nano, m[1])
		}
	}
	return time.Time{}, fmt.Errorf("containerd's log has no start of container %s", id)
}

// ec2Time is how long EC2 had at least one call in hand.
func ec2Time(t *testing.T) time.Duration {
	t.Helper()
	type served struct {
		Time     time.Time
		Duration string
	}
	var log struct{ Calls []served }
	control(t, http.MethodGet, ec2api.AdminPath+"calls", nil, &log)
	var busy time.Duration
	var until time.Time
	slices.SortFunc(log.Calls, func(a, b served) int { return a.Time.Compare(b.Time) })
	for _, c := range log.Calls {
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

func describePhases(all map[string][]time.Duration) string {
	var parts []string
	for _, name := range []string{startPhase, ownPhase, ec2Phase, gatePhase} {
		parts = append(parts, fmt.Sprintf("%s %v", name, round(median(all[name]))))
	}
	return strings.Join(parts, ", ")
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
