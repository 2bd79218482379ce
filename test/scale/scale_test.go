// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"encoding/json"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/test/measured"
)

var (
	flagOut     = flag.String("out", "", "file for the figures, \"\" for none")
	flagWorkers = flag.Int("workers", 24, "workers of TestScale, in three zones")
	flagPods    = flag.Int("pods", 30, "pods per worker of TestScale")
	flagSeed    = flag.Uint64("seed", 1, "of all random numbers of TestScale; equal seeds give equal figures")
	flagWays    = flag.String("ways", "pod,sample", "which ways TestScale plays")
	flagEvents  = flag.String("events", "zone,restart", "which events TestScale plays")
)

// TestScale plays what the flags say, prints it, and fails where a goal is
// missed. With far fewer workers the kubelets decide how long it takes, not the
// buckets.
func TestScale(t *testing.T) {
	o := options{out: *flagOut, workers: *flagWorkers, pods: *flagPods, seed: *flagSeed, ways: *flagWays, events: *flagEvents}
	if o.out == "" {
		o.out = filepath.Join(t.TempDir(), "scale.json")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // most of the memory lives as long as a run
	var tables strings.Builder
	err := run(io.MultiWriter(os.Stdout, &tables), os.Stderr, inBubble(t), o)
	if err != nil {
		t.Error(err)
	}
	var figures []measured.Figure
	raw, err := os.ReadFile(o.out)
	if err != nil || json.Unmarshal(raw, &figures) != nil {
		t.Fatalf("%s has no figures: %v", o.out, err)
	}
	for key := range strings.SplitSeq(o.ways, ",") {
		m, _ := mannerOf(key)
		told := slices.ContainsFunc(figures, func(f measured.Figure) bool { return strings.Contains(f.Name, m.name) && f.Median > 0 })
		if !told || !strings.Contains(tables.String(), m.name) {
			t.Errorf("nothing is told of %s", m.name)
		}
	}
}

// small is a cluster that is played in less than a second.
func small() options { return options{workers: 12, pods: 20, seed: 1} }

// inBubble is play in fake time of its own.
func inBubble(t *testing.T) func(options, string, string) (result, error) {
	return func(o options, event, way string) (r result, err error) {
		synctest.Test(t, func(*testing.T) { r, err = play(o, event, way) })
		return r, err
	}
}

func mustPlay(t *testing.T, o options, event, key string) result {
	t.Helper()
	r, err := inBubble(t)(o, event, key)
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
	for _, hints := range []time.Duration{never, ledger.DefaultHintInterval} {
		t.Run("a look at IMDS every "+hints.String(), func(t *testing.T) {
			o := small()
			o.workers, o.pods, o.hints = 14, 30, hints
			testFullRestart(t, o)
		})
	}
}

func testFullRestart(t *testing.T, o options) {
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
	if r.Calls["AssignPrivateIpAddresses"].Throttled == 0 {
		t.Error("nothing was throttled: the cluster is too small to tell anything")
	}
	// The pods themselves start over two minutes, so the buckets' time is short
	// beside that of the start in a cluster as small as this one.
	least := bound("AssignPrivateIpAddresses", pods*podNetworks)
	if r.Bound != least || r.Total < least {
		t.Errorf("all are routed in %.1f s, sooner than the %.1f s (computed: %.1f s) that the bucket needs", r.Total, r.Bound, least)
	}
}

// TestGoal: a tenth more than the buckets allow reaches it, more or a lost pod
// does not.
func TestGoal(t *testing.T) {
	for _, tt := range []struct {
		routed  int
		total   float64
		reached bool
	}{{10, 110, true}, {10, 111, false}, {9, 100, false}} {
		r := result{goal: true, Pods: 10, Routed: tt.routed, Total: tt.total, Bound: 100}
		if (missed([]result{r}) == nil) != tt.reached {
			t.Errorf("%d of 10 routed in %g s of 100 s: reached %t, want %t", tt.routed, tt.total, !tt.reached, tt.reached)
		}
	}
}

// TestZoneFailure: the lost pods are routed elsewhere, and all floating IPs
// have moved, IPv6 by way of their owner. play has looked at EC2.
func TestZoneFailure(t *testing.T) {
	o := small()
	o.workers, o.pods = 24, 30
	r := mustPlay(t, o, "zone", "pod")
	if r.Pods != o.workers/zones*o.pods || r.Routed != r.Pods {
		t.Errorf("%d of %d pods are routed", r.Routed, r.Pods)
	}
	if r.Floats.N == 0 || r.Floats.Moved != r.Floats.N || r.Routes.N == 0 || r.Routes.Moved != r.Routes.N {
		t.Errorf("floating IPs %+v and %+v", r.Floats, r.Routes)
	}
	if got := r.Calls["UnassignIpv6Addresses"].Took; got < r.Floats.N {
		t.Errorf("%d IPv6 addresses were taken from their owners, want at least %d", got, r.Floats.N)
	}
	if got, want := r.Calls["ReplaceRoute"].Took, r.Routes.N*zones*2; got != want {
		t.Errorf("%d routes were replaced, want %d", got, want)
	}
	if got, want := r.Calls["DescribeRouteTables"].Took, 2*r.Routes.N; got < want {
		t.Errorf("%d looks at where routes lead, want at least %d", got, want)
	}
}

// TestReproducible: equal seeds give equal figures, others do not.
func TestReproducible(t *testing.T) {
	for _, event := range []string{"restart", "zone"} {
		for _, key := range []string{"pod", "sample"} {
			o := small()
			o.pods = 10
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
	o := small()
	o.workers, o.pods = 15, 30
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
		if strings.HasPrefix(action, "Assign") && c.Throttled < 1000 {
			t.Errorf("%s: %d were throttled, too few to compare", action, c.Throttled)
		}
		if c.Throttled > 100 {
			near(action+" throttled", float64(short.Calls[action].Throttled), float64(c.Throttled), 0.07)
		}
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
	o.workers, o.pods = 24, 30
	if r := mustPlay(t, o, "restart", "sample"); r.Routed == 0 || r.Routed == r.Pods {
		t.Errorf("%d of %d pods are routed", r.Routed, r.Pods)
	}
}

// TestRefusedCallsCost: where throttled calls cost tokens, those who wait keep
// one another from getting any.
func TestRefusedCallsCost(t *testing.T) {
	o := small()
	o.workers, o.pods, o.horizon = 14, 30, 100*time.Second
	free := mustPlay(t, o, "restart", "pod")
	o.refusedCost = true
	if dear := mustPlay(t, o, "restart", "pod"); dear.Routed*3 > free.Routed*2 {
		t.Errorf("%d pods are routed where throttled calls cost tokens, and %d where they do not", dear.Routed, free.Routed)
	}
}

// TestCheck finds a pod that counts as routed and is not.
func TestCheck(t *testing.T) {
	c := newCluster(6)
	s := &script{}
	p := s.start(c.workers[0], 0)
	w, err := newWorld(small(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.left = 0
	if w.check(s) == nil {
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
