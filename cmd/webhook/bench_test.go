// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// BenchmarkAdmissionTLS is a whole admission over TLS at 1,000 requests a second,
// from the client's side: median and p99. The clients send by the clock, so that a
// slow answer does not lower the rate.
func BenchmarkAdmissionTLS(b *testing.B) {
	r := start(b, first(world()), second(world()))
	defer r.end()
	c, body := r.client(), reviewOf("upf", "n3")
	if _, err := send(c, r.web, body); err != nil {
		b.Fatal(err)
	}
	const every = time.Millisecond
	b.ResetTimer()
	took := make([]time.Duration, b.N)
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range b.N {
		due := begin.Add(time.Duration(i) * every)
		time.Sleep(time.Until(due))
		wg.Go(func() {
			if _, err := send(c, r.web, body); err != nil {
				b.Error(err)
			}
			took[i] = time.Since(due)
		})
	}
	wg.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "median-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(0, "ns/op")
}
