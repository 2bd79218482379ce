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
	in := RouteInput{RouteTableID: table, Destination: netip.PrefixFrom(floating, 32), NetworkInterfaceID: id("sig1")}
	wantRefusal(t, v.ReplaceRoute(ctx, in), "InvalidParameterValue: There is no route defined for '192.0.2.100/32' in the route table. Use CreateRoute instead.")
	dry := in
	dry.DryRun = true
	wantRefusal(t, v.CreateRoute(ctx, dry), "DryRunOperation: Request would have succeeded, but DryRun flag is set.")
	wantRefusal(t, v.CreateRoute(ctx, in), "")
	if _, ok := v.Deliver("node2", floating); ok {
		t.Error("delivered to an ENI whose source/destination check is on")
	}
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
	in.Destination = netip.MustParsePrefix("10.0.1.100/32")
	wantRefusal(t, v.CreateRoute(ctx, in), "InvalidParameterValue: The destination CIDR block 10.0.1.100/32 is equal to or more specific than one of this VPC's CIDR blocks.")
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
