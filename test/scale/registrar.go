// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

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

// imdsAnswer is how long IMDS takes to answer.
const imdsAnswer = 15 * time.Millisecond

// together is within what time what is due leaves together: a process has more
// to do than to wake up.
const together = time.Millisecond

// A registrar is the loop of internal/registrar around a real ledger, in
// virtual time. Two things are left out. The state file is not written: nobody
// restarts. And nobody talks to siblings on the same worker: no address is
// handed over there.
type registrar struct {
	world    *world
	worker   *worker
	ledger   *ledger.Ledger
	links    []netwatch.Interface
	rng      *rand.Rand
	wake     int // only the newest alarm rings
	awaits   map[ledger.Target]func()
	refusals map[question]refusals
}

// newRegistrar makes a pod's registrar. floating is what the pod's annotations
// say of floating IPs.
func (w *world) newRegistrar(at *worker, dice *rand.Rand, floating ledger.Floating) *registrar {
	r := &registrar{world: w, worker: at, rng: dice, awaits: map[ledger.Target]func(){}, refusals: map[question]refusals{},
		links: []netwatch.Interface{{Name: "eth0", Index: 2, MAC: "0a:58:64:40:00:01", Kind: "veth", Up: true}}}
	r.ledger = ledger.New(ledger.Config{
		DefaultInterfaces: []string{"eth0"}, Floating: floating,
		HoldDown: ledger.DefaultHoldDown, HoldDownMax: ledger.DefaultHoldDownMax,
		HintInterval: w.hints, DescribeInterval: ledger.DefaultDescribeInterval,
	}, dice.Float64)
	return r
}

// await calls then when EC2 has first acknowledged a target.
func (r *registrar) await(t ledger.Target, then func()) { r.awaits[t] = then }

// appear puts a pod's interfaces into the kernel's table and lets the registrar
// see it.
func (r *registrar) appear(as []attachment) {
	for i, a := range as {
		r.links = append(r.links, netwatch.Interface{
			Name: fmt.Sprintf("net%d", i+1), Index: i + 3, MAC: a.eni.facts.MAC, Kind: "ipvlan", Up: true,
			Prefixes: []netip.Prefix{netip.PrefixFrom(a.v4, a.eni.subnet.cidr.Bits()), netip.PrefixFrom(a.v6, a.eni.subnet.ipv6.Bits())},
		})
	}
	r.observe()
}

// float puts floating IPs on the pod's first interface.
func (r *registrar) float(addrs ...netip.Prefix) {
	l := &r.links[1]
	l.Prefixes = append(slices.Clone(l.Prefixes), addrs...)
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
		if e.Kind != ledger.Acked && e.Kind != ledger.AlreadyThere {
			continue
		}
		if then := r.awaits[e.Target]; then != nil {
			delete(r.awaits, e.Target)
			then()
		}
	}
}

// dispatch is registrar.dispatch: it starts the work, and tells the ledger what
// came of it.
func (r *registrar) dispatch(w ledger.Work, started time.Time) {
	if w.Inventory {
		r.world.after(imdsAnswer, func() {
			r.ledger.Inventoried(r.world.clock(), started, r.worker.inv, nil)
			r.step()
		})
	}
	for _, e := range w.Hints {
		r.world.after(imdsAnswer, func() {
			r.ledger.Hinted(r.world.clock(), started, e.ID, eniassign.ENI{ID: e.ID, Addresses: r.world.account.vpc.Addresses(e.ID)}, nil)
			r.step()
		})
	}
	if len(w.Describe) > 0 {
		r.send(question{}, "DescribeNetworkInterfaces", func(t *task) {
			enis, err := r.client(t).Describe(context.Background(), w.Describe)
			why := ledger.ReasonOf(err)
			r.answer(t, func(now time.Time) {
				r.heard(question{}, why)
				r.ledger.Described(now, started, w.Describe, enis, why)
			})
		})
	}
	for _, k := range w.Looks {
		r.world.spawn(func(t *task) { r.look(t, k, started) })
	}
	for _, c := range w.Probes {
		r.world.spawn(func(t *task) {
			why := r.client(t).ProbeRoute(context.Background(), c)
			r.answer(t, func(now time.Time) { r.ledger.Probed(now, c, why) })
		})
	}
	for _, c := range w.Calls {
		r.call(c)
	}
}

// look asks EC2 where addresses are.
func (r *registrar) look(t *task, k ledger.Look, started time.Time) {
	if len(k.Tables) > 0 {
		routes, err := r.client(t).Routes(context.Background(), k.Tables, k.Addrs)
		r.answer(t, func(now time.Time) { r.ledger.LookedUpRoutes(now, started, k, routes, ledger.ReasonOf(err)) })
		return
	}
	holders, err := r.client(t).Holders(context.Background(), k.About, k.Addrs)
	r.answer(t, func(now time.Time) { r.ledger.Looked(now, started, k, holders, ledger.ReasonOf(err)) })
}

// call carries a mutation out.
func (r *registrar) call(c eniassign.Call) {
	done := func(now time.Time, outcomes []eniassign.Outcome) {
		r.heard(about(c), outcomes[0].Reason)
		r.ledger.Done(now, c, outcomes)
	}
	do := func(t *task) {
		outcomes := r.client(t).Do(context.Background(), c)
		r.answer(t, func(now time.Time) { done(now, outcomes) })
	}
	switch {
	case c.Urgent && c.Family == eniassign.IPv6 && c.Table == "":
		name := c.ENI + c.Addrs[0].String()
		r.world.leave(name, func() func() {
			outcomes := r.client(traveller(name)).Do(context.Background(), c)
			return func() {
				done(r.world.clock(), outcomes)
				r.step()
			}
		})
	case c.Urgent:
		r.world.spawn(do)
	default:
		r.send(about(c), actionOf(c), do)
	}
}

// answer tells the ledger what came back, unless the simulation is over.
func (r *registrar) answer(t *task, tell func(now time.Time)) {
	if t.over {
		return
	}
	tell(r.world.clock())
	r.step()
}

func (r *registrar) client(by sender) *eniassign.Client {
	return &eniassign.Client{EC2: caller{r.world.account, by}}
}
