// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// horizon ends a run whose pods are never all routed.
const horizon = 24 * time.Hour

// A result is one event, met in one way.
type result struct {
	Event, Way string
	// goal says that the ratio to the bound is a goal.
	goal bool
	// Pods start, and Routed of them come to be routed; the others never will.
	Pods, Routed int
	// Total is the time from the first start until the last pod was routed,
	// in seconds; Median and P99 are a pod's own from its start.
	Total, Median, P99 float64
	// Calls are the EC2 calls by action.
	Calls map[string]*tally
	// Bound is what the buckets need, in seconds, for the calls that had taken
	// a token when the last pod was routed, of the action Busiest that needs
	// longest.
	Bound   float64
	Busiest string
	// Floats and Routes are floating IPs inside of a zone and across zones:
	// seconds from their appearance until EC2 has both families.
	Floats, Routes moves
}

// moves are how long floating IPs took to move, in seconds.
type moves struct {
	N, Moved    int
	Median, P99 float64
}

func (f *float) acked(a netip.Addr, now time.Duration) {
	if a != f.addr.v4 && a != f.addr.v6 {
		return
	}
	if f.left--; f.left == 0 {
		f.moved = now
	}
}

// run lets an event befall the cluster. Of the steady state only those who have
// something to do are played, unless all are.
func (w *world) run(s *script, how way, all bool, limit time.Duration) {
	for _, p := range s.steady {
		needed := slices.ContainsFunc(s.floats, func(f *float) bool { return f.to == p })
		if (needed || all) && p.worker.zone != 0 {
			w.at(p.starts, func() { how.start(p) })
		}
	}
	if len(s.steady) > 0 {
		w.at(failedAt-time.Second, func() { w.account.tally = map[string]*tally{} })
	}
	w.at(slices.MinFunc(s.pods, func(a, b *pod) int { return int(a.starts - b.starts) }).starts, w.firstStart)
	for _, p := range s.pods {
		w.at(p.starts, func() { how.start(p) })
	}
	for _, f := range s.floats {
		w.at(f.at, func() { how.float(f) })
	}
	for i, r := range s.routes {
		dice := w.dice(len(s.pods) + len(s.steady) + i)
		w.at(r.at, func() { r.move(w, s.tables, dice) })
	}
	pods, floats, routes := len(s.pods), len(s.floats), len(s.routes)
	w.engine.run(limit, func() bool {
		for pods > 0 && s.pods[pods-1].ended() {
			pods--
		}
		for floats > 0 && s.floats[floats-1].ended() {
			floats--
		}
		for routes > 0 && s.routes[routes-1].moved > 0 {
			routes--
		}
		return pods+floats+routes == 0
	})
	w.close()
}

func (p *pod) ended() bool   { return p.left == 0 || p.giveUp }
func (f *float) ended() bool { return f.left == 0 || f.over }

// count makes the result of a run.
func (w *world) count(s *script, name string) (result, error) {
	r := result{Event: s.name, Way: name, Pods: len(s.pods), Calls: w.account.tally}
	var took []float64
	first, last := time.Duration(math.MaxInt64), time.Duration(0)
	for _, p := range s.pods {
		first = min(first, p.starts)
		if p.left > 0 {
			continue
		}
		last = max(last, p.routed)
		took = append(took, (p.routed - p.starts).Seconds())
		if err := w.check(p); err != nil {
			return r, err
		}
	}
	r.Routed, r.Total = len(took), (last - first).Seconds()
	r.Median, r.P99 = percentiles(took)
	r.Bound, r.Busiest = w.bound, w.busiest
	var inside, across []float64
	for _, f := range s.floats {
		if f.left == 0 {
			inside = append(inside, (f.moved - f.at).Seconds())
		}
	}
	for _, f := range s.routes {
		if f.moved > 0 {
			across = append(across, (f.moved - f.at).Seconds())
		}
	}
	r.Floats = moves{N: len(s.floats), Moved: len(inside)}
	r.Floats.Median, r.Floats.P99 = percentiles(inside)
	r.Routes = moves{N: len(s.routes), Moved: len(across)}
	r.Routes.Median, r.Routes.P99 = percentiles(across)
	return r, nil
}

// podRouted notes what the buckets need at least for the calls that have taken
// a token by now, since the first pod started.
func (w *world) podRouted(p *pod) {
	p.routed, w.bound = w.now, 0
	for action, t := range w.account.tally {
		if b := bound(action, t.Took-w.before[action]); b > w.bound {
			w.bound, w.busiest = b, action
		}
	}
}

// firstStart notes what was called before any pod started.
func (w *world) firstStart() {
	w.before = map[string]int{}
	for action, t := range w.account.tally {
		w.before[action] = t.Took
	}
}

// check holds what the pod believes against what EC2 has.
func (w *world) check(p *pod) error {
	for _, n := range p.nets {
		for _, a := range []netip.Addr{n.v4, n.v6} {
			if e, held := w.account.vpc.Owner(a); !held || e.ID != n.eni.facts.ID {
				return fmt.Errorf("a pod on %s counts as routed, and EC2 has %s on %q", p.worker.name, a, e.ID)
			}
		}
	}
	return nil
}

// bound is the least time, in seconds, in which a bucket that is full at first
// lets so many calls of an action through. All Describes are filtered.
func bound(action string, calls int) float64 {
	size, refill := model.BucketSize(action, false)
	return max(0, (float64(calls)-size)/refill)
}

// percentiles are the median and the 99th percentile: the smallest sample that
// so many are not above.
func percentiles(samples []float64) (median, p99 float64) {
	if len(samples) == 0 {
		return 0, 0
	}
	slices.Sort(samples)
	at := func(p int) float64 { return samples[max(0, (len(samples)*p+99)/100-1)] }
	return at(50), at(99)
}
