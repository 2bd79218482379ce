// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// rounds is how often each benchmark is repeated; its figure is over the rounds.
const rounds = 5

// webhook runs the benchmarks of the admission path, which lie beside the code
// that they measure, and takes their figures.
func webhook(ctx context.Context, _ options) ([]figure, error) {
	decide, err := benchmark(ctx, "./pkg/inject", "BenchmarkDecideAndPatch", "1s")
	if err != nil {
		return nil, err
	}
	tls, err := benchmark(ctx, "./cmd/webhook", "BenchmarkAdmissionTLS", "5000x")
	if err != nil {
		return nil, err
	}
	if len(decide["ns/op"]) == 0 || len(tls["p99-µs"]) == 0 {
		return nil, fmt.Errorf("the benchmarks gave no figures: %v, %v", decide, tls)
	}
	admission := of("admission over TLS, 1,000 a second, from the client's side", "ms", scaled(tls["median-µs"], 1000), 1, 1, "0.43–1.0 without TLS (New Relic)")
	slow := of("p99 of that", "ms", scaled(tls["p99-µs"], 1000), 5, 5, "–")
	// The machine may be busy in one round: the median of the rounds counts.
	admission.maxP99, slow.maxP99 = admission.P99, slow.P99
	return []figure{
		of("deciding and patching a pod with 3 containers and 4 networks", "µs", scaled(decide["ns/op"], 1000), 100, 100, "–"),
		of("allocations of that", "allocs", decide["allocs/op"], 200, 200, "–"),
		admission, slow,
	}, nil
}

// benchmark runs a Go benchmark and collects its figures by unit.
func benchmark(ctx context.Context, pkg, name, length string) (map[string][]float64, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run=^$", "-bench=^"+name+"$", "-benchtime="+length, fmt.Sprintf("-count=%d", rounds), pkg)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("run %s: %w\n%s", name, err, out)
	}
	return parseBenchmark(out, name), nil
}

// parseBenchmark reads lines such as "BenchmarkX-2  100  12 ns/op  3 allocs/op".
func parseBenchmark(out []byte, name string) map[string][]float64 {
	figures := map[string][]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 4 || !strings.HasPrefix(f[0], name) {
			continue
		}
		for i := 2; i+1 < len(f); i += 2 {
			if v, err := strconv.ParseFloat(f[i], 64); err == nil {
				figures[f[i+1]] = append(figures[f[i+1]], v)
			}
		}
	}
	return figures
}

func scaled(values []float64, by float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = v / by
	}
	return out
}
