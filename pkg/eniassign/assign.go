// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
)

// assign brings addrs onto the call's ENI, by the rules of its verb.
func (r *run) assign(ctx context.Context, addrs []netip.Addr) {
	if len(addrs) == 0 {
		return
	}
	if r.full != nil {
		r.refuseFull(addrs, *r.full)
		return
	}
	listed, v := r.change(ctx, addrs)
	r.judged(ctx, addrs, listed, v)
}

// judged goes on after the answer to a request to assign addrs.
func (r *run) judged(ctx context.Context, addrs, listed []netip.Addr, v *verdict) {
	if v == nil {
		r.acknowledge(ctx, addrs, listed)
		return
	}
	switch v.scope {
	case eniFull:
		r.fit(ctx, addrs, *v)
	case maybeOwned:
		r.owned(ctx, addrs, *v)
	case inPrefix:
		r.routed(ctx, addrs, *v)
	case wholeRequest:
		r.refuse(addrs, *v)
	default:
		r.split(ctx, addrs, *v, r.assign, r.refuse)
	}
}

// routed goes on after a refusal that speaks of a delegated prefix: what lies in
// the ENI's own is routed to it already.
func (r *run) routed(ctx context.Context, addrs []netip.Addr, v verdict) {
	if rest := r.notRouted(ctx, addrs); len(rest) < len(addrs) {
		r.assign(ctx, rest)
		return
	}
	r.split(ctx, addrs, v, r.assign, r.refuse)
}

// notRouted settles what lies in the ENI's own delegated prefixes, and returns
// the others.
func (r *run) notRouted(ctx context.Context, addrs []netip.Addr) (rest []netip.Addr) {
	own := r.describeOwn(ctx)
	if own == nil {
		return addrs
	}
	for _, a := range addrs {
		if inside(a, own.Prefixes) {
			r.done(a)
		} else {
			rest = append(rest, a)
		}
	}
	return rest
}

func inside(a netip.Addr, prefixes []netip.Prefix) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// acknowledge settles addrs after an accepted request. What EC2 did not list
// is looked up once: whether it lists what was on the ENI before is not
// documented.
func (r *run) acknowledge(ctx context.Context, addrs, listed []netip.Addr) {
	in, missing := part(addrs, listed)
	r.done(in...)
	if len(missing) == 0 {
		return
	}
	r.ownAsked = false // what was learnt before is out of date
	if own := r.describeOwn(ctx); own != nil {
		in, missing = part(missing, own.Addresses)
		r.done(in...)
	}
	r.unlisted(r.notRouted(ctx, missing))
}

// unlisted settles what EC2 neither refused nor acknowledged.
func (r *run) unlisted(addrs []netip.Addr) {
	v := verdict{
		request: r.request(""),
		rule:    rule{code: EC2NotAcknowledged, class: Transient},
		lead:    "EC2 did not acknowledge the request to", said: "the address is not in its answer",
		inDoubt: true,
	}
	r.refuse(addrs, v)
}

// describeOwn is the call's ENI as EC2 has it, asked for at most once, nil
// where EC2 does not say.
func (r *run) describeOwn(ctx context.Context) *ENI {
	if r.ownAsked {
		return r.own
	}
	r.ownAsked, r.own = true, nil
	if r.mayAsk(ctx, request{}) != nil {
		return nil
	}
	enis, err := r.client.Describe(ctx, []string{r.call.ENI})
	if err == nil && len(enis) == 1 && enis[0].ID == r.call.ENI {
		r.own = &enis[0]
	}
	return r.own
}

// fit puts as many of addrs onto a full ENI as still fit.
func (r *run) fit(ctx context.Context, addrs []netip.Addr, v verdict) {
	if !r.ownAsked {
		if own := r.describeOwn(ctx); own != nil {
			present, rest := part(addrs, own.Addresses)
			r.done(present...)
			if len(present) > 0 {
				r.assign(ctx, rest)
				return
			}
		}
	}
	if len(addrs) == 1 {
		if r.own != nil {
			r.full = &v
		}
		r.refuseFull(addrs, v)
		return
	}
	half := len(addrs) / 2
	r.assign(ctx, addrs[:half])
	r.assign(ctx, addrs[half:])
}

// refuseFull says which ENI is full, how many it holds and on what instance.
// What is there already is not refused, even where it came later than the
// verdict.
func (r *run) refuseFull(addrs []netip.Addr, v verdict) {
	if r.own != nil {
		var present []netip.Addr
		present, addrs = part(addrs, r.own.Addresses)
		r.done(present...)
	}
	r.refuse(addrs, v)
	note := r.call.ENI + " is full"
	if r.own != nil {
		note += fmt.Sprintf(" with %d IPv%d addresses", r.count(), r.call.Family)
		if n := len(r.own.Prefixes); n > 0 {
			note += fmt.Sprintf(" and %d delegated prefixes", n)
		}
	}
	if t := r.call.About.InstanceType; t != "" {
		note += " on " + t
	}
	for _, a := range addrs {
		r.settled[a].Reason.Text = note + ": " + r.settled[a].Reason.Text
	}
}

// count is how many addresses of the family the ENI holds by now.
func (r *run) count() int {
	n := 0
	for _, a := range r.own.Addresses {
		if a.Is4() == (r.call.Family == IPv4) {
			n++
		}
	}
	for a, o := range r.settled {
		if o.Reason == nil && !slices.Contains(r.own.Addresses, a) {
			n++
		}
	}
	return n
}
