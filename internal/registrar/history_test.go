// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package registrar_test

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// TestAfterAnyHistoryEC2EqualsTheKernel plays random histories of address
// changes, faults of EC2 and IMDS, crashes, restarts and rivals, with the real
// SDK against the model of EC2, in virtual time. When the faults stop, EC2 has
// exactly what the kernels have, and what was never ours was never touched.
func TestAfterAnyHistoryEC2EqualsTheKernel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := history{
			throttle:  rapid.Bool().Draw(rt, "throttle"),
			latency:   time.Duration(rapid.IntRange(0, 300).Draw(rt, "latency ms")) * time.Millisecond,
			staleness: time.Duration(rapid.IntRange(0, 60).Draw(rt, "staleness s")) * time.Second,
			steps:     rapid.SliceOfN(rapid.Custom(drawStep), 1, 40).Draw(rt, "steps"),
			last:      rapid.SliceOfN(rapid.IntRange(-1, len(podNames)-1), len(floating), len(floating)).Draw(rt, "last holders"),
		}
		var err error
		synctest.Test(t, func(t *testing.T) { err = h.play(t) })
		if err != nil {
			rt.Fatalf("%v", err)
		}
	})
}

// floating are the addresses that come and go.
var floating = []netip.Addr{
	netip.MustParseAddr("10.0.1.200"), netip.MustParseAddr("10.0.1.201"),
	netip.MustParseAddr("2600:1f14:1:201::200"), netip.MustParseAddr("2600:1f14:1:201::201"),
}

// A history is a world's behaviour and what happens in it.
type history struct {
	throttle           bool
	latency, staleness time.Duration
	steps              []step
	// last says which pod has each floating address in the end, -1 for none.
	last []int
}

// A step is one event.
type step struct {
	Do   string
	Pod  int
	Addr int
	N    int
	Wait time.Duration
}

var deeds = []string{"appear", "appear", "appear", "vanish", "vanish", "move", "move", "crash", "terminate", "rival takes", "rival removes",
	"throttled", "dropped before", "dropped after", "broken", "slow", "denied", "full", "IMDS down", "IMDS up", "faults end"}

func drawStep(rt *rapid.T) step {
	return step{
		Do:   rapid.SampledFrom(deeds).Draw(rt, "do"),
		Pod:  rapid.IntRange(0, len(podNames)-1).Draw(rt, "pod"),
		Addr: rapid.IntRange(0, len(floating)-1).Draw(rt, "address"),
		N:    rapid.IntRange(1, 6).Draw(rt, "n"),
		Wait: time.Duration(rapid.SampledFrom([]int{0, 1, 50, 200, 1000, 5000, 30000, 200000}).Draw(rt, "wait ms")) * time.Millisecond,
	}
}

// settle is enough for every slow retry, hold-down and stale hint to end.
const settle = 30 * time.Minute

func (h history) play(t *testing.T) error {
	w := newWorld(t, h)
	defer w.close()
	for _, s := range h.steps {
		w.do(s)
		time.Sleep(s.Wait)
	}
	w.endFaults()
	for i, a := range floating {
		for p, pod := range w.pods {
			if p == h.last[i] {
				pod.kernel.add(a)
			} else {
				pod.kernel.remove(a)
			}
		}
	}
	w.startAll()
	time.Sleep(settle)
	if err := w.compare(); err != nil {
		return fmt.Errorf("after %v:\n%w", settle, err)
	}
	for _, pod := range w.pods {
		pod.terminate()
	}
	return w.compare()
}
