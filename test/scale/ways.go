// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/netip"
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
	var r *registrar
	r = p.newRegistrar(pod.worker, p.dice(pod.actor), func(netip.Addr) {
		if pod.left--; pod.left == 0 {
			p.podRouted(pod)
			r.routed = true
		}
	})
	p.by[pod] = r
	r.appear("", pod.nets)
}

func (p *perPod) float(f *float) {
	r := p.by[f.to]
	r.acked = func(a netip.Addr) { f.acked(a, p.now) }
	r.float(f.net, f.addr)
}

// perWorker is a node agent: one registrar for all pods of a worker. Its ledger
// is the same.
type perWorker struct {
	*world
	by     map[*worker]*registrar
	pods   map[netip.Addr]*pod
	floats map[netip.Addr]*float
}

func newPerWorker(w *world) way {
	return &perWorker{w, map[*worker]*registrar{}, map[netip.Addr]*pod{}, map[netip.Addr]*float{}}
}

func (p *perWorker) start(pod *pod) {
	for _, a := range pod.nets {
		p.pods[a.v4], p.pods[a.v6] = pod, pod
	}
	r := p.by[pod.worker]
	if r == nil {
		r = p.newRegistrar(pod.worker, p.dice(pod.actor), func(a netip.Addr) {
			if f := p.floats[a]; f != nil {
				f.acked(a, p.now)
			} else if pod := p.pods[a]; pod != nil {
				if pod.left--; pod.left == 0 {
					p.podRouted(pod)
				}
			}
		})
		p.by[pod.worker] = r
	}
	r.appear(pod.name, pod.nets)
}

func (p *perWorker) float(f *float) {
	p.floats[f.addr.v4], p.floats[f.addr.v6] = f, f
	r := p.by[f.to.worker]
	for i, l := range r.links {
		if l.Name == f.to.name+"net1" {
			r.float(i-1, f.addr)
		}
	}
}
