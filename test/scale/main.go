// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Command scale plays a full restart and a zone failure of a large cluster in
// virtual time: the real ledger and the real EC2 client's logic of every pod
// against the model of EC2 with its token buckets. It prints how long it takes
// until all pods are routed, beside what the buckets allow, and writes it as
// JSON.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

func main() {
	var o options
	var limit time.Duration
	var merge bool
	flag.StringVar(&o.out, "out", "out/scale.json", "file for the figures")
	flag.IntVar(&o.workers, "workers", 1000, "workers, in three zones")
	flag.IntVar(&o.pods, "pods", 30, "pods per worker")
	flag.Uint64Var(&o.seed, "seed", 1, "of all random numbers; equal seeds give equal figures")
	flag.BoolVar(&o.refusedCost, "refused-calls-cost", false, "a throttled call takes what its bucket has of a token")
	flag.DurationVar(&limit, "cap", 0, "try another cap of the retries before a pod is first routed")
	flag.BoolVar(&merge, "merge", false, "try")
	flag.BoolVar(&o.long, "long", false, "play every throttled call through the ledger")
	flag.StringVar(&o.ways, "ways", "pod,worker,sample", "")
	flag.StringVar(&o.events, "events", "restart,zone", "")
	flag.Parse()
	debug.SetGCPercent(400) // there is much that lives for all of a run
	o.backoff = backoff{limit, merge}
	if err := run(os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

type options struct {
	out           string
	workers, pods int
	seed          uint64
	refusedCost   bool
	long          bool
	ways, events  string
	backoff       backoff
}
