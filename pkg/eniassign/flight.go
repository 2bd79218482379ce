// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"net/netip"
	"sync"
)

// flights are the requests of an urgent claim that are under way side by side,
// and what they brought, or may have, whether somebody still waited for their
// answers or not.
type flights struct {
	sync.WaitGroup
	mu             sync.Mutex
	brought, doubt []netip.Addr
}

// fly sends a request to assign addrs and hands its reply over.
func (r *run) fly(ctx context.Context, addrs []netip.Addr, to func(reply)) {
	r.flights.Go(func() {
		listed, v := r.ask(ctx, addrs)
		r.flights.mu.Lock()
		if v == nil {
			r.flights.brought = append(r.flights.brought, listed...)
		} else if v.inDoubt {
			r.flights.doubt = append(r.flights.doubt, addrs...)
		}
		r.flights.mu.Unlock()
		to(reply{listed, v})
	})
}

// landings settles what EC2 acknowledged after all, and notes what it may have
// done, whatever it answered to another request for it. All requests have ended.
// Of what was taken from another ENI meanwhile it is not known which came last.
func (r *run) landings() {
	for _, a := range r.flights.brought {
		if _, taken := r.freed[a]; taken {
			r.flights.doubt = append(r.flights.doubt, a)
		} else if r.settled[a].Reason != nil {
			r.done(a)
		}
	}
	for _, a := range r.flights.doubt {
		if o := r.settled[a]; o.Reason != nil {
			o.InDoubt = true
			r.settled[a] = o
		}
	}
}
