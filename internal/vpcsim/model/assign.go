// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"net/netip"
	"strings"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// wanted is what an Assign call of either family asks for.
type wanted struct {
	v4          bool
	addrs       []netip.Addr
	count       int
	prefixes    []netip.Prefix
	prefixCount int
}

// ways is how many of the exclusive ways to ask the call uses.
func (w wanted) ways() (n int) {
	for _, used := range []bool{len(w.addrs) > 0, w.count != 0, len(w.prefixes) > 0, w.prefixCount != 0} {
		if used {
			n++
		}
	}
	return n
}

// assign carries out an Assign call of either family, whole or not at all.
// judge returns those of the named addresses that are to come to e.
func (v *VPC) assign(e *eni, w wanted, judge func([]netip.Addr) ([]netip.Addr, *Error)) ([]netip.Addr, []netip.Prefix, *Error) {
	if err := w.check(); err != nil {
		return nil, nil, err
	}
	named, prefixes := unique(w.addrs), unique(w.prefixes)
	for _, a := range named {
		if err := assignable(e, a, w.v4); err != nil {
			return nil, nil, err
		}
	}
	fresh, err := judge(named)
	if err != nil {
		return nil, nil, err
	}
	if prefixes, err = v.freshPrefixes(e, prefixes, w.v4); err != nil {
		return nil, nil, err
	}
	more := len(fresh) + w.count + len(prefixes) + w.prefixCount
	if v.assume.LimitCountsPresent {
		more += len(named) - len(fresh)
	}
	if e.count(w.v4)+more > e.limit(w.v4) {
		return nil, nil, v.errLimit(w.v4, e)
	}
	if w.count > 0 {
		if fresh, err = v.choose(e, w.v4, w.count); err != nil {
			return nil, nil, err
		}
		named = fresh
	}
	if w.prefixCount > 0 {
		if prefixes, err = v.choosePrefixes(e, w.v4, w.prefixCount); err != nil {
			return nil, nil, err
		}
	}
	v.bring(e, fresh, prefixes)
	if w.prefixCount == 0 {
		prefixes = unique(w.prefixes)
	}
	if v.assume.AckListsNewOnly {
		return fresh, prefixes, nil
	}
	return named, prefixes, nil
}

// bring puts addresses and prefixes on e, taking addresses from where they are.
func (v *VPC) bring(e *eni, addrs []netip.Addr, prefixes []netip.Prefix) {
	now := v.now()
	for _, a := range addrs {
		then := v.remapped(now)
		if owner := v.owners[a]; owner != nil {
			// One step for the data plane: the old owner has it until then.
			v.takeAway(owner, a)
			owner.noted(now)
		}
		v.hold(e, a, then)
	}
	for _, p := range prefixes {
		v.delegate(e, p, v.remapped(now))
	}
	e.noted(now)
}

func (w wanted) check() *Error {
	switch {
	case w.count < 0 || w.prefixCount < 0:
		return Refuse(CodeInvalidParameter, "The number of addresses cannot be negative")
	case w.ways() == 0 && w.v4:
		return errMissing("privateIpAddress or secondaryPrivateIpAddressCount")
	case w.ways() == 0:
		return errMissing("ipv6Addresses or ipv6AddressCount")
	case w.ways() > 1:
		return Refuse(CodeInvalidCombination, "Addresses, a number of addresses, prefixes and a number of prefixes may not be specified on the same request")
	}
	return nil
}

// assignable refuses an address that can be on no ENI of e's subnet.
func assignable(e *eni, a netip.Addr, v4 bool) *Error {
	switch {
	case !a.IsValid() || a.Is4() != v4 || a.Zone() != "":
		return Refuse(CodeInvalidParameter, "invalid value for parameter address: %s", a)
	case !v4 && !e.subnet.spec.IPv6.IsValid():
		return Refuse(CodeInvalidParameter, "The subnet '%s' does not have an IPv6 CIDR block associated with it", e.subnet.spec.ID)
	case !e.subnet.spec.Contains(a):
		return Refuse(CodeInvalidParameter, textOutside)
	case e.subnet.spec.Reserved(a):
		return errReserved(a)
	}
	return nil
}

// outsidePrefixes refuses an address inside a delegated prefix.
func (v *VPC) outsidePrefixes(e *eni, a netip.Addr) *Error {
	holder := v.blockOf(a)
	if holder == nil || holder == e && v.assume.OwnPrefixAccepted {
		return nil
	}
	return Refuse(v.assume.InPrefixCode, "%s", fillIn(v.assume.InPrefixMessage, a, e, holder))
}

func (v *VPC) errLimit(v4 bool, e *eni) *Error {
	if v4 {
		return Refuse(CodeLimitExceeded, textLimit)
	}
	return Refuse(v.assume.IPv6LimitCode, "%s", fillIn(v.assume.IPv6LimitMessage, netip.Addr{}, e, e))
}

// fillIn puts the names into a message of topology.Assumptions.
func fillIn(message string, a netip.Addr, e, owner *eni) string {
	return strings.NewReplacer("{address}", a.String(), "{eni}", e.id(), "{owner}", owner.id()).Replace(message)
}

// unique is values without repetitions, in their order.
func unique[T comparable](values []T) []T {
	seen := map[T]bool{}
	var out []T
	for _, v := range values {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

// prefixBits is the size of a delegated prefix.
func prefixBits(v4 bool) int {
	if v4 {
		return topology.PrefixBitsIPv4
	}
	return topology.PrefixBitsIPv6
}
