// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"context"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

func (c caller) ReplaceRoute(ctx context.Context, in *ec2.ReplaceRouteInput, _ ...func(*ec2.Options)) (*ec2.ReplaceRouteOutput, error) {
	req := model.RouteInput{RouteTableID: aws.ToString(in.RouteTableId), Destination: destination(in.DestinationCidrBlock, in.DestinationIpv6CidrBlock),
		NetworkInterfaceID: aws.ToString(in.NetworkInterfaceId), DryRun: aws.ToBool(in.DryRun)}
	return &ec2.ReplaceRouteOutput{}, c.route(ctx, "ReplaceRoute", req, c.vpc.ReplaceRoute)
}

func (c caller) CreateRoute(ctx context.Context, in *ec2.CreateRouteInput, _ ...func(*ec2.Options)) (*ec2.CreateRouteOutput, error) {
	req := model.RouteInput{RouteTableID: aws.ToString(in.RouteTableId), Destination: destination(in.DestinationCidrBlock, in.DestinationIpv6CidrBlock),
		NetworkInterfaceID: aws.ToString(in.NetworkInterfaceId), DryRun: aws.ToBool(in.DryRun)}
	return &ec2.CreateRouteOutput{}, c.route(ctx, "CreateRoute", req, c.vpc.CreateRoute)
}

func (c caller) DeleteRoute(ctx context.Context, in *ec2.DeleteRouteInput, _ ...func(*ec2.Options)) (*ec2.DeleteRouteOutput, error) {
	req := model.RouteInput{RouteTableID: aws.ToString(in.RouteTableId), Destination: destination(in.DestinationCidrBlock, in.DestinationIpv6CidrBlock), DryRun: aws.ToBool(in.DryRun)}
	return &ec2.DeleteRouteOutput{}, c.route(ctx, "DeleteRoute", req, c.vpc.DeleteRoute)
}

func (c caller) route(ctx context.Context, action string, req model.RouteInput, call func(context.Context, model.RouteInput) error) error {
	_, err := ask(ctx, c.account, c.by, action, func(ctx context.Context) (struct{}, error) { return struct{}{}, call(ctx, req) })
	return err
}

func (c caller) DescribeRouteTables(ctx context.Context, in *ec2.DescribeRouteTablesInput, _ ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	req := model.DescribeInput{IDs: in.RouteTableIds, MaxResults: int(aws.ToInt32(in.MaxResults)), NextToken: aws.ToString(in.NextToken)}
	for _, f := range in.Filters {
		req.Filters = append(req.Filters, model.Filter{Name: aws.ToString(f.Name), Values: f.Values})
	}
	got, err := ask(ctx, c.account, c.by, "DescribeRouteTables", func(ctx context.Context) (model.DescribeRouteTablesOutput, error) {
		return c.vpc.DescribeRouteTables(ctx, req)
	})
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeRouteTablesOutput{}
	if got.NextToken != "" {
		out.NextToken = &got.NextToken
	}
	for _, t := range got.Tables {
		table := types.RouteTable{RouteTableId: &t.ID}
		for _, r := range t.Routes {
			table.Routes = append(table.Routes, describeRoute(r))
		}
		out.RouteTables = append(out.RouteTables, table)
	}
	return out, nil
}

func describeRoute(r model.Route) types.Route {
	out := types.Route{State: types.RouteState(r.State()), Origin: types.RouteOrigin(r.Origin())}
	if r.ENI != "" {
		out.NetworkInterfaceId = &r.ENI
	}
	if dst := r.Destination.String(); r.Destination.Addr().Is4() {
		out.DestinationCidrBlock = &dst
	} else {
		out.DestinationIpv6CidrBlock = &dst
	}
	return out
}

func destination(v4, v6 *string) netip.Prefix {
	p, _ := netip.ParsePrefix(aws.ToString(v4) + aws.ToString(v6)) // what is none is refused by the model
	return p
}
