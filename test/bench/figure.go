// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A figure is one measured thing. Its JSON form is that of every measuring
// target of this repository.
type figure struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit"`
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	N      int     `json:"n"`
	// Goal bounds the median and, after a slash, the 99th percentile.
	Goal string `json:"goal"`
	// Peer is what others take, on another machine; where nobody is named, the
	// Python sample of the AWS blog "Automated IP address management for Multus
	// workers and pods".
	Peer string `json:"peer"`

	maxMedian, maxP99 float64
}

// of makes a figure of samples.
func of(name, unit string, samples []float64, maxMedian, maxP99 float64, peer string) figure {
	slices.Sort(samples)
	f := figure{Name: name, Unit: unit, N: len(samples), Median: percentile(samples, 50), P99: percentile(samples, 99),
		Peer: peer, maxMedian: maxMedian, maxP99: maxP99, Goal: fmt.Sprintf("≤ %g / ≤ %g", maxMedian, maxP99)}
	switch {
	case maxMedian == 0 && maxP99 == 0:
		f.Goal = "0"
	case maxMedian == maxP99:
		f.Goal = fmt.Sprintf("≤ %g", maxMedian)
	}
	return f
}

// percentile is the smallest sample that at least p percent are not above.
func percentile(sorted []float64, p int) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
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
	fmt.Fprintf(out, "\n%s\n", machine())
}

// machine says what it was measured on.
func machine() string {
	model := runtime.GOARCH
	if raw, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(raw)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("Measured by `make bench` on %d CPUs (%s), Linux %s, %s.", runtime.NumCPU(), model, strings.TrimSpace(string(kernel)), runtime.Version())
}

func writeJSON(path string, figures []figure) error {
	raw, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the figures: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	if err := os.WriteFile(path, append(raw, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
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
