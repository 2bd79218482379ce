// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Command scale plays a full restart and a zone failure of a large cluster in
// virtual time: the real ledger and the real EC2 client's logic of every pod
// against the model of EC2 with its token buckets. It prints how long it takes
// until all pods are routed, beside what the buckets allow, and writes it as
// JSON.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.out, "out", "out/scale.json", "file for the figures")
	flag.IntVar(&o.workers, "workers", 1000, "workers, in three zones")
	flag.IntVar(&o.pods, "pods", 30, "pods per worker")
	flag.Uint64Var(&o.seed, "seed", 1, "of all random numbers; equal seeds give equal figures")
	flag.StringVar(&o.ways, "ways", "pod,patient,agent,sample", "which ways to play")
	flag.StringVar(&o.events, "events", "restart,zone", "which events to play")
	flag.DurationVar(&o.limit, "cap", 0, "try this cap of the retries instead, until a pod is first routed")
	flag.BoolVar(&o.refusedCost, "refused-calls-cost", false, "a throttled call takes what its bucket has of a token (AWS does not say); implies -long")
	flag.BoolVar(&o.long, "long", false, "play every throttled call through the ledger: slow")
	flag.Parse()
	debug.SetGCPercent(400) // most of the memory lives as long as a run
	if err := run(os.Stdout, os.Stderr, o); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

type options struct {
	out               string
	workers, pods     int
	seed              uint64
	ways, events      string
	limit             time.Duration
	refusedCost, long bool
	horizon           time.Duration // 0 for a day
}

// run plays every event in every way, one after the other.
func run(out, progress io.Writer, o options) error {
	if o.workers < 2*zones || o.pods < 1 || o.pods > 30 {
		return fmt.Errorf("%d workers with %d pods each: give at least %d workers, and 1 to 30 pods", o.workers, o.pods, 2*zones)
	}
	var results []result
	for event := range strings.SplitSeq(o.events, ",") {
		for key := range strings.SplitSeq(o.ways, ",") {
			began := time.Now()
			r, err := play(o, event, key)
			if err != nil {
				return err
			}
			fmt.Fprintf(progress, "%s, %s: played in %.1f s\n", r.Event, r.Way, time.Since(began).Seconds())
			results = append(results, r)
		}
	}
	printAll(out, o, results)
	return errors.Join(writeJSON(o.out, results), missed(results))
}
