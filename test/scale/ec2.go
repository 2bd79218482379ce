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
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// A caller is an EC2 client of one sender: the SDK's signatures, and no HTTP.
type caller struct {
	*account
	by sender
}

var _ eniassign.EC2 = caller{}

func (c caller) AssignPrivateIpAddresses(ctx context.Context, in *ec2.AssignPrivateIpAddressesInput, _ ...func(*ec2.Options)) (*ec2.AssignPrivateIpAddressesOutput, error) {
	req := model.AssignPrivateIPAddressesInput{NetworkInterfaceID: aws.ToString(in.NetworkInterfaceId),
		Addresses: addrs(in.PrivateIpAddresses), AllowReassignment: aws.ToBool(in.AllowReassignment)}
	got, err := ask(ctx, c.account, c.by, "AssignPrivateIpAddresses", func(ctx context.Context) (model.AssignPrivateIPAddressesOutput, error) {
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

func (c caller) UnassignPrivateIpAddresses(ctx context.Context, in *ec2.UnassignPrivateIpAddressesInput, _ ...func(*ec2.Options)) (*ec2.UnassignPrivateIpAddressesOutput, error) {
	req := model.UnassignPrivateIPAddressesInput{NetworkInterfaceID: aws.ToString(in.NetworkInterfaceId), Addresses: addrs(in.PrivateIpAddresses)}
	_, err := ask(ctx, c.account, c.by, "UnassignPrivateIpAddresses", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, c.vpc.UnassignPrivateIPAddresses(ctx, req)
	})
	return &ec2.UnassignPrivateIpAddressesOutput{}, err
}

func (c caller) AssignIpv6Addresses(ctx context.Context, in *ec2.AssignIpv6AddressesInput, _ ...func(*ec2.Options)) (*ec2.AssignIpv6AddressesOutput, error) {
	req := model.AssignIPv6AddressesInput{NetworkInterfaceID: aws.ToString(in.NetworkInterfaceId), Addresses: addrs(in.Ipv6Addresses)}
	got, err := ask(ctx, c.account, c.by, "AssignIpv6Addresses", func(ctx context.Context) (model.IPv6AddressesOutput, error) {
		return c.vpc.AssignIPv6Addresses(ctx, req)
	})
	if err != nil {
		return nil, err
	}
	return &ec2.AssignIpv6AddressesOutput{AssignedIpv6Addresses: texts(got.Addresses)}, nil
}

func (c caller) UnassignIpv6Addresses(ctx context.Context, in *ec2.UnassignIpv6AddressesInput, _ ...func(*ec2.Options)) (*ec2.UnassignIpv6AddressesOutput, error) {
	req := model.UnassignIPv6AddressesInput{NetworkInterfaceID: aws.ToString(in.NetworkInterfaceId), Addresses: addrs(in.Ipv6Addresses)}
	got, err := ask(ctx, c.account, c.by, "UnassignIpv6Addresses", func(ctx context.Context) (model.IPv6AddressesOutput, error) {
		return c.vpc.UnassignIPv6Addresses(ctx, req)
	})
	if err != nil {
		return nil, err
	}
	return &ec2.UnassignIpv6AddressesOutput{UnassignedIpv6Addresses: texts(got.Addresses)}, nil
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
