// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"cmp"
	"net/netip"
	"slices"
)

// Plan makes the fewest calls that do items: one per ENI, verb and family, and
// one for each route, since EC2 takes routes one by one.
// done are the items that need none: the address is on the ENI already, it is
// the ENI's own primary, or it lies in a prefix that is delegated to the ENI
// (so it is routed there whether wanted or not); and releases of what the ENI
// does not have. Routes are never among them: what enis say of addresses says
// nothing of a route.
//
// enis are what is known. Give an ENI's Addresses only when EC2 has just
// described them: a stale list would drop a call that is needed. An ENI
// that is missing in enis gets all of its calls, and a primary of it is then refused by
// Do at the latest.
//
// Where items contradict each other about an address on an ENI (of routes: in a
// table), Claim beats Hold beats Release: what is wanted must not be released.
// Addresses come back unmapped and without zone.
//
// The calls are to be made in order. Those of different ENIs may overlap: then
// an IPv6 claim of step 3 that comes too early finds its owner by itself, at
// the cost of a Describe.
//  1. Claims that wait for nothing, since each of them may be a failover.
//  2. Releases.
//  3. Claims that a release makes room for: on the same ENI in the same family,
//     or of an IPv6 address that another ENI of the plan lets go.
//  4. Holds, which never take anything away and so may need the releases.
//
// A route needs no room and is replaced in place: its claim is of step 1 even
// where the plan releases it from another ENI, which then finds it gone.
// Within each step calls are sorted by ENI, table, family and address.
func Plan(items []Item, enis []ENI) (calls []Call, done []Item) {
	known := make(map[string]ENI, len(enis))
	for _, e := range enis {
		known[e.ID] = e
	}
	type key struct {
		verb   Verb
		eni    string
		family Family
		// table and addr are of a route, zero otherwise.
		table string
		addr  netip.Addr
	}
	groups := map[key][]netip.Addr{}
	released := map[netip.Addr]bool{}
	for _, it := range strongest(items) {
		e := known[it.ENI]
		if needless(it, e) {
			done = append(done, it)
			continue
		}
		k := key{verb: it.Verb, eni: it.ENI, family: FamilyOf(it.Addr)}
		if it.Table != "" {
			k.table, k.addr = it.Table, it.Addr
		}
		groups[k] = append(groups[k], it.Addr)
		if it.Verb == Release && it.Table == "" {
			released[it.Addr] = true
		}
	}
	step := map[key]int{}
	for k, addrs := range groups {
		_, makesRoom := groups[key{verb: Release, eni: k.eni, family: k.family}]
		switch {
		case k.verb == Release:
			step[k] = 2
		case k.verb != Claim:
			step[k] = 4
		case k.table != "":
			step[k] = 1
		case makesRoom,
			k.family == IPv6 && slices.ContainsFunc(addrs, func(a netip.Addr) bool { return released[a] }):
			step[k] = 3
		default:
			step[k] = 1
		}
	}
	keys := make([]key, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(step[a], step[b]), cmp.Compare(a.eni, b.eni), cmp.Compare(a.table, b.table),
			cmp.Compare(a.family, b.family), a.addr.Compare(b.addr), cmp.Compare(a.verb, b.verb))
	})
	for _, k := range keys {
		about := known[k.eni]
		calls = append(calls, Call{Verb: k.verb, ENI: k.eni, Family: k.family, Table: k.table, Addrs: groups[k], About: about})
	}
	return calls, done
}

// strongest are items without duplicates, sorted by ENI, table and address; of
// those about the same address on the same ENI in the same table the strongest
// verb stays.
func strongest(items []Item) []Item {
	s := make([]Item, 0, len(items))
	for _, it := range items {
		it.Addr = it.Addr.Unmap().WithZone("")
		s = append(s, it)
	}
	slices.SortFunc(s, func(a, b Item) int { // Claim < Hold < Release
		return cmp.Or(cmp.Compare(a.ENI, b.ENI), cmp.Compare(a.Table, b.Table), a.Addr.Compare(b.Addr), cmp.Compare(a.Verb, b.Verb))
	})
	return slices.CompactFunc(s, func(a, b Item) bool { return a.ENI == b.ENI && a.Table == b.Table && a.Addr == b.Addr })
}

// needless says that the item is done as it is.
func needless(it Item, e ENI) bool {
	if it.Table != "" {
		return false
	}
	if it.Addr == e.Primary || it.Addr == e.PrimaryIPv6 {
		return it.Addr.IsValid()
	}
	if inside(it.Addr, e.Prefixes) {
		return true
	}
	if len(e.Addresses) == 0 {
		return false
	}
	return slices.Contains(e.Addresses, it.Addr) == (it.Verb != Release)
}
