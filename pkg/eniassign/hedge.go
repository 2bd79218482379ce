// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

const (
	// hedgeAfter is when the assign of an unremembered address is sent again
	// without an answer to the first; the next one follows after twice that. In a
	// hand-over the new holder may ask some ms before the old one lets go: with a
	// slow EC2 the refusal would take longer than it takes to ask again. At EC2's
	// usual pace both the assign and the look-up are answered before.
	hedgeAfter = 250 * time.Millisecond
	// hedges is how many follow the first assign: 250 and 750 ms after it.
	hedges = 2
	// hedgeLast is how much later than the first assign the last one leaves.
	hedgeLast = hedgeAfter<<hedges - hedgeAfter
	// hedgeShare is how many hedgeAfters a refusal must have taken to make the
	// answer to a later assign worth waiting for, before the owner that was
	// looked up meanwhile is asked to let go.
	hedgeShare = 4
)

// An early is the requests to assign that left before the owners were known.
// Where one of them succeeds after all, no move is needed any more.
type early struct {
	won    chan struct{} // closed then
	listed []netip.Addr  // what it assigned, set before
	once   sync.Once

	// The others are lookAhead's own.
	replies chan reply
	sent    int
	flying  int
	last    *reply // the one that succeeded, or the last refusal
}

// hear takes an answer.
func (e *early) hear(a reply) {
	e.flying--
	if e.last == nil || e.last.refusal != nil {
		e.last = &a
	}
}

// succeeded says that one of them was accepted.
func (e *early) succeeded() bool { return e.last != nil && e.last.refusal == nil }

// collect takes the answers that are there already.
func (e *early) collect() {
	for {
		select {
		case a := <-e.replies:
			e.hear(a)
		default:
			return
		}
	}
}

// await waits until one was accepted or all were answered, at most d.
func (e *early) await(d time.Duration) {
	limit := time.NewTimer(d)
	defer limit.Stop()
	for e.flying > 0 && !e.succeeded() {
		select {
		case a := <-e.replies:
			e.hear(a)
		case <-limit.C:
			return
		}
	}
}

// lookAhead assigns addrs and looks for their owners at the same time, so that a
// refusal finds the owners known. While neither is answered it assigns again.
func (r *run) lookAhead(ctx context.Context, addrs []netip.Addr) {
	if v := r.mayAsk(ctx, r.request("")); v != nil {
		r.refuse(addrs, *v)
		return
	}
	looking, enough := context.WithCancel(ctx)
	defer enough()
	e := &early{won: make(chan struct{}), replies: make(chan reply, 1+hedges)}
	r.early = e
	send := func() {
		e.sent++
		e.flying++
		r.fly(ctx, addrs, func(a reply) {
			if a.refusal == nil {
				e.once.Do(func() { e.listed = a.listed; close(e.won) })
				time.AfterFunc(moveGrace, enough)
			}
			e.replies <- a
		})
	}
	start := time.Now()
	send()
	looked := make(chan map[netip.Addr]holder, 1)
	r.flights.Go(func() { looked <- r.lookUp(looking) })
	again := time.NewTimer(hedgeAfter)
	defer again.Stop()
	take := map[string][]netip.Addr{}
	for known := false; !known || len(take) == 0 && e.last == nil; {
		select {
		case holders := <-looked:
			known = true
			for _, a := range addrs {
				if h, held := holders[a]; held && !h.primary && h.eni.ID != r.call.ENI {
					take[h.eni.ID] = append(take[h.eni.ID], a)
				}
			}
		case a := <-e.replies:
			e.hear(a)
		case <-again.C:
			open := e.last == nil || e.last.refusal != nil && e.last.refusal.scope == maybeOwned
			if open && r.left.has(1+moveRequests) && r.mayAsk(ctx, r.request("")) == nil {
				send()
				if e.sent <= hedges {
					again.Reset(hedgeAfter << (e.sent - 1))
				}
			}
		}
	}
	if time.Since(start) >= hedgeShare*hedgeAfter && (e.last == nil || e.last.refusal != nil && e.last.refusal.scope == maybeOwned) {
		e.await(hedgeAfter + moveGrace) // it left later than the look-up and knows better
	}
	if e.collect(); e.last == nil {
		// The holders are known before the refusal: no need to wait for it. An
		// address that this assign moves all the same is just not there any more.
		r.swaps(ctx, take, true)
	}
	r.landed(ctx, addrs)
}

// landed settles what is left to do of addrs once the answers to the early
// assigns are there.
func (r *run) landed(ctx context.Context, addrs []netip.Addr) {
	e := r.early
	var rest []netip.Addr
	for _, a := range addrs {
		if _, settled := r.settled[a]; !settled {
			rest = append(rest, a)
		}
	}
	if len(rest) > 0 {
		for e.last == nil {
			e.hear(<-e.replies)
		}
		if v := e.last.refusal; v != nil && v.scope == wholeRequest {
			r.stop = v
		}
		r.judged(ctx, rest, e.last.listed, e.last.refusal)
	}
	var refused []netip.Addr
	for _, a := range addrs {
		if r.settled[a].Reason != nil {
			refused = append(refused, a)
		}
	}
	if len(refused) == 0 {
		return
	}
	before := e.succeeded()
	e.await(hedgeLast + moveGrace) // what is under way may bring them here yet
	if e.succeeded() && !before {
		r.acknowledge(ctx, refused, e.last.listed)
	}
}
