// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/netip"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// A way is how a client reaches a floating IP.
type way struct {
	addr netip.Addr
	from string // the client
	// table is the name of the route table of the client's subnet, where the
	// address is a route; else "".
	table string
}

func (w way) String() string {
	if w.table == "" {
		return w.addr.String()
	}
	return w.addr.String() + " in " + w.table
}

// holder is the name of the ENI that the VPC delivers to; "" for none.
func (w way) holder(v *model.VPC) string {
	if w.table == "" {
		e, _ := v.Owner(w.addr)
		return e.Name
	}
	e, _ := v.ENI(v.RoutedTo(w.table, w.addr))
	return e.Name
}

// named says whether a call is about the way: it names the address, or the route
// to it in the way's route table.
func (w way) named(c model.Call) bool {
	table := ""
	if w.table != "" {
		table = tableID(w.table)
	}
	return c.Names(w.addr) && c.RouteTable == table
}
