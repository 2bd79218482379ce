// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"net/netip"
)

// AssignIPv6AddressesInput names addresses, or how many are wanted; one of
// Addresses, Count, Prefixes and PrefixCount.
type AssignIPv6AddressesInput struct {
	NetworkInterfaceID string
	Addresses          []netip.Addr
	Count              int
	Prefixes           []netip.Prefix
	PrefixCount        int
}

// IPv6AddressesOutput is what an IPv6 call has assigned or unassigned.
type IPv6AddressesOutput struct {
	NetworkInterfaceID string
	Addresses          []netip.Addr
	Prefixes           []netip.Prefix
}

// AssignIPv6Addresses is the EC2 action AssignIpv6Addresses. It does everything
// or nothing, and never takes an address from another ENI.
func (v *VPC) AssignIPv6Addresses(ctx context.Context, in AssignIPv6AddressesInput) (IPv6AddressesOutput, error) {
	r := request{action: "AssignIpv6Addresses", eni: in.NetworkInterfaceID, addrs: append(texts(in.Addresses), texts(in.Prefixes)...)}
	return serve(ctx, v, r, func() (out IPv6AddressesOutput, _ *Error) {
		e, err := v.target(in.NetworkInterfaceID)
		if err != nil {
			return out, err
		}
		out.NetworkInterfaceID = e.id()
		want := wanted{addrs: in.Addresses, count: in.Count, prefixes: in.Prefixes, prefixCount: in.PrefixCount}
		judge := func(addrs []netip.Addr) ([]netip.Addr, *Error) { return v.claimIPv6(e, addrs) }
		out.Addresses, out.Prefixes, err = v.assign(e, want, judge)
		return out, err
	})
}

// claimIPv6 returns those of addrs that are not on e yet and may come to it.
func (v *VPC) claimIPv6(e *eni, addrs []netip.Addr) (fresh []netip.Addr, refusal *Error) {
	for _, a := range addrs {
		switch owner := v.owners[a]; {
		case owner == nil:
			if err := v.outsidePrefixes(e, a); err != nil {
				return nil, err
			}
			if v.blockOf(a) != e {
				fresh = append(fresh, a)
			}
		case owner != e || v.assume.IPv6SameENIRefused:
			return nil, Refuse(v.assume.IPv6OwnedElsewhereCode, "%s", fillIn(v.assume.IPv6OwnedElsewhereMessage, a, e, owner))
		}
	}
	return fresh, nil
}

// UnassignIPv6AddressesInput names what is to go.
type UnassignIPv6AddressesInput struct {
	NetworkInterfaceID string
	Addresses          []netip.Addr
	Prefixes           []netip.Prefix
}

// UnassignIPv6Addresses is the EC2 action UnassignIpv6Addresses. It does
// everything or nothing.
func (v *VPC) UnassignIPv6Addresses(ctx context.Context, in UnassignIPv6AddressesInput) (IPv6AddressesOutput, error) {
	r := request{action: "UnassignIpv6Addresses", eni: in.NetworkInterfaceID, addrs: append(texts(in.Addresses), texts(in.Prefixes)...)}
	return serve(ctx, v, r, func() (out IPv6AddressesOutput, _ *Error) {
		e, err := v.target(in.NetworkInterfaceID)
		if err != nil {
			return out, err
		}
		if len(in.Addresses)+len(in.Prefixes) == 0 {
			return out, errMissing("ipv6Addresses")
		}
		for _, a := range in.Addresses {
			if v.owners[a] != e || a.Is4() {
				return out, v.errNotMapped(a.String(), e)
			}
			if e.primary(a) {
				return out, Refuse(CodeInvalidParameter, textPrimaryStays)
			}
		}
		for _, p := range in.Prefixes {
			if v.blocks[p] != e || p.Addr().Is4() {
				return out, v.errNotMapped(p.String(), e)
			}
		}
		v.release(e, in.Addresses, in.Prefixes)
		return IPv6AddressesOutput{e.id(), unique(in.Addresses), unique(in.Prefixes)}, nil
	})
}

func (v *VPC) errNotMapped(what string, e *eni) *Error {
	return Refuse(v.assume.IPv6NotMappedCode, "The address '%s' is not mapped to interface ID '%s'", what, e.id())
}
