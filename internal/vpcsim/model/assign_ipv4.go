// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"net/netip"
	"slices"
)

// AssignPrivateIPAddressesInput names addresses, or how many are wanted; one
// of Addresses, Count, Prefixes and PrefixCount.
type AssignPrivateIPAddressesInput struct {
	NetworkInterfaceID string
	Addresses          []netip.Addr
	Count              int
	Prefixes           []netip.Prefix
	PrefixCount        int
	// AllowReassignment moves secondary addresses from other ENIs.
	AllowReassignment bool
}

// AssignPrivateIPAddressesOutput is the acknowledgement: what the call named
// or chose, whether it was there before or not.
type AssignPrivateIPAddressesOutput struct {
	NetworkInterfaceID string
	Addresses          []netip.Addr
	Prefixes           []netip.Prefix
}

// AssignPrivateIPAddresses is the EC2 action AssignPrivateIpAddresses. It does
// everything or nothing.
func (v *VPC) AssignPrivateIPAddresses(ctx context.Context, in AssignPrivateIPAddressesInput) (AssignPrivateIPAddressesOutput, error) {
	r := request{action: "AssignPrivateIpAddresses", eni: in.NetworkInterfaceID, addrs: append(texts(in.Addresses), texts(in.Prefixes)...)}
	return serve(ctx, v, r, func() (out AssignPrivateIPAddressesOutput, _ *Error) {
		e, err := v.target(in.NetworkInterfaceID)
		if err != nil {
			return out, err
		}
		out.NetworkInterfaceID = e.id()
		want := wanted{v4: true, addrs: in.Addresses, count: in.Count, prefixes: in.Prefixes, prefixCount: in.PrefixCount}
		judge := func(addrs []netip.Addr) ([]netip.Addr, *Error) { return v.claimIPv4(e, addrs, in.AllowReassignment) }
		out.Addresses, out.Prefixes, err = v.assign(e, want, judge)
		return out, err
	})
}

// claimIPv4 returns those of addrs that are not on e yet and may come to it.
func (v *VPC) claimIPv4(e *eni, addrs []netip.Addr, reassign bool) (fresh []netip.Addr, refusal *Error) {
	var unmovable []netip.Addr
	primary := false
	for _, a := range addrs {
		owner := v.owners[a]
		if owner == nil {
			if err := v.outsidePrefixes(e, a); err != nil {
				return nil, err
			}
		}
		switch {
		case owner == nil:
			if v.blockOf(a) != e {
				fresh = append(fresh, a)
			}
		case owner.primary(a) && (reassign || owner == e || !v.assume.PrimaryHidesBehindMove):
			primary = true
		case owner == e:
			if !reassign && v.assume.IPv4SameENIRefused {
				unmovable = append(unmovable, a)
			}
		case !reassign:
			unmovable = append(unmovable, a)
		default:
			fresh = append(fresh, a)
		}
	}
	switch {
	case primary:
		return nil, Refuse(CodeInvalidParameter, textPrimaryMove)
	case len(unmovable) > 0:
		return nil, errMoveNotAllowed(unmovable)
	}
	return fresh, nil
}

// UnassignPrivateIPAddressesInput names what is to go.
type UnassignPrivateIPAddressesInput struct {
	NetworkInterfaceID string
	Addresses          []netip.Addr
	Prefixes           []netip.Prefix
}

// UnassignPrivateIPAddresses is the EC2 action UnassignPrivateIpAddresses. It
// does everything or nothing, and answers with nothing.
func (v *VPC) UnassignPrivateIPAddresses(ctx context.Context, in UnassignPrivateIPAddressesInput) error {
	r := request{action: "UnassignPrivateIpAddresses", eni: in.NetworkInterfaceID, addrs: append(texts(in.Addresses), texts(in.Prefixes)...)}
	_, err := serve(ctx, v, r, func() (none struct{}, _ *Error) {
		e, err := v.target(in.NetworkInterfaceID)
		if err != nil {
			return none, err
		}
		if len(in.Addresses)+len(in.Prefixes) == 0 {
			return none, errMissing("privateIpAddresses")
		}
		if slices.ContainsFunc(in.Addresses, func(a netip.Addr) bool { return v.owners[a] == e && e.primary(a) }) {
			return none, Refuse(CodeInvalidParameter, textPrimaryStays)
		}
		if slices.ContainsFunc(in.Addresses, func(a netip.Addr) bool { return !a.Is4() || v.owners[a] != e }) ||
			slices.ContainsFunc(in.Prefixes, func(p netip.Prefix) bool { return !p.Addr().Is4() || v.blocks[p] != e }) {
			return none, errNotAssigned(e.id())
		}
		v.release(e, in.Addresses, in.Prefixes)
		return none, nil
	})
	return err
}

// release takes addresses and prefixes, which e has, from it.
func (v *VPC) release(e *eni, addrs []netip.Addr, prefixes []netip.Prefix) {
	now := v.now()
	for _, a := range unique(addrs) {
		v.drop(e, a, v.remapped(now))
	}
	for _, p := range unique(prefixes) {
		v.withdraw(e, p, v.remapped(now))
	}
	e.noted(now)
}
