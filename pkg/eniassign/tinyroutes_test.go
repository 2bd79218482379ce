// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// A tinyRoute leads to an ENI, or to what else target names.
type tinyRoute struct {
	target string
	dead   bool // blackhole
}

// tinyTables are the route tables by ID, each by destination.
type tinyTables map[string]map[string]tinyRoute

// route is what the three actions have in common. set is nil for DeleteRoute.
func (v *tinyVPC) route(action, table string, dst4, dst6, eni *string, dry *bool) error {
	dst := aws.ToString(dst4) + aws.ToString(dst6)
	words := []string{table, dst}
	if aws.ToBool(dry) {
		words = append(words, "dry")
	}
	if err := v.call(action, aws.ToString(eni), words); err != nil {
		return err
	}
	if aws.ToBool(dry) {
		return apiError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
	}
	routes := v.tables[table]
	if routes == nil {
		return apiError("InvalidRouteTableID.NotFound", "The routeTable ID '"+table+"' does not exist")
	}
	_, there := routes[dst]
	switch {
	case action == "ReplaceRoute" && !there && v.replaceNotFound != nil:
		return v.replaceNotFound
	case action == "ReplaceRoute" && !there:
		return apiError("InvalidParameterValue", "There is no route defined for '"+dst+"' in the route table. Use CreateRoute instead.")
	case action == "DeleteRoute" && !there:
		return apiError("InvalidRoute.NotFound", "no route with destination-cidr-block "+dst+" in route table "+table)
	case action == "DeleteRoute":
		delete(routes, dst)
		return nil
	case action == "CreateRoute" && there:
		return apiError("RouteAlreadyExists", "The route identified by "+dst+" already exists.")
	}
	routes[dst] = tinyRoute{target: *eni}
	return nil
}

func (v *tinyVPC) ReplaceRoute(_ context.Context, in *ec2.ReplaceRouteInput, _ ...func(*ec2.Options)) (*ec2.ReplaceRouteOutput, error) {
	defer v.lock()()
	return &ec2.ReplaceRouteOutput{}, v.route("ReplaceRoute", *in.RouteTableId, in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.NetworkInterfaceId, in.DryRun)
}

func (v *tinyVPC) CreateRoute(_ context.Context, in *ec2.CreateRouteInput, _ ...func(*ec2.Options)) (*ec2.CreateRouteOutput, error) {
	defer v.lock()()
	return &ec2.CreateRouteOutput{}, v.route("CreateRoute", *in.RouteTableId, in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.NetworkInterfaceId, in.DryRun)
}

func (v *tinyVPC) DeleteRoute(_ context.Context, in *ec2.DeleteRouteInput, _ ...func(*ec2.Options)) (*ec2.DeleteRouteOutput, error) {
	defer v.lock()()
	return &ec2.DeleteRouteOutput{}, v.route("DeleteRoute", *in.RouteTableId, in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, nil, in.DryRun)
}

func (v *tinyVPC) DescribeRouteTables(_ context.Context, in *ec2.DescribeRouteTablesInput, _ ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	defer v.lock()()
	if len(in.Filters) != 1 || *in.Filters[0].Name != "route-table-id" || len(in.RouteTableIds) > 0 {
		panic("an unknown question")
	}
	if err := v.call("DescribeRouteTables", "", in.Filters[0].Values); err != nil {
		return nil, err
	}
	out := &ec2.DescribeRouteTablesOutput{}
	for _, id := range in.Filters[0].Values {
		routes, ok := v.tables[id]
		if !ok {
			continue
		}
		t := types.RouteTable{RouteTableId: &id, Routes: []types.Route{{DestinationCidrBlock: aws.String("10.0.0.0/16"), GatewayId: aws.String("local"), State: types.RouteStateActive}}}
		for dst, r := range routes {
			one := types.Route{State: types.RouteStateActive, Origin: types.RouteOriginCreateRoute}
			if r.dead {
				one.State = types.RouteStateBlackhole
			}
			if strings.HasPrefix(r.target, "eni-") {
				one.NetworkInterfaceId = &r.target
			} else if r.target != "" {
				one.TransitGatewayId = &r.target
			}
			if strings.Contains(dst, ":") {
				one.DestinationIpv6CidrBlock = &dst
			} else {
				one.DestinationCidrBlock = &dst
			}
			t.Routes = append(t.Routes, one)
		}
		out.RouteTables = append(out.RouteTables, t)
	}
	return out, nil
}
