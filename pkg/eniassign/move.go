// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"net/netip"
	"time"
)

// The pace of an urgent move. EC2 does its work somewhere between a request and
// its answer, so the gap is smallest when the assign is right behind the
// unassign on its way there. Whether it may overtake it there is not documented:
// then it is refused, and the next one follows.
const (
	// moveLead keeps the first assign behind the unassign: two requests that
	// leave at once race each other on their connections.
	moveLead = 3 * time.Millisecond
	// moveHedge after it a second one follows, unless the unassign was answered:
	// for an unassign that took longer inside of EC2 than the assign.
	moveHedge = 30 * time.Millisecond
)

// A reply is what became of one request.
type reply struct {
	listed  []netip.Addr
	refusal *verdict
}

// A swap is one urgent move on its way: addrs from owner to the run's ENI.
type swap struct {
	*run
	owner string
	addrs []netip.Addr
	// sure says that owner was looked up just now; then "not mapped" means that
	// it let go by itself.
	sure bool

	assigned chan reply
	flying   int // assigns under way
	sent     int // assigns sent at all
	after    int // assigns sent after the unassign was answered
	next     *time.Timer
	pending  bool // next will fire

	answered bool     // the unassign was
	loose    bool     // nobody has addrs any more
	stale    bool     // owner did not have them all
	some     bool     // the unassign speaks of some of addrs
	failed   *verdict // why the unassign was refused
	refused  *verdict // why the last assign was
	halt     bool     // nothing more is to be sent
}

// swap unassigns addrs from owner and assigns them here, with no wait in between.
// It settles all of them and returns nil, or, where owner is not sure and does
// not hold them, settles nothing and returns why EC2 refused to assign them.
func (r *run) swap(ctx context.Context, owner string, addrs []netip.Addr, sure bool) *verdict {
	s := &swap{run: r, owner: owner, addrs: addrs, sure: sure, assigned: make(chan reply, 3+moveTries)}
	away := &run{client: r.client, call: Call{Verb: Release, ENI: owner, Family: IPv6, Addrs: addrs}}
	if v := r.mayAsk(ctx, r.request("")); v != nil {
		r.refuse(addrs, *v)
		return nil
	}
	var won chan struct{}
	if r.early != nil {
		won = r.early.won
	}
	select {
	case <-won: // while this waited for its turn
		r.acknowledge(ctx, addrs, r.early.listed)
		return nil
	default:
	}
	r.begin(true, addrs...)
	unassigned := make(chan reply, 1)
	r.flights.Go(func() {
		_, v := away.ask(ctx, addrs)
		unassigned <- reply{refusal: v}
	})
	s.next = time.NewTimer(moveLead)
	defer s.next.Stop()
	s.pending = true
	for {
		select {
		case <-won:
			r.acknowledge(ctx, addrs, r.early.listed)
			return nil
		case a := <-unassigned:
			s.letGo(a.refusal)
		case <-s.next.C:
			s.pending = false
			s.send(ctx)
		case a := <-s.assigned:
			s.flying--
			if a.refusal == nil {
				r.acknowledge(ctx, addrs, a.listed)
				return nil
			}
			s.turnedDown(a.refusal)
		}
		switch {
		case s.stale && s.refused != nil:
			r.stalled = append(r.stalled, s)
			return s.refused
		case s.halt && s.answered && s.flying == 0:
			s.conclude(ctx)
			return nil
		}
	}
}

// letGo goes on after the answer to the unassign.
func (s *swap) letGo(v *verdict) {
	s.answered = true
	switch {
	case v == nil:
		s.loose = true
		s.free(s.owner, s.addrs...)
	case v.inDoubt && s.quitted():
		s.loose = true // or else nobody would ever look
		s.free(s.owner, s.addrs...)
	case !s.sure && v.scope != wholeRequest:
		s.stale = true
		s.begin(false, s.addrs...)
	case len(s.addrs) > 1 && v.scope != wholeRequest && v.scope != allGone:
		s.some, s.halt = true, true
		s.begin(false, s.addrs...)
		return
	case v.scope == notThere || v.scope == allGone:
		s.loose = true
		delete(s.holders, s.addrs[0])
	default:
		s.failed, s.halt = v, true
		s.begin(false, s.addrs...)
		return
	}
	switch {
	case s.sent == 0: // it was quicker than moveLead
		s.in(0)
	case s.stale:
		s.halt = true
	case s.halt:
	case s.refused != nil:
		s.in(0)
	default: // the answer to the one that is under way should be right behind
		s.in(moveFirstDelay)
	}
}

// turnedDown goes on after a refused assign.
func (s *swap) turnedDown(v *verdict) {
	s.refused = v
	switch {
	case v.scope != maybeOwned:
		s.halt = true
	case s.halt || !s.loose || s.pending && s.after > 0:
	case s.after == 0:
		s.in(0)
	case s.after > moveTries:
		s.halt = true
	default:
		s.in(moveFirstDelay << (s.after - 1))
	}
}

func (s *swap) in(d time.Duration) {
	s.next.Reset(d)
	s.pending = true
}

// send sends one assign.
func (s *swap) send(ctx context.Context) {
	if s.halt {
		return
	}
	if v := s.mayAsk(ctx, s.request(""), s.addrs...); v != nil {
		s.refused, s.halt = v, true
		return
	}
	s.flying++
	s.sent++
	if s.answered {
		s.after++
	}
	s.fly(ctx, s.addrs, func(a reply) { s.assigned <- a })
	if s.sent == 1 && !s.answered {
		s.in(moveHedge)
	}
}

// conclude settles what could not be moved.
func (s *swap) conclude(ctx context.Context) {
	switch v := s.refused; {
	case s.some:
		s.insist(ctx, s.takeFrom(ctx, s.owner, s.addrs))
	case s.failed != nil:
		for _, a := range s.addrs {
			s.notTaken(a, s.holderOf(a, s.owner), s.failed.reason(a), s.owner)
		}
	case v.scope == maybeOwned:
		// Somebody else was quicker: not a third one to take it from in this Do.
		if s.holders == nil {
			s.holders = map[netip.Addr]holder{}
		}
		s.insisted = true
		s.split(ctx, s.addrs, *v, s.assign, s.refuse)
	default:
		if v.scope == wholeRequest {
			s.stop = v
		}
		s.judged(ctx, s.addrs, nil, v)
	}
}

// holderOf is who holds a, as far as it was looked up.
func (r *run) holderOf(a netip.Addr, owner string) holder {
	if h, ok := r.holders[a]; ok {
		return h
	}
	return holder{eni: ENI{ID: owner}}
}
