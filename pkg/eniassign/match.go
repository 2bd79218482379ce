// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// A Policy says which ENIs the user lets us touch although they are not marked
// as ours (law 9).
type Policy struct {
	// AllowPrimaryENI lets the ENI at device index 0 be used.
	AllowPrimaryENI bool
	// AllowManagedENI lets ENIs be used whose tags are known to lack
	// NoManageTag=true.
	AllowManagedENI bool
}

// Refuses says why the policy forbids an ENI, "" where it does not. Unknown
// tags forbid nothing: the caller warns of them once.
func (p Policy) Refuses(e ENI) Code {
	switch {
	case e.DeviceIndex == 0 && p.AllowPrimaryENI:
		return "" // it is managed whatever its tags, and allowed all the same
	case e.DeviceIndex == 0:
		return ENIRefusedPrimary
	case e.Tags != nil && e.Tags[NoManageTag] != "true" && !p.AllowManagedENI:
		return ENIRefusedManaged
	default:
		return ""
	}
}

// Match finds the ENI below an interface's address: the one with the
// interface's MAC address (in any case, "" where it is not known), else the one whose
// subnet's block contains addr, the longest block first. It fails with a
// *RefusedError, an *AmbiguousError or a *NoENIError.
func Match(mac string, addr netip.Addr, enis []ENI, policy Policy) (ENI, error) {
	addr = addr.Unmap()
	if mac != "" {
		var same []ENI
		for _, e := range enis {
			if strings.EqualFold(e.MAC, mac) {
				same = append(same, e)
			}
		}
		if len(same) > 1 && same[0].ID != same[1].ID {
			return ENI{}, &AmbiguousError{MAC: mac, Addr: addr, First: same[0], Second: same[1]}
		}
		if len(same) > 0 {
			return allowed(same[0], mac, addr, policy)
		}
	}
	below := containing(addr, enis)
	var usable []candidate
	for _, c := range below {
		if policy.Refuses(c.ENI) == "" {
			usable = append(usable, c)
		}
	}
	switch {
	case len(usable) > 1 && usable[0].bits == usable[1].bits && usable[0].ID != usable[1].ID:
		return ENI{}, &AmbiguousError{MAC: mac, Addr: addr, First: usable[0].ENI, Second: usable[1].ENI}
	case len(usable) > 0:
		return usable[0].ENI, nil
	case len(below) > 0:
		return allowed(below[0].ENI, mac, addr, policy)
	default:
		return ENI{}, &NoENIError{MAC: mac, Addr: addr, ENIs: enis}
	}
}

func allowed(e ENI, mac string, addr netip.Addr, policy Policy) (ENI, error) {
	if code := policy.Refuses(e); code != "" {
		return ENI{}, &RefusedError{MAC: mac, Addr: addr, ENI: e, Code: code}
	}
	return e, nil
}

// A candidate is an ENI whose subnet has a block of so many bits that contains
// the address.
type candidate struct {
	ENI
	bits int
}

// containing are the candidates for addr, the longest block first, then by ID.
func containing(addr netip.Addr, enis []ENI) []candidate {
	var found []candidate
	for _, e := range enis {
		c := candidate{e, -1}
		for _, p := range e.CIDRs {
			if p.Contains(addr) {
				c.bits = max(c.bits, p.Bits())
			}
		}
		if c.bits >= 0 {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.bits, a.bits), cmp.Compare(a.ID, b.ID))
	})
	return found
}
