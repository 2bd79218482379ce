// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import "net/netip"

// ENI returns the ENI with that id or topology name, as it is now.
func (v *VPC) ENI(ref string) (ENI, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	e := v.find(ref)
	if e == nil {
		return ENI{}, false
	}
	return v.view(e), true
}

// ENIs are all ENIs in the topology's order, as they are now.
func (v *VPC) ENIs() []ENI {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var all []ENI
	for _, e := range v.ordered() {
		all = append(all, v.view(e))
	}
	return all
}

// RouteTables are the route tables as they are now, in the topology's order.
func (v *VPC) RouteTables() []RouteTable {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var all []RouteTable
	for _, t := range v.topo.RouteTables {
		all = append(all, v.viewTable(v.tables[t.ID]))
	}
	return all
}

// RoutedTo is where a route table, by name or id, leads an address by its own
// /32 or /128 route: the id of an ENI, "" where there is none.
func (v *VPC) RoutedTo(table string, a netip.Addr) string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for id, t := range v.tables {
		if id == table || t.spec.Name == table {
			return t.routes[netip.PrefixFrom(a, a.BitLen())]
		}
	}
	return ""
}

// Addresses are all addresses of the ENI with that id or topology name, the
// primary one first; nil when there is no such ENI.
func (v *VPC) Addresses(ref string) []netip.Addr {
	e, ok := v.ENI(ref)
	if !ok {
		return nil
	}
	return e.Addresses()
}

// Owner is the ENI that EC2 has a for, by itself or within a prefix. The data
// plane may lag behind; Deliver tells what it does.
func (v *VPC) Owner(a netip.Addr) (ENI, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	e := v.owners[a]
	if e == nil {
		e = v.blockOf(a)
	}
	if e == nil {
		return ENI{}, false
	}
	return v.view(e), true
}
