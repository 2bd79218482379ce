// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package registrar_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/laws"
)

// historiesEnv is how many histories to play; that wants a longer -timeout.
// Failing ones are kept in testdata/rapid and played first.
const historiesEnv = "HISTORIES"

// TestAfterAnyHistoryEC2EqualsTheKernel plays random histories of hand-overs,
// faults of EC2, IMDS and the talk of siblings, crashes, power cuts, replaced
// ENIs and rivals, with the real SDK against the model of EC2, in virtual time.
// No call ever breaks a law, and when the faults stop, EC2 has exactly what the
// kernels have, and nobody asks it any more.
func TestAfterAnyHistoryEC2EqualsTheKernel(t *testing.T) {
	if n := os.Getenv(historiesEnv); n != "" {
		if _, err := strconv.Atoi(n); err != nil {
			t.Fatalf("%s is %q: %v", historiesEnv, n, err)
		}
		debug.SetGCPercent(400)
		if err := flag.Set("rapid.checks", n); err != nil {
			t.Fatal(err)
		}
	}
	began, played := time.Now(), 0
	var seen laws.Count
	rapid.Check(t, func(rt *rapid.T) {
		h := drawHistory(rt)
		var err error
		synctest.Test(t, func(t *testing.T) {
			var count laws.Count
			count, err = h.play(t)
			seen.Add(count)
		})
		if err != nil {
			rt.Fatalf("%v", err)
		}
		if played++; played%1000 == 0 {
			fmt.Printf("%d histories, %.1f a second, %+v\n", played, float64(played)/time.Since(began).Seconds(), seen)
		}
	})
	t.Logf("%d histories, %.1f a second, %+v", played, float64(played)/time.Since(began).Seconds(), seen)
}

// A history is a world's behaviour and what happens in it.
type history struct {
	throttle                   bool
	latency, jitter, staleness time.Duration
	talk                       manner
	assume                     []bool
	// named says that the floating IPs of the subnet are named in the annotation.
	named bool
	// keeps is the pod that never releases, -1 for none.
	keeps int
	steps []step
	// last are the pods that have each floating address in the end.
	last [][]int
	// dark says that workers without power stay so; barred that nobody may
	// unassign in the end.
	dark, barred bool
}

// A step is one event.
type step struct {
	Do   string
	Pod  int
	Addr int
	N    int
	Wait time.Duration
}

// deeds are what can happen; what is there twice is likelier.
var deeds = []string{
	"appear", "appear", "vanish", "vanish", "move", "move", "move", "flap", "both",
	"crash", "crash in flight", "terminate", "power cut", "power", "annotate", "new ENI",
	"rival takes", "rival removes", "throttled", "nine of ten", "dropped before", "dropped after", "broken", "slow", "EC2 down",
	"denied", "full", "IMDS down", "IMDS blocked", "IMDS up", "IMDS stale", "deaf", "hearing", "faults end",
}

func drawHistory(rt *rapid.T) history {
	pick := func(label string, ms ...int) time.Duration {
		return time.Duration(rapid.SampledFrom(ms).Draw(rt, label)) * time.Millisecond
	}
	h := history{
		throttle:  rapid.Bool().Draw(rt, "throttle"),
		latency:   pick("latency ms", 0, 20, 100, 300, 1000, 3000),
		jitter:    pick("jitter ms", 0, 5, 200, 2700),
		staleness: pick("staleness ms", 0, 2000, 30000, 60000),
		talk: manner{loss: rapid.SampledFrom([]int{0, 0, 10, 50, 100}).Draw(rt, "loss %"), delay: pick("delay ms", 0, 1, 5, 100),
			seed: rapid.Uint64().Draw(rt, "seed")},
		assume: rapid.SliceOfN(rapid.Bool(), 6, 6).Draw(rt, "assumptions"),
		named:  rapid.Bool().Draw(rt, "named"),
		keeps:  rapid.SampledFrom([]int{-1, -1, -1, -1, 0, 1, 2, 3}).Draw(rt, "keeps"),
		steps:  rapid.SliceOfN(rapid.Custom(drawStep), 1, 40).Draw(rt, "steps"),
		dark:   rapid.Bool().Draw(rt, "dark"),
		barred: rapid.SampledFrom([]bool{false, false, false, false, false, false, true}).Draw(rt, "barred"),
	}
	holders := rapid.SampledFrom([][]int{{}, {0}, {1}, {2}, {3}, {0, 1}, {1, 2}, {1, 3}})
	for i := range floating {
		h.last = append(h.last, holders.Draw(rt, fmt.Sprintf("last holders of %v", floating[i])))
	}
	return h
}

func drawStep(rt *rapid.T) step {
	return step{
		Do:   rapid.SampledFrom(deeds).Draw(rt, "do"),
		Pod:  rapid.IntRange(0, len(homes)-1).Draw(rt, "pod"),
		Addr: rapid.IntRange(0, len(floating)-1).Draw(rt, "address"),
		N:    rapid.IntRange(1, 6).Draw(rt, "n"),
		Wait: time.Duration(rapid.SampledFrom([]int{0, 1, 10, 50, 200, 1000, 3000, 12000, 60000, 200000}).Draw(rt, "wait ms")) * time.Millisecond,
	}
}

const (
	// settle is enough for every slow retry, hold-down and stale hint to end.
	settle = 40 * time.Minute
	// glance is the time between two looks whether all is well.
	glance = 2 * time.Minute
	// idle is how long nobody may call EC2 in the end; it is longer than the
	// slowest retry.
	idle = 6 * time.Minute
)

func (h history) play(t *testing.T) (laws.Count, error) {
	w := newWorld(t, h)
	defer w.close()
	for _, s := range h.steps {
		w.do(s)
		w.wait(s.Wait)
	}
	w.calm()
	err := cmp.Or(w.untilTrue(), w.lawful())
	if err == nil {
		err = w.idles()
	}
	if err == nil && !h.barred {
		w.terminateAll()
		err = cmp.Or(w.compare(), w.lawful())
	}
	count, _ := w.audit.Result()
	return count, err
}

// lawful says which laws were broken.
func (w *world) lawful() error {
	if _, breaches := w.audit.Result(); len(breaches) > 0 {
		return fmt.Errorf("%s\n%s", strings.Join(breaches, "\n"), w.tell())
	}
	return nil
}

// untilTrue waits until EC2 is as it is to be, at two looks in a row.
func (w *world) untilTrue() error {
	well := 0
	for began := time.Now(); ; {
		w.wait(glance)
		err := w.compare()
		if well++; err != nil {
			well = 0
		}
		if well == 2 {
			return nil
		}
		if time.Since(began) > settle {
			return fmt.Errorf("%v after the last fault:\n%w", settle, err)
		}
	}
}

// idles says whether nobody calls EC2 while nothing happens (law 8). Routes are
// looked at every few minutes, which is no idleness, nor is a fight, nor what is
// tried again without the right to it.
func (w *world) idles() error {
	if w.h.barred || slices.ContainsFunc(w.h.last, func(at []int) bool { return len(at) > 1 }) {
		return nil
	}
	var calls string
	for range 3 {
		w.vpc.ResetCalls()
		w.wait(idle)
		if err := w.compare(); err != nil {
			return fmt.Errorf("while nothing happens:\n%w", err)
		}
		if calls = w.needless(); calls == "" {
			return nil
		}
	}
	return fmt.Errorf("calls while nothing happens:\n%s%s", calls, w.tell())
}
