// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"net/netip"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
)

// A way is how addresses come onto ENIs: it is told what starts and what moves.
type way interface {
	// start is called when a pod's registrar starts.
	start(*pod)
	// float is called when a floating IP appears on its new pod.
	float(*float)
}

// perPod is what this repository ships: a registrar in each pod.
type perPod struct {
	*world
	by map[*pod]*registrar
}

func newPerPod(w *world) way { return &perPod{w, map[*pod]*registrar{}} }

func (p *perPod) start(pod *pod) {
	var f ledger.Floating
	for _, ip := range pod.floats {
		f.Addresses = append(f.Addresses, ip.prefixes()...)
		if ip.across {
			f.RouteTables = p.tables
		}
	}
	r := p.newRegistrar(pod.worker, p.dice(pod.actor), f)
	for _, n := range pod.nets {
		for _, a := range []netip.Addr{n.v4, n.v6} {
			r.await(ledger.Target{ENI: n.eni.facts.ID, Addr: a}, func() {
				if pod.left--; pod.left == 0 {
					p.podRouted(pod)
				}
			})
		}
	}
	p.by[pod] = r
	r.appear(pod.nets)
}

func (p *perPod) float(f *float) {
	r := p.by[f.to]
	for _, t := range f.targets(p.tables) {
		r.await(t, func() { f.acked(p.now) })
	}
	r.float(f.prefixes()...)
}
