// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// retryFloor is the ledger's.
const retryFloor = 5 * time.Millisecond

// A question is what is asked again after a refusal: an ENI's addresses of a
// family, or the zero value for the Describe.
type question struct {
	eni    string
	family eniassign.Family
}

func about(c eniassign.Call) question { return question{c.ENI, c.Family} }

func actionOf(c eniassign.Call) string {
	if c.Family == eniassign.IPv6 {
		return "AssignIpv6Addresses"
	}
	return "AssignPrivateIpAddresses"
}

// refusals are those of one question in a row, as the ledger counts them.
type refusals struct {
	n     int
	since time.Duration // when the first was heard
}

func (f *refusals) again(now time.Duration) {
	if f.n == 0 {
		f.since = now
	}
	f.n++
}

// heard counts refusals that can pass in a row.
func (r *registrar) heard(q question, why *eniassign.Reason) {
	if why == nil || why.Class != eniassign.Transient {
		delete(r.refusals, q)
		return
	}
	f := r.refusals[q]
	f.again(r.world.now)
	r.refusals[q] = f
}

// send carries out what asks a question, by a shortcut where it was refused
// before.
func (r *registrar) send(q question, action string, call func(*task)) {
	if r.world.shortcut && r.refusals[q].n > 0 {
		r.insist(q, action, call)
		return
	}
	r.world.spawn(call)
}

// insist is a shortcut for a call that was throttled before and is not urgent:
// as long as it finds the bucket empty it is asked again by the ledger's times
// without the ledger, which would do nothing else. A test holds it against the
// long way.
func (r *registrar) insist(q question, action string, call func(*task)) {
	w, a, f := r.world, r.world.account, r.refusals[q]
	counted, latency := a.of(action), a.latency()
	var arrive func()
	arrive = func() {
		if a.vpc.Tokens(action) >= 1 {
			r.refusals[q] = f
			w.spawn(func(t *task) {
				t.late = latency // the first half is over
				call(t)
			})
			return
		}
		counted.Throttled++
		heard := w.now + latency - latency/2
		below := ledger.RetryBelow(f.n, heard-f.since, false)
		f.again(heard)
		wait := max(retryFloor, time.Duration(r.rng.Float64()*float64(below))) + together
		latency = a.latency()
		w.at(heard+wait+latency/2, arrive)
	}
	w.after(latency/2, arrive)
}
