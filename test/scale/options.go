// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/measured"
)

// options say what is played.
type options struct {
	out           string // file for the figures
	workers, pods int    // pods are of each worker
	seed          uint64 // of all random numbers; equal seeds give equal figures
	ways, events  string
	refusedCost   bool          // a throttled call takes what its bucket has of a token
	long          bool          // every throttled call goes through the ledger
	horizon       time.Duration // 0 for a day
	hints         time.Duration // between two looks at IMDS; 0 for none
}

// run plays every event in every way, one after the other.
func run(out, progress io.Writer, play func(o options, event, way string) (result, error), o options) error {
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
	var figures []measured.Figure
	for _, r := range results {
		figures = append(figures, r.figures()...)
	}
	return errors.Join(measured.WriteJSON(o.out, figures), missed(results))
}
