// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// maxRequests bounds the EC2 requests of one Do, its questions included. A
// batch with bad addresses is split, and splitting 50 addresses could take 99
// requests out of a bucket of 100 that the whole account shares. What is left
// over is Transient: the next Do goes on with it, and finds the bad ones taken
// out. 32 are enough to single out one bad address of 50 twice over.
const maxRequests = 32

// Do carries a call out and says for each of its addresses, in their order,
// what became of it. Where EC2 has nothing against it, that is exactly one
// request; an urgent IPv6 claim that finds the address held spends up to four more,
// and two where EC2 is slow. Refused batches are split,
// so that one bad address does not hold back the others. Nothing transient is
// tried again, except the second half of an IPv6 move, which follows at once on
// the first. An address that was taken from its owner and then refused for good
// is given back.
func (c *Client) Do(ctx context.Context, call Call) []Outcome {
	quit := call.Stop
	if call.Verb == Release {
		quit = nil
	}
	return c.do(ctx, call, newBudget(maxRequests), quit)
}

// A budget is the requests that a Do has left. The parts of an urgent move
// draw from it at once.
type budget struct {
	left atomic.Int32
	more *budget // nil for the Do's own
}

func newBudget(n int32) *budget {
	b := &budget{}
	b.left.Store(n)
	return b
}

// take takes one request off, or says that there is none.
func (b *budget) take() bool {
	for {
		n := b.left.Load()
		if n <= 0 {
			return b.more != nil && b.more.take()
		}
		if b.left.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

// has says whether n requests are left.
func (b *budget) has(n int32) bool {
	n -= b.left.Load()
	return n <= 0 || b.more != nil && b.more.has(n)
}

// reserve takes n requests off for a part of the Do, which may have more where
// some are left when they are used up. giveUp returns the others.
func (b *budget) reserve(n int32) (part *budget, ok bool) {
	part = &budget{more: b}
	for range n {
		if !b.take() {
			part.giveUp()
			return part, false
		}
		part.left.Add(1)
	}
	return part, true
}

func (b *budget) giveUp() { b.more.left.Add(b.left.Swap(0)) }

func (c *Client) do(ctx context.Context, call Call, left *budget, quit <-chan struct{}) []Outcome {
	r := &run{client: c, call: call, left: left, quit: quit, settled: make(map[netip.Addr]Outcome, len(call.Addrs))}
	addrs := r.admit()
	switch {
	case call.Table != "":
		r.routes(ctx, addrs)
	case call.Verb == Release:
		r.release(ctx, addrs)
	case call.Verb == Claim && call.Family == IPv6:
		if call.Urgent {
			r.hurry(ctx, addrs)
		} else {
			r.assign(ctx, addrs)
		}
		r.unclear(ctx)
		r.giveBack(ctx)
	default:
		r.assign(ctx, addrs)
	}
	out := make([]Outcome, 0, len(call.Addrs))
	for _, a := range call.Addrs {
		o, ok := r.settled[a]
		if !ok { // a bug; say so rather than call it done
			o = Outcome{Addr: a, Reason: &Reason{Code: UnknownError, Class: Transient,
				Text: fmt.Sprintf("Nothing was decided of %s on %s.", a, call.ENI)}}
		}
		_, taken := r.freed[a]
		o.Freed = taken && o.Reason != nil && o.Reason.Class == Transient
		out = append(out, o)
	}
	return out
}

// A run is one Do: what is settled so far, and what was learnt on the way.
type run struct {
	client *Client
	call   Call
	left   *budget
	// settled are the addresses that are decided.
	settled map[netip.Addr]Outcome
	// stop is the verdict after which EC2 is not asked again.
	stop *verdict
	// own is the call's ENI as EC2 described it in this run, at most once.
	own       *ENI
	ownAsked  bool
	holders   map[netip.Addr]holder
	holderErr *verdict
	// flights are the requests of an urgent move that are under way.
	flights *flights
	// early is one of them that may make the others needless; it may be nil.
	early *early
	// stalled are moves from owners that did not hold the addresses any more.
	stalled []*swap
	// freed are the IPv6 addresses that this run has taken from another ENI.
	freed map[netip.Addr]string
	// puzzling are those of them that EC2 then refused in words that may mean an
	// owner, or anything else.
	puzzling map[netip.Addr]verdict
	// quit is closed when no further request may begin; it may be nil.
	quit <-chan struct{}
	// begun are the addresses that another ENI was asked to let go of.
	begun map[netip.Addr]bool
	// insisted says that addresses which were refused although nobody has them
	// were tried with again, which is done once.
	insisted bool
	// full says that EC2 refused a single address because the ENI is full,
	// and that everything that was there already is settled.
	full *verdict
}

// admit settles what must not be sent, and returns the rest.
func (r *run) admit() []netip.Addr {
	ok := make([]netip.Addr, 0, len(r.call.Addrs))
	for _, a := range r.call.Addrs {
		switch {
		case !a.IsValid() || a.Is4() != (r.call.Family == IPv4) || a.Is4In6() || a.Zone() != "" ||
			r.call.Verb < Claim || r.call.Verb > Release:
			r.settle(a, &Reason{Code: AddressInvalid, Class: Permanent,
				Text: fmt.Sprintf("%s cannot be part of an IPv%d request for %s.", a, r.call.Family, r.call.ENI)})
		case r.call.Table != "" && r.call.Verb != Release && aws.ToBool(r.call.About.SourceDestCheck):
			r.settle(a, sourceDestCheckOn(r.call.ENI, a))
		case r.call.Verb == Release && r.call.Table == "" && (a == r.call.About.Primary || a == r.call.About.PrimaryIPv6):
			r.settle(a, primaryRelease(a, r.call.ENI))
		default:
			ok = append(ok, a)
		}
	}
	return ok
}

func primaryRelease(a netip.Addr, eni string) *Reason {
	return &Reason{Code: AddressIsPrimary, Class: Permanent, Owner: eni, Cure: curePrimaryRelease,
		Text: fmt.Sprintf("%s is the primary address of %s and is not unassigned.", a, eni)}
}

func (r *run) done(addrs ...netip.Addr) {
	for _, a := range addrs {
		r.settled[a] = Outcome{Addr: a}
	}
}

func (r *run) settle(a netip.Addr, why *Reason) { r.settled[a] = Outcome{Addr: a, Reason: why} }

// refuse settles addresses with what EC2 said.
func (r *run) refuse(addrs []netip.Addr, v verdict) {
	for _, a := range addrs {
		why := v.reason(a)
		if h, ok := r.holders[a]; ok && why.Owner == "" {
			why.Owner = h.eni.ID
		}
		if from, ok := r.freed[a]; ok && v.scope == maybeOwned {
			if v.class == Permanent {
				r.puzzle(a, v)
			}
			why.Class, why.Code, why.Owner, why.Cure = Transient, AddressContested, from, ""
			why.Text += fmt.Sprintf(" It was taken from %s just before.", from)
		}
		r.settled[a] = Outcome{Addr: a, Reason: why, InDoubt: v.inDoubt}
	}
}

func (r *run) puzzle(a netip.Addr, v verdict) {
	if r.puzzling == nil {
		r.puzzling = map[netip.Addr]verdict{}
	}
	r.puzzling[a] = v
}

// split goes on after a refusal that speaks of some of addrs: those that it
// names are bad, or else each half is tried with again.
func (r *run) split(ctx context.Context, addrs []netip.Addr, v verdict, again func(context.Context, []netip.Addr), bad func([]netip.Addr, verdict)) {
	if len(addrs) == 1 {
		bad(addrs, v)
		return
	}
	// A message that names all of them may just repeat the request.
	if named, rest := part(addrs, v.named); len(named) > 0 && len(rest) > 0 {
		bad(named, v)
		again(ctx, rest)
		return
	}
	half := len(addrs) / 2
	again(ctx, addrs[:half])
	again(ctx, addrs[half:])
}

// part divides addrs into those in set and the others.
func part(addrs, set []netip.Addr) (in, out []netip.Addr) {
	m := make(map[netip.Addr]bool, len(set))
	for _, a := range set {
		m[a] = true
	}
	for _, a := range addrs {
		if m[a] {
			in = append(in, a)
		} else {
			out = append(out, a)
		}
	}
	return in, out
}
