// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
)

func run(out io.Writer, o options) error {
	for _, ev := range strings.Split(o.events, ",") {
		for _, name := range strings.Split(o.ways, ",") {
			began := time.Now()
			r, err := play(o, ev, name, o.backoff)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%s %s: pods %d routed %d total %.0f bound %.0f (%s) ratio %.3f median %.1f p99 %.1f throttled %d  floats %+v routes %+v [%.1fs]\n", r.Event, r.Way, r.Pods, r.Routed, r.Total, r.Bound, r.Busiest, r.Total/r.Bound, r.Median, r.P99, r.throttled(), r.Floats, r.Routes, time.Since(began).Seconds())
			for a, t := range r.Calls {
				fmt.Fprintf(out, "   %s %+v\n", a, *t)
			}
		}
	}
	return nil
}

func play(o options, ev, name string, b backoff) (result, error) {
	c := newCluster(o.workers)
	dice := rand.New(rand.NewPCG(o.seed, 1<<32))
	var s *script
	if ev == "restart" {
		s = restart(c, o.pods, dice)
	} else {
		s = zoneFailure(c, o.pods, dice)
	}
	w, err := newWorld(o, c, b, s.tables)
	if err != nil {
		return result{}, err
	}
	how := map[string]func(*world) way{"pod": newPerPod, "worker": newPerWorker, "sample": newSample}[name](w)
	w.run(s, how, name == "worker")
	return w.count(s, name)
}
