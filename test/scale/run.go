// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/test/measured"
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

// run lets an event befall the cluster. Of the steady state only those who have
// something to do are played.
func (w *world) run(s *script, how way, limit time.Duration) {
	for _, p := range s.steady {
		if len(p.floats) > 0 {
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
	pods, floats := len(s.pods), len(s.floats)
	w.engine.run(limit, func() bool {
		for pods > 0 && s.pods[pods-1].ended() {
			pods--
		}
		for floats > 0 && s.floats[floats-1].ended() {
			floats--
		}
		return pods+floats == 0
	})
	w.close()
}

func (p *pod) ended() bool { return p.left == 0 || p.giveUp }

// count makes the result of a run.
func (w *world) count(s *script, name string) result {
	r := result{Event: s.name, Way: name, Pods: len(s.pods), Calls: w.account.tally}
	var took []float64
	first, last := time.Duration(math.MaxInt64), time.Duration(0)
	for _, p := range s.pods {
		first = min(first, p.starts)
		if p.left == 0 {
			last = max(last, p.routed)
			took = append(took, (p.routed - p.starts).Seconds())
		}
	}
	r.Routed, r.Total = len(took), (last - first).Seconds()
	r.Median, r.P99 = percentiles(took)
	r.Bound, r.Busiest = w.bound, w.busiest
	r.Floats, r.Routes = movesOf(s.floats, false), movesOf(s.floats, true)
	return r
}

func movesOf(floats []*float, across bool) (m moves) {
	var took []float64
	for _, f := range floats {
		if f.across != across {
			continue
		}
		if m.N++; f.left == 0 {
			took = append(took, (f.moved - f.at).Seconds())
		}
	}
	m.Moved = len(took)
	m.Median, m.P99 = percentiles(took)
	return m
}

// podRouted notes what the buckets need at least for the calls that have taken
// a token by now, since the first pod started.
func (w *world) podRouted(p *pod) {
	p.routed, w.bound = w.now, 0
	for _, action := range slices.Sorted(maps.Keys(w.account.tally)) {
		if b := bound(action, w.account.tally[action].Took-w.before[action]); b > w.bound {
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

// bound is the least time, in seconds, in which a bucket that is full at first
// lets so many calls of an action through. All Describes are filtered.
func bound(action string, calls int) float64 {
	size, refill := model.BucketSize(action, false)
	return max(0, (float64(calls)-size)/refill)
}

// percentiles are the median and the 99th percentile, 0 where there is none.
func percentiles(samples []float64) (median, p99 float64) {
	if len(samples) == 0 {
		return 0, 0
	}
	slices.Sort(samples)
	return measured.Percentile(samples, 50), measured.Percentile(samples, 99)
}
