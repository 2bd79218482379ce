// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// maxTablesPage is the most route tables of one page. Source: EC2 API
// reference, DescribeRouteTables, MaxResults.
const maxTablesPage = 100

// A Route says where a route table leads one address: its /32 or /128 route
// alone, not a wider one that contains the address.
type Route struct {
	// Table is the ID of the route table.
	Table string
	Addr  netip.Addr
	// ENI is the interface that the route leads to, "" where there is no such
	// route. The ID of a target that is no ENI (a gateway) is told all the same.
	ENI string
	// Blackhole says that there is a route whose target is not available: the
	// ENI is deleted or detached. ENI may be "" then.
	Blackhole bool
}

// Routes tells where each of tables leads each of addrs, as of now: one filtered
// request. Of a table that EC2 does not know the answer has nothing. It fails
// with an *Error.
func (c *Client) Routes(ctx context.Context, tables []string, addrs []netip.Addr) ([]Route, error) {
	routes, err := c.routesIn(ctx, tables, addrs)
	if err != nil {
		v := judge(err, request{action: "DescribeRouteTables", table: "route tables"})
		return nil, &Error{Why: v.reason(netip.Addr{}), Err: err}
	}
	return routes, nil
}

func (c *Client) routesIn(ctx context.Context, tables []string, addrs []netip.Addr) ([]Route, error) {
	found := map[string]types.RouteTable{}
	for chunk := range slices.Chunk(tables, maxFilterValues) {
		in := &ec2.DescribeRouteTablesInput{Filters: []types.Filter{filter("route-table-id", chunk...)}, MaxResults: aws.Int32(maxTablesPage)}
		for page := 0; ; page++ {
			if page == maxPages {
				return nil, fmt.Errorf("describe route tables: more than %d pages", maxPages)
			}
			out, err := c.EC2.DescribeRouteTables(ctx, in)
			if err != nil {
				return nil, err
			}
			for _, t := range out.RouteTables {
				found[aws.ToString(t.RouteTableId)] = t
			}
			if aws.ToString(out.NextToken) == "" {
				break
			}
			in.NextToken = out.NextToken
		}
	}
	var routes []Route
	for _, table := range tables {
		t, ok := found[table]
		if !ok {
			continue
		}
		for _, a := range addrs {
			routes = append(routes, routeIn(t, a))
		}
	}
	return routes, nil
}

// routeIn is where a table leads a.
func routeIn(t types.RouteTable, a netip.Addr) Route {
	at := Route{Table: aws.ToString(t.RouteTableId), Addr: a}
	for _, r := range t.Routes {
		dst, err := netip.ParsePrefix(aws.ToString(r.DestinationCidrBlock) + aws.ToString(r.DestinationIpv6CidrBlock))
		// A route that a gateway or a route server propagates cannot be replaced; a
		// static one is made beside it and wins. Source: ansible 43415, VPC user guide.
		if err != nil || dst != netip.PrefixFrom(a, a.BitLen()) ||
			r.Origin == types.RouteOriginEnableVgwRoutePropagation || r.Origin == types.RouteOriginAdvertisement {
			continue
		}
		at.Blackhole = r.State == types.RouteStateBlackhole
		for _, target := range []*string{r.NetworkInterfaceId, r.InstanceId, r.GatewayId, r.NatGatewayId, r.TransitGatewayId, r.VpcPeeringConnectionId,
			r.EgressOnlyInternetGatewayId, r.LocalGatewayId, r.CarrierGatewayId, r.CoreNetworkArn} {
			if at.ENI = aws.ToString(target); at.ENI != "" {
				break
			}
		}
	}
	return at
}
