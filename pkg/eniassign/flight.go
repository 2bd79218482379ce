// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"net/netip"
	"sync"
)

// flights are the requests of an urgent claim that are under way side by side,
// and what they brought, whether somebody still waited for their answers or not.
type flights struct {
	sync.WaitGroup
	mu      sync.Mutex
	brought []netip.Addr
}

// fly sends a request to assign addrs and hands its reply over.
func (r *run) fly(ctx context.Context, addrs []netip.Addr, to func(reply)) {
	r.flights.Go(func() {
		listed, v := r.ask(ctx, addrs)
		if v == nil {
			r.flights.mu.Lock()
			r.flights.brought = append(r.flights.brought, listed...)
			r.flights.mu.Unlock()
		}
		to(reply{listed, v})
	})
}

// landings settles what EC2 acknowledged after all. All requests have ended. Of
// what was taken from another ENI meanwhile it is not known which came last.
func (r *run) landings() {
	for _, a := range r.flights.brought {
		o := r.settled[a]
		if o.Reason == nil {
			continue
		}
		if _, taken := r.freed[a]; taken {
			o.InDoubt = true
			r.settled[a] = o
			continue
		}
		r.done(a)
	}
}
