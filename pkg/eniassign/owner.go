// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// After an address was unassigned from its owner EC2 may need a moment until
// it can be assigned here; meanwhile nobody has it, so it is tried again soon:
// after 20, 40, 80, 160 and 320 ms. How long EC2 needs is not documented.
const (
	moveTries      = 5
	moveFirstDelay = 20 * time.Millisecond
)

// owned goes on after a refusal that may mean that another ENI holds some of
// addrs.
func (r *run) owned(ctx context.Context, addrs []netip.Addr, v verdict) {
	if v.code == AddressInOtherPrefix {
		all := len(addrs)
		if addrs = r.notRouted(ctx, addrs); len(addrs) < all {
			r.assign(ctx, addrs)
			return
		}
	}
	holders := r.lookUp(ctx)
	if holders == nil {
		r.split(ctx, addrs, v.unverified(r.holderErr), r.assign, r.refuse)
		return
	}
	var rest []netip.Addr
	take := map[string][]netip.Addr{}
	for _, a := range addrs {
		h, held := holders[a]
		switch {
		case held && h.eni.ID == r.call.ENI:
			r.done(a) // whether EC2 refuses that without AllowReassignment is not documented
		case held && h.primary:
			r.settleHeld(a, v, h, AddressIsPrimary, Permanent, curePrimary)
		case held && r.call.Verb == Hold:
			r.settleHeld(a, v, h, AddressContested, Contested, CureContested)
		case held && r.call.Family == IPv6:
			take[h.eni.ID] = append(take[h.eni.ID], a)
		default:
			rest = append(rest, a)
		}
	}
	r.take(ctx, take)
	switch {
	case len(rest) < len(addrs):
		r.assign(ctx, rest)
	case !r.insisted:
		// Nobody has them: whoever had has let them go since EC2 refused, as
		// in a hand-over where this side was the first to ask.
		r.insisted = true
		r.insist(ctx, rest)
	default:
		r.split(ctx, rest, v, r.assign, r.refuse)
	}
}

func (r *run) settleHeld(a netip.Addr, v verdict, h holder, code Code, class Class, cure string) {
	v.rule = rule{code: code, class: class, cure: cure}
	why := v.reason(a)
	why.Owner = h.eni.ID
	how := "held by"
	if h.primary {
		how = "the primary address of"
	}
	why.Text = fmt.Sprintf("%s is %s %s, so EC2 refused it to %s: %s.", a, how, h, r.call.ENI, v.quote())
	r.settle(a, why)
}

// unverified is the verdict where the owner could not be looked up. EC2 also
// refuses an IPv6 address that is on the ENI already: that is in doubt then.
func (v verdict) unverified(lookup *verdict) verdict {
	v.said += "; its owner could not be looked up: " + lookup.said
	if v.family != IPv6 {
		return v // the code is sure without the owner's name
	}
	v.inDoubt = true
	if v.code == UnknownRefusal {
		v.code, v.class, v.cure = AddressContested, Contested, CureContested
	}
	if v.verb == Claim { // without the owner it cannot be moved
		v.class, v.cure = lookup.class, lookup.reason(netip.Addr{}).Cure
	}
	return v
}

// lookUp asks once who holds the call's undecided addresses; nil where EC2
// does not say. The question is kept to the VPC of the call's ENI: another
// VPC may use the same addresses, and has nothing to do with it.
func (r *run) lookUp(ctx context.Context) map[netip.Addr]holder {
	if r.holders != nil || r.holderErr != nil {
		return r.holders
	}
	var ask []netip.Addr
	for _, a := range r.call.Addrs {
		if _, ok := r.settled[a]; !ok {
			ask = append(ask, a)
		}
	}
	r.holders, r.holderErr = r.find(ctx, ask)
	return r.holders
}

// find asks who holds addrs now, in the VPC of the call's ENI.
func (r *run) find(ctx context.Context, addrs []netip.Addr) (map[netip.Addr]holder, *verdict) {
	about := r.call.About
	if about.VPCID == "" && about.SubnetID == "" {
		if own := r.describeOwn(ctx); own != nil {
			about = *own
		}
	}
	req := request{action: "DescribeNetworkInterfaces"}
	if about.VPCID == "" && about.SubnetID == "" {
		return nil, &verdict{request: req, rule: rule{class: Transient}, said: "the VPC of " + r.call.ENI + " is not known"}
	}
	if v := r.mayAsk(ctx, req); v != nil {
		return nil, v
	}
	about.ID = r.call.ENI
	holders, err := r.client.holders(ctx, about, addrs)
	if err != nil {
		v := judge(err, req)
		return nil, &v
	}
	return holders, nil
}

// take unassigns IPv6 addresses from the ENIs that hold them, then assigns
// them to the call's ENI.
func (r *run) take(ctx context.Context, from map[string][]netip.Addr) {
	if r.call.Urgent {
		r.swaps(ctx, from, true)
		return
	}
	var freed []netip.Addr
	for _, owner := range slices.Sorted(maps.Keys(from)) {
		freed = append(freed, r.takeFrom(ctx, owner, from[owner])...)
	}
	slices.SortFunc(freed, netip.Addr.Compare)
	r.insist(ctx, freed)
}

// takeFrom unassigns addrs from owner, settles those that it could not and
// returns the others.
func (r *run) takeFrom(ctx context.Context, owner string, addrs []netip.Addr) (freed []netip.Addr) {
	// An address that was taken and not assigned is nobody's: never begin what
	// cannot be ended, be it by giving back.
	if !r.left.has(3) {
		r.refuse(addrs, postponed(r.request("")))
		return nil
	}
	r.begin(true, addrs...)
	h := r.holderOf(addrs[0], owner)
	for _, o := range r.client.do(ctx, Call{Verb: Release, ENI: owner, Family: IPv6, Addrs: addrs, About: h.eni}, r.left, r.quit) {
		if doubt := o.InDoubt && r.quitted(); o.Reason != nil && !doubt {
			r.begin(false, o.Addr)
			r.notTaken(o.Addr, h, o.Reason, owner)
			continue
		}
		r.free(owner, o.Addr)
		freed = append(freed, o.Addr)
	}
	if len(freed) > 0 && !r.left.has(1) {
		r.left.left.Store(1) // to end what was begun
	}
	return freed
}

// free notes that addrs were taken from owner.
func (r *run) free(owner string, addrs ...netip.Addr) {
	if r.freed == nil {
		r.freed = map[netip.Addr]string{}
	}
	for _, a := range addrs {
		r.freed[a] = owner
		delete(r.holders, a)
	}
}

// notTaken settles an address that its holder could not be made to let go.
func (r *run) notTaken(a netip.Addr, holder fmt.Stringer, why *Reason, owner string) {
	why.Owner = owner
	why.Text = fmt.Sprintf("%s is held by %s and could not be taken for %s: %s", a, holder, r.call.ENI, why.Text)
	r.settle(a, why)
}

// insist assigns addresses that nobody has any more, a few times until EC2
// knows.
func (r *run) insist(ctx context.Context, addrs []netip.Addr) {
	for try := 1; len(addrs) > 0; try++ {
		listed, v := r.change(ctx, addrs)
		switch {
		case v == nil:
			r.acknowledge(ctx, addrs, listed)
			return
		case v.scope == eniFull:
			r.fit(ctx, addrs, *v)
			return
		case v.scope == wholeRequest:
			r.refuse(addrs, *v)
			return
		case try > moveTries || !sleep(ctx, moveFirstDelay<<(try-1)):
			r.split(ctx, addrs, *v, r.assign, r.refuse)
			return
		}
	}
}

// sleep returns false where ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
