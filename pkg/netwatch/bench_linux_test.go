// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"slices"
	"testing"
	"time"
)

// BenchmarkChangeToEmit measures from before the system call that sets an
// address until emit has its snapshot, and the part of it since the
// notification was read, in a namespace like that of a pod.
func BenchmarkChangeToEmit(b *testing.B) {
	n := newTestNamespace(b)
	for _, name := range []string{"eth0", "net1", "net2", "net3"} {
		n.addVeth(b, name, name+"p", testMAC)
	}
	net1 := n.link(b, "net1")
	type emission struct{ noticed, emitted time.Time }
	emissions := make(chan emission, 1)
	watch(b, n.watcher(b, Options{Relist: -1}), func(s Snapshot) {
		emissions <- emission{s.Noticed, time.Now()}
	})
	<-emissions
	floating := addr(b, "10.0.0.9/24")
	time.Sleep(100 * time.Millisecond) // the links settle
	for len(emissions) > 0 {
		<-emissions
	}

	var total, listing []time.Duration
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		change := n.AddrAdd
		if i%2 == 1 {
			change = n.AddrDel
		}
		begin := time.Now()
		must(b, change(net1, floating))
		e := <-emissions
		total = append(total, e.emitted.Sub(begin))
		listing = append(listing, e.emitted.Sub(e.noticed))
	}
	report(b, total, "change-to-emit")
	report(b, listing, "noticed-to-emit")
}

func report(b *testing.B, d []time.Duration, name string) {
	slices.Sort(d)
	b.ReportMetric(float64(d[len(d)/2].Microseconds()), name+"-p50-µs")
	b.ReportMetric(float64(d[len(d)*99/100].Microseconds()), name+"-p99-µs")
}

// BenchmarkSnapshot measures one listing of a pod's namespace, sockets
// included.
func BenchmarkSnapshot(b *testing.B) {
	own, err := Open(Options{})
	must(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := own.Snapshot(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
