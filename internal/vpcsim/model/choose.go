// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"net/netip"
	"slices"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// choose picks n free addresses of e's subnet, the lowest ones. Subnet CIDR
// reservations are left alone. Source: VPC user guide, subnet CIDR reservations.
func (v *VPC) choose(e *eni, v4 bool, n int) ([]netip.Addr, *Error) {
	block := e.subnet.block(v4)
	var found []netip.Addr
	for a := block.Addr(); block.IsValid() && block.Contains(a) && len(found) < n; a = a.Next() {
		if r, ok := e.subnet.reservation(a); ok {
			a = topology.LastAddr(r.CIDR)
			continue
		}
		if v.blockOf(a) != nil {
			a = topology.LastAddr(blockAround(a))
			continue
		}
		if v.owners[a] == nil && !e.subnet.spec.Reserved(a) {
			found = append(found, a)
		}
	}
	if len(found) < n {
		return nil, Refuse(CodeInsufficientAddresses, "The specified subnet does not have enough free addresses to satisfy the request.")
	}
	return found, nil
}

// choosePrefixes picks n free prefixes of e's subnet: from its reservations of
// type prefix first, then from what is not reserved.
func (v *VPC) choosePrefixes(e *eni, v4 bool, n int) ([]netip.Prefix, *Error) {
	var found []netip.Prefix
	block := e.subnet.block(v4)
	for _, reserved := range []bool{true, false} {
		for p := netip.PrefixFrom(block.Addr(), prefixBits(v4)); block.IsValid() && block.Contains(p.Addr()) && len(found) < n; {
			kind, any := e.subnet.reservedAs(p)
			if (kind == topology.ReservationPrefix) == reserved && (reserved || !any) && v.delegable(e, p) == nil && !slices.Contains(found, p) {
				found = append(found, p)
			}
			p = netip.PrefixFrom(topology.LastAddr(p).Next(), p.Bits())
			if !p.Addr().IsValid() {
				break
			}
		}
	}
	if len(found) < n {
		return nil, Refuse(CodeInsufficientBlocks, "The specified subnet does not have enough free cidr blocks to satisfy the request.")
	}
	return found, nil
}

// freshPrefixes returns those of prefixes that are not on e yet, or why one
// cannot come to it.
func (v *VPC) freshPrefixes(e *eni, prefixes []netip.Prefix, v4 bool) (fresh []netip.Prefix, refusal *Error) {
	for _, p := range prefixes {
		block := e.subnet.block(v4)
		switch {
		case !p.IsValid() || p.Addr().Is4() != v4 || p.Bits() != prefixBits(v4) || p != p.Masked():
			return nil, Refuse(CodeInvalidParameter, "invalid value for parameter prefix: %s", p)
		case !topology.Covers(block, p):
			return nil, Refuse(CodeInvalidParameter, textOutside)
		case v.blocks[p] == e:
			continue
		}
		if err := v.delegable(e, p); err != nil {
			return nil, err
		}
		fresh = append(fresh, p)
	}
	return fresh, nil
}

// delegable refuses a prefix that is not free.
func (v *VPC) delegable(e *eni, p netip.Prefix) *Error {
	if v.blocks[p] != nil {
		return Refuse(CodeInvalidParameter, "The prefix %s is already assigned", p)
	}
	if e.subnet.spec.Reserved(p.Addr()) || e.subnet.spec.Reserved(topology.LastAddr(p)) {
		return Refuse(CodeInvalidParameter, "Prefix %s is in subnet's reserved address range", p)
	}
	for a := range v.owners {
		if p.Contains(a) {
			return Refuse(CodeInvalidParameter, "The prefix %s contains addresses that are already assigned", p)
		}
	}
	return nil
}
