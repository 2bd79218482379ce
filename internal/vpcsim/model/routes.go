// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// A RouteTable is a route table as EC2 describes it. The routes to the VPC's
// own blocks ("local") are among Routes, without an ENI.
type RouteTable struct {
	ID, VPCID, OwnerID string
	Main               bool
	SubnetIDs          []string
	Routes             []Route
	Tags               map[string]string
}

// A Route leads a destination to an ENI; ENI is "" for the local route.
type Route struct {
	Destination netip.Prefix
	ENI         string
	// InstanceID and OwnerID are those of the ENI's instance.
	InstanceID, OwnerID string
	// Created says that a call made the route, not the table itself.
	Created bool
	// Blackhole says that the ENI does not exist any more. Whether EC2 then
	// still names it is an assumption (BlackholeNamesNoENI).
	Blackhole bool
}

// State is the route's state as EC2 writes it.
func (r Route) State() string {
	if r.Blackhole {
		return "blackhole"
	}
	return "active"
}

// Origin is how the route came to be, as EC2 writes it.
func (r Route) Origin() string {
	if r.Created {
		return "CreateRoute"
	}
	return "CreateRouteTable"
}

// maxRoutes is how many routes of one family a table may have besides the local
// ones. Source: VPC user guide, quotas (500 since June 2025, 50 before).
const maxRoutes = 500

// maxTablesPage bounds MaxResults. Source: EC2 API reference, DescribeRouteTables.
const maxTablesPage = 100

type routeTable struct {
	spec   topology.RouteTable
	routes map[netip.Prefix]string // ENI ids
	tags   map[string]string
}

// viewTable is the route table as it is now. It wants mu.
func (v *VPC) viewTable(t *routeTable) RouteTable {
	out := RouteTable{
		ID: t.spec.ID, VPCID: v.topo.VPC.ID, OwnerID: v.topo.Account,
		Main: t.spec.Name == topology.MainRouteTable, Tags: maps.Clone(t.tags),
	}
	for _, s := range v.topo.Subnets {
		if v.subnets[s.ID].table == t && !out.Main {
			out.SubnetIDs = append(out.SubnetIDs, s.ID)
		}
	}
	for _, p := range v.topo.VPC.CIDRs {
		out.Routes = append(out.Routes, Route{Destination: p})
	}
	for _, dst := range slices.SortedFunc(maps.Keys(t.routes), netip.Prefix.Compare) {
		r := Route{Destination: dst, ENI: t.routes[dst], Created: true}
		if e := v.enis[r.ENI]; e != nil {
			r.InstanceID, r.OwnerID = e.worker.InstanceID, v.topo.Account
		} else {
			r.Blackhole = true
			if v.assume.BlackholeNamesNoENI {
				r.ENI = ""
			}
		}
		out.Routes = append(out.Routes, r)
	}
	return out
}

// attribute is what a route table has under a filter of DescribeRouteTables.
func (t RouteTable) attribute(name string) ([]string, bool) {
	switch name {
	case "route-table-id", "association.route-table-id":
		return []string{t.ID}, true
	case "vpc-id":
		return []string{t.VPCID}, true
	case "owner-id":
		return []string{t.OwnerID}, true
	case "route.state":
		return t.each(Route.State), true
	case "route.origin":
		return t.each(Route.Origin), true
	case "route.instance-id":
		return t.each(func(r Route) string { return r.InstanceID }), true
	case "route.gateway-id":
		return t.each(func(r Route) string {
			if r.Created {
				return ""
			}
			return "local"
		}), true
	case "association.subnet-id":
		return t.SubnetIDs, true
	case "association.main":
		return []string{map[bool]string{true: "true", false: "false"}[t.Main]}, true
	case "route.destination-cidr-block", "route.destination-ipv6-cidr-block":
		var all []string
		for _, r := range t.Routes {
			if r.Destination.Addr().Is4() == (name == "route.destination-cidr-block") {
				all = append(all, r.Destination.String())
			}
		}
		return all, true
	default:
		return nil, false
	}
}

// each is what tell says of the table's routes, without "".
func (t RouteTable) each(tell func(Route) string) []string {
	var all []string
	for _, r := range t.Routes {
		if s := tell(r); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// DescribeRouteTablesOutput is one page of route tables.
type DescribeRouteTablesOutput struct {
	Tables    []RouteTable
	NextToken string
}

// DescribeRouteTables is the EC2 action. The order is that of the topology.
func (v *VPC) DescribeRouteTables(ctx context.Context, in DescribeInput) (DescribeRouteTablesOutput, error) {
	return serve(ctx, v, request{action: "DescribeRouteTables", dryRun: in.DryRun}, func() (out DescribeRouteTablesOutput, _ *Error) {
		if err := pageOrIDs("routeTableIds", in.IDs, in.MaxResults); err != nil {
			return out, err
		}
		if in.MaxResults > maxTablesPage {
			return out, Refuse(CodeInvalidParameter, "Value ( %d ) for parameter maxResults is invalid. Expecting a value less than or equal to %d.", in.MaxResults, maxTablesPage)
		}
		for _, id := range in.IDs {
			if v.tables[id] == nil {
				return out, errTableNotFound(id)
			}
		}
		var all []RouteTable
		for _, t := range v.topo.RouteTables {
			if len(in.IDs) == 0 || slices.Contains(in.IDs, t.ID) {
				all = append(all, v.viewTable(v.tables[t.ID]))
			}
		}
		all, err := keep(all, in.Filters, RouteTable.attribute, func(t RouteTable) map[string]string { return t.Tags })
		if err != nil {
			return out, err
		}
		out.Tables, out.NextToken, err = page(all, func(t RouteTable) string { return t.ID }, in.MaxResults, in.NextToken)
		return out, err
	})
}

// RouteInput names a route and its target.
type RouteInput struct {
	RouteTableID       string
	Destination        netip.Prefix
	NetworkInterfaceID string
	DryRun             bool
}

// CreateRoute is the EC2 action. A route that is there already is refused,
// unless it leads to the same target.
func (v *VPC) CreateRoute(ctx context.Context, in RouteInput) error {
	return v.changeRoute(ctx, "CreateRoute", in, func(t *routeTable, _ *eni) *Error {
		old, there := t.routes[in.Destination]
		if there && old != in.NetworkInterfaceID {
			return Refuse(CodeRouteExists, "The route identified by %s already exists.", in.Destination)
		}
		n := 0
		for dst := range t.routes {
			if dst.Addr().Is4() == in.Destination.Addr().Is4() {
				n++
			}
		}
		if !there && n >= maxRoutes {
			return Refuse(CodeRouteLimit, "The maximum number of routes has been reached.")
		}
		return nil
	})
}

// ReplaceRoute is the EC2 action. A route that is not there is refused, with the
// code and text that somebody saw EC2 use (moto 6425) unless assumed otherwise.
func (v *VPC) ReplaceRoute(ctx context.Context, in RouteInput) error {
	return v.changeRoute(ctx, "ReplaceRoute", in, func(t *routeTable, _ *eni) *Error {
		if _, there := t.routes[in.Destination]; !there {
			return Refuse(v.assume.ReplaceMissingRouteCode, "There is no route defined for '%s' in the route table. Use CreateRoute instead.", in.Destination)
		}
		return nil
	})
}

func (v *VPC) changeRoute(ctx context.Context, action string, in RouteInput, allowed func(*routeTable, *eni) *Error) error {
	r := request{action: action, eni: in.NetworkInterfaceID, table: in.RouteTableID, addrs: []string{in.Destination.String()}, dryRun: in.DryRun, validates: true}
	_, err := serve(ctx, v, r, func() (none struct{}, _ *Error) {
		t, err := v.routeable(in.RouteTableID, in.Destination)
		if err != nil {
			return none, err
		}
		e, err := v.target(in.NetworkInterfaceID)
		if err != nil {
			return none, err
		}
		if err := allowed(t, e); err != nil {
			return none, err
		}
		if in.DryRun {
			return none, errDryRun()
		}
		now := v.now()
		t.routes[in.Destination] = e.id()
		v.plane.route(t.spec.ID, in.Destination, e.id(), v.remapped(now), now)
		return none, nil
	})
	return err
}

// DeleteRoute is the EC2 action; NetworkInterfaceID is not read.
func (v *VPC) DeleteRoute(ctx context.Context, in RouteInput) error {
	r := request{action: "DeleteRoute", table: in.RouteTableID, addrs: []string{in.Destination.String()}, dryRun: in.DryRun, validates: true}
	_, err := serve(ctx, v, r, func() (none struct{}, _ *Error) {
		t, err := v.routeable(in.RouteTableID, in.Destination)
		if err != nil {
			return none, err
		}
		if _, there := t.routes[in.Destination]; !there {
			return none, Refuse(CodeRouteNotFound, "no route with destination-cidr-block %s in route table %s", in.Destination, t.spec.ID)
		}
		if in.DryRun {
			return none, errDryRun()
		}
		now := v.now()
		delete(t.routes, in.Destination)
		v.plane.route(t.spec.ID, in.Destination, "", v.remapped(now), now)
		return none, nil
	})
	return err
}

// routeable returns the table, or why dst cannot be routed in it.
func (v *VPC) routeable(table string, dst netip.Prefix) (*routeTable, *Error) {
	t := v.tables[table]
	switch {
	case table == "":
		return nil, errMissing("routeTableId")
	case !strings.HasPrefix(table, "rtb-"):
		return nil, Refuse(CodeRouteTableMalformed, "Invalid id: \"%s\" (expecting \"rtb-...\")", table)
	case t == nil:
		return nil, errTableNotFound(table)
	case !dst.IsValid():
		return nil, errMissing("destinationCidrBlock or destinationIpv6CidrBlock")
	case dst != dst.Masked():
		return nil, Refuse(CodeInvalidParameter, "The destination CIDR block %s is not valid", dst)
	}
	for _, p := range v.topo.VPC.CIDRs {
		if topology.Covers(p, dst) {
			return nil, Refuse(CodeInvalidParameter, "The destination CIDR block %s is equal to or more specific than one of this VPC's CIDR blocks.", dst)
		}
	}
	return t, nil
}

func errTableNotFound(id string) *Error {
	return Refuse(CodeRouteTableNotFound, "The routeTable ID '%s' does not exist", id)
}
