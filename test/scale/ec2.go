// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// A caller is an EC2 client of one task: the SDK's signatures, and no HTTP.
type caller struct {
	eniassign.EC2 // the actions that no way here makes
	*account
	task *task
}

var _ eniassign.EC2 = caller{}

func (c caller) AssignPrivateIpAddresses(_ context.Context, in *ec2.AssignPrivateIpAddressesInput, _ ...func(*ec2.Options)) (*ec2.AssignPrivateIpAddressesOutput, error) {
	req := model.AssignPrivateIPAddressesInput{NetworkInterfaceID: aws.ToString(in.NetworkInterfaceId),
		Addresses: addrs(in.PrivateIpAddresses), AllowReassignment: aws.ToBool(in.AllowReassignment)}
	got, err := ask(c.account, c.task, "AssignPrivateIpAddresses", func(ctx context.Context) (model.AssignPrivateIPAddressesOutput, error) {
		return c.vpc.AssignPrivateIPAddresses(ctx, req)
	})
	if err != nil {
		return nil, err
	}
	out := &ec2.AssignPrivateIpAddressesOutput{}
	for _, a := range got.Addresses {
		out.AssignedPrivateIpAddresses = append(out.AssignedPrivateIpAddresses, types.AssignedPrivateIpAddress{PrivateIpAddress: aws.String(a.String())})
	}
	return out, nil
}

func (c caller) UnassignPrivateIpAddresses(_ context.Context, in *ec2.UnassignPrivateIpAddressesInput, _ ...func(*ec2.Options)) (*ec2.UnassignPrivateIpAddressesOutput, error) {
	req := model.UnassignPrivateIPAddressesInput{NetworkInterfaceID: aws.ToString(in.NetworkInterfaceId), Addresses: addrs(in.PrivateIpAddresses)}
	_, err := ask(c.account, c.task, "UnassignPrivateIpAddresses", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, c.vpc.UnassignPrivateIPAddresses(ctx, req)
	})
	return &ec2.UnassignPrivateIpAddressesOutput{}, err
}

func (c caller) AssignIpv6Addresses(_ context.Context, in *ec2.AssignIpv6AddressesInput, _ ...func(*ec2.Options)) (*ec2.AssignIpv6AddressesOutput, error) {
	req := model.AssignIPv6AddressesInput{NetworkInterfaceID: aws.ToString(in.NetworkInterfaceId), Addresses: addrs(in.Ipv6Addresses)}
	got, err := ask(c.account, c.task, "AssignIpv6Addresses", func(ctx context.Context) (model.IPv6AddressesOutput, error) {
		return c.vpc.AssignIPv6Addresses(ctx, req)
	})
	if err != nil {
		return nil, err
	}
	return &ec2.AssignIpv6AddressesOutput{AssignedIpv6Addresses: texts(got.Addresses)}, nil
}

func (c caller) UnassignIpv6Addresses(_ context.Context, in *ec2.UnassignIpv6AddressesInput, _ ...func(*ec2.Options)) (*ec2.UnassignIpv6AddressesOutput, error) {
	req := model.UnassignIPv6AddressesInput{NetworkInterfaceID: aws.ToString(in.NetworkInterfaceId), Addresses: addrs(in.Ipv6Addresses)}
	got, err := ask(c.account, c.task, "UnassignIpv6Addresses", func(ctx context.Context) (model.IPv6AddressesOutput, error) {
		return c.vpc.UnassignIPv6Addresses(ctx, req)
	})
	if err != nil {
		return nil, err
	}
	return &ec2.UnassignIpv6AddressesOutput{UnassignedIpv6Addresses: texts(got.Addresses)}, nil
}

func (c caller) DescribeNetworkInterfaces(_ context.Context, in *ec2.DescribeNetworkInterfacesInput, _ ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	req := model.DescribeInput{IDs: in.NetworkInterfaceIds, NextToken: aws.ToString(in.NextToken)}
	for _, f := range in.Filters {
		req.Filters = append(req.Filters, model.Filter{Name: aws.ToString(f.Name), Values: f.Values})
	}
	got, err := ask(c.account, c.task, "DescribeNetworkInterfaces", func(ctx context.Context) (model.DescribeNetworkInterfacesOutput, error) {
		return c.vpc.DescribeNetworkInterfaces(ctx, req)
	})
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeNetworkInterfacesOutput{}
	if got.NextToken != "" {
		out.NextToken = &got.NextToken
	}
	for _, e := range got.ENIs {
		out.NetworkInterfaces = append(out.NetworkInterfaces, describe(e))
	}
	return out, nil
}

// describe is an ENI as the SDK tells it, as far as the registrar reads it.
func describe(e model.ENI) types.NetworkInterface {
	out := types.NetworkInterface{
		NetworkInterfaceId: &e.ID, MacAddress: &e.MAC, SubnetId: &e.SubnetID, VpcId: &e.VPCID,
		PrivateIpAddress: aws.String(e.Primary.String()),
		Attachment:       &types.NetworkInterfaceAttachment{DeviceIndex: aws.Int32(int32(e.DeviceIndex)), InstanceId: &e.InstanceID},
	}
	for k, v := range e.Tags {
		out.TagSet = append(out.TagSet, types.Tag{Key: &k, Value: &v})
	}
	for i, a := range append([]netip.Addr{e.Primary}, e.Secondary...) {
		out.PrivateIpAddresses = append(out.PrivateIpAddresses,
			types.NetworkInterfacePrivateIpAddress{PrivateIpAddress: aws.String(a.String()), Primary: aws.Bool(i == 0)})
	}
	for _, a := range e.IPv6 {
		out.Ipv6Addresses = append(out.Ipv6Addresses, types.NetworkInterfaceIpv6Address{Ipv6Address: aws.String(a.String())})
	}
	return out
}

func addrs(texts []string) []netip.Addr {
	out := make([]netip.Addr, len(texts))
	for i, s := range texts {
		out[i], _ = netip.ParseAddr(s) // what is none is refused by the model
	}
	return out
}

func texts(addrs []netip.Addr) []string {
	out := make([]string, len(addrs))
	for i, a := range addrs {
		out[i] = a.String()
	}
	return out
}
