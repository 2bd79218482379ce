// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"fmt"
	"net/netip"
	"slices"
)

// reservedHead is how many addresses at the start of each subnet's block AWS
// keeps for itself, in both families; the last one is its too. Source: Amazon
// VPC user guide, subnet CIDR blocks.
const reservedHead = 4

// CheckAddress finds, before EC2 is asked, what EC2 would refuse: an address
// outside of the ENI's subnet, or one that AWS reserves. It returns nil where
// no block of the address's family is known.
func CheckAddress(addr netip.Addr, eni ENI) *Reason {
	addr = addr.Unmap()
	if !HaveFamily(eni.CIDRs, addr) {
		return nil
	}
	for _, p := range eni.CIDRs {
		if !p.Contains(addr) {
			continue
		}
		if !reserved(addr, p) {
			return nil
		}
		return &Reason{
			Code: AddressReserved, Class: Permanent, Cure: cureReserved,
			Text: fmt.Sprintf("%s is one of the addresses that AWS reserves in %s, the subnet of %s.", addr, p, eni.ID),
		}
	}
	return &Reason{
		Code: AddressOutsideSubnet, Class: Permanent, Cure: cureOutside,
		Text: fmt.Sprintf("%s is outside of the subnet of %s.", addr, describeENI(eni)),
	}
}

// HaveFamily says that some of the blocks are of the address's family, IPv4 or IPv6:
// else they tell nothing of it.
func HaveFamily(blocks []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(blocks, func(p netip.Prefix) bool { return p.Addr().BitLen() == addr.BitLen() })
}

// reserved says that addr, inside of p, is one of the first four or the last.
func reserved(addr netip.Addr, p netip.Prefix) bool {
	a := p.Masked().Addr()
	for range reservedHead {
		if a == addr {
			return true
		}
		a = a.Next()
	}
	return p.IsValid() && (!addr.Next().IsValid() || !p.Contains(addr.Next()))
}
