// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/measured"
)

// goalRatio is how much longer than the lower bound it may take.
const goalRatio = 1.10

func (r result) ratio() float64 { return r.Total / max(r.Bound, 1) }

func (r result) reached() bool { return !r.goal || r.Routed == r.Pods && r.ratio() <= goalRatio }

// printAll prints Markdown, as docs/scale.md has it.
func printAll(out io.Writer, o options, results []result) {
	events := map[string][]result{}
	var order []string
	for _, r := range results {
		if events[r.Event] == nil {
			order = append(order, r.Event)
		}
		events[r.Event] = append(events[r.Event], r)
	}
	for _, event := range order {
		fmt.Fprintf(out, "\n### %s: %d pods start\n\n", event, events[event][0].Pods)
		printTimes(out, events[event])
		fmt.Fprintln(out)
		printCalls(out, events[event])
	}
	printCoalesced(out, o)
	fmt.Fprintf(out, "\nPlayed by `make scale`: %d workers, %d pods, seed %d.\n", o.workers, o.workers*o.pods, o.seed)
}

func printTimes(out io.Writer, results []result) {
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| How\t| Routed\t| All after\t| Buckets allow\t| Ratio\t| A pod: median\t| p99\t| Floating IP inside a zone: median\t| p99\t| Across zones: median\t| p99\t|")
	fmt.Fprintln(w, "|---\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|")
	for _, r := range results {
		mark := ""
		if !r.reached() {
			mark = " **missed**"
		}
		all, ratio := clock(r.Total), fmt.Sprintf("%.3f", r.ratio())
		if r.Routed < r.Pods {
			all, ratio = "never", "–"
		}
		fmt.Fprintf(w, "| %s\t| %d\t| %s\t| %s\t| %s%s\t| %s\t| %s\t| %s\t| %s\t|\n",
			r.Way, r.Routed, all, clock(r.Bound), ratio, mark, clock(r.Median), clock(r.P99), r.Floats, r.Routes)
	}
	w.Flush()
}

// String is median and 99th percentile as two cells.
func (m moves) String() string {
	if m.Moved == 0 {
		return "–\t| –"
	}
	s := clock(m.Median) + "\t| " + clock(m.P99)
	if m.Moved < m.N {
		s += fmt.Sprintf(", %d of %d never", m.N-m.Moved, m.N)
	}
	return s
}

// clock is a time as people say it.
func clock(seconds float64) string {
	if seconds < 60 {
		return fmt.Sprintf("%.1f s", seconds)
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}

func printCalls(out io.Writer, results []result) {
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| How\t| Action\t| Calls that took a token\t| Throttled\t| Bucket needs\t|")
	fmt.Fprintln(w, "|---\t|---\t|---:\t|---:\t|---:\t|")
	for _, r := range results {
		for _, action := range slices.Sorted(maps.Keys(r.Calls)) {
			t := r.Calls[action]
			fmt.Fprintf(w, "| %s\t| %s\t| %d\t| %d\t| %s\t|\n", r.Way, action, t.Took, t.Throttled, clock(bound(action, t.Took)))
		}
	}
	w.Flush()
}

// printCoalesced says what one call per ENI and family would need at least.
func printCoalesced(out io.Writer, o options) {
	enis := 0
	for _, w := range newCluster(o.workers).workers {
		enis += len(w.enis)
	}
	assign := bound("AssignPrivateIpAddresses", enis)
	ask := bound("DescribeNetworkInterfaces", o.workers)
	fmt.Fprintf(out, "\nOne call per ENI and family, for all pods of a worker at once: %d Describes (%s) and 2 × %d Assigns (%s side by side).\n",
		o.workers, clock(ask), enis, clock(assign))
}

func (r result) figures() []measured.Figure {
	of := func(what, unit string, median, p99 float64, n int) measured.Figure {
		return measured.Figure{Name: r.Event + ", " + r.Way + ": " + what, Unit: unit, Median: median, P99: p99, N: n}
	}
	total := of("all routed after", "s", r.Total, r.Total, r.Pods)
	if r.goal {
		total.Goal = fmt.Sprintf("≤ %g", goalRatio*r.Bound)
	}
	out := []measured.Figure{
		of("pods routed", "pods", float64(r.Routed), float64(r.Routed), r.Pods), total,
		of("the buckets need, for "+r.Busiest, "s", r.Bound, r.Bound, 1),
		of("a pod is routed after", "s", r.Median, r.P99, r.Routed),
	}
	if r.Floats.N > 0 {
		out = append(out, of("a floating IP inside a zone has moved after", "s", r.Floats.Median, r.Floats.P99, r.Floats.Moved))
	}
	if r.Routes.N > 0 {
		out = append(out, of("a floating IP across zones has moved after", "s", r.Routes.Median, r.Routes.P99, r.Routes.Moved))
	}
	for _, action := range slices.Sorted(maps.Keys(r.Calls)) {
		t := r.Calls[action]
		out = append(out, of(action+" that took a token", "calls", float64(t.Took), float64(t.Took), 1),
			of(action+" throttled", "calls", float64(t.Throttled), float64(t.Throttled), 1))
	}
	return out
}

// missed names the goals that were not reached.
func missed(results []result) error {
	var names []string
	for _, r := range results {
		if !r.reached() {
			names = append(names, fmt.Sprintf("%s: %d of %d pods routed, in %.2f times what the buckets need", r.Event, r.Routed, r.Pods, r.ratio()))
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("goals not reached: %s", strings.Join(names, "; "))
	}
	return nil
}
