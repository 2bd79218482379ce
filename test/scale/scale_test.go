// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"reflect"
	"slices"
	"testing"
	"time"
)

// small is a cluster that is played in about a second.
func small() options { return options{workers: 12, pods: 20, seed: 1} }

func mustPlay(t *testing.T, o options, event, key string) result {
	t.Helper()
	r, err := play(o, event, key)
	if err != nil {
		t.Fatal(err)
	}
	for action, c := range r.Calls {
		t.Logf("%s, %s: %s %+v", r.Event, r.Way, action, *c)
	}
	t.Logf("routed %d of %d in %.1f s, the buckets need %.1f s for %s; floating IPs %+v %+v", r.Routed, r.Pods, r.Total, r.Bound, r.Busiest, r.Floats, r.Routes)
	return r
}

// TestFullRestart: everybody is routed, by one Describe per pod and one Assign
// per ENI and family, within a tenth of what the buckets allow, and not sooner.
func TestFullRestart(t *testing.T) {
	o := small()
	r := mustPlay(t, o, "restart", "pod")
	pods := o.workers * o.pods
	if r.Routed != pods {
		t.Errorf("%d of %d pods are routed", r.Routed, pods)
	}
	want := map[string]int{"DescribeNetworkInterfaces": pods, "AssignPrivateIpAddresses": pods * podNetworks, "AssignIpv6Addresses": pods * podNetworks}
	got := map[string]int{}
	for action, c := range r.Calls {
		got[action] = c.Took
	}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("calls %v, want %v", got, want)
	}
	// The pods themselves start over two minutes, so the buckets' time is short
	// beside that of the start in a cluster as small as this one.
	least := bound("AssignPrivateIpAddresses", pods*podNetworks)
	if r.Bound != least || r.Total < least {
		t.Errorf("all are routed in %.1f s, sooner than the %.1f s (computed: %.1f s) that the bucket needs", r.Total, r.Bound, least)
	}
}

// TestWithinTheGoal is a cluster that is large enough for the buckets, not the
// kubelets, to decide.
func TestWithinTheGoal(t *testing.T) {
	o := small()
	o.workers, o.pods = 50, 30
	r := mustPlay(t, o, "restart", "pod")
	if r.Routed != r.Pods || r.ratio() < 1 || r.ratio() > goalRatio {
		t.Errorf("%d of %d routed, in %.3f times what the buckets need", r.Routed, r.Pods, r.ratio())
	}
	if missed([]result{r}) != nil {
		t.Error("the goal counts as missed")
	}
	r.Total = 1.2 * r.Bound
	if missed([]result{r}) == nil {
		t.Error("a total of 1.2 times the bound counts as reached")
	}
	r.Total, r.Routed = r.Bound, r.Pods-1
	if missed([]result{r}) == nil {
		t.Error("a pod that is not routed does not count")
	}
}

// TestZoneFailure: the lost pods are routed elsewhere, and all floating IPs
// have moved, IPv6 by way of their owner.
func TestZoneFailure(t *testing.T) {
	for _, key := range []string{"pod", "agent"} {
		o := small()
		o.workers, o.pods = 48, 30
		r := mustPlay(t, o, "zone", key)
		if r.Pods != o.workers/zones*o.pods || r.Routed != r.Pods {
			t.Errorf("%s: %d of %d pods are routed", key, r.Routed, r.Pods)
		}
		if r.Floats.N == 0 || r.Floats.Moved != r.Floats.N || r.Routes.N == 0 || r.Routes.Moved != r.Routes.N {
			t.Errorf("%s: floating IPs %+v and %+v", key, r.Floats, r.Routes)
		}
		if got := r.Calls["UnassignIpv6Addresses"].Took; got != r.Floats.N {
			t.Errorf("%s: %d IPv6 addresses were taken from their owners, want %d", key, got, r.Floats.N)
		}
		if got, want := r.Calls["ReplaceRoute"].Took, r.Routes.N*zones*2; got != want {
			t.Errorf("%s: %d routes were replaced, want %d", key, got, want)
		}
	}
}

// TestReproducible: equal seeds give equal figures, others do not.
func TestReproducible(t *testing.T) {
	for _, event := range []string{"restart", "zone"} {
		for _, key := range []string{"pod", "agent", "sample"} {
			o := small()
			one, two := mustPlay(t, o, event, key), mustPlay(t, o, event, key)
			if !reflect.DeepEqual(one, two) {
				t.Errorf("%s, %s: seed 1 gave\n%+v, then\n%+v", event, key, one, two)
			}
			o.seed = 2
			if reflect.DeepEqual(one.figures(), mustPlay(t, o, event, key).figures()) {
				t.Errorf("%s, %s: seeds 1 and 2 gave the same", event, key)
			}
		}
	}
}

// TestShortcutsAreFaithful holds the retries that are not played through the
// ledger against the long way.
func TestShortcutsAreFaithful(t *testing.T) {
	for name, limit := range map[string]time.Duration{"as it is": 0, "patient": time.Minute} {
		t.Run(name, func(t *testing.T) {
			o := small()
			o.workers, o.limit = 30, limit
			short := mustPlay(t, o, "restart", "pod")
			o.long = true
			long := mustPlay(t, o, "restart", "pod")
			near := func(what string, a, b, by float64) {
				if math.Abs(a-b) > by*b {
					t.Errorf("%s: %.1f by the shortcut, %.1f by the long way", what, a, b)
				}
			}
			near("total", short.Total, long.Total, 0.15) // the last few retries decide
			near("a pod's 99th percentile", short.P99, long.P99, 0.15)
			for action, c := range long.Calls {
				if short.Calls[action].Took != c.Took {
					t.Errorf("%s: %d calls by the shortcut, %d by the long way", action, short.Calls[action].Took, c.Took)
				}
				if c.Throttled > 100 {
					near(action+" throttled", float64(short.Calls[action].Throttled), float64(c.Throttled), 0.07)
				}
			}
		})
	}
}

// TestAgentNeedsFewerCalls: one registrar per worker sends several pods'
// addresses in one call.
func TestAgentNeedsFewerCalls(t *testing.T) {
	o := small()
	o.workers, o.pods = 48, 30
	r := mustPlay(t, o, "restart", "agent")
	if r.Routed != r.Pods {
		t.Errorf("%d of %d pods are routed", r.Routed, r.Pods)
	}
	if got, single := r.Calls["AssignPrivateIpAddresses"].Took, r.Pods*podNetworks; got > single/2 {
		t.Errorf("%d calls for %d addresses", got, single)
	}
}

// TestSampleLosesPods: with the AWS sample's five attempts some pods are never
// routed once the buckets are empty, and all of them where they are not.
func TestSampleLosesPods(t *testing.T) {
	o := small()
	o.workers, o.pods = 6, 3
	if r := mustPlay(t, o, "restart", "sample"); r.Routed != r.Pods {
		t.Errorf("unhurried: %d of %d pods are routed", r.Routed, r.Pods)
	}
	o.workers, o.pods = 48, 30
	if r := mustPlay(t, o, "restart", "sample"); r.Routed == 0 || r.Routed == r.Pods {
		t.Errorf("%d of %d pods are routed", r.Routed, r.Pods)
	}
}

// TestRefusedCallsCost: where throttled calls cost tokens, those who wait keep
// one another from getting any.
func TestRefusedCallsCost(t *testing.T) {
	o := small()
	o.workers, o.pods, o.horizon = 16, 30, 4*time.Minute
	if free := mustPlay(t, o, "restart", "pod"); free.Routed != free.Pods {
		t.Errorf("%d of %d pods are routed where throttled calls cost nothing", free.Routed, free.Pods)
	}
	o.refusedCost = true
	if dear := mustPlay(t, o, "restart", "pod"); dear.Routed == dear.Pods {
		t.Error("all pods are routed where throttled calls cost tokens")
	}
}

// TestCheck finds a pod that counts as routed and is not.
func TestCheck(t *testing.T) {
	c := newCluster(6)
	s := &script{}
	p := s.start(c.workers[0], 0)
	w, err := newWorld(small(), c, backoff{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.left = 0
	if _, err := w.count(s, ""); err == nil {
		t.Error("EC2 has no address of the pod, and that is not noticed")
	}
}

// TestEngine: events happen in the order of time, then of planning; a task
// sleeps in between, and one that still sleeps at the end is told.
func TestEngine(t *testing.T) {
	e := newEngine()
	var got []string
	say := func(s string) func() { return func() { got = append(got, s) } }
	e.at(3*time.Second, say("c"))
	e.at(time.Second, say("a"))
	e.at(3*time.Second, say("d"))
	var over bool
	e.spawn(func(task *task) {
		task.sleep(2 * time.Second)
		say("b")()
		over = !task.sleep(time.Hour)
	})
	e.run(time.Minute, func() bool { return false })
	e.close()
	if want := []string{"a", "b", "c", "d"}; !slices.Equal(got, want) || e.now != 3*time.Second || !over {
		t.Errorf("got %v at %v, over %t", got, e.now, over)
	}
}

// TestBound: the lower bound of AWS's own example and of 300 pods.
func TestBound(t *testing.T) {
	for _, tt := range []struct {
		action string
		calls  int
		want   float64
	}{
		{"AssignPrivateIpAddresses", 300, 40},
		{"AssignIpv6Addresses", 100, 0},
		{"DescribeNetworkInterfaces", 120, 1},
		{"ReplaceRoute", 60, 2},
	} {
		if got := bound(tt.action, tt.calls); got != tt.want {
			t.Errorf("%d %s need %g s, want %g", tt.calls, tt.action, got, tt.want)
		}
	}
}
