// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

func TestFigureTellsMedianAndP99(t *testing.T) {
	var samples []float64
	for i := 200; i > 0; i-- {
		samples = append(samples, float64(i))
	}
	f := of("x", "ms", samples, 100, 198, "")
	if f.Median != 100 || f.P99 != 198 || f.N != 200 || !f.reached() {
		t.Errorf("got %+v", f)
	}
	if one := of("x", "ms", []float64{7}, 1, 1, ""); one.Median != 7 || one.P99 != 7 {
		t.Errorf("got %+v", one)
	}
}

func TestMissedGoalsAreNamed(t *testing.T) {
	good, slow := of("good", "ms", []float64{1}, 1, 1, ""), of("slow", "ms", []float64{1, 1, 9}, 1, 8, "")
	err := missed([]figure{good, slow})
	if err == nil || !strings.Contains(err.Error(), "slow") || strings.Contains(err.Error(), "good") {
		t.Errorf("got %v", err)
	}
	if err := missed([]figure{good}); err != nil {
		t.Error(err)
	}
	if none := of("none", "ms", nil, 1, 1, ""); none.reached() {
		t.Error("a figure without samples counts as reached")
	}
}

func TestBenchmarkLinesAreRead(t *testing.T) {
	out := "goos: linux\nBenchmarkX/a-2 \t 100\t 12.5 ns/op\t 8 B/op\t 3 allocs/op\nBenchmarkX/b-2 \t 100\t 14.5 ns/op\nBenchmarkY-2 1 1 ns/op\nPASS\n"
	got := parseBenchmark([]byte(out), "BenchmarkX")
	if len(got["ns/op"]) != 2 || got["ns/op"][1] != 14.5 || len(got["allocs/op"]) != 1 || got["allocs/op"][0] != 3 {
		t.Errorf("got %v", got)
	}
}
