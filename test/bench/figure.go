// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/measured"
)

// A figure is one measured thing and what it may be at most.
type figure struct {
	measured.Figure
	maxMedian, maxP99 float64
}

// of makes a figure of samples.
func of(name, unit string, samples []float64, maxMedian, maxP99 float64, peer string) figure {
	slices.Sort(samples)
	f := figure{maxMedian: maxMedian, maxP99: maxP99, Figure: measured.Figure{
		Name: name, Unit: unit, N: len(samples), Median: measured.Percentile(samples, 50), P99: measured.Percentile(samples, 99),
		Goal: fmt.Sprintf("≤ %g / ≤ %g", maxMedian, maxP99), Peer: peer,
	}}
	switch {
	case maxMedian == 0 && maxP99 == 0:
		f.Goal = "0"
	case maxMedian == maxP99:
		f.Goal = fmt.Sprintf("≤ %g", maxMedian)
	}
	return f
}

func (f figure) reached() bool { return f.Median <= f.maxMedian && f.P99 <= f.maxP99 }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// printTable prints Markdown, as the README has it.
func printTable(out io.Writer, figures []figure) {
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| What\t| Unit\t| Median\t| p99\t| n\t| Goal\t| AWS sample, or who is named\t|")
	fmt.Fprintln(w, "|---\t|---\t|---:\t|---:\t|---:\t|---\t|---\t|")
	for _, f := range figures {
		mark := ""
		if !f.reached() {
			mark = " **missed**"
		}
		fmt.Fprintf(w, "| %s\t| %s\t| %.4g\t| %.4g\t| %d\t| %s%s\t| %s\t|\n", f.Name, f.Unit, f.Median, f.P99, f.N, f.Goal, mark, f.Peer)
	}
	w.Flush()
	fmt.Fprintf(out, "\n%s\n", measured.By("make bench"))
}

// missed names the goals that were not reached.
func missed(figures []figure) error {
	var names []string
	for _, f := range figures {
		if !f.reached() {
			names = append(names, f.Name)
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("goals not reached: %s", strings.Join(names, ", "))
	}
	return nil
}

// binarySize is what the image consists of, but for the CA roots (0.2 MB).
func binarySize(_ context.Context, o options) ([]figure, error) {
	info, err := os.Stat(o.registrar)
	if err != nil {
		return nil, fmt.Errorf("measure the binary: %w", err)
	}
	return []figure{of("the static binary, all that the image holds but CA roots", "MB", []float64{float64(info.Size()) / 1e6}, 15, 15, "hundreds (image)")}, nil
}
