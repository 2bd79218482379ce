// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// imdsAnswer is how long IMDS takes to tell the ENIs of a worker.
const imdsAnswer = 15 * time.Millisecond

// retryFloor is the ledger's.
const retryFloor = 5 * time.Millisecond

// together is within what time what is due leaves together: a process has more
// to do than to wake up.
const together = time.Millisecond

// A registrar is the loop of internal/registrar around a real ledger, in
// virtual time: one of a pod, or one of a worker for all of its pods.
//
// Two things are left out. IMDS is not asked for hints: they cost no EC2 call,
// and there is nothing to find. The state file is not written: nobody
// restarts.
type registrar struct {
	world  *world
	worker *worker
	ledger *ledger.Ledger
	links  []netwatch.Interface
	rng    *rand.Rand
	since  time.Duration // its start
	routed bool          // once
	wake   int           // only the newest alarm rings
	acked  func(netip.Addr)
	fails  map[question]int           // in a row
	due    map[question]time.Duration // when what was refused is asked again
	tries  map[netip.Addr]int         // refusals of an address
	draw   func() float64             // the ledger's next random numbers
}

// A question is what is asked again after a refusal: an ENI's family, or the
// zero value for the Describe.
type question struct {
	eni    string
	family eniassign.Family
}

func (w *world) newRegistrar(at *worker, dice *rand.Rand, acked func(netip.Addr)) *registrar {
	r := &registrar{world: w, worker: at, since: w.now, rng: dice, draw: dice.Float64, acked: acked,
		fails: map[question]int{}, tries: map[netip.Addr]int{}, due: map[question]time.Duration{},
		links: []netwatch.Interface{{Name: "eth0", Index: 2, MAC: "0a:58:64:40:00:01", Kind: "veth", Up: true}}}
	r.ledger = ledger.New(ledger.Config{
		DefaultInterfaces: []string{"eth0"},
		HoldDown:          ledger.DefaultHoldDown, HoldDownMax: ledger.DefaultHoldDownMax,
		HintInterval: 1000 * time.Hour, // never: see above
	}, func() float64 { return r.draw() })
	return r
}

// appear puts interfaces into the kernel's table and lets the registrar see it.
func (r *registrar) appear(pod string, as []attachment) {
	for i, a := range as {
		r.links = append(r.links, netwatch.Interface{
			Name: fmt.Sprintf("%snet%d", pod, i+1), Index: len(r.links) + 2, MAC: a.eni.facts.MAC, Kind: "ipvlan", Up: true,
			Prefixes: []netip.Prefix{netip.PrefixFrom(a.v4, a.eni.subnet.cidr.Bits()), netip.PrefixFrom(a.v6, a.eni.subnet.ipv6.Bits())},
		})
	}
	r.observe()
}

// float puts a floating IP of both families on an interface that is there.
func (r *registrar) float(i int, a attachment) {
	l := &r.links[1+i]
	l.Prefixes = append(slices.Clone(l.Prefixes), netip.PrefixFrom(a.v4, 32), netip.PrefixFrom(a.v6, 128))
	r.observe()
}

func (r *registrar) observe() {
	now := r.world.clock()
	r.ledger.Observe(now, netwatch.Snapshot{Noticed: now, Interfaces: slices.Clone(r.links)})
	r.step()
}

// step is registrar.step: it does what the ledger asks for.
func (r *registrar) step() {
	now := r.world.clock()
	w := r.ledger.Next(now)
	r.wake++
	if mine := r.wake; !w.Wake.IsZero() {
		r.world.at(w.Wake.Sub(epoch)+together, func() {
			if r.wake == mine {
				r.step()
			}
		})
	}
	r.dispatch(w, now)
	for _, e := range r.ledger.Events() {
		if (e.Kind == ledger.Acked || e.Kind == ledger.AlreadyThere) && r.acked != nil {
			r.acked(e.Target.Addr)
		}
	}
}

// dispatch starts the work, and tells the ledger what came of it.
func (r *registrar) dispatch(w ledger.Work, started time.Time) {
	if w.Inventory {
		r.world.after(imdsAnswer, func() {
			r.ledger.Inventoried(r.world.clock(), started, r.worker.inv, nil)
			r.step()
		})
	}
	if len(w.Describe) > 0 {
		r.send(question{}, 1, "DescribeNetworkInterfaces", func(t *task) {
			enis, err := r.client(t).Describe(context.Background(), w.Describe)
			if t.over {
				return
			}
			why := ledger.ReasonOf(err)
			r.heard(question{}, why)
			r.ledger.Described(r.world.clock(), started, w.Describe, enis, why)
			r.step()
		})
	}
	for _, c := range w.Calls {
		action := "AssignPrivateIpAddresses"
		if c.Family == eniassign.IPv6 {
			action = "AssignIpv6Addresses"
		}
		r.send(question{c.ENI, c.Family}, len(c.Addrs), action, func(t *task) { r.do(t, c) })
	}
}

// send carries out what asks the question, by a shortcut where it was throttled
// before. Addresses of one call have each a delay of their own, so a call with
// several goes the long way.
func (r *registrar) send(q question, addrs int, action string, call func(*task)) {
	if r.world.shortcut && r.fails[q] > 0 && addrs == 1 {
		r.insist(q, action, call)
		return
	}
	r.world.spawn(call)
}

// do carries a call out and tells the ledger.
func (r *registrar) do(t *task, c eniassign.Call) {
	outcomes := r.client(t).Do(context.Background(), c)
	if t.over {
		return
	}
	r.heard(question{c.ENI, c.Family}, outcomes[0].Reason, outcomes...)
	r.ledger.Done(r.world.clock(), c, outcomes)
	r.step()
}

// insist is a shortcut for a call that was throttled before: as long as it
// finds the bucket empty it is asked again by the ledger's times without the
// ledger, which would do nothing else. A test holds it against the long way.
func (r *registrar) insist(q question, action string, call func(*task)) {
	w, b := r.world, r.world.backoff
	latency := w.account.latency()
	arrived := func() {
		w.spawn(func(t *task) {
			t.late = latency // the first half is over
			call(t)
		})
	}
	var arrive func()
	arrive = func() {
		if w.account.vpc.Tokens(action) >= 1 {
			arrived()
			return
		}
		w.account.of(action).Throttled++
		if r.fails[q]++; r.fails[q] >= crowdFrom && !r.routed && !b.changes() {
			w.crowd(action).join(arrived)
			return
		}
		wait := latency/2 + max(retryFloor, time.Duration(r.rng.Float64()*float64(b.below(r.fails[q]-1, w.now-r.since, r.routed))))
		latency = w.account.latency()
		w.after(wait+latency/2, arrive)
	}
	w.after(latency/2, arrive)
}

func (r *registrar) client(t *task) *eniassign.Client {
	return &eniassign.Client{EC2: caller{account: r.world.account, task: t}}
}

// heard counts refusals that can pass in a row, and makes the random numbers
// from which the ledger will draw the next delays.
func (r *registrar) heard(q question, why *eniassign.Reason, outcomes ...eniassign.Outcome) {
	b, n := r.world.backoff, r.fails[q]
	r.draw = r.rng.Float64
	if why == nil || why.Class != eniassign.Transient {
		r.fails[q] = 0
		return
	}
	r.fails[q]++
	below, own := b.below(n, r.world.now-r.since, r.routed), double(n, ledger.RetryCap)
	if !b.merge {
		r.draw = func() float64 { return r.rng.Float64() * float64(below) / float64(own) }
		return
	}
	// All addresses of the call get one time, that of those who wait already.
	if r.due[q] <= r.world.now {
		r.due[q] = r.world.now + time.Duration(r.rng.Float64()*float64(below))
	}
	// The ledger draws once for each, below what its own refusals make of it.
	var shares []float64
	for _, o := range outcomes {
		shares = append(shares, float64(r.due[q]-r.world.now)/float64(double(r.tries[o.Addr], ledger.RetryCap)))
		r.tries[o.Addr]++
	}
	r.draw = func() float64 {
		if len(shares) == 0 {
			return r.rng.Float64()
		}
		next := shares[0]
		shares = shares[1:]
		return next
	}
}
