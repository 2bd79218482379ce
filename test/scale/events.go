// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// The pace of Kubernetes, with images cached. None of it matters much beside
// what EC2's buckets take.
const (
	bootSpread  = 2 * time.Minute       // workers become ready evenly within this
	podInterval = time.Second           // a kubelet starts a pod in each
	evicted     = time.Minute           // from a zone's failure to the first new pod: 40 s until a worker counts as gone, and a toleration of 20 s
	scheduled   = 10 * time.Millisecond // the scheduler places a pod in each
	failedAt    = 5 * time.Minute       // into the simulation; what is there is known by then, and the buckets are full again
	detected    = 3 * time.Second       // until a standby takes over: three VRRP advertisements
	unrest      = 10 * time.Minute      // within which floating IPs of the other zones move, too
	warmUp      = 2 * time.Minute       // within which registrars of the steady state start
	floatEvery  = 100                   // one pair with a floating IP per so many pods inside of a zone, and one across zones
)

// A pod is what becomes of one pod.
type pod struct {
	name   string
	worker *worker
	nets   []attachment
	starts time.Duration
	left   int // addresses that are not routed yet
	routed time.Duration
	giveUp bool // what registers it has stopped trying
	actor  int
	floats []*float // that may move to it
}

// A script is one event that befalls a cluster.
type script struct {
	name   string
	pods   []*pod   // that start
	steady []*pod   // that run since before, as far as they matter
	floats []*float // that move
	tables []topology.RouteTable
}

// restart is a full restart: every worker comes up with empty ENIs.
func restart(c *cluster, perWorker int, dice *rand.Rand) *script {
	s := &script{name: "full restart"}
	for _, w := range c.workers {
		ready := time.Duration(dice.Int64N(int64(bootSpread)))
		for i := range perWorker {
			s.start(w, ready+time.Duration(i)*podInterval)
		}
	}
	return s
}

func (s *script) start(w *worker, at time.Duration) *pod {
	p := s.pod(w, at)
	s.pods = append(s.pods, p)
	return p
}

func (s *script) pod(w *worker, at time.Duration) *pod {
	n := len(s.pods) + len(s.steady)
	p := &pod{name: fmt.Sprintf("p%d-", n), worker: w, nets: w.attach(), starts: at, actor: n}
	p.left = 2 * len(p.nets)
	return p
}

// zoneFailure is the loss of the first zone: its pods are placed evenly on the
// workers of the other zones, floating IPs across zones move at once, and some
// inside of the other zones move in the minutes that follow.
func zoneFailure(c *cluster, perWorker int, dice *rand.Rand) *script {
	s := &script{name: "zone failure"}
	running := map[*worker][]*pod{}
	var alive []*worker
	lost := 0
	for _, w := range c.workers {
		for range perWorker {
			p := s.pod(w, time.Duration(dice.Int64N(int64(warmUp))))
			for _, a := range p.nets {
				a.eni.held = append(a.eni.held, a.v4, a.v6)
			}
			p.left = 0 // nothing to wait for
			running[w] = append(running[w], p)
			s.steady = append(s.steady, p)
		}
		if w.zone == 0 {
			lost += perWorker
		} else {
			alive = append(alive, w)
		}
	}
	busy := map[*worker]time.Duration{}
	for i := range lost {
		w := alive[i%len(alive)]
		at := max(failedAt+evicted+time.Duration(i)*scheduled, busy[w])
		busy[w] = at + podInterval
		s.start(w, at)
	}
	pairs := len(c.workers) * perWorker / floatEvery
	s.floatInside(alive, running, pairs, dice)
	s.routeAcross(c, alive, running, pairs)
	return s
}

// floatInside lets floating IPs of pairs in the zones that live move, at random
// times.
func (s *script) floatInside(alive []*worker, running map[*worker][]*pod, pairs int, dice *rand.Rand) {
	for i := range pairs {
		to := alive[i%len(alive)]
		from := alive[(i+zones-1)%len(alive)] // of the same zone, zones take turns
		standby := running[to][i/len(alive)%len(running[to])]
		sub := standby.nets[0].eni.subnet
		var holder *eni
		for _, e := range from.enis {
			if e.subnet == sub {
				holder = e
			}
		}
		if holder == nil {
			continue
		}
		v4, v6 := sub.take()
		holder.held = append(holder.held, v4, v6)
		s.floatsTo(standby, v4, v6, failedAt+time.Duration(dice.Int64N(int64(unrest))))
	}
}

// routeAcross gives every third of the pairs an active pod in the zone that
// fails; their floating IPs are routes to it in a route table of each zone.
func (s *script) routeAcross(c *cluster, alive []*worker, running map[*worker][]*pod, pairs int) {
	for z := range zones {
		s.tables = append(s.tables, topology.RouteTable{Name: fmt.Sprintf("zone-%c", 'a'+z)})
	}
	for i := range pairs / zones {
		to := alive[i%len(alive)]
		standby := running[to][i/len(alive)%len(running[to])]
		from := c.workers[i*zones%len(c.workers)/zones*zones] // of the first zone
		f := s.floatsTo(standby, netip.AddrFrom4([4]byte{192, 168, byte(i >> 8), byte(i)}),
			netip.AddrFrom16([16]byte{0xfd, 14: byte(i >> 8), 15: byte(i)}), failedAt+detected)
		f.across, f.left = true, 2*len(s.tables)
		for t := range s.tables {
			for _, d := range f.prefixes() {
				s.tables[t].Routes = append(s.tables[t].Routes, topology.Route{Destination: d, ENI: from.enis[0].name})
			}
		}
	}
}
