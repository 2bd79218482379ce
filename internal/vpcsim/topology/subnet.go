// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package topology

import "net/netip"

// reservedAtStart is how many addresses at the start of a subnet EC2 keeps for
// itself; the last one it keeps too. Source: VPC user guide, subnet sizing,
// for both families.
const reservedAtStart = 4

// Contains says whether addr lies in one of the subnet's blocks.
func (s Subnet) Contains(addr netip.Addr) bool {
	return s.block(addr).IsValid()
}

// Reserved says whether addr is one of the addresses of the subnet that EC2
// keeps for itself: the first four and the last.
func (s Subnet) Reserved(addr netip.Addr) bool {
	block := s.block(addr)
	if !block.IsValid() {
		return false
	}
	a := block.Masked().Addr()
	for range reservedAtStart {
		if a == addr {
			return true
		}
		a = a.Next()
	}
	return addr == LastAddr(block)
}

// block is the subnet's block that contains addr, or the zero Prefix.
func (s Subnet) block(addr netip.Addr) netip.Prefix {
	switch {
	case s.CIDR.IsValid() && s.CIDR.Contains(addr):
		return s.CIDR
	case s.IPv6.IsValid() && s.IPv6.Contains(addr):
		return s.IPv6
	default:
		return netip.Prefix{}
	}
}

// LastAddr is the highest address of p.
func LastAddr(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// Covers says whether inner lies wholly in outer.
func Covers(outer, inner netip.Prefix) bool {
	return outer.IsValid() && inner.IsValid() && outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}
