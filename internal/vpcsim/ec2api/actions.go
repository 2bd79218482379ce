// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"context"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// An action carries out one EC2 action.
type action func(context.Context, *model.VPC, *form) (reply, error)

// actions are the EC2 actions that the model knows, by their names.
func actions() map[string]action {
	return map[string]action{
		"AssignIpv6Addresses":               simple("AssignIpv6Addresses", assignIPv6),
		"AssignPrivateIpAddresses":          simple("AssignPrivateIpAddresses", assignPrivate),
		"CreateRoute":                       simple("CreateRoute", route((*model.VPC).CreateRoute)),
		"CreateSubnetCidrReservation":       simple("CreateSubnetCidrReservation", createReservation),
		"CreateTags":                        simple("CreateTags", createTags),
		"DeleteRoute":                       simple("DeleteRoute", route((*model.VPC).DeleteRoute)),
		"DeleteTags":                        simple("DeleteTags", deleteTags),
		"DescribeInstanceTypes":             simple("DescribeInstanceTypes", describeInstanceTypes),
		"DescribeNetworkInterfaceAttribute": simple("DescribeNetworkInterfaceAttribute", describeAttribute),
		"DescribeNetworkInterfaces":         simple("DescribeNetworkInterfaces", describeENIs),
		"DescribeRouteTables":               simple("DescribeRouteTables", describeRouteTables),
		"DescribeSubnets":                   simple("DescribeSubnets", describeSubnets),
		"GetSubnetCidrReservations":         simple("GetSubnetCidrReservations", getReservations),
		"ModifyNetworkInterfaceAttribute":   simple("ModifyNetworkInterfaceAttribute", modifyAttribute),
		"ReplaceRoute":                      simple("ReplaceRoute", route((*model.VPC).ReplaceRoute)),
		"UnassignIpv6Addresses":             simple("UnassignIpv6Addresses", unassignIPv6),
		"UnassignPrivateIpAddresses":        simple("UnassignPrivateIpAddresses", unassignPrivate),
	}
}

// simple is an action in two steps: read takes its parameters out of the form
// and returns the call. A form that cannot be read is refused before the call.
func simple(name string, read func(*form) func(context.Context, *model.VPC) (reply, error)) action {
	return func(ctx context.Context, v *model.VPC, f *form) (reply, error) {
		call := read(f)
		if refusal := f.done(); refusal != nil {
			return nil, v.Reject(ctx, name, refusal)
		}
		return call(ctx, v)
	}
}
