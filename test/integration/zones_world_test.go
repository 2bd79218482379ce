// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// Floating IPs outside of the VPC, and the route tables of its two zones.
const (
	outside4 = "198.51.100.10"
	outside6 = "2001:db8:f::10"
)

var (
	outside = []string{outside4, outside6}
	tables  = []string{"main", "zone-b"}
)

// newZones starts the example with a worker in each of two zones, whose pods
// upf-a and upf-b are a pair, with addresses of the clients assigned.
func newZones(t *testing.T, settings ...setting) *lab {
	t.Helper()
	topo, err := topology.Load("../../examples/vpcsim/two-zones.yaml")
	check(t, err)
	topo.EC2 = topology.EC2{Address: topo.EC2.Address} // as fast as can be
	l := newLabOf(t, topo, settings...)
	for _, pod := range []string{"client-a", "client-b"} {
		l.container(pod).run("init").wantExit(0)
	}
	return l
}

// withCheck leaves the source/destination check of an ENI on.
func withCheck(eni string) setting {
	return func(t *topology.Topology, _ *vpcsim.Options) {
		for _, w := range t.Workers {
			for i := range w.ENIs {
				if w.ENIs[i].Name == eni {
					w.ENIs[i].NoSourceDestCheck = false
				}
			}
		}
	}
}

func tableID(name string) string { return topology.DeriveID("rtb", name) }

// across are the flags of a pod that shares the outside addresses, routed in
// some tables, all of them by default.
func across(in ...string) []string {
	if in == nil {
		in = tables
	}
	return []string{"--floating-ips=" + strings.Join(outside, ","), "--route-tables=" + strings.Join(tableIDs(in), ",")}
}

func tableIDs(names []string) (ids []string) {
	for _, n := range names {
		ids = append(ids, tableID(n))
	}
	return ids
}

// untilRouted waits until a table leads addresses to an ENI, "" for nowhere.
func (l *lab) untilRouted(table, eni string, addresses ...string) {
	l.t.Helper()
	for _, a := range addresses {
		l.eventually(fmt.Sprintf("%s in %s led to %q", a, table, eni), func() (any, bool) {
			got := l.routedTo(table, a)
			return got, got == eni
		})
	}
}

// untilRoutedEverywhere is untilRouted for all tables and outside addresses.
func (l *lab) untilRoutedEverywhere(eni string) {
	l.t.Helper()
	for _, t := range tables {
		l.untilRouted(t, eni, outside...)
	}
}

// routedTo is the name of the ENI that a table leads an address to.
func (l *lab) routedTo(table, address string) string {
	id := l.VPC.RoutedTo(table, netip.MustParseAddr(address))
	if e, ok := l.VPC.ENI(id); ok {
		return e.Name
	}
	return id
}

// changes are a worker's requests that change routes: no dry runs.
func (l *lab) changes(worker string) []model.Call {
	return slices.DeleteFunc(l.callsOf(worker, "*Route"), func(c model.Call) bool { return c.Params["DryRun"] == "true" })
}

// untilAnswered waits until packets from both zones arrive at a pod.
func (l *lab) untilAnswered(pod string) {
	l.t.Helper()
	for _, from := range []string{"client-a", "client-b"} {
		for _, a := range outside {
			l.untilReaches(from, a, pod)
		}
	}
}

// routeRow is the status of one address in one table.
func (c *container) routeRow(address, table string) (ledger.Row, bool) {
	c.lab.t.Helper()
	doc, err := c.status()
	if err != nil {
		return ledger.Row{}, false
	}
	i := slices.IndexFunc(doc.Addresses, func(r ledger.Row) bool {
		return r.Address.String() == address && r.RouteTable == tableID(table)
	})
	if i < 0 {
		return ledger.Row{}, false
	}
	return doc.Addresses[i], true
}

// untilRouteState waits until the status shows a route in a state.
func (c *container) untilRouteState(address, table string, want ledger.State) (row ledger.Row) {
	c.lab.t.Helper()
	c.lab.eventually(fmt.Sprintf("%s in %s %s", address, table, want), func() (any, bool) {
		row, _ = c.routeRow(address, table)
		return row, row.State == want
	})
	return row
}

// untilWarned waits until the status has a warning with all of some words.
func (c *container) untilWarned(words ...string) {
	c.lab.t.Helper()
	c.lab.eventually("a warning with "+strings.Join(words, ", "), func() (any, bool) {
		doc, err := c.status()
		return doc.Warnings, err == nil && slices.ContainsFunc(doc.Warnings, func(w string) bool {
			return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(w, word) })
		})
	})
}
