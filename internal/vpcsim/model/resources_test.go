// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"net/netip"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

func TestTags(t *testing.T) {
	v := newWorld(t)
	ctx := context.Background()
	wantRefusal(t, v.CreateTags(ctx, []string{id("sig1"), id("sig2")}, map[string]string{"Name": "x", "a": "b"}, false), "")
	for _, name := range []string{"sig1", "sig2"} {
		if e, _ := v.ENI(name); e.Tags["Name"] != "x" || e.Tags["a"] != "b" {
			t.Errorf("%s has the tags %v", name, e.Tags)
		}
	}
	wantRefusal(t, v.CreateTags(ctx, []string{id("sig1"), "eni-0"}, map[string]string{"Name": "y"}, false), "InvalidNetworkInterfaceID.NotFound: The networkInterface ID 'eni-0' does not exist")
	wantRefusal(t, v.CreateTags(ctx, []string{id("sig1")}, map[string]string{"aws:x": "y"}, false), "InvalidParameterValue: Tag key 'aws:x' or its value is not valid")
	other := "other"
	wantRefusal(t, v.DeleteTags(ctx, []string{id("sig1")}, map[string]*string{"Name": &other, "a": nil}, false), "")
	if e, _ := v.ENI("sig1"); e.Tags["Name"] != "x" || e.Tags["a"] != "" {
		t.Errorf("sig1 has the tags %v", e.Tags)
	}
}

func TestReservations(t *testing.T) {
	v := newWorld(t)
	ctx := context.Background()
	sig := topology.DeriveID("subnet", "sig")
	create := func(cidr, kind string) error {
		_, err := v.CreateSubnetCIDRReservation(ctx, CreateSubnetCIDRReservationInput{SubnetID: sig, CIDR: netip.MustParsePrefix(cidr), Type: kind})
		return err
	}
	wantRefusal(t, create("10.0.1.0/28", "explicit"), "")
	wantRefusal(t, create("10.0.1.96/28", "explicit"), "InvalidCidrReservation.Conflict: The CIDR '10.0.1.96/28' conflicts with another subnet CIDR reservation")
	wantRefusal(t, create("10.0.2.0/28", "explicit"), "InvalidParameterValue: The CIDR '10.0.2.0/28' is not within the subnet '"+sig+"'")
	wantRefusal(t, create("10.0.1.16/28", "implicit"), "InvalidParameterValue: Invalid value 'implicit' for reservationType")
	all, err := v.GetSubnetCIDRReservations(ctx, sig, false)
	if err != nil || len(all) != 3 {
		t.Errorf("got %v, %v", all, err)
	}
	out, err := v.AssignPrivateIPAddresses(ctx, AssignPrivateIPAddressesInput{NetworkInterfaceID: id("sig1"), Count: 1})
	if err != nil || out.Addresses[0] != ip("10.0.1.16") {
		t.Errorf("chose %v, %v; want the first behind the reservation", out.Addresses, err)
	}
}

func TestRoutes(t *testing.T) {
	v := newWorld(t)
	ctx := context.Background()
	table := topology.DeriveID("rtb", topology.MainRouteTable)
	floating := ip("192.0.2.100")
	wantUndelivered(t, v, floating, NoRoute)
	wantUndelivered(t, v, ip("10.0.1.100"), Unmapped)
	wantUndelivered(t, v, ip("fe80::1"), Unmapped)
	in := RouteInput{RouteTableID: table, Destination: netip.PrefixFrom(floating, 32), NetworkInterfaceID: id("sig1")}
	wantRefusal(t, v.ReplaceRoute(ctx, in), "InvalidParameterValue: There is no route defined for '192.0.2.100/32' in the route table. Use CreateRoute instead.")
	dry := in
	dry.DryRun = true
	wantRefusal(t, v.CreateRoute(ctx, dry), "DryRunOperation: Request would have succeeded, but DryRun flag is set.")
	wantRefusal(t, v.CreateRoute(ctx, in), "")
	if _, ok := v.Deliver("node2", floating); ok {
		t.Error("delivered to an ENI whose source/destination check is on")
	}
	wantUndelivered(t, v, floating, DestCheck)
	wantRefusal(t, v.SetSourceDestCheck(ctx, id("sig1"), false, false), "")
	if got, ok := v.Deliver("node2", floating); !ok || got != id("sig1") || !v.Permits("sig1", floating) {
		t.Errorf("the route leads to %q", got)
	}
	in.NetworkInterfaceID = id("sig2")
	wantRefusal(t, v.CreateRoute(ctx, in), "RouteAlreadyExists: The route identified by 192.0.2.100/32 already exists.")
	wantRefusal(t, v.ReplaceRoute(ctx, in), "")
	wantRefusal(t, v.SetSourceDestCheck(ctx, id("sig2"), false, false), "")
	if got, _ := v.Deliver("node2", floating); got != id("sig2") {
		t.Errorf("the route leads to %q", got)
	}
	out, err := v.DescribeRouteTables(ctx, DescribeInput{Filters: []Filter{{"route.destination-cidr-block", []string{"192.0.2.100/32"}}}})
	if err != nil || len(out.Tables) != 1 || out.Tables[0].Routes[2].ENI != id("sig2") {
		t.Errorf("got %+v, %v", out, err)
	}
	wantRefusal(t, v.DeleteRoute(ctx, in), "")
	wantRefusal(t, v.DeleteRoute(ctx, in), "InvalidRoute.NotFound: no route with destination-cidr-block 192.0.2.100/32 in route table "+table)
	if _, ok := v.Deliver("node2", floating); ok {
		t.Error("delivered without a route")
	}
	wantUndelivered(t, v, floating, NoRoute)
	if v.RoutedTo(table, floating) != "" {
		t.Error("the route is there still")
	}
	in.Destination = netip.MustParsePrefix("10.0.1.100/32")
	wantRefusal(t, v.CreateRoute(ctx, in), "InvalidParameterValue: The destination CIDR block 10.0.1.100/32 is equal to or more specific than one of this VPC's CIDR blocks.")
}

// wantUndelivered checks why a packet from node2 would be delivered to nobody.
func wantUndelivered(t *testing.T, v *VPC, dst netip.Addr, want string) {
	t.Helper()
	if got := v.Undelivered("node2", dst); got != want {
		t.Errorf("a packet to %s is dropped as %s, want %s", dst, got, want)
	}
}

// TestRouteStates: the route of an ENI that is gone is a black hole, which can be
// filtered by, replaced and deleted.
func TestRouteStates(t *testing.T) {
	v := newWorld(t)
	ctx := context.Background()
	table := topology.DeriveID("rtb", topology.MainRouteTable)
	in := RouteInput{RouteTableID: table, Destination: netip.MustParsePrefix("2001:db8::1/128"), NetworkInterfaceID: id("sig2")}
	wantRefusal(t, v.CreateRoute(ctx, in), "")
	if !v.DeleteENI("sig2") || v.DeleteENI("sig2") || len(v.ENIs()) != 3 {
		t.Errorf("sig2 was not deleted once: %v", v.ENIs())
	}
	if w, err := v.Instance("worker2"); err != nil || len(w.Interfaces) != 1 {
		t.Errorf("its worker's IMDS says %+v, %v", w, err)
	}
	if _, held := v.Owner(ip("10.0.1.50")); held {
		t.Error("an address of a deleted ENI has an owner")
	}
	if e, held := v.Owner(ip("10.0.1.145")); held {
		t.Errorf("a prefix of a deleted ENI is on %s", e.Name)
	}
	if _, ok := v.Deliver("node2", in.Destination.Addr()); ok {
		t.Error("delivered into a black hole")
	}
	wantUndelivered(t, v, in.Destination.Addr(), Blackhole)
	if got := v.RoutedTo(topology.MainRouteTable, in.Destination.Addr()); got != id("sig2") {
		t.Errorf("the route leads to %q", got)
	}
	find := func(name, value string) []RouteTable {
		out, err := v.DescribeRouteTables(ctx, DescribeInput{Filters: []Filter{{name, []string{value}}}})
		if err != nil {
			t.Error(err)
		}
		return out.Tables
	}
	for _, f := range [][2]string{{"route.state", "blackhole"}, {"route.origin", "CreateRoute"}, {"route.gateway-id", "local"}, {"owner-id", v.Topology().Account}, {"route.destination-ipv6-cidr-block", "2001:db8::1/128"}} {
		if len(find(f[0], f[1])) != 1 {
			t.Errorf("%s=%s finds nothing", f[0], f[1])
		}
	}
	if got := find("route.state", "blackhole")[0].Routes[2]; !got.Blackhole || got.ENI != id("sig2") || got.InstanceID != "" {
		t.Errorf("got %+v", got)
	}
	v.Assume(func(a *topology.Assumptions) { a.BlackholeNamesNoENI = true })
	if got := find("route.state", "blackhole")[0].Routes[2]; !got.Blackhole || got.ENI != "" {
		t.Errorf("got %+v", got)
	}
	wantRefusal(t, v.ReplaceRoute(ctx, in), "InvalidNetworkInterfaceID.NotFound: The networkInterface ID '"+id("sig2")+"' does not exist")
	in.NetworkInterfaceID = id("sig1")
	wantRefusal(t, v.CreateRoute(ctx, in), "RouteAlreadyExists: The route identified by 2001:db8::1/128 already exists.")
	wantRefusal(t, v.ReplaceRoute(ctx, in), "")
	if len(find("route.state", "blackhole")) != 0 || len(find("route.instance-id", topology.DeriveID("i", "worker1"))) != 1 {
		t.Error("the route was not replaced")
	}
	_, err := v.DescribeRouteTables(ctx, DescribeInput{MaxResults: 101})
	wantRefusal(t, err, "InvalidParameterValue: Value ( 101 ) for parameter maxResults is invalid. Expecting a value less than or equal to 100.")
}

// TestRouteDryRuns: a dry run changes nothing, and whether it finds what the call
// itself would be refused for can be chosen.
func TestRouteDryRuns(t *testing.T) {
	const dryRun = "DryRunOperation: Request would have succeeded, but DryRun flag is set."
	v := newWorld(t)
	ctx := context.Background()
	in := RouteInput{RouteTableID: topology.DeriveID("rtb", topology.MainRouteTable), Destination: netip.MustParsePrefix("192.0.2.100/32"), NetworkInterfaceID: id("sig1"), DryRun: true}
	for range 2 {
		wantRefusal(t, v.CreateRoute(ctx, in), dryRun)
	}
	wantRefusal(t, v.ReplaceRoute(ctx, in), dryRun)
	wantRefusal(t, v.DeleteRoute(ctx, in), dryRun)
	v.Assume(func(a *topology.Assumptions) { a.DryRunValidates, a.ReplaceMissingRouteCode = true, CodeRouteNotFound })
	wantRefusal(t, v.ReplaceRoute(ctx, in), "InvalidRoute.NotFound: There is no route defined for '192.0.2.100/32' in the route table. Use CreateRoute instead.")
	wantRefusal(t, v.DeleteRoute(ctx, in), "InvalidRoute.NotFound: no route with destination-cidr-block 192.0.2.100/32 in route table "+in.RouteTableID)
	wantRefusal(t, v.CreateRoute(ctx, in), dryRun)
	real := in
	real.DryRun = false
	wantRefusal(t, v.CreateRoute(ctx, real), "")
	wantRefusal(t, v.DeleteRoute(ctx, in), dryRun)
	wantRefusal(t, v.ReplaceRoute(ctx, in), dryRun)
	remove := v.Inject(Fault{Action: "ReplaceRoute", Code: CodeUnauthorized})
	wantRefusal(t, v.ReplaceRoute(ctx, in), "UnauthorizedOperation: You are not authorized to perform this operation.")
	remove()
	in.RouteTableID = "rtb-0"
	wantRefusal(t, v.ReplaceRoute(ctx, in), "InvalidRouteTableID.NotFound: The routeTable ID 'rtb-0' does not exist")
	in.RouteTableID = "table"
	wantRefusal(t, v.ReplaceRoute(ctx, in), `InvalidRouteTableId.Malformed: Invalid id: "table" (expecting "rtb-...")`)
}

func TestRouteQuota(t *testing.T) {
	v := newWorld(t)
	ctx := context.Background()
	in := RouteInput{RouteTableID: topology.DeriveID("rtb", topology.MainRouteTable), NetworkInterfaceID: id("sig1")}
	for i := range 500 {
		in.Destination = netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), 32)
		wantRefusal(t, v.CreateRoute(ctx, in), "")
	}
	wantRefusal(t, v.CreateRoute(ctx, in), "") // the same again
	in.Destination = netip.MustParsePrefix("192.0.2.100/32")
	wantRefusal(t, v.CreateRoute(ctx, in), "RouteLimitExceeded: The maximum number of routes has been reached.")
	in.Destination = netip.MustParsePrefix("2001:db8::1/128") // counted by itself
	wantRefusal(t, v.CreateRoute(ctx, in), "")
}

func TestSubnetsAndTypes(t *testing.T) {
	v := newWorld(t)
	ctx := context.Background()
	out, err := v.DescribeSubnets(ctx, DescribeInput{Filters: []Filter{{"cidr-block", []string{"10.0.1.0/24"}}}})
	if err != nil || len(out.Subnets) != 1 || out.Subnets[0].Available != 256-5-4-16 {
		t.Errorf("got %+v, %v; want one subnet with %d free", out, err, 256-5-4-16)
	}
	_, err = v.DescribeSubnets(ctx, DescribeInput{IDs: []string{"subnet-0"}})
	wantRefusal(t, err, "InvalidSubnetID.NotFound: The subnet ID 'subnet-0' does not exist")
	types, err := v.DescribeInstanceTypes(ctx, DescribeInput{IDs: []string{"m5.large", "m5.xlarge"}})
	if err != nil || len(types.Types) != 2 || types.Types[0].IPv4 != 10 || types.Types[1].IPv4 != 5 {
		t.Errorf("got %+v, %v; want m5.large with 10 and m5.xlarge as the topology overrides it", types, err)
	}
	_, err = v.DescribeInstanceTypes(ctx, DescribeInput{IDs: []string{"x.y"}})
	wantRefusal(t, err, "InvalidInstanceType: The following supplied instance types do not exist: [x.y]")
}
