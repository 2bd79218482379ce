// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"net/netip"
)

// release unassigns addrs from the call's ENI. What is not there is released.
func (r *run) release(ctx context.Context, addrs []netip.Addr) {
	if len(addrs) == 0 {
		return
	}
	listed, v := r.change(ctx, addrs)
	if v == nil {
		in, missing := part(addrs, listed)
		r.done(in...)
		r.unlisted(missing)
		return
	}
	switch v.scope {
	case allGone:
		r.done(addrs...)
	case wholeRequest:
		r.refuse(addrs, *v)
	default:
		r.releaseSome(ctx, addrs, *v)
	}
}

// releaseSome goes on after a refusal that speaks of some of addrs: it asks
// once what is on the ENI, and splits where that does not tell.
func (r *run) releaseSome(ctx context.Context, addrs []netip.Addr, v verdict) {
	if named, rest := part(addrs, v.named); len(addrs) > 1 && (len(named) == 0 || len(rest) == 0) && !r.ownAsked {
		if own := r.describeOwn(ctx); own != nil {
			present, gone := part(addrs, own.Addresses)
			primary, present := part(present, []netip.Addr{own.Primary, own.PrimaryIPv6})
			r.done(gone...)
			for _, a := range primary {
				r.settle(a, primaryRelease(a, r.call.ENI))
			}
			if len(present) < len(addrs) {
				r.release(ctx, present)
				return
			}
		}
	}
	r.split(ctx, addrs, v, r.release, func(bad []netip.Addr, v verdict) {
		if v.scope == notThere {
			r.done(bad...)
			return
		}
		r.refuse(bad, v)
	})
}
