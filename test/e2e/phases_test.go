// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A phase is a part of a pod's start, from the one before.
type phase string

// The phases, in their order. A pod without the registrar has the first two.
const (
	podPhase       phase = "admission, sandbox and networks"
	startPhase     phase = "containerd starts the first container"
	ownPhase       phase = "the registrar itself"
	detectionPhase phase = "the kernel detects duplicates of the IPv6 address"
	ec2Phase       phase = "EC2"
	gatePhase      phase = "the kubelet and containerd start the application"
)

var everyPhase = []phase{podPhase, startPhase, ownPhase, detectionPhase, ec2Phase, gatePhase}

// phases divides a pod's start, where containerd says that a container runs some
// time after its process was started.
func (l timeline) phases(late time.Duration) map[phase]time.Duration {
	took := map[phase]time.Duration{podPhase: l.told.Sub(l.created)}
	if len(l.routing) == 0 {
		took[startPhase] = l.application.Sub(l.told)
		return took
	}
	spans := l.started(l.routing, late)
	for i, s := range spans {
		took[ownPhase] += s.took()
		if i > 0 {
			took[detectionPhase] += s.from.Sub(spans[i-1].to)
		}
	}
	took[ownPhase] -= l.ec2
	took[startPhase], took[ec2Phase] = spans[0].from.Sub(l.told), l.ec2
	took[gatePhase] = l.application.Sub(spans[len(spans)-1].to)
	return took
}

// started are spans that begin at the start of the process where they began with
// its first line of log.
func (l timeline) started(spans []span, late time.Duration) []span {
	spans = slices.Clone(spans)
	for i, s := range spans {
		if s.from.Equal(l.routing[0].from) {
			spans[i].from = l.running.Add(-late)
		}
	}
	return spans
}

// share is the registrar's of a pod's start, with EC2: how long an address that
// could be used waited for it, at most, once its process was there.
func (l timeline) share(late time.Duration) time.Duration {
	var longest time.Duration
	for _, s := range l.started(l.waits, late) {
		longest = max(longest, s.took())
	}
	return longest
}

// figures are the timelines of all pods of a kind.
type figures []timeline

// of is what some phases took together, for each pod.
func (f figures) of(late time.Duration, phases ...phase) []time.Duration {
	var sums []time.Duration
	for _, l := range f {
		took := l.phases(late)
		var sum time.Duration
		for _, p := range phases {
			sum += took[p]
		}
		sums = append(sums, sum)
	}
	return sums
}

func (f figures) shares(late time.Duration) []time.Duration {
	var all []time.Duration
	for _, l := range f {
		all = append(all, l.share(late))
	}
	return all
}

func (f figures) describe(late time.Duration) string {
	var parts []string
	for _, p := range everyPhase {
		if took := median(f.of(late, p)); took != 0 {
			parts = append(parts, fmt.Sprintf("%s %v", p, round(took)))
		}
	}
	return strings.Join(parts, ", ")
}

func describe(all []time.Duration) string {
	return fmt.Sprintf("median %v, worst %v of %d", round(median(all)), round(slices.Max(all)), len(all))
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
